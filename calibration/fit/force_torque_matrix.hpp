// The matrix of a multi-axis force/torque sensor: wrench (6) = C (6 x n) * bridge signals (n). metrology.md 1.7. Pure.
// Axes are Fx Fy Fz Tx Ty Tz, N and N m; bridge signals are above their zero at the load case's temperature.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "calibration/fit/least_squares.hpp"

namespace strigil::calibration {

/// One row for each load case.
struct LoadCases {
  Eigen::MatrixXd signals;   ///< N x n, n >= 6
  Eigen::MatrixXd wrenches;  ///< N x 6, applied
};

struct ForceTorqueOptions {
  /// Try terms u_i u_j, and keep for each axis those that an F test keeps: forward, at this significance divided by the
  /// number of candidates (n (n + 1) / 2), so that noise seldom brings one in.
  bool interactions = false;
  double significance = 0.01;
  double largest_condition = 1e4;  ///< of the scaled signals: above, the loads did not excite all bridges apart
};

/// u_i u_j, i <= j.
struct Interaction {
  Eigen::Index i = 0, j = 0;
};

/// A fitted matrix, its covariance and what it predicts. Terms are the n signals, then the interactions.
struct ForceTorqueMatrix {
  Eigen::MatrixXd matrix;                    ///< 6 x terms; 0 where an axis does without a term
  std::vector<Interaction> interactions;     ///< those that some axis kept
  std::vector<Eigen::MatrixXd> covariances;  ///< by axis, terms x terms
  Eigen::MatrixXd residual_covariance;       ///< 6 x 6, S = R'R / dof; N^2, N N m, (N m)^2
  Eigen::VectorXd residual_sd;               ///< 6
  std::vector<int> dofs;                     ///< by axis
  double condition = 1;                      ///< of the signals, columns scaled
  Eigen::VectorXd signal_low, signal_high;   ///< n: what the loads covered

  [[nodiscard]] Eigen::VectorXd terms(const Eigen::VectorXd& signals) const;
  [[nodiscard]] Eigen::VectorXd wrench(const Eigen::VectorXd& signals) const { return matrix * terms(signals); }
  /// Half-widths (6) within which one new observation of the wrench lies with `probability`, axis by axis.
  [[nodiscard]] Eigen::VectorXd prediction_band(const Eigen::VectorXd& signals, double probability = 0.95) const;
  /// Covariance of two elements of C, C(axis_a, i) and C(axis_b, j): residual_covariance (x) (U'U)^-1. Without
  /// interactions, or for the same axis.
  [[nodiscard]] double covariance(Eigen::Index axis_a, Eigen::Index i, Eigen::Index axis_b, Eigen::Index j) const;
};

/// Fits. Refuses shapes, numbers, a signal or an applied axis that was seen at fewer than 3 levels (a level: apart from
/// the next by 2 % of the range or more), too few cases, and a condition above the limit.
[[nodiscard]] daq::Result<ForceTorqueMatrix> fit_force_torque_matrix(const LoadCases& cases,
                                                                     const ForceTorqueOptions& options = {});

/// Load cases that were not in the fit, compared: error of an axis = max |found - applied| / full scale, in percent.
struct CrossValidation {
  Eigen::VectorXd error_percent;  ///< 6, of full scale
  /// 6 x 6: row i, column j: reading of axis i in percent of its full scale at full load of axis j alone; from the case
  /// of largest load of each sign, scaled to full load, the worse of them. NaN where axis j was never loaded alone.
  Eigen::MatrixXd crosstalk_percent;
};
/// `full_scale`: 6, above 0. A case loads axis j alone where all other axes are below 0.1 % of their full scale.
[[nodiscard]] daq::Result<CrossValidation> cross_validate(const ForceTorqueMatrix& matrix, const LoadCases& cases,
                                                          const Eigen::VectorXd& full_scale);

}  // namespace strigil::calibration
