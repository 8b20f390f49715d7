// What the simulated bench for instruments is made of ([twin.instrument_bench]): the truth that a calibration is to
// find.
#pragma once

#include <array>
#include <optional>

#include "rig/instrument.hpp"

namespace strigil::sim {

/// SI units. Numbers without a source are assumptions [A].
struct InstrumentBenchConfig {
  std::optional<rig::Instrument> instrument;  ///< its mass, modes, gains; none: that of the bench, or a steel bar
  std::array<double, 3> centre_m{1e-3, -0.5e-3, -75e-3};  ///< of mass, from the sensor's origin, upright
  double edge_stiffness_N_m = 100e3;                      ///< of edge and bar, as pressed along z
  double friction = 0.15;                                 ///< on the block
  double friction_wave = 0.01;                            ///< its unevenness, in parts, over 3 mm
  std::array<double, 3> holder_centre_m{0, 0, -20e-3};
  double block_z_m = -30e-3;
  double block_slope = 0;            ///< dz/dx
  double rig_stiffness_N_m = 400e3;  ///< of stage, sensor and clamp in series, along z
  double tilt_zero_rad = 0;          ///< error of the tilt scale, common ...
  double tilt_setting_rad = 1e-3;    ///< ... and of each setting (standard deviation)
};

}  // namespace strigil::sim
