// Link: a port. Bytes come in through the one reading thread; the loop writes straight out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "daq/chunk.hpp"
#include "daq/result.hpp"
#include "daq/ring.hpp"

namespace strigil::daq {

/// Where links put chunks. One producer (the io thread, or the loop's own thread in virtual time).
using ChunkRing = Ring<Chunk>;

/// Most bytes that one write to a serial link may hold.
inline constexpr std::size_t kLongestSerialWrite = 256;

/// One open port.
class Link {
 public:
  virtual ~Link() = default;
  /// Loop thread. Never blocks, never allocates. All of `bytes` or nothing: false when the port cannot take them now,
  /// has closed, or takes no write of this length (kLongestSerialWrite; one datagram).
  virtual bool write(std::span<const std::byte> bytes) noexcept = 0;
  /// What a person would call it: its URI.
  [[nodiscard]] virtual const std::string& uri() const noexcept = 0;
};

}  // namespace strigil::daq
