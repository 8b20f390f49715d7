// The wire format: golden messages written from the specification, round trips, hostile input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "daq/publish/message.hpp"

namespace strigil::daq {
namespace {

using testing::HasSubstr;
constexpr auto kRun = "20261123T120000Z-demo";

MessageParts golden(const std::string& name) {
  std::ifstream file(std::string(STRIGIL_SOURCE_DIR) + "/tests/daq/golden_publish/" + name, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  MessageParts parts;
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at, 4);
    parts.push_back(bytes.substr(at + 4, size));
    at += 4 + size;
  }
  return parts;
}

template <typename T>
T decoded(const MessageParts& parts) {
  auto message = decode_message(parts);
  if (!message) {
    ADD_FAILURE() << message.error().message;
    return {};
  }
  if (!std::holds_alternative<T>(*message)) {
    ADD_FAILURE() << "another kind of message";
    return {};
  }
  return std::get<T>(*message);
}

std::string refusal(const MessageParts& parts) {
  auto message = decode_message(parts);
  return message ? "accepted" : message.error().message;
}

TEST(PublishMessage, GoldenBlock) {
  const auto parts = golden("block.bin");
  const auto m = decoded<BlockMessage>(parts);
  EXPECT_EQ(m.head.topic, "strigil/1/block/force");
  EXPECT_EQ(m.head.sequence, 42U);
  EXPECT_EQ(m.head.run_tag, run_tag_of(kRun));
  EXPECT_EQ(m.stream, "force");
  EXPECT_EQ(m.block.stream, 3);
  EXPECT_EQ(m.block.channels, 2);
  EXPECT_EQ(m.block.samples, 3);
  EXPECT_EQ(m.block.flags, kGapBefore | kDeviceFault);
  EXPECT_EQ(m.block.gap, 7U);
  EXPECT_EQ(m.block.first_sample, (std::uint64_t{1} << 40U) + 5);
  EXPECT_EQ(m.block.ticks.count, std::uint64_t{1} << 33U);
  EXPECT_EQ(m.block.received.ns, 1'000'000'007);
  EXPECT_EQ(m.block.t0.ns, 999'999'991);
  EXPECT_EQ(m.block.bound.count(), 12'345);
  EXPECT_EQ(m.block.period_ns, 142857.5);
  EXPECT_EQ(m.block.counts[4], std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(m.block.counts[5], std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(m.block.values[2], 1.5F);
  EXPECT_TRUE(std::isinf(m.block.values[5]));
  EXPECT_EQ(encode_message(m), parts);
}

TEST(PublishMessage, GoldenStream) {
  const auto parts = golden("stream.bin");
  const auto m = decoded<StreamMessage>(parts);
  EXPECT_EQ(m.description.id, 3);
  EXPECT_EQ(m.description.name, "force");
  EXPECT_EQ(m.description.rate_Hz, 7000);
  EXPECT_EQ(m.description.counts_min, std::numeric_limits<std::int32_t>::min());
  ASSERT_EQ(m.description.channels.size(), 2U);
  EXPECT_EQ(m.description.channels[1].name, "Fz");
  EXPECT_EQ(m.description.channels[1].unit, "N");
  EXPECT_EQ(m.description.channels[1].scale, 1e-6);
  EXPECT_EQ(m.description.channels[1].offset, -0.25);
  EXPECT_EQ(encode_message(m), parts);
}

TEST(PublishMessage, GoldenEvent) {
  const auto parts = golden("event.bin");
  const auto m = decoded<EventMessage>(parts);
  EXPECT_EQ(m.head.sequence, 9U);
  EXPECT_EQ(m.event.at.ns, 5'000'000'000);
  EXPECT_EQ(m.event.code, EventCode::kInterlockTrip);
  EXPECT_EQ(m.event.severity, Severity::kFault);
  EXPECT_EQ(m.event.source, 2);
  EXPECT_EQ(m.event.arguments[1], 25.5);
  EXPECT_TRUE(std::isnan(m.event.arguments[3]));
  EXPECT_STREQ(m.event.detail.data(), "force");
  EXPECT_EQ(encode_message(m), parts);
}

TEST(PublishMessage, GoldenDocuments) {
  const auto ledger = decoded<DocumentMessage>(golden("ledger.bin"));
  EXPECT_EQ(ledger.kind, MessageKind::kLedger);
  EXPECT_EQ(ledger.head.sequence, 2U);
  EXPECT_EQ(encode_message(ledger), golden("ledger.bin"));
  const auto profile = decoded<DocumentMessage>(golden("profile.bin"));
  EXPECT_EQ(profile.kind, MessageKind::kProfile);
  EXPECT_EQ(profile.stream, "force");
  EXPECT_EQ(encode_message(profile), golden("profile.bin"));
  auto parts = golden("ledger.bin");
  parts[2] = "[1]";
  EXPECT_NE(refusal(parts), "accepted") << "a document is an object";
}

TEST(PublishMessage, GoldenHeartbeatAndEnd) {
  const auto heartbeat = decoded<HeartbeatMessage>(golden("heartbeat.bin"));
  EXPECT_EQ(heartbeat.run, kRun);
  EXPECT_EQ(heartbeat.state, "running");
  EXPECT_EQ(heartbeat.at.ns, 6'000'000'000);
  ASSERT_EQ(heartbeat.streams.size(), 2U);
  EXPECT_EQ(heartbeat.streams[1].stream, "vibration");
  EXPECT_EQ(heartbeat.streams[1].samples, 128U);
  ASSERT_EQ(heartbeat.subscribers.size(), 1U);
  EXPECT_EQ(heartbeat.subscribers[0].name, "screen");
  EXPECT_TRUE(heartbeat.subscribers[0].alive);
  EXPECT_EQ(heartbeat.subscribers[0].lost, 64U);
  EXPECT_EQ(encode_message(heartbeat), golden("heartbeat.bin"));

  const auto end = decoded<EndMessage>(golden("end.bin"));
  EXPECT_EQ(end.streams[0].blocks, 10U);
  EXPECT_EQ(end.events, 4U);
  EXPECT_EQ(end.drops.ring_blocks, 1U);
  EXPECT_EQ(end.result, R"({"verdict":"PASS"})");
  EXPECT_EQ(encode_message(end), golden("end.bin"));
}

TEST(PublishMessage, DeviceTextThatIsNotUtf8IsReplacedNotSent) {
  EventMessage m;
  set_detail(m.event, "\xff\xfe bad");
  const auto back = decoded<EventMessage>(encode_message(m));
  EXPECT_STREQ(back.event.detail.data(), "\xef\xbf\xbd\xef\xbf\xbd bad");
}

TEST(PublishMessage, ResultThatIsNotJsonIsKeptAsText) {
  EndMessage m;
  m.result = "killed by operator";
  EXPECT_EQ(decoded<EndMessage>(encode_message(m)).result, "\"killed by operator\"");
}

TEST(PublishMessage, RefusesWhatContradictsItself) {
  const auto good = golden("block.bin");
  const auto with = [&](std::size_t part, std::size_t at, std::string bytes) {
    auto parts = good;
    parts[part].replace(at, bytes.size(), bytes);
    return refusal(parts);
  };
  EXPECT_EQ(refusal(good), "accepted");
  EXPECT_THAT(refusal({}), HasSubstr("fewer than 2 parts"));
  EXPECT_THAT(with(0, 8, "2"), HasSubstr("unknown topic"));
  EXPECT_THAT(with(0, 16, "F"), HasSubstr("unknown topic"));
  EXPECT_THAT(with(1, 0, "\2"), HasSubstr("version 2"));
  EXPECT_THAT(with(1, 2, "\2"), HasSubstr("kind"));
  EXPECT_THAT(with(1, 18, std::string(1, '\0')), HasSubstr("0 channels"));
  EXPECT_THAT(with(1, 18, "\x11"), HasSubstr("17 channels"));
  EXPECT_THAT(with(1, 20, std::string(1, '\0')), HasSubstr("0 samples"));
  EXPECT_THAT(with(1, 20, "\xff\xff"), HasSubstr("65535 samples"));
  EXPECT_THAT(with(1, 20, "\4"), HasSubstr("header promises 32"));
  EXPECT_THAT(with(1, 22, "\1"), HasSubstr("reserved"));
  EXPECT_THAT(with(1, 71, "\x80"), HasSubstr("below zero"));
  EXPECT_THAT(with(1, 78, "\xf0\x7f"), HasSubstr("period"));
  auto cut = good;
  cut[3].pop_back();
  EXPECT_THAT(refusal(cut), HasSubstr("values of 23"));
  auto three = good;
  three.pop_back();
  EXPECT_THAT(refusal(three), HasSubstr("3 parts"));
  auto longer = good;
  longer[1] += '\0';
  EXPECT_THAT(refusal(longer), HasSubstr("81 bytes"));
}

TEST(PublishMessage, RefusesHostileJson) {
  const auto with = [](const std::string& name, const std::string& from, const std::string& to) {
    auto parts = golden(name);
    const auto at = parts[2].find(from);
    EXPECT_NE(at, std::string::npos) << from;
    parts[2].replace(at, from.size(), to);
    return refusal(parts);
  };
  EXPECT_THAT(with("stream.bin", "\"id\":3", "\"id\":65536"), HasSubstr("\"id\""));
  EXPECT_THAT(with("stream.bin", "\"id\":3", "\"id\":-1"), HasSubstr("\"id\""));
  EXPECT_THAT(with("stream.bin", "\"id\":3", "\"ID\":3"), HasSubstr("\"id\" is missing"));
  EXPECT_THAT(with("stream.bin", "7000.0", "-1"), HasSubstr("negative rate"));
  EXPECT_THAT(with("stream.bin", "7000.0", "1e999"), HasSubstr("not JSON"));
  EXPECT_THAT(with("stream.bin", "2147483647,", "2147483648,"), HasSubstr("counts_max"));
  EXPECT_THAT(with("stream.bin", "\"force\"", "\"other\""), HasSubstr("another stream's topic"));
  EXPECT_THAT(with("event.bin", "5000000000", "18446744073709551615"), HasSubstr("at_ns"));
  EXPECT_THAT(with("event.bin", "\"fault\"", "\"doom\""), HasSubstr("severity"));
  EXPECT_THAT(with("event.bin", "null", "null,1"), HasSubstr("arguments"));
  EXPECT_THAT(with("event.bin", "null", "\"x\""), HasSubstr("argument"));
  EXPECT_THAT(with("end.bin", "\"vibration\"", "\"../etc\""), HasSubstr("stream name"));
  EXPECT_THAT(with("end.bin", "{\"verdict\":\"PASS\"}", std::string(60000, '[')), HasSubstr("too deep"));
  EXPECT_THAT(with("end.bin", "\"PASS\"", '"' + std::string(kMaxTextBytes, 'x') + '"'), HasSubstr("a text of"));
  // Brackets inside a text are no nesting.
  EXPECT_EQ(with("end.bin", "PASS", std::string(100, '[')), "accepted");
}

TEST(PublishMessage, SurvivesTenThousandDamagedMessages) {
  std::mt19937_64 random(20261123);
  const std::array names = {"block.bin", "stream.bin", "event.bin", "heartbeat.bin", "end.bin"};
  int accepted = 0;
  for (int i = 0; i < 10000; ++i) {
    auto parts = golden(names[random() % names.size()]);
    for (auto flips = random() % 4; flips > 0; --flips) {
      auto& part = parts[random() % parts.size()];
      if (part.empty()) continue;
      part[random() % part.size()] = static_cast<char>(random());
    }
    if (random() % 8 == 0) parts[random() % parts.size()].resize(random() % 100);
    if (random() % 16 == 0) parts.resize(random() % 6);
    const auto message = decode_message(parts);
    if (!message) continue;
    ++accepted;
    // Whatever is accepted can be written again and means the same.
    const auto again = decode_message(encode_message(*message));
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_EQ(encode_message(*again), encode_message(*message));
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 9000);
}

TEST(PublishMessage, RunTagIsFnv1a) {
  EXPECT_EQ(run_tag_of(""), 0x811c9dc5U);
  EXPECT_EQ(run_tag_of("foobar"), 0xbf9cf968U);  // published test vector
}

}  // namespace
}  // namespace strigil::daq
