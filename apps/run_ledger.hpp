// The hops of a stream's samples up to the intake, for the ledger of whatever is recorded.
#pragma once

#include <string>

#include "daq/ledger.hpp"
#include "rig/intake.hpp"

namespace strigil::apps {

/// Pure. The hops behind the intake are the caller's to fill in.
inline daq::StreamLedger ledger_of(const std::string& stream, const rig::StreamCounts& c) {
  daq::StreamLedger hops;
  hops.stream = stream;
  hops.device = c.before_reset + c.next_sample - c.first_sample;
  hops.lost_on_wire = c.gap_samples - c.gap_in_ring - c.gap_in_codec;
  hops.lost_in_chunk_ring = c.gap_in_ring;
  hops.lost_in_codec = c.gap_in_codec;
  hops.intake = c.samples;
  return hops;
}

}  // namespace strigil::apps
