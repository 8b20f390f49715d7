// What a session makes, kept, counted and put into words. For tests of sessions.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "daq/session.hpp"

namespace strigil::daq {

class SessionRecorder final : public SessionOutput {
 public:
  void newest(const NewestSample& s) noexcept override { newest_samples.push_back(s); }
  void block(const Block& b) noexcept override { blocks.push_back(b); }
  void event(const Event& e) noexcept override { events.push_back(e); }
  bool send(std::span<const std::byte> bytes) noexcept override {
    if (!link_takes) return false;
    sent.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
  [[nodiscard]] std::size_t count(EventCode code) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& e) { return e.code == code; }));
  }
  [[nodiscard]] std::uint64_t samples() const {
    std::uint64_t n = 0;
    for (const auto& b : blocks) n += b.samples;
    return n;
  }
  [[nodiscard]] std::uint64_t gaps() const {
    std::uint64_t n = 0;
    for (const auto& b : blocks) n += b.gap;
    return n;
  }
  std::vector<NewestSample> newest_samples;
  std::vector<Block> blocks;
  std::vector<Event> events;
  std::vector<std::string> sent;
  bool link_takes = true;
};

inline std::string told(const Event& e) {
  return fmt::format("{} {} {} source {} {} {} {}\n", e.at.ns, name_of(e.code), name_of(e.severity), e.source,
                     e.arguments[0], e.arguments[1], e.detail.data());
}

inline std::string told(const Block& b) {
  auto text = fmt::format("{} x{} +{} flags {} gap {} ticks {} received {} t0 {} period {}:", b.stream, b.samples,
                          b.first_sample, b.flags, b.gap, b.ticks.count, b.received.ns, b.t0.ns, b.period_ns);
  for (std::size_t i = 0; i < b.value_count(); ++i) text += fmt::format(" {}", b.counts[i]);
  return text + '\n';
}

inline std::string told(const SessionCounts& c) {
  return fmt::format("bytes {} records {} rejected {} samples {} lost {} reordered {} faults {}\n", c.bytes, c.records,
                     c.rejected, c.samples, c.lost, c.reordered, c.device_faults);
}

/// Events, then blocks, then what was sent. Reports of rejected bytes are gathered for each chunk, so they are left
/// out: their sum is in SessionCounts.
inline std::string told(const SessionRecorder& out) {
  std::string text;
  for (const auto& e : out.events) {
    if (e.code != EventCode::kDecodeError) text += told(e);
  }
  for (const auto& b : out.blocks) text += told(b);
  for (const auto& s : out.sent) text += fmt::format("{} bytes sent\n", s.size());
  return text;
}

inline Chunk chunk_of(std::span<const std::byte> bytes, HostTime received, LinkId link,
                      ChunkKind kind = ChunkKind::kBytes) {
  Chunk chunk;
  chunk.received = received;
  chunk.link = link;
  chunk.kind = kind;
  chunk.size = static_cast<std::uint16_t>(std::min(bytes.size(), kChunkCapacity));
  std::copy_n(bytes.begin(), chunk.size, chunk.bytes.begin());
  return chunk;
}

}  // namespace strigil::daq
