// ATI Net F/T RDT at the wire: bytes written out by hand, both ways, and every request that is none.
#include "daq/codec/rdt.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace strigil::daq {
namespace {

std::vector<int> numbers(std::span<const std::byte> bytes) {
  std::vector<int> out;
  for (const auto b : bytes) out.push_back(std::to_integer<int>(b));
  return out;
}

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

TEST(Rdt, RequestsAreBigEndian) {
  EXPECT_EQ(numbers(encode(RdtRequest{RdtCommand::kStop, 0})), (std::vector{0x12, 0x34, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(numbers(encode(RdtRequest{RdtCommand::kStartRealtime, 0})), (std::vector{0x12, 0x34, 0, 2, 0, 0, 0, 0}));
  EXPECT_EQ(numbers(encode(RdtRequest{RdtCommand::kStartBuffered, 0x01020304})),
            (std::vector{0x12, 0x34, 0, 3, 1, 2, 3, 4}));
  EXPECT_EQ(numbers(encode(RdtRequest{RdtCommand::kSetBias, 0})), (std::vector{0x12, 0x34, 0, 0x42, 0, 0, 0, 0}));
}

TEST(Rdt, RequestsComeBack) {
  for (const auto command :
       {RdtCommand::kStop, RdtCommand::kStartRealtime, RdtCommand::kStartBuffered, RdtCommand::kSetBias}) {
    for (const std::uint32_t samples : {0U, 1U, 0x80000000U, 0xFFFFFFFFU}) {
      const auto back = decode_rdt_request(encode(RdtRequest{command, samples}));
      ASSERT_TRUE(back);
      EXPECT_EQ(back->command, command);
      EXPECT_EQ(back->samples, samples);
    }
  }
}

TEST(Rdt, RefusesWhatIsNoRequest) {
  EXPECT_FALSE(decode_rdt_request({}));
  EXPECT_FALSE(decode_rdt_request(bytes({0x12, 0x34, 0, 2, 0, 0, 0}))) << "short";
  EXPECT_FALSE(decode_rdt_request(bytes({0x12, 0x34, 0, 2, 0, 0, 0, 0, 0}))) << "long";
  EXPECT_FALSE(decode_rdt_request(bytes({0x34, 0x12, 0, 2, 0, 0, 0, 0}))) << "the other byte order";
  EXPECT_FALSE(decode_rdt_request(bytes({0x12, 0x35, 0, 2, 0, 0, 0, 0}))) << "header";
  std::size_t accepted = 0;
  for (unsigned command = 0; command <= 0xFFFF; ++command) {
    if (decode_rdt_request(bytes({0x12, 0x34, static_cast<int>(command >> 8U), static_cast<int>(command), 0, 0, 0, 0})))
      ++accepted;
  }
  EXPECT_EQ(accepted, 4U);
}

TEST(Rdt, ARecordIsNineBigEndianWords) {
  const RdtRecord record{
      0x01020304,
      0x05060708,
      0x80000001,
      {1, -1, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), 0x0A0B0C0D, -256}};
  const auto wire = encode(record);
  EXPECT_EQ(numbers(wire), (std::vector{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x80, 0x00, 0x00, 0x01,
                                        0x00, 0x00, 0x00, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00,
                                        0x7F, 0xFF, 0xFF, 0xFF, 0x0A, 0x0B, 0x0C, 0x0D, 0xFF, 0xFF, 0xFF, 0x00}));
  EXPECT_EQ(decode_rdt_record(wire), record);
}

TEST(Rdt, EveryBitPatternIsARecordThatComesBack) {
  std::mt19937 random(1);
  for (int n = 0; n < 100000; ++n) {
    std::array<std::byte, kRdtRecordSize> wire;
    for (auto& b : wire) b = static_cast<std::byte>(random());
    ASSERT_EQ(encode(decode_rdt_record(wire)), wire);
  }
}

}  // namespace
}  // namespace strigil::daq
