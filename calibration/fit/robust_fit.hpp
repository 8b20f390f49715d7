// Robust least squares: a few bad readings do not bend the fit. M-estimates of Huber and Tukey by reweighting
// (P. J. Huber, Robust Statistics, 1981, ch. 7). Pure.
#pragma once

#include <Eigen/Core>

#include "calibration/fit/least_squares.hpp"

namespace strigil::calibration {

enum class RobustKind { kHuber, kTukey };

struct RobustOptions {
  RobustKind kind = RobustKind::kHuber;
  /// In robust standard deviations: beyond it a residual loses weight (Huber) or all of it (Tukey). 0: 1.345 or 4.685,
  /// which keep 95 % of the efficiency for normal scatter.
  double tuning = 0;
};

/// Bad x (leverage) is not seen by an M-estimate: look at the weights beside the design.
struct RobustFit {
  /// Its covariance is Huber's, with the correction for n; residual_sd is the robust scale (MAD/0.6745);
  /// sum_of_squares and r_squared are of the reweighted fit.
  LeastSquaresFit fit;
  Eigen::VectorXd weights;  ///< n, 1: fully believed, 0: rejected
  int iterations = 0;
};

/// Shapes as fit_least_squares. Refuses what that refuses; more than half of the residuals being 0 (no scale); and a
/// search that does not settle.
[[nodiscard]] daq::Result<RobustFit> fit_robust(const Eigen::MatrixXd& design, const Eigen::VectorXd& y,
                                                const RobustOptions& options = {});

}  // namespace strigil::calibration
