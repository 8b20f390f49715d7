// The TMCL codec against bytes written down by hand, and what damage does to them.
#include "daq/codec/tmcl.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace strigil::daq {
namespace {

template <typename... B>
TmclBytes bytes(B... b) {
  return {static_cast<std::byte>(b)...};
}

TEST(Tmcl, RequestsAreAsInTheManuals) {
  // GAP 1, motor 0; ROR motor 2 at 350; MVP ABS motor 1 to -1000; sums by hand.
  EXPECT_EQ(encode_tmcl(TmclRequest{1, TmclCommand::kGetAxis, 1, 0, 0}), bytes(1, 6, 1, 0, 0, 0, 0, 0, 8));
  EXPECT_EQ(encode_tmcl(TmclRequest{1, TmclCommand::kRotateRight, 0, 2, 350}), bytes(1, 1, 0, 2, 0, 0, 1, 0x5E, 0x63));
  EXPECT_EQ(encode_tmcl(TmclRequest{1, TmclCommand::kMoveTo, kTmclAbsolute, 1, -1000}),
            bytes(1, 4, 0, 1, 0xFF, 0xFF, 0xFC, 0x18, 0x18));
}

TEST(Tmcl, RepliesAreAsInTheManuals) {
  // The TMCM-6212 manual's example of CALC MUL: value -5000.
  const auto r = decode_tmcl_reply(bytes(2, 1, 0x64, 0x13, 0xFF, 0xFF, 0xEC, 0x78, 0xDC));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->reply_address, 2);
  EXPECT_EQ(r->address, 1);
  EXPECT_EQ(r->status, TmclStatus::kOk);
  EXPECT_EQ(static_cast<int>(r->command), 0x13);
  EXPECT_EQ(r->value, -5000);
}

TEST(Tmcl, WhatIsEncodedIsDecoded) {
  std::mt19937 random(1);
  const auto any = [&] { return static_cast<std::uint8_t>(random()); };
  for (int n = 0; n < 100000; ++n) {
    const auto value = static_cast<std::int32_t>(random());
    const TmclRequest request{any(), static_cast<TmclCommand>(any()), any(), any(), value};
    EXPECT_EQ(decode_tmcl_request(encode_tmcl(request)), request);
    const TmclReply reply{any(), any(), static_cast<TmclStatus>(any()), static_cast<TmclCommand>(any()), value};
    EXPECT_EQ(decode_tmcl_reply(encode_tmcl(reply)), reply);
  }
  for (const auto value : {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), -1, 0}) {
    EXPECT_EQ(decode_tmcl_reply(encode_tmcl(TmclReply{.value = value}))->value, value);
  }
}

TEST(Tmcl, OneDamagedByteIsAlwaysSeen) {
  const auto sound = encode_tmcl(TmclReply{2, 1, TmclStatus::kOk, TmclCommand::kGetAxis, -123456});
  for (std::size_t i = 0; i < kTmclBytes; ++i) {
    for (int change = 1; change < 256; ++change) {
      auto damaged = sound;
      damaged[i] = static_cast<std::byte>(std::to_integer<int>(sound[i]) + change);
      EXPECT_FALSE(decode_tmcl_reply(damaged)) << i << ' ' << change;
      EXPECT_FALSE(decode_tmcl_request(damaged)) << i << ' ' << change;
    }
  }
}

TEST(Tmcl, EveryStatusAndFaultHasWords) {
  for (const int status : {1, 2, 3, 4, 5, 6, 100, 101}) {
    EXPECT_NE(tmcl_status_words(static_cast<TmclStatus>(status)), "unknown") << status;
    EXPECT_LT(tmcl_status_words(static_cast<TmclStatus>(status)).size(), 44U) << "must fit into an event";
  }
  EXPECT_EQ(tmcl_status_words(static_cast<TmclStatus>(77)), "unknown");
  EXPECT_EQ(std::string(tmcl_fault_words(0)), "no fault");
  EXPECT_NE(std::string(tmcl_fault_words(kTmclStall)).find("stalled"), std::string::npos);
  EXPECT_NE(std::string(tmcl_fault_words(kTmclDeviation)).find("encoder"), std::string::npos);
  EXPECT_NE(std::string(tmcl_fault_words(kTmclTooHot | kTmclStall)).find("hot"), std::string::npos) << "gravest first";
  EXPECT_NE(std::string(tmcl_fault_words(kTmclShortA)).find("coil A"), std::string::npos);
  EXPECT_NE(std::string(tmcl_fault_words(kTmclShortB)).find("coil B"), std::string::npos);
  EXPECT_EQ(std::string(tmcl_fault_words(1U << 20U)), "unknown fault");
}

TEST(Tmcl, FlagsThatAreNoFaultsAreLeftOut) {
  EXPECT_EQ(tmcl_faults_of_errors(0xFF), kTmclStall | kTmclDeviation);
  EXPECT_EQ(tmcl_faults_of_errors(0), 0U);
  EXPECT_EQ(tmcl_faults_of_driver(0xFF), kTmclTooHot | kTmclShortA | kTmclShortB);
  EXPECT_EQ(tmcl_faults_of_driver(0x80), 0U) << "standstill";
  EXPECT_EQ(tmcl_faults_of_driver(0x04), 0U) << "only a warning";
}

}  // namespace
}  // namespace strigil::daq
