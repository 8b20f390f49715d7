// Mass and centre of mass of what hangs on a six-axis sensor, with the sensor's bias, from readings in several attitudes.
// metrology.md 1.7 [S].
#pragma once

#include <array>
#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One attitude at rest. Gravity as seen in the sensor's frame, pointing to the ground.
struct AttitudeReading {
  std::array<double, 3> gravity_m_s2{};
  std::array<double, 3> force_N{};
  std::array<double, 3> torque_Nm{};
};

/// F = -m g + F_b and T = g x (m c) + T_b, as the sensor reports the reaction.
struct ToolMass {
  Estimate mass_kg;
  std::array<Estimate, 3> centre_m;
  std::array<Estimate, 3> force_bias_N;
  std::array<Estimate, 3> torque_bias_Nm;
  double force_sd_N = 0;    // residual
  double torque_sd_Nm = 0;
  double condition = 0;     // of the torque equations, columns scaled
  std::vector<std::string> remarks;
};

/// Least squares of H x = z; forces and torques share no unknown, so each keeps its own scatter. `gravity_u_relative`: of
/// g, goes into the mass. Refuses NaN, fewer than three attitudes, attitudes too alike (condition above 100), gravity that is
/// not about 9.8 m/s^2, and a mass that comes out not above zero. Fewer than ten attitudes are remarked on. Pure.
[[nodiscard]] daq::Result<ToolMass> tool_mass(const std::vector<AttitudeReading>& readings, double gravity_u_relative = 0);

}  // namespace strigil::calibration
