// Chunk: bytes as one link delivered them, stamped once by the thread that read them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "daq/time.hpp"

namespace strigil::daq {

/// Index of a link within one bench, 0-based.
using LinkId = std::uint16_t;

/// Largest chunk: one Ethernet UDP payload. A datagram that is longer is cut and marked kTruncated.
inline constexpr std::size_t kChunkCapacity = 1472;

enum class ChunkKind : std::uint8_t {
  kBytes,      ///< a piece of a byte stream (serial, pty): boundaries mean nothing
  kDatagram,   ///< one whole datagram: boundaries are record boundaries
  kTruncated,  ///< a datagram longer than kChunkCapacity: must not be decoded
  kClosed,     ///< the link ended (unplugged, peer gone); size 0
};

/// By value through Ring<Chunk>.
struct Chunk {
  HostTime received;  ///< when the reading thread got it
  LinkId link = 0;
  ChunkKind kind = ChunkKind::kBytes;
  std::uint16_t size = 0;            ///< bytes used, <= kChunkCapacity
  std::uint32_t refused_before = 0;  ///< chunks of this link that found the ring full since the last one that did not
  std::array<std::byte, kChunkCapacity> bytes;

  [[nodiscard]] std::span<const std::byte> data() const { return {bytes.data(), size}; }
};

}  // namespace strigil::daq
