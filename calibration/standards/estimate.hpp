// Estimate: a number with its standard uncertainty and degrees of freedom, as the standards' evaluations report them.
#pragma once

#include <limits>

namespace strigil::calibration {

/// A value, its standard uncertainty in the same unit and its degrees of freedom (infinite when known for sure).
struct Estimate {
  double value = 0;
  double u = 0;
  double dof = std::numeric_limits<double>::infinity();

  /// Half-width of the two-sided interval that holds the truth with probability `p`: t(dof truncated, p) * u.
  /// metrology.md 4.1: dof are truncated before t is taken. Infinite below one degree of freedom.
  [[nodiscard]] double expanded(double p = 0.95) const;
  [[nodiscard]] double low(double p = 0.95) const { return value - expanded(p); }
  [[nodiscard]] double high(double p = 0.95) const { return value + expanded(p); }
};

/// Coverage factor of a t interval: dof truncated to a whole number; normal above 1e6. 0 < p < 1 (asserted).
[[nodiscard]] double coverage_factor(double dof, double p = 0.95);

/// Welch-Satterthwaite for two independent parts (metrology.md 4.1): dof of the root sum of squares.
[[nodiscard]] double effective_dof(double u1, double dof1, double u2, double dof2);

}  // namespace strigil::calibration
