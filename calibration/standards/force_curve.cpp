#include "calibration/standards/force_curve.hpp"

#include <fmt/format.h>

#include <cmath>

#include "calibration/fit/inverse_prediction.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {

daq::Result<ForceCurve> ForceCurve::make(const ForceCurveInput& input) {
  if (input.runs.empty()) return daq::Error{"no runs: nothing to fit"};
  if (input.mounted_anew && input.runs.size() < 2) {
    return daq::Error{
        "one run says nothing of what mounting anew does: take more, or say that the sensor stays as it is"};
  }
  if (auto error = out_of_bounds("reference_relative_u", input.reference_relative_u, 0, 1)) return *error;
  if (!(input.reference_dof >= 1)) return daq::Error{"reference_dof must be 1 or more"};
  ForceCurve out;
  out.input_ = input;
  std::vector<double> force, reading;
  PolynomialOptions options;
  options.degree = input.degree;
  double squares = 0;
  for (std::size_t i = 0; i < input.runs.size(); ++i) {
    const auto& run = input.runs[i];
    force.insert(force.end(), run.force_N.begin(), run.force_N.end());
    reading.insert(reading.end(), run.reading.begin(), run.reading.end());
    if (!input.mounted_anew) continue;
    auto fit = fit_polynomial(run.force_N, run.reading, options);
    if (!fit) return daq::Error{fmt::format("run {} could not be fitted: {}", i + 1, fit.error().message)};
    squares += fit->fit().sum_of_squares;
    out.scatter_dof_ += static_cast<double>(fit->fit().dof);
    out.runs_.push_back(std::move(fit).value());
  }
  auto pooled = fit_polynomial(force, reading, options);
  if (!pooled) return daq::Error{"the runs together could not be fitted: " + pooled.error().message};
  out.pooled_ = std::move(pooled).value();
  if (!input.mounted_anew) {
    squares = out.pooled_.fit().sum_of_squares;
    out.scatter_dof_ = static_cast<double>(out.pooled_.fit().dof);
  }
  if (out.scatter_dof_ < 1) return daq::Error{"as many coefficients as readings: the scatter is not known"};
  out.scatter_ = std::sqrt(squares / out.scatter_dof_);
  return out;
}

daq::Result<ForceStatement> ForceCurve::force(double reading, double repeats, double other_u_N) const {
  if (auto error = out_of_bounds("other_u_N", other_u_N, 0, 1e9)) return *error;
  InverseOptions options;
  options.repeats = repeats;
  const auto inverse = invert(pooled_, reading, options);
  if (!inverse) return inverse.error();
  ForceStatement out;
  const double f = inverse->x;
  const double slope = std::abs(pooled_.slope(f));
  const double scatter = scatter_ / std::sqrt(repeats) / slope;
  // The pooled covariance is scaled to the scatter within runs: what runs differ by is told apart.
  const double pooled_sd = pooled_.fit().residual_sd;
  const double curve = pooled_sd > 0 ? pooled_.curve_uncertainty(f) / slope * scatter_ / pooled_sd : 0;
  double mounting_square = 0;
  const auto n = static_cast<double>(runs_.size());
  if (!runs_.empty()) {
    std::vector<double> at;
    double own = 0;
    for (const auto& run : runs_) {
      at.push_back(run(f) / slope);
      const double run_sd = run.fit().residual_sd;
      const double u = run_sd > 0 ? run.curve_uncertainty(f) / slope * scatter_ / run_sd : 0;
      own += u * u / n;
    }
    // Runs spread by mounting and by their own fit; a use is one new mounting against the mean of n.
    const double spread = spread_of(at).deviation;
    const double mounting = spread * spread - own;
    out.mounting_clamped = mounting < 0;
    mounting_square = std::max(mounting, 0.0) * (1 + 1 / n);
  }
  const double mounting = std::sqrt(mounting_square);
  const double reference = std::abs(f) * input_.reference_relative_u;
  const double within = std::hypot(scatter, curve);
  double u = within, dof = scatter_dof_;
  const auto add = [&](double part, double part_dof) {
    dof = effective_dof(u, dof, part, part_dof);
    u = std::hypot(u, part);
  };
  add(mounting, std::max(n - 1, 1.0));
  add(reference, input_.reference_dof);
  add(other_u_N, std::numeric_limits<double>::infinity());
  out.force_N = {f, u, dof};
  out.budget = {{"scatter of the reading", scatter},
                {"curve", curve},
                {"mounting", mounting},
                {"reference force", reference},
                {"other", other_u_N}};
  return out;
}

}  // namespace strigil::calibration
