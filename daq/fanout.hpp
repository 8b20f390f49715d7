// Fanout: every block and event, by value, into one pair of rings for each sink (recorder, publisher, detector).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/ring.hpp"
#include "daq/wake.hpp"

namespace strigil::daq {

/// What one sink reads from. The loop is the only producer, the sink's thread the only consumer.
struct SinkRings {
  SinkRings(std::string sink_name, std::size_t block_capacity, std::size_t event_capacity)
      : name(std::move(sink_name)), blocks(block_capacity), events(event_capacity) {}
  std::string name;
  Ring<Block> blocks;
  Ring<Event> events;
  /// Samples of the blocks that found `blocks` full, by stream. Written by the loop; read after the run.
  static constexpr std::size_t kMostStreams = 64;
  std::array<std::uint64_t, kMostStreams> refused_samples{};
  Wake wake;  ///< for a sink that would rather sleep than look
};

/// About 17 s of a 7 kHz force stream (64 samples a block) beside 25.6 kHz vibration (32), in 51 MB
/// (docs/architecture.md).
inline constexpr std::size_t kSinkBlocks = 16384;
inline constexpr std::size_t kSinkEvents = 4096;

/// Owned by the loop. Sinks are added before the run; push() on the loop thread only, no allocation, never waits:
/// a sink that is full loses the newest item and its drop counter says so.
class Fanout {
 public:
  std::shared_ptr<SinkRings> add_sink(std::string name, std::size_t blocks = kSinkBlocks,
                                      std::size_t events = kSinkEvents);
  /// A sink whose reader was there before: it gets what is pushed from now on.
  void add_sink(std::shared_ptr<SinkRings> rings);
  void push(const Block& block) noexcept;
  void push(const Event& event) noexcept;
  /// Wakes the sinks that sleep, if anything was pushed since the last call. Loop thread, once a tick.
  void wake() noexcept;
  [[nodiscard]] const std::vector<std::shared_ptr<SinkRings>>& sinks() const { return sinks_; }

 private:
  std::vector<std::shared_ptr<SinkRings>> sinks_;
  bool pushed_ = false;  // since the last wake()
};

}  // namespace strigil::daq
