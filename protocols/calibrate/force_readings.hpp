// What a force procedure's windows say: readings of the three force channels with their zero taken off. Pure.
#pragma once

#include <array>
#include <vector>

#include "calibration/standards/creep.hpp"
#include "protocols/calibrate/force_axes.hpp"
#include "protocols/calibrate/force_procedure.hpp"

namespace strigil::protocols {

/// Fx, Fy, Fz as the nominal scale gives them, N.
using ForceSignals = std::array<double, 3>;

/// One load and what it showed.
struct ForceReading {
  ForceSignals applied_N{};
  ForceSignals signal_N{};  ///< zero taken off: between the zeros before and after, by time
  bool falling = false;
  bool lateral = false;
};

/// One of X1, X2, X3 with X4', X5 with X6': the normal channel in the sense of a force that presses.
struct ForceSeriesReadings {
  std::vector<ForceReading> rising, falling;
  double zero_before_N = 0;  ///< of the normal channel, pressing positive
  double zero_after_N = 0;
};

struct ForceReadings {
  std::array<double, 3> per_count{};    ///< N, of the nominal scale
  std::array<double, 3> zero_counts{};  ///< the last zero
  std::vector<ForceSeriesReadings> series;
  std::vector<ForceReading> laterals;        ///< in the fit
  std::vector<ForceReading> validating;      ///< not in the fit
  std::vector<ForceSignals> places_N;        ///< zero of the empty rig, by place
  std::vector<double> place_noise_N;         ///< standard deviation of the mean there, normal channel
  calibration::CreepRecord creep, recovery;  ///< zero taken off, pressing positive; empty without a test
  double resolution_N = 0;                   ///< of a reading: a count, or what its mean fluctuates by
};

}  // namespace strigil::protocols
