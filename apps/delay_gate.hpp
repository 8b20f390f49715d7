// The gate of the channels' delays: which record the bench names ([timing] calibration), and whether it may be believed
// here and now. As calibration_gate.hpp for the force.
#pragma once

#include <string>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

struct GatedDelays {
  std::vector<std::string> reasons;  ///< why not, a sentence each; then latency_ms of the bench file hold
  std::vector<std::string> remarks;  ///< what is used otherwise than the record says, a sentence each
  std::string text;                  ///< the record's file, for the run file; empty: none is used
  rig::BenchConfig bench;            ///< with the latencies that hold
};

/// Errors, with policy "refuse": why the record may not be believed, all reasons in words. A bench that names none: as
/// it is, no error.
daq::Result<GatedDelays> pass_delay_gate(const rig::BenchConfig& bench, daq::WallTime now);

}  // namespace strigil::apps
