// The gate of the instrument's own record ([instrument] calibration): may it be believed here and now? As
// calibration_gate.hpp for the force.
#pragma once

#include <string>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

struct GatedInstrument {
  std::vector<std::string> reasons;  ///< why not, a sentence each; the instrument then goes by its catalogue entry
  std::vector<std::string> remarks;  ///< what the record says of the instrument
  std::string text;                  ///< the record's file, for the run file; empty: none is used
};

/// Errors, with policy "refuse": why the record may not be believed, all reasons in words. A bench that names none: no
/// error.
daq::Result<GatedInstrument> pass_instrument_gate(const rig::BenchConfig& bench, daq::WallTime now);

}  // namespace strigil::apps
