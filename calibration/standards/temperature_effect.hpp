// Temperature effects on zero and sensitivity of a force sensor, from one joint fit. metrology.md 1.8 (after Roeske,
// ACTA IMEKO 9(5) 2020, title and abstract [S]).
#pragma once

#include <string>
#include <vector>

#include "calibration/fit/least_squares.hpp"
#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

struct TemperaturePoint {
  double temperature_degC = 0;
  double force_N = 0;
  double reading = 0;  // zero not taken off
};

struct TemperatureOptions {
  double reference_degC = 23;
  bool quadratic_zero = false;         // z2 dT^2
  bool quadratic_sensitivity = false;  // k2 dT^2
};

/// reading = z0 + z1 dT (+ z2 dT^2) + S0 F (1 + k1 dT (+ k2 dT^2)), dT from the reference temperature.
struct TemperatureEffect {
  Estimate zero;               // z0, reading's unit
  Estimate zero_per_K;         // z1
  Estimate sensitivity;        // S0, unit per N
  Estimate sensitivity_per_K;  // k1, relative
  Estimate zero_pct_K;         // TC0: z1 in % of the deflection at the largest force
  Estimate sensitivity_pct_K;  // TCs: k1 in %
  LeastSquaresFit fit;         // columns z0, z1, (z2), S0, S0 k1, (S0 k2)
  TemperatureOptions options;
  double lowest_degC = 0, highest_degC = 0, largest_N = 0;

  /// Force for a reading at a temperature; refuses temperatures and forces that were not measured.
  [[nodiscard]] daq::Result<double> force_N(double reading, double temperature_degC) const;
};

/// Fits all points at once, so that zero and sensitivity share their scatter. Refuses NaN, fewer than three
/// temperatures (more than 1 K apart; four with a quadratic term) and fewer than five forces at any of them, and no
/// sensitivity. Pure.
[[nodiscard]] daq::Result<TemperatureEffect> fit_temperature_effect(const std::vector<TemperaturePoint>& points,
                                                                    const TemperatureOptions& options = {});

}  // namespace strigil::calibration
