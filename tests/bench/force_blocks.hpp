// A force stream of six channels and the fullest block of it, as the rig makes them.
#pragma once

#include "daq/block.hpp"
#include "daq/stream.hpp"

namespace strigil::bench {

inline daq::StreamDescription force_stream(daq::StreamId id = 0, const std::string& name = "force") {
  daq::StreamDescription d;
  d.id = id;
  d.name = name;
  d.device = "benchmark";
  d.quantity = "force";
  d.rate_Hz = 7000;
  d.tick_rate_Hz = 7000;
  for (const char* channel : {"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"}) d.channels.push_back({channel, "N", 1e-6, 0});
  return d;
}

/// 64 samples of 6 channels, no two values alike, so that nothing can be gained by their being so.
inline daq::Block full_force_block(std::uint64_t first_sample = 0) {
  daq::Block b{};
  b.channels = 6;
  b.samples = daq::kMaxBlockSamples;
  b.first_sample = first_sample;
  b.period_ns = 1e9 / 7000;
  for (std::size_t i = 0; i < b.value_count(); ++i) {
    b.counts[i] = static_cast<std::int32_t>(0x9E3779B9U * (i + 1));
    b.values[i] = static_cast<float>(b.counts[i]) * 1e-6F;
  }
  return b;
}

}  // namespace strigil::bench
