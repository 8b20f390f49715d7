#include "calibration/standards/edge_stiffness.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "calibration/fit/polynomial_fit.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {

daq::Result<StiffnessResult> edge_stiffness(std::span<const double> loading_N, std::span<const double> loading_m,
                                            std::span<const double> unloading_N, std::span<const double> unloading_m,
                                            const Estimate& rig) {
  if (loading_N.size() < 4) return daq::Error{"stiffness is fitted to four loading readings at the least"};
  if (auto error = wrong_length("loading_m", loading_m.size(), loading_N.size())) return *error;
  if (unloading_N.size() != unloading_m.size()) return daq::Error{"unloading forces and displacements are not as many"};
  std::vector<double> force(loading_N.begin(), loading_N.end());
  force.insert(force.end(), unloading_N.begin(), unloading_N.end());
  std::vector<double> way(loading_m.begin(), loading_m.end());
  way.insert(way.end(), unloading_m.begin(), unloading_m.end());
  if (auto error = not_finite("force_N", force)) return *error;
  if (auto error = not_finite("displacement_m", way)) return *error;
  if (!std::isfinite(rig.value) || rig.value < 0 || !std::isfinite(rig.u) || rig.u < 0) {
    return daq::Error{"the rig's compliance must be 0 or more, with its uncertainty"};
  }
  const auto line = fit_polynomial(force, way);
  if (!line) return daq::Error{"displacement over force could not be fitted: " + line.error().message};
  StiffnessResult out;
  const auto dof = static_cast<double>(line->fit().dof);
  out.total_compliance_m_N = {line->coefficient(1), line->fit().standard_errors(1), dof};
  out.residual_sd_m = line->fit().residual_sd;
  PolynomialOptions second;
  second.degree = 2;
  if (const auto bent = fit_polynomial(force, way, second); bent && bent->fit().dof > 0) {
    const double span = line->x_max() - line->x_min();
    const double at_end = bent->coefficient(2) * span * span / 4;  // sagitta of a parabola over the span
    out.nonlinearity_pct = 100 * at_end / (line->coefficient(1) * span);
    const double u = bent->fit().standard_errors(2);
    out.straight = std::abs(bent->coefficient(2)) <= coverage_factor(static_cast<double>(bent->fit().dof)) * u;
  } else {
    out.straight = true;
  }
  const double total = out.total_compliance_m_N.value;
  const double u = std::hypot(out.total_compliance_m_N.u, rig.u);
  out.compliance_m_N = {total - rig.value, u, effective_dof(out.total_compliance_m_N.u, dof, rig.u, rig.dof)};
  if (!(out.compliance_m_N.value > 2 * u)) {
    return daq::Error{
        fmt::format("what is left beside the rig's compliance of {:.3g} m/N is {:.3g} +- {:.3g} m/N: too little to "
                    "be told from none; the rig must be stiffer than what it measures",
                    rig.value, out.compliance_m_N.value, u)};
  }
  const double c = out.compliance_m_N.value;
  out.stiffness_N_m = {1 / c, u / (c * c), out.compliance_m_N.dof};
  if (!unloading_N.empty()) {
    // Work by the trapezium rule, once up and once down.
    const auto work = [](std::span<const double> f, std::span<const double> x) {
      double sum = 0;
      for (std::size_t i = 1; i < f.size(); ++i) sum += (f[i] + f[i - 1]) / 2 * (x[i] - x[i - 1]);
      return sum;
    };
    out.loop_J = work(loading_N, loading_m) + work(unloading_N, unloading_m);
  }
  return out;
}

}  // namespace strigil::calibration
