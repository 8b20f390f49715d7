// Errors in both variables: a polynomial through points whose x and y are both uncertain, correlated or not
// (generalised distance regression; for a line York's and ISO/TS 28037's; Deming's where only the ratio is known).
// Pure.
#pragma once

#include <Eigen/Core>
#include <optional>

#include "calibration/fit/polynomial_fit.hpp"

namespace strigil::calibration {

/// n points with the covariances of their errors. Give either the standard uncertainties or the matrices.
struct UncertainPoints {
  Eigen::VectorXd x, y;
  Eigen::VectorXd u_x, u_y;  ///< n; independent points
  Eigen::VectorXd cov_xy;    ///< n, of x and y of the same point; empty: 0
  /// n x n, of all x, of all y, and of x (row) with y (column): one reference that made all x, for instance. Empty:
  /// as above.
  Eigen::MatrixXd v_x, v_y, v_xy;
};

struct ErrorsInVariablesOptions {
  int degree = 1;
  bool through_zero = false;
  /// Only the ratios of the uncertainties are known: the covariance is scaled by chi squared / dof.
  bool scale_unknown = false;
};

struct ErrorsInVariablesFit {
  /// Residuals are y - curve(true x) - slope (x - true x); r_squared is NaN, and so is residual_sd where scale_unknown:
  /// an inverse then wants the reading's own uncertainty.
  PolynomialFit curve;
  double chi_squared = 0;
  int dof = 0;
  double p_value = 1;          ///< of a chi squared at least as large; 1 where scale_unknown
  Eigen::VectorXd adjusted_x;  ///< n, where the true x most likely are
  int iterations = 0;
};

/// Gauss-Newton on coefficients and true x together, to convergence; covariance from the normal matrix at the adjusted
/// points. Refuses bad shapes and numbers, negative uncertainties, points of no uncertainty at all, covariances that
/// contradict each other, too few points, and a search that does not converge.
[[nodiscard]] daq::Result<ErrorsInVariablesFit> fit_errors_in_variables(const UncertainPoints& points,
                                                                        const ErrorsInVariablesOptions& options = {});

}  // namespace strigil::calibration
