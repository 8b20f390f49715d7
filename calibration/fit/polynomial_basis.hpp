// Chebyshev polynomials of x mapped to -1..1: the well-conditioned clothes in which polynomials are fitted. Pure.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "calibration/fit/extended.hpp"

namespace strigil::calibration {

/// T_0..T_(count-1) of (x - centre)/half_range; each times x/half_range where the curve goes through zero.
class PolynomialBasis {
 public:
  PolynomialBasis() = default;
  /// For x in x_min..x_max, finite. Precondition: count >= 1, x_min <= x_max.
  PolynomialBasis(Eigen::Index count, double x_min, double x_max, bool through_zero);

  [[nodiscard]] Eigen::Index count() const { return count_; }
  [[nodiscard]] bool through_zero() const { return through_zero_; }
  [[nodiscard]] Eigen::VectorXd row(double x) const;
  [[nodiscard]] std::vector<Extended> row(Extended x) const;
  /// Derivatives by x.
  [[nodiscard]] Eigen::VectorXd slope_row(double x) const;
  /// Row k: what basis function k is in powers x^0, x^1, ... (x^1, x^2, ... through zero).
  [[nodiscard]] ExtendedMatrix powers() const;

 private:
  Eigen::Index count_ = 1;
  double centre_ = 0, half_range_ = 1;
  bool through_zero_ = false;
};

}  // namespace strigil::calibration
