// CRC-16/IBM-3740 ("CCITT-FALSE"): polynomial 0x1021, start 0xFFFF, not reflected; check value of "123456789" 0x29B1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace strigil::daq {

std::uint16_t crc16(std::span<const std::byte> bytes) noexcept;

}  // namespace strigil::daq
