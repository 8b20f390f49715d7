#include "daq/codec/crc16.hpp"

#include <array>

namespace strigil::daq {
namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned crc = i << 8U;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? crc << 1U ^ 0x1021U : crc << 1U;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

std::uint16_t crc16(std::span<const std::byte> bytes) noexcept {
  unsigned crc = 0xFFFF;
  for (const auto b : bytes) crc = (crc << 8U ^ kTable[(crc >> 8U ^ std::to_integer<unsigned>(b)) & 0xFFU]) & 0xFFFFU;
  return static_cast<std::uint16_t>(crc);
}

}  // namespace strigil::daq
