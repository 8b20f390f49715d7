// Session: the host's side of a conversation with one device, sans-IO (DESIGN.md, sentence 1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "daq/block.hpp"
#include "daq/chunk.hpp"
#include "daq/event.hpp"

namespace strigil::daq {

/// The newest sample of a stream, given out at once so that control need not wait for a block to fill.
struct NewestSample {
  StreamId stream = 0;
  std::uint16_t channels = 0;
  std::uint32_t flags = 0;   ///< BlockFlag bits of this sample
  std::uint64_t sample = 0;  ///< device sample counter, extended
  HostTime t0;               ///< acquisition time
  HostTime received;
  std::array<std::int32_t, kMaxChannels> counts{};
};

/// Where a session puts what it makes. Called only from inside Session::on_chunk / on_time, on the loop thread.
class SessionOutput {
 public:
  virtual ~SessionOutput() = default;
  /// A sample that is newer than all before it, before the block that will hold it. At least the newest one of each
  /// chunk and stream, not every sample.
  virtual void newest(const NewestSample& sample) noexcept = 0;
  /// Raw samples; `values` is not filled. Every sample goes out in exactly one block. A session may gather samples
  /// of several chunks into one block, for at most 10 ms.
  virtual void block(const Block& block) noexcept = 0;
  virtual void event(const Event& event) noexcept = 0;
  /// Bytes for the session's own link. False when the link took none of them: nothing was sent, try at the next
  /// on_time.
  virtual bool send(std::span<const std::byte> bytes) noexcept = 0;
};

/// Counters every session keeps (they feed the ledger). Reset only by constructing a new session.
struct SessionCounts {
  std::uint64_t bytes = 0;      ///< bytes given to on_chunk
  std::uint64_t records = 0;    ///< whole records decoded
  std::uint64_t rejected = 0;   ///< records thrown away (bad checksum, length, garbage)
  std::uint64_t samples = 0;    ///< samples put out in blocks
  std::uint64_t lost = 0;       ///< samples the device counted and we never saw
  std::uint64_t reordered = 0;  ///< samples after later ones or again; dropped, and what was `lost` is so no more
  std::uint64_t device_faults = 0;
};

/// A pure function of (chunks, now): same calls, same outputs. No clock, no read, no allocation after construction.
class Session {
 public:
  virtual ~Session() = default;
  /// Bytes arrived on this session's link. `now` >= chunk.received.
  virtual void on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept = 0;
  /// Called once a tick, also when nothing arrived: requests, polls, time-outs.
  virtual void on_time(HostTime now, SessionOutput& out) noexcept = 0;
  /// Asks the device to stop (end of run). Default: nothing to say.
  virtual void stop(HostTime now, SessionOutput& out) noexcept {
    (void)now;
    (void)out;
  }
  /// True once the device has answered and its streams are described.
  [[nodiscard]] virtual bool ready() const noexcept = 0;
  [[nodiscard]] virtual const SessionCounts& counts() const noexcept = 0;
};

}  // namespace strigil::daq
