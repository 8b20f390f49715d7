// What the procedure "instrument" is to do, as its file says ([instrument], docs/calibrate.md), and where each reading
// stands among its steps. SI units.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

/// Weighing in several attitudes, with the clamp empty and with the instrument in it.
struct WeighingPlan {
  std::vector<double> lean_rad;  ///< of the tilt joint from upright
  double settle_s = 2;
  double read_s = 2;
  double tilt_zero_rad = 0;        ///< the joint's scale is right within so much (half-width)
  double density_at_least = 1000;  ///< kg/m3, of the instrument: bounds air's buoyancy, which is not corrected
};

/// Pressing upright on a stiff block.
struct BlockPlan {
  rig::Position above_m{};  ///< over the block, clear of it by a few millimetres
  double clear_z_m = 0;     ///< of the bench: on the way there
  double deepest_z_m = 0;   ///< it gives up here
  double speed_m_s = 0.2e-3;
  std::vector<double> force_N;  ///< rising; the same falling
  int series = 3;
  double settle_s = 0.5;
  double read_s = 0.5;
  calibration::Estimate rig_compliance_m_N;  ///< of all but the instrument
  double displacement_u_m = 0.25e-6;         ///< standard, of a short way as the stage counts it
};

/// Strokes on that block.
struct FrictionPlan {
  std::vector<double> force_N;
  double length_m = 20e-3;
  double speed_m_s = 20e-3;
};

/// Taps and sweep, in free air.
struct VibrationPlan {
  std::string edge = "ax";  ///< channels of the vibration stream: at the edge ...
  std::string grip = "az";  ///< ... and at the grip
  int taps = 8;
  double tap_period_s = 2;
  double hard_pulse_s = 0.5e-3;
  double soft_pulse_s = 2e-3;
  double hard_impulse_N_s = 0.05e-3;
  double soft_impulse_N_s = 0.5e-3;
  std::size_t modes = 2;               ///< at the most
  std::pair<double, double> modes_Hz;  ///< where they are looked for
  double clock_relative_u = 50e-6;     ///< of the accelerometers' sampling rate against the host's clock
  double sweep_period_s = 2.56;
  int sweeps = 8;
  double sweep_force_N = 0.02;
  std::vector<std::pair<double, double>> bands_Hz;
  double gain_ratio_u = 0;  ///< relative, of the two accelerometers
  double coherence_at_least = 0.95;
};

/// [instrument] of a procedure file. A part that is not there is not measured.
struct InstrumentPlan {
  bool weighs = false, presses = false, rubs = false, shakes = false;
  WeighingPlan weighing;
  BlockPlan block;
  FrictionPlan friction;
  VibrationPlan vibration;
};

/// Where the readings stand among the steps.
struct InstrumentSteps {
  struct Weighing {
    double lean_rad = 0;
    std::size_t step = 0;
  };
  struct Series {
    std::vector<std::size_t> loading, unloading;
  };
  struct Strokes {
    std::size_t zero = 0;
    std::vector<std::size_t> forward, backward;
  };
  std::vector<Weighing> empty, mounted;
  std::vector<Series> series;
  Strokes strokes;
  std::size_t hard_taps = 0, soft_taps = 0, sweep = 0;
};

}  // namespace strigil::protocols
