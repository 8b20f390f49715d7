// Gate: may this record be believed here and now? Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibration/record/store.hpp"

namespace strigil::calibration {

/// What a run wants of a calibration.
struct GateQuestion {
  daq::WallTime now;
  std::string serial;  ///< of the instrument on the bench; empty: nobody said
  Setting setting;     ///< of the chain on the bench
  std::string channel;
  std::string unit;
  std::optional<Interval> range;        ///< values that will be reported, of that channel; none: not looked at
  std::optional<double> temperature_C;  ///< none: nobody said
};

/// Why not, a sentence each: revoked, superseded, not yet valid, expired, of another instrument, of another setting,
/// outside its range or temperature, itself failed. Empty: it may.
std::vector<std::string> gate(const Record& record, const Standing& standing, const GateQuestion& question);

}  // namespace strigil::calibration
