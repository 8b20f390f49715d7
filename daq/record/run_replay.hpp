// Replay: what a run file holds, given out again in the order in which it was received.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daq/fanout.hpp"
#include "daq/record/run_reader.hpp"

namespace strigil::daq {

enum class ReplayItem : std::uint8_t { kEnd, kBlock, kEvent };

/// Blocks and events exactly as recorded, merged by receive time (events: when they happened). Within one stream the
/// recorded order is kept, whatever the times say. One thread, the one that owns HDF5.
class RunReplay {
 public:
  explicit RunReplay(std::unique_ptr<RunReader> reader);
  ~RunReplay();
  RunReplay(const RunReplay&) = delete;
  RunReplay& operator=(const RunReplay&) = delete;

  [[nodiscard]] const RunHeader& header() const;
  RunReader& reader();
  /// Time of the next item in the run's own time, never falling; nothing at the end or before an error.
  std::optional<HostTime> peek();
  /// Fills `block` or `event`, as the returned kind says. Errors: a damaged file.
  Result<ReplayItem> next(Block& block, Event& event);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct PlayOptions {
  double speed = 1;                         ///< 1: as it was, 10: ten times as fast, 0: as fast as the sinks take it
  const std::atomic<bool>* stop = nullptr;  ///< ends the replay early when true
  std::function<void(HostTime)> between;    ///< called now and then with the run's time: pump sinks, show progress
  Duration patience = from_seconds(30);     ///< a sink that stays full for so long is an error
};

struct PlayCounts {
  std::vector<std::uint64_t> samples;  ///< pushed, by stream
  std::uint64_t blocks = 0;
  std::uint64_t events = 0;
  bool stopped = false;  ///< ended by `stop`
};

/// Pushes everything into `fanout`, paced by host_now(). Waits for full sinks instead of dropping. Blocks the caller.
Result<PlayCounts> play(RunReplay& replay, Fanout& fanout, const PlayOptions& options);

}  // namespace strigil::daq
