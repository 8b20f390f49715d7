// Linear least squares: y = X b + e, weighted, to as many digits as the data carry, with covariance. Pure, any thread.
// Householder QR with column pivoting on columns scaled by powers of two (Eigen), then iterative refinement of the
// augmented system with residuals in twice the precision (A. Bjorck, BIT 7 (1967) 257; metrology.md 4.5).
#pragma once

#include <Eigen/Core>
#include <limits>

#include "calibration/fit/extended.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// What is known of the scatter, and what is refused.
struct LeastSquaresOptions {
  /// One for each point, 1/u^2 or in proportion to it; empty: all 1. A point of weight 0 is left out, also of n.
  Eigen::VectorXd weights;
  /// The weights are 1/u^2 with u known: the covariance is not scaled by the residual scatter, and n = p is enough.
  bool weights_are_absolute = false;
  /// Refused above it: largest over smallest singular value of the scaled design (metrology.md 4.5).
  double largest_condition = 1e8;
  /// false: one QR in doubles, for the steps of a search that ends with a refined fit; several times faster.
  bool refine = true;
};

/// A fit and what it may claim. Shapes: n points, p coefficients.
struct LeastSquaresFit {
  Eigen::VectorXd coefficients;     ///< p
  Eigen::VectorXd standard_errors;  ///< p, in the coefficients' units
  Eigen::MatrixXd covariance;       ///< p x p; entries below 1e-308 become 0, standard_errors do not
  Eigen::VectorXd residuals;        ///< n, y - X b, unweighted
  /// sqrt(sum w r^2 / dof): the residual standard deviation (of unit weight). NaN where dof is 0.
  double residual_sd = std::numeric_limits<double>::quiet_NaN();
  double sum_of_squares = 0;  ///< sum w r^2; chi squared, where weights are absolute
  /// 1 - SSR/SST; SST about the mean where a column of X is constant, about 0 otherwise. NaN where SST is 0.
  double r_squared = std::numeric_limits<double>::quiet_NaN();
  double condition = 1;  ///< of the scaled design
  Eigen::Index points = 0, dof = 0;
  int refinements = 0;
  bool absolute = false;  ///< the scatter was known beforehand: coverage factors are normal, not t

  /// Standard uncertainty of row * b. Shape: p.
  [[nodiscard]] double uncertainty_of(const Eigen::VectorXd& row) const;
  /// Coverage factor of a two-sided interval with `probability` in (0, 1): t of dof, or normal where absolute.
  [[nodiscard]] double coverage_factor(double probability = 0.95) const;
};

/// Fits. `design` n x p, `y` n. Refuses in words: shapes that do not agree, numbers that are not finite, too few
/// points, a column that is zero or depends on others, a negative weight.
[[nodiscard]] daq::Result<LeastSquaresFit> fit_least_squares(const Eigen::MatrixXd& design, const Eigen::VectorXd& y,
                                                             const LeastSquaresOptions& options = {});

/// The same for data known to more digits than a double's, and its results to as many: what polynomials are made of.
struct ExtendedFit {
  LeastSquaresFit fit;
  ExtendedMatrix coefficients;  ///< p x 1
  ExtendedMatrix inverse_gram;  ///< p x p, (X' W X)^-1: the covariance for a scatter of 1
  double variance_scale = 1;    ///< residual_sd^2, or 1 where weights are absolute
};
[[nodiscard]] daq::Result<ExtendedFit> fit_extended(const ExtendedMatrix& design, const ExtendedMatrix& y,
                                                    const LeastSquaresOptions& options = {});

}  // namespace strigil::calibration
