// Watches what a session makes: aborts when it contradicts itself, and keeps a fingerprint to compare two runs by.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "daq/session.hpp"

namespace strigil::daq {

inline void require(bool held) {
  if (!held) std::abort();
}

class SessionWitness final : public SessionOutput {
 public:
  explicit SessionWitness(StreamId first_stream) : first_stream_(first_stream) {}
  void newest(const NewestSample& s) noexcept override {
    require(s.channels >= 1 && s.channels <= kMaxChannels);
    require(s.stream >= first_stream_ && s.stream < first_stream_ + next_.size());
  }
  void block(const Block& b) noexcept override {
    require(b.samples >= 1 && b.samples <= kMaxBlockSamples);
    require(b.channels >= 1 && b.channels <= kMaxChannels && b.value_count() <= kMaxBlockValues);
    require(b.stream >= first_stream_ && b.stream < first_stream_ + next_.size());
    require(b.gap == 0 || (b.flags & kGapBefore) != 0);
    auto& next = next_[b.stream - first_stream_];
    const bool restarted = (b.flags & kDeviceReset) != 0;
    if (next.seen) require(restarted ? b.first_sample >= next.sample : b.first_sample == next.sample + b.gap);
    next = {true, b.first_sample + b.samples};
    samples += b.samples;
    mix(b.stream);
    mix(b.samples);
    mix(b.flags);
    mix(b.gap);
    mix(b.first_sample);
    mix(b.ticks.count);
    mix(static_cast<std::uint64_t>(b.received.ns));
    mix(static_cast<std::uint64_t>(b.t0.ns));
    for (std::size_t i = 0; i < b.value_count(); ++i) mix(static_cast<std::uint32_t>(b.counts[i]));
  }
  void event(const Event& e) noexcept override {
    require(e.detail.back() == '\0');
    if (e.code == EventCode::kDecodeError) return;  // gathered for each chunk
    events_ = (events_ ^ static_cast<std::uint64_t>(e.code)) * kPrime;
    events_ = (events_ ^ e.source) * kPrime;
    for (const char c : e.detail) events_ = (events_ ^ static_cast<unsigned char>(c)) * kPrime;
  }
  bool send(std::span<const std::byte> bytes) noexcept override {
    require(!bytes.empty());
    return true;
  }
  /// Of all blocks and events so far. Blocks and events go to different rings: their order among each other is free.
  [[nodiscard]] std::uint64_t fingerprint() const { return blocks_ ^ (events_ << 1U); }

  std::uint64_t samples = 0;

 private:
  static constexpr std::uint64_t kPrime = 1099511628211ULL;
  void mix(std::uint64_t v) noexcept { blocks_ = (blocks_ ^ v) * kPrime; }
  struct Next {
    bool seen = false;
    std::uint64_t sample = 0;
  };
  StreamId first_stream_;
  std::array<Next, 4> next_{};
  std::uint64_t blocks_ = 14695981039346656037ULL;
  std::uint64_t events_ = 14695981039346656037ULL;
};

inline void require_same(const SessionCounts& a, const SessionCounts& b) {
  require(a.bytes == b.bytes && a.records == b.records && a.rejected == b.rejected && a.samples == b.samples &&
          a.lost == b.lost && a.reordered == b.reordered && a.device_faults == b.device_faults);
}

inline Chunk chunk_of(std::span<const std::byte> bytes, HostTime received, ChunkKind kind) {
  Chunk chunk;
  chunk.received = received;
  chunk.kind = kind;
  chunk.size = static_cast<std::uint16_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), chunk.bytes.begin());
  return chunk;
}

}  // namespace strigil::daq
