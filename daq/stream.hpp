// Streams: who measures what, in which units, how fast. Built before a run, immutable while it lasts.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace strigil::daq {

/// Index of a stream within one run, 0-based, dense.
using StreamId = std::uint16_t;

/// One channel: value [unit] = scale * counts + offset.
struct ChannelDescription {
  std::string name;   ///< e.g. "Fz", "ax", "z"
  std::string unit;   ///< SI symbol, e.g. "N", "N m", "m/s2", "m"
  double scale = 1;   ///< unit per count
  double offset = 0;  ///< unit
};

/// One stream. `name` is unique in a run and limited to [a-z0-9_]{1,32} (checked by valid_stream_name).
struct StreamDescription {
  StreamId id = 0;
  std::string name;                          ///< e.g. "force", "vibration", "position"
  std::string device;                        ///< what it comes from, in words: model and serial number where known
  std::string quantity;                      ///< "force", "acceleration", "position", "setpoint" or what an import says
  std::vector<ChannelDescription> channels;  ///< 1..kMaxChannels
  double rate_Hz = 0;                        ///< nominal; 0 when irregular
  double tick_rate_Hz = 0;  ///< device ticks per second; 0 when the device sends none (receive-time model)
  std::int32_t counts_min = std::numeric_limits<std::int32_t>::min();  ///< at or below: saturated
  std::int32_t counts_max = std::numeric_limits<std::int32_t>::max();  ///< at or above: saturated
};

/// True for names that are safe as HDF5 links, ZeroMQ topics and TOML keys: [a-z0-9_]{1,32}.
bool valid_stream_name(const std::string& name);

/// The description as JSON text, the one form used in run files and on the wire (docs/run_file.md,
/// docs/publication.md).
std::string to_json(const StreamDescription& stream);

}  // namespace strigil::daq
