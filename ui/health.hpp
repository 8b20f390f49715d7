// Health: what a bench tells an engineer over the control channel (docs/control.md, Health).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::ui {

struct RingLine {
  std::string name;
  double waiting = 0, most = 0, capacity = 0, dropped = 0;
};

/// Areas along x, then y.
struct DoseMap {
  double x_min_mm = 0, y_min_mm = 0, side_mm = 0;
  std::size_t columns = 0;  ///< 0: there is no account
  std::vector<float> used;  ///< of the limit
};

struct StopTestLine {
  std::string at;
  bool passed = false;
  double trip_ms = 0, trip_mm = 0, trip_N = 0, abort_ms = 0, abort_mm = 0;
};

struct TimingLine {
  std::string stream;
  double bound_us = 0, delay_us = 0, drift_ppm = 0, unlocked = 0;
  std::vector<std::string> problems;
};

/// A value. What the bench did not say is empty.
struct Health {
  double ticks = 0;
  double overruns = 0;
  std::vector<float> interval_below_us;  ///< bins of `interval_counts`, which has one more
  std::vector<float> interval_counts;
  std::vector<RingLine> rings;
  DoseMap dose;
  std::string calibration_record, calibration_serial, calibration_valid_until;
  std::vector<std::string> calibration_reasons;
  std::vector<StopTestLine> stop_tests;
  bool certified = false;  ///< there is a timing certificate
  bool tapped = false;
  std::vector<TimingLine> timing;
};

/// Pure. As parse_status.
daq::Result<Health> parse_health(std::string_view json);

}  // namespace strigil::ui
