// Nonlinear least squares: Levenberg-Marquardt (Eigen's MINPACK), then Gauss-Newton steps with refined residuals until
// the parameters stand still against their own uncertainty. Pure; the model is called from the caller's thread.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "calibration/fit/least_squares.hpp"

namespace strigil::calibration {

/// What the model says of point i under these parameters. May be NaN or inf far from the solution.
using PointModel = std::function<double(std::span<const double> parameters, std::size_t i)>;

struct NonlinearOptions {
  Eigen::VectorXd weights;  ///< as in LeastSquaresOptions
  bool weights_are_absolute = false;
  /// Further starts, tried after the first; the best end is kept.
  std::vector<std::vector<double>> more_starts = {};
  int max_evaluations = 20'000;
};

/// How the search went: for the record, and to be read where it failed.
struct Convergence {
  bool converged = false;
  int evaluations = 0;  ///< of the model at all points
  /// |Gauss-Newton step| / (residual_sd sqrt(p)) in the fitted values (the relative offset of Bates and Watts 1981):
  /// below 1e-3 the parameters are certain against their own uncertainty.
  double relative_offset = 0;
  std::size_t start = 0;  ///< which start led here, 0: the first
  std::string how;
};

struct NonlinearFit {
  /// Linearised at the solution; r_squared about the mean of y.
  LeastSquaresFit fit;
  Convergence convergence;
};

/// Fits. Start policy: from each start with the first step bounded to 100, 1 and 0.01 of the scaled start (a bad start
/// is often thrown far away by its first step); the end of least sum of squares is polished and reported. Refuses bad
/// shapes, a model not finite at every start, parameters that cannot be told apart, and ends that are no minimum.
[[nodiscard]] daq::Result<NonlinearFit> fit_nonlinear(const PointModel& model, const Eigen::VectorXd& y,
                                                      std::span<const double> start,
                                                      const NonlinearOptions& options = {});

}  // namespace strigil::calibration
