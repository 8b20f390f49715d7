// Stroke rows: which samples of a run file each stroke's numbers rest on. Off the loop; the thread that owns HDF5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daq/record/run_reader.hpp"
#include "daq/result.hpp"
#include "protocols/court/stroke_feed.hpp"
#include "rig/intake.hpp"

namespace strigil::protocols {

/// Rows of a stream's counts, both included.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// One stroke that was done: from its step's beginning to its end.
struct StrokeRows {
  PlannedStroke planned;
  std::string name;  ///< of its condition, as reports call it
  daq::HostTime began;
  daq::HostTime ended;
  std::vector<std::optional<RowRange>> streams;  ///< by stream of the file; nothing: it has no sample of then
};

/// One run's strokes, with what its streams and channels are called. Small: no sample is kept.
struct RunRows {
  std::string run;  ///< as the report calls it
  bool in_air = false;
  struct Stream {
    std::string name;
    std::vector<std::string> channels;
  };
  std::vector<Stream> streams;
  rig::StreamRoles roles;
  bool has_vibration = false;
  std::vector<StrokeRows> strokes;
};

/// Errors: not a run file of ours (bench.toml, plan.json), or a damaged one. Looks blocks up, so that its cost grows
/// with the number of strokes and hardly with the length of the run.
daq::Result<RunRows> read_stroke_rows(daq::RunReader& reader, const std::string& run);

/// The stream and channel that a [[measure]] or a signal of a [[during]] (both by name) is made of. The channel's name
/// is empty where all of the stream are.
struct MeasuredChannel {
  std::size_t stream = 0;
  std::string channel;
};
MeasuredChannel channel_of(const std::string& measure_or_signal, const RunRows& run);

}  // namespace strigil::protocols
