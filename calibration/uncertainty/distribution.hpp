// What is known of an input quantity: a distribution, its mean and standard uncertainty. JCGM 101 6.4,
// metrology.md 4.1.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

struct Normal {
  double mean = 0, sd = 1;
};
/// mean + scale * t(dof): a mean of few observations, as JCGM 101 6.4.9 has it. Its standard deviation is
/// scale sqrt(dof/(dof-2)), infinite for dof <= 2: then only Monte Carlo takes it, and reports no u.
struct StudentT {
  double mean = 0, scale = 1, dof = 10;
};
/// Between low and high, all alike.
struct Rectangular {
  double low = -1, high = 1;
};
/// Symmetric about the middle of low and high.
struct Triangular {
  double low = -1, high = 1;
};
/// Sum of two rectangular ones: flat top of `top_ratio` (0..1) times the width.
struct Trapezoidal {
  double low = -1, high = 1, top_ratio = 0.5;
};
/// Rectangular with limits that are themselves known to +-limit_uncertainty (JCGM 101 6.4.3). Preconditions:
/// limit_uncertainty in [0, half width].
struct CurvilinearTrapezoid {
  double low = -1, high = 1, limit_uncertainty = 0;
};
/// U-shaped: a sine of unknown phase between low and high.
struct ArcSine {
  double low = -1, high = 1;
};
/// minimum + exponential: a quantity that cannot be less than minimum, of known mean.
struct Exponential {
  double minimum = 0, mean = 1;
};
/// Whatever was measured or drawn before: drawn again with equal chances. At least 2 values.
struct Samples {
  std::shared_ptr<const std::vector<double>> values;
};

using Distribution = std::variant<Normal, StudentT, Rectangular, Triangular, Trapezoidal, CurvilinearTrapezoid, ArcSine,
                                  Exponential, Samples>;

/// In words what is wrong with the parameters, or nothing: finite numbers, low < high, sd >= 0, ...
[[nodiscard]] daq::Result<void> check(const Distribution& distribution);
/// Preconditions of these: check() is content.
[[nodiscard]] double mean_of(const Distribution& distribution);
/// Standard deviation; +inf for t of dof <= 2.
[[nodiscard]] double standard_uncertainty_of(const Distribution& distribution);
/// "rectangular", as tables have it.
[[nodiscard]] std::string name_of(const Distribution& distribution);

/// From half-widths about a value, as data sheets say them.
[[nodiscard]] Distribution rectangular_about(double value, double half_width);
/// A display that steps by `resolution`: rectangular, u = resolution / sqrt(12).
[[nodiscard]] Distribution resolution_about(double value, double resolution);
/// "U = ... (k = ...)" of a certificate. Precondition: k > 0.
[[nodiscard]] Distribution normal_of_expanded(double value, double expanded, double k = 2);
/// The mean of repeated observations: t with n - 1 degrees of freedom, scale s/sqrt(n). Refuses fewer than 2.
[[nodiscard]] daq::Result<Distribution> mean_of_observations(const std::vector<double>& observations);

}  // namespace strigil::calibration
