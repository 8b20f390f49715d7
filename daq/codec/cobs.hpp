// COBS: consistent overhead byte stuffing, so that 0x00 can only mean "end of packet". Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace strigil::daq {

/// Most bytes that `size` bytes become, without the delimiter.
constexpr std::size_t cobs_bound(std::size_t size) { return size + size / 254 + 1; }

/// Encodes without the delimiter. Precondition: out.size() >= cobs_bound(in.size()), buffers apart. Bytes written.
std::size_t cobs_encode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;
/// Decodes bytes between two delimiters (none inside). Bytes written, or nothing when they are not COBS or do not fit.
std::optional<std::size_t> cobs_decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;

}  // namespace strigil::daq
