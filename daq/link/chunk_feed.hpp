// Chunk feed: how a feeder of the chunk ring (io thread, virtual world) puts chunks in, and tells what it could not.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <span>

#include "daq/link/link.hpp"

namespace strigil::daq {

/// Producer side of the ring; one thread. noexcept, no allocation.
class ChunkFeed {
 public:
  static constexpr std::size_t kMostLinks = 32;
  explicit ChunkFeed(ChunkRing& ring) : ring_(ring) {}

  /// False when the ring is full: then the chunk is lost, and the next one of this link that fits says so
  /// (Chunk::refused_before). Preconditions: link < kMostLinks, bytes.size() <= kChunkCapacity.
  bool put(LinkId link, ChunkKind kind, std::span<const std::byte> bytes, HostTime received) noexcept {
    assert(link < kMostLinks && bytes.size() <= kChunkCapacity);
    Chunk* chunk = ring_.reserve();
    if (chunk == nullptr) {
      ++refused_[link];
      return false;
    }
    chunk->received = received;
    chunk->link = link;
    chunk->kind = kind;
    chunk->refused_before = refused_[link];
    refused_[link] = 0;
    chunk->size = static_cast<std::uint16_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), chunk->bytes.begin());
    ring_.commit();
    return true;
  }

 private:
  ChunkRing& ring_;
  std::array<std::uint32_t, kMostLinks> refused_{};
};

}  // namespace strigil::daq
