// Least squares with constraints: equalities that hold exactly, or coefficients that cannot be negative. Pure.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "calibration/fit/least_squares.hpp"

namespace strigil::calibration {

/// min |W^(1/2) (y - X b)| with C b = d. `c` k x p, `d` k, k < p, rows independent. The covariance is of the
/// constrained estimate (singular along C); r_squared is NaN. By the null space of C. Refuses what fit_least_squares
/// refuses, and constraints that contradict or repeat each other.
[[nodiscard]] daq::Result<LeastSquaresFit> fit_with_equalities(const Eigen::MatrixXd& design, const Eigen::VectorXd& y,
                                                               const Eigen::MatrixXd& c, const Eigen::VectorXd& d,
                                                               const LeastSquaresOptions& options = {});

struct NonNegativeFit {
  /// Covariance is that of the free coefficients as if the others had been left out; it is 0 for coefficients at 0.
  /// Near the bound it is too small: use Monte Carlo for what is to be claimed there.
  LeastSquaresFit fit;
  std::vector<bool> at_bound;  ///< p: held at 0
  int iterations = 0;
};
/// min |W^(1/2) (y - X b)| with b >= 0 (Lawson and Hanson, Solving Least Squares Problems, 1974, ch. 23).
[[nodiscard]] daq::Result<NonNegativeFit> fit_non_negative(const Eigen::MatrixXd& design, const Eigen::VectorXd& y,
                                                           const LeastSquaresOptions& options = {});

}  // namespace strigil::calibration
