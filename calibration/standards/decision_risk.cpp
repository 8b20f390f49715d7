#include "calibration/standards/decision_risk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

constexpr double kTail = 9;  // standard deviations beyond which a normal density is nothing to 1e-18
constexpr double kMax = std::numeric_limits<double>::max();

double density(double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); }

/// Integral of process density times what `of` says, from a to b, in panels that end wherever one of the two changes
/// fast.
template <typename Function>
double integrate(const RiskModel& m, double a, double b, const Function& of) {
  a = std::max(a, m.process_mean - kTail * m.process_sd);
  b = std::min(b, m.process_mean + kTail * m.process_sd);
  if (!(a < b)) return 0;
  std::vector<double> edges = {a, b, m.process_mean};
  for (const auto& limit : {m.acceptance.lower, m.acceptance.upper}) {
    if (!limit) continue;
    for (const double k : {-kTail, -3.0, 0.0, 3.0, kTail}) edges.push_back(*limit + k * m.measurement_u);
  }
  std::sort(edges.begin(), edges.end());
  const auto f = [&](double x) { return density((x - m.process_mean) / m.process_sd) / m.process_sd * of(x); };
  double sum = 0;
  for (std::size_t i = 1; i < edges.size(); ++i) {
    const double low = std::clamp(edges[i - 1], a, b);
    const double high = std::clamp(edges[i], a, b);
    if (low < high) sum += boost::math::quadrature::gauss_kronrod<double, 31>::integrate(f, low, high, 6, 1e-12);
  }
  return sum;
}

std::optional<daq::Error> refuse(const RiskModel& m) {
  if (auto error = out_of_bounds("process_mean", m.process_mean, -kMax, kMax)) return error;
  if (auto error = out_of_bounds("process_sd", m.process_sd, std::numeric_limits<double>::min(), kMax)) return error;
  if (auto error = out_of_bounds("measurement_u", m.measurement_u, 0, kMax)) return error;
  for (const auto& [name, t] : {std::pair{"tolerance", m.tolerance}, {"acceptance", m.acceptance}}) {
    if (!t.lower && !t.upper) return daq::Error{fmt::format("the {} has no limit", name)};
    if ((t.lower && !std::isfinite(*t.lower)) || (t.upper && !std::isfinite(*t.upper))) {
      return daq::Error{fmt::format("a limit of the {} is not a finite number", name)};
    }
    if (t.lower && t.upper && !(*t.lower <= *t.upper)) {
      return daq::Error{fmt::format("the lower limit of the {} is above the upper", name)};
    }
  }
  return std::nullopt;
}

}  // namespace

daq::Result<DecisionRisk> decision_risk(const RiskModel& m) {
  if (auto error = refuse(m)) return *error;
  const auto accept = [&](double x) { return conformance_probability(x, m.measurement_u, m.acceptance); };
  const auto reject = [&](double x) {
    double p = 0;
    if (m.acceptance.upper) p += 1 - conformance_probability(x, m.measurement_u, {std::nullopt, m.acceptance.upper});
    if (m.acceptance.lower) p += 1 - conformance_probability(x, m.measurement_u, {m.acceptance.lower, std::nullopt});
    return std::min(p, 1.0);
  };
  const double low = m.tolerance.lower.value_or(-kMax);
  const double high = m.tolerance.upper.value_or(kMax);
  DecisionRisk out;
  out.false_accept = integrate(m, -kMax, low, accept) + integrate(m, high, kMax, accept);
  out.false_reject = integrate(m, low, high, reject);
  // An indication is normal about the process mean with both variances.
  out.accepted = conformance_probability(m.process_mean, std::hypot(m.process_sd, m.measurement_u), m.acceptance);
  out.in_tolerance = conformance_probability(m.process_mean, m.process_sd, m.tolerance);
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  out.false_accept_of_accepted = out.accepted > 0 ? out.false_accept / out.accepted : kNothing;
  out.false_reject_of_good = out.in_tolerance > 0 ? out.false_reject / out.in_tolerance : kNothing;
  return out;
}

daq::Result<double> process_sd_for(double in_tolerance, double half_width) {
  if (!(in_tolerance > 0 && in_tolerance < 1)) {
    return daq::Error{
        fmt::format("a part of {:g} in tolerance has no normal process; it must lie between 0 and 1", in_tolerance)};
  }
  if (!(half_width > 0) || !std::isfinite(half_width))
    return daq::Error{"the half-width of a tolerance must be above 0"};
  return half_width / boost::math::quantile(boost::math::normal(), (1 + in_tolerance) / 2);
}

daq::Result<double> guard_factor_for_risk(const RiskModel& model, double false_accept) {
  if (!model.tolerance.lower || !model.tolerance.upper)
    return daq::Error{"a guard factor is for a tolerance of two sides"};
  if (!(false_accept > 0 && false_accept < 1)) return daq::Error{"a false-accept risk must lie between 0 and 1"};
  const double middle = (*model.tolerance.lower + *model.tolerance.upper) / 2;
  const double half = (*model.tolerance.upper - *model.tolerance.lower) / 2;
  RiskModel m = model;
  const auto risk_at = [&](double factor) -> daq::Result<double> {
    m.acceptance = {middle - factor * half, middle + factor * half};
    const auto risk = decision_risk(m);
    if (!risk) return risk.error();
    return risk->false_accept;
  };
  const auto whole = risk_at(1);
  if (!whole) return whole.error();
  if (*whole <= false_accept) return 1.0;
  double low = 0;
  double high = 1;
  for (int i = 0; i < 60; ++i) {  // halving: risk rises with the factor, and 60 halvings are all a double has
    const double mid = (low + high) / 2;
    const auto risk = risk_at(mid);
    if (!risk) return risk.error();
    (*risk <= false_accept ? low : high) = mid;
  }
  return low;
}

}  // namespace strigil::calibration
