// TemperatureCourse: how warm the sensors are while a run lasts, against where they were calibrated.
#pragma once

#include <cmath>
#include <numbers>

namespace strigil::sim {

/// A value; pure. [twin.temperature] of a bench file.
struct TemperatureCourse {
  double start_K = 0;      ///< at power-on, above (below) the temperature of calibration
  double warm_up_K = 0;    ///< that electronics warm themselves by ...
  double warm_up_s = 600;  ///< ... with this time constant [A]
  double swing_K = 0;      ///< of the room: amplitude ...
  double swing_s = 1200;   ///< ... and period: an air conditioner's [A]

  bool operator==(const TemperatureCourse&) const = default;
  /// Difference to calibration (K), `time_s` after power-on.
  [[nodiscard]] double at(double time_s) const noexcept {
    double t_K = start_K;
    if (warm_up_K != 0) t_K += warm_up_K * (1 - std::exp(-time_s / warm_up_s));
    if (swing_K != 0) t_K += swing_K * std::sin(2 * std::numbers::pi * time_s / swing_s);
    return t_K;
  }
};

}  // namespace strigil::sim
