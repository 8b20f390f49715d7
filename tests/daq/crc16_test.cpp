// CRC-16: its published check value, agreement with the definition bit by bit, and the damage it must always see.
#include "daq/codec/crc16.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace strigil::daq {
namespace {

/// The definition, with no table: polynomial 0x1021, start 0xFFFF, highest bit first.
std::uint16_t by_the_bit(std::span<const std::byte> bytes) {
  std::uint16_t remainder = 0xFFFF;
  for (const auto b : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const bool in = (std::to_integer<unsigned>(b) >> (7 - bit) & 1U) != 0;
      const bool out = (remainder & 0x8000U) != 0;
      remainder = static_cast<std::uint16_t>(remainder << 1U);
      if (in != out) remainder ^= 0x1021U;
    }
  }
  return remainder;
}

std::uint16_t of_text(std::string_view text) { return crc16(std::as_bytes(std::span(text))); }

std::vector<std::byte> random_bytes(std::mt19937& random, std::size_t size) {
  std::vector<std::byte> out(size);
  for (auto& b : out) b = static_cast<std::byte>(random());
  return out;
}

TEST(Crc16, PublishedCheckValues) {
  EXPECT_EQ(of_text("123456789"), 0x29B1);
  EXPECT_EQ(of_text(""), 0xFFFF);
  EXPECT_EQ(of_text("A"), 0xB915);
}

TEST(Crc16, IsItsDefinition) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 600; ++size) {
    const auto bytes = random_bytes(random, size);
    ASSERT_EQ(crc16(bytes), by_the_bit(bytes));
  }
}

TEST(Crc16, OfMessageAndItsCrcHighByteFirstIsZero) {
  std::mt19937 random(2);
  auto bytes = random_bytes(random, 100);
  const auto crc = crc16(bytes);
  bytes.push_back(static_cast<std::byte>(crc >> 8U));
  bytes.push_back(static_cast<std::byte>(crc));
  EXPECT_EQ(crc16(bytes), 0);
}

TEST(Crc16, SeesEverySingleBitAndEveryBurstOfSixteen) {
  std::mt19937 random(3);
  const auto good = random_bytes(random, 1554);  // the longest packet without its CRC
  const auto crc = crc16(good);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_NE(crc16(bad), crc) << bit;
  }
  for (int n = 0; n < 20000; ++n) {
    auto bad = good;
    const auto burst = 1 + random() % 0xFFFF;  // not 0
    const auto at = random() % (good.size() - 3);
    const auto shifted = burst << (random() % 8);  // at most 23 bits in three bytes: still a burst of 16
    for (std::size_t i = 0; i < 3; ++i) bad[at + i] ^= static_cast<std::byte>(shifted >> (8 * (2 - i)));
    ASSERT_NE(crc16(bad), crc);
  }
}

}  // namespace
}  // namespace strigil::daq
