// Replay: a run file's blocks and events in the order in which they were received, exactly as recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daq/fanout.hpp"
#include "daq/record/run_reader.hpp"

namespace strigil::daq {

/// Pulls from a reader; one thread. Replay is just another device: what it gives goes through the same fanout.
class RunReplay {
 public:
  explicit RunReplay(std::unique_ptr<RunReader> reader);
  /// When the next item was received; nothing at the end.
  Result<std::optional<HostTime>> next_time();
  /// The next item into `fanout`. Precondition: next_time() gave a time.
  Result<void> push_next(Fanout& fanout);
  [[nodiscard]] const RunReader& reader() const { return *reader_; }
  /// Called with every block before it is pushed: where the run's values were more than scale and offset.
  void convert(std::function<void(Block&)> conversion) { conversion_ = std::move(conversion); }
  /// Samples pushed, by stream.
  [[nodiscard]] const std::vector<std::uint64_t>& samples() const { return samples_; }

 private:
  Result<void> look_ahead();
  std::unique_ptr<RunReader> reader_;
  std::vector<std::optional<Block>> heads_;  // the next block of each stream
  std::vector<std::uint64_t> next_block_;
  std::optional<Event> event_;
  std::uint64_t next_event_ = 0;
  std::vector<std::uint64_t> samples_;
  std::function<void(Block&)> conversion_;
};

}  // namespace strigil::daq
