// Mean, standard deviation, autocorrelation; one-way analysis of variance: to all digits that the numbers carry, also
// where they differ only in the last. Sums in twice the precision (NIST StRD, univariate and ANOVA). Pure.
#pragma once

#include <span>
#include <vector>

#include "calibration/fit/extended.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

struct Summary {
  std::size_t n = 0;
  double mean = 0;
  double sd = 0;               ///< n - 1 in the denominator
  double autocorrelation = 0;  ///< at lag 1; NaN where sd is 0
  /// Of the mean, observations independent: sd / sqrt(n).
  [[nodiscard]] double mean_uncertainty() const { return sd / std::sqrt(static_cast<double>(n)); }
};
/// Refuses fewer than 2 values and values that are not finite.
[[nodiscard]] daq::Result<Summary> summarize(std::span<const double> values);
/// For numbers of more digits than a double holds.
[[nodiscard]] daq::Result<Summary> summarize(std::span<const Extended> values);

struct OneWayAnova {
  std::size_t groups = 0, n = 0;
  int dof_between = 0, dof_within = 0;
  double ss_between = 0, ss_within = 0;
  double ms_between = 0, ms_within = 0;
  double f = 0, p_value = 1;
  double r_squared = 0;
  double residual_sd = 0;
  /// Variance between groups, (MS_b - MS_w)/n0. Negative as it comes: who clamps it must say so (metrology.md rule 3).
  double variance_between = 0;
};
/// Groups may differ in size; an empty one is refused, and so are fewer than 2 groups, no repeats at all, values that
/// are not finite, and groups without any scatter.
[[nodiscard]] daq::Result<OneWayAnova> one_way_anova(const std::vector<std::vector<double>>& groups);
[[nodiscard]] daq::Result<OneWayAnova> one_way_anova(const std::vector<std::vector<Extended>>& groups);

}  // namespace strigil::calibration
