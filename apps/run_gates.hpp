// All gates of a run: the records that its bench names for force, stage, delays, vibration and instrument.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/calibration_gate.hpp"
#include "apps/vibration_gate.hpp"
#include "protocols/plan.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

/// What passed them.
struct RunGates {
  GatedCalibration calibration;   ///< of force and stage
  GatedVibration vibration;       ///< of the accelerometer
  std::vector<std::string> told;  ///< for the operator, a sentence each: what is not believed, and what else
  std::map<std::string, std::string> config;  ///< the records that are used, by the names they have in the run file
  rig::BenchConfig bench;                     ///< with records and latencies that hold
};

/// Errors: the first gate that refuses, in words (docs/calibration_record.md). Any thread; reads the store's files.
daq::Result<RunGates> pass_run_gates(const rig::BenchConfig& bench, const protocols::Plan& plan, daq::WallTime now);

}  // namespace strigil::apps
