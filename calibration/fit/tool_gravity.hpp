// Weight and zero of a tool on a force/torque sensor, from its readings in several attitudes. metrology.md 1.7. Pure.
#pragma once

#include <Eigen/Core>

#include "calibration/fit/least_squares.hpp"

namespace strigil::calibration {

/// Readings follow F = F0 - m g and T = T0 + [g]x m c, g the acceleration of gravity in the sensor's frame.
struct ToolGravity {
  double mass_kg = 0, u_mass_kg = 0;
  Eigen::Vector3d centre_m, u_centre_m;  ///< of mass, from the sensor's origin; first order
  Eigen::Vector3d first_moment_kg_m;     ///< m c
  Eigen::Vector3d force_zero_N, u_force_zero_N;
  Eigen::Vector3d torque_zero_N_m, u_torque_zero_N_m;
  double force_sd_N = 0, torque_sd_N_m = 0;  ///< residual standard deviations
  double condition = 1;                      ///< the worse of force and torque
};

/// `gravity_m_s2` M x 3, `wrenches` M x 6 (N, N m): M >= 3 attitudes, better 10. Refuses attitudes that do not tell
/// weight from zero (all but parallel), a gravity that is 0 or changes its length by more than 1 %, a mass that is not
/// above 3 of its uncertainties (no centre can be told then).
[[nodiscard]] daq::Result<ToolGravity> identify_tool(const Eigen::MatrixXd& gravity_m_s2,
                                                     const Eigen::MatrixXd& wrenches);

}  // namespace strigil::calibration
