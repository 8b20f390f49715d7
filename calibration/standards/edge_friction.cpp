#include "calibration/standards/edge_friction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/fit/least_squares.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

std::optional<daq::Error> refuse(const FrictionReadings& r) {
  for (const auto& [name, pairs] : {std::pair{"forward", &r.forward}, {"backward", &r.backward}}) {
    if (pairs->size() < 2)
      return daq::Error{fmt::format("{} strokes gave {} force pairs; two are needed", name, pairs->size())};
    for (std::size_t i = 0; i < pairs->size(); ++i) {
      const auto& p = (*pairs)[i];
      if (!std::isfinite(p.normal_N) || !std::isfinite(p.tangential_N)) {
        return daq::Error{fmt::format("{} pair {} is not a finite number", name, i)};
      }
      if (!(p.normal_N > 0)) {
        return daq::Error{fmt::format("{} pair {} has a normal force of {:g} N: without contact there is no friction",
                                      name, i, p.normal_N)};
      }
    }
  }
  if (auto error = out_of_bounds("normal_u_N", r.normal_u_N, 0, 1e6)) return error;
  return out_of_bounds("gain_ratio_u", r.gain_ratio_u, 0, 1);
}

}  // namespace

daq::Result<FrictionResult> edge_friction(const FrictionReadings& r) {
  if (auto error = refuse(r)) return *error;
  const auto n = static_cast<Eigen::Index>(r.forward.size() + r.backward.size());
  const Eigen::Index parameters = r.tangential_tared ? 2 : 3;
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(n, parameters);
  Eigen::VectorXd y(n);
  double low = r.forward.front().normal_N, high = low;
  Eigen::Index at = 0;
  const auto add = [&](const std::vector<ForcePair>& pairs, Eigen::Index column, double sign) {
    for (const auto& p : pairs) {
      x(at, column) = sign * p.normal_N;
      if (!r.tangential_tared) x(at, 2) = 1;
      y(at++) = p.tangential_N;
      low = std::min(low, p.normal_N);
      high = std::max(high, p.normal_N);
    }
  };
  add(r.forward, 0, 1);
  add(r.backward, 1, -1);
  // Noise of the normal force flattens a slope by (u / spread)^2: below 1/400 at this range.
  if (!r.tangential_tared && !(high - low > std::max(20 * r.normal_u_N, 0.01 * high))) {
    return daq::Error{
        fmt::format("normal forces range over {:g} N only: friction cannot be told from a zero offset; press with "
                    "different forces, or tare the tangential channel and say so",
                    high - low)};
  }
  const auto fit = fit_least_squares(x, y);
  if (!fit) return daq::Error{"friction could not be fitted: " + fit.error().message};
  if (fit->dof < 1) return daq::Error{"too few force pairs: the scatter is not known"};
  const auto& c = fit->coefficients;
  if (!(c(0) > 0 && c(1) > 0)) {
    return daq::Error{
        fmt::format("friction came out as {:g} forward and {:g} backward: it must resist motion; check the sign of "
                    "the tangential channel and which strokes went forward",
                    c(0), c(1))};
  }
  const auto dof = static_cast<double>(fit->dof);
  // Noise of N counts as mu times itself in T; the fit's scatter holds it already when it is random. Gain is not
  // random.
  const double gain = r.gain_ratio_u;
  const auto with_gain = [&](double value, double u_fit) {
    return Estimate{value, std::hypot(u_fit, gain * value),
                    effective_dof(u_fit, dof, gain * value, std::numeric_limits<double>::infinity())};
  };
  FrictionResult out;
  out.residual_sd_N = fit->residual_sd;
  out.mu_forward = with_gain(c(0), fit->standard_errors(0));
  out.mu_backward = with_gain(c(1), fit->standard_errors(1));
  if (!r.tangential_tared) out.offset_N = {c(2), fit->standard_errors(2), dof};
  const double angle_forward = std::atan(c(0)), angle_backward = std::atan(c(1));
  const double phi = (angle_forward + angle_backward) / 2;
  const double by_forward = 0.5 / (1 + c(0) * c(0)), by_backward = 0.5 / (1 + c(1) * c(1));
  const auto& v = fit->covariance;
  const double own = by_forward * by_forward * v(0, 0) + by_backward * by_backward * v(1, 1);
  const double cross = 2 * by_forward * by_backward * v(0, 1);
  const double mu = std::tan(phi);
  out.mu = with_gain(mu, (1 + mu * mu) * std::sqrt(std::max(own + cross, 0.0)));
  out.lean_rad = {(angle_forward - angle_backward) / 2, std::sqrt(std::max(own - cross, 0.0)), dof};
  out.directions_agree = std::abs(out.lean_rad.value) <= out.lean_rad.expanded();
  return out;
}

}  // namespace strigil::calibration
