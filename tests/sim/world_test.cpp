// The world in virtual time, spoken to at the wire: bytes of Grbl, RDT and the sensor stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daq/json_text.hpp"
#include "tests/sim/wire_host.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using daq::HostTime;
using rig::kX;
using rig::kZ;
using ::testing::HasSubstr;
using ::testing::Not;

/// RMS of the newest samples over all axes, m/s2.
double rms_m_s2(const WireHost& host, std::size_t newest) {
  constexpr double kScale_m_s2 = 4.7884e-3;  // a count of the twin's converter: +-16 g over 16 bits
  double sum = 0;
  for (std::size_t i = host.samples.size() - newest; i < host.samples.size(); ++i) {
    for (const auto counts : host.samples[i]) sum += static_cast<double>(counts) * counts;
  }
  return std::sqrt(sum / static_cast<double>(newest)) * kScale_m_s2;
}

TEST(VirtualWorld, JoggingDownByGrblTextPressesAndTheForceRecordsShowIt) {
  const auto config = flat_config();
  WireHost host(config);
  host.run(100ms);
  EXPECT_THAT(host.heard, HasSubstr("Grbl 1.1"));
  host.start_sensors();
  host.run(100ms);
  EXPECT_NEAR(host.normal_N(), config.force.bias_N[kZ], 0.1);
  host.say("$J=G91 G21 Z-24 F1800\n");
  host.run(1500ms);
  EXPECT_THAT(host.heard, HasSubstr("ok\r\n"));
  EXPECT_NEAR(host.world.world().stage().position_m()[kZ], -24e-3, 1e-9);
  EXPECT_NEAR(host.world.world().plant().force_N[kZ], 4.0, 1e-6);
  EXPECT_NEAR(host.normal_N(), config.force.bias_N[kZ] + 4.0, 0.1);
  host.say("$J=G91 G21 X40 F2400\n");  // 40 mm/s: friction and texture
  host.run(500ms);
  EXPECT_NEAR(host.world.world().plant().force_N[kX], -0.4, 0.01);
  host.run(1000ms);
  EXPECT_THAT(host.heard, Not(HasSubstr("error")));
}

TEST(VirtualWorld, TextureIsInTheVibrationStreamOnlyWhileItStrokes) {
  const auto config = flat_config();
  WireHost host(config);
  host.start_sensors();
  host.say("$J=G91 G21 Z-24 F1800\n");
  host.run(2000ms);
  const double rest = rms_m_s2(host, 1280);
  host.say("$J=G91 G21 X60 F3600\n");  // 60 mm/s at 4 N
  host.run(700ms);
  const double stroke = rms_m_s2(host, 1280);
  EXPECT_LT(rest, 0.15);
  EXPECT_GT(stroke, 0.7);
  EXPECT_LT(stroke, 1.6);
}

TEST(VirtualWorld, SameSeedSameBytesAtTheSameInstants) {
  const auto hash = [](std::uint64_t seed) {
    SimConfig config;
    config.seed = seed;
    WireHost host(config);
    host.start_sensors();
    host.say("$J=G91 G21 Z-24 F3600\n$J=G91 G21 X50 F6000\n");
    host.run(2000ms);
    EXPECT_GT(host.records.size(), 1900U);
    EXPECT_GT(host.samples.size(), 12000U);
    EXPECT_GT(host.world.world().stage().position_m()[kX], 40e-3);
    return host.hash;
  };
  const auto first = hash(3);
  std::printf("two simulated seconds, all devices: hash %016llx\n", static_cast<unsigned long long>(first));
  EXPECT_EQ(first, hash(3));
  EXPECT_NE(first, hash(4));
}

TEST(VirtualWorld, WhatDevicesSentIsWhatTheHostGot) {
  WireHost host(flat_config());
  host.start_sensors();
  host.run(1000ms);
  ASSERT_TRUE(host.force->write(daq::encode(daq::RdtRequest{daq::RdtCommand::kStop, 0})));
  daq::sensor_stream::Frame frame;
  encode({daq::sensor_stream::kAnyDevice, daq::sensor_stream::Request{daq::sensor_stream::Type::kStop}}, frame);
  ASSERT_TRUE(host.vibration->write(frame.data()));
  host.ask_stage = false;
  host.run(20ms);  // what is still on the wires
  EXPECT_EQ(host.totals(DeviceName::kForce).samples, host.records.size());
  EXPECT_EQ(host.totals(DeviceName::kForce).bytes, host.records.size() * daq::kRdtRecordSize);
  EXPECT_EQ(host.totals(DeviceName::kVibration).samples, host.samples.size());
  EXPECT_EQ(host.totals(DeviceName::kStage).samples, 20U);
  EXPECT_EQ(host.totals(DeviceName::kStage).bytes, host.heard.size());
  EXPECT_EQ(host.world.lost_chunks(), 0U);
  const auto json = daq::parse_json(to_json(host.world.world().totals()));
  EXPECT_EQ(json["force"]["samples"], host.records.size());
  EXPECT_EQ(json["vibration"]["samples"], host.samples.size());
}

TEST(VirtualWorld, BytesTakeTheirTimeBothWays) {
  auto config = flat_config();
  config.stage.link_delay = 7ms;
  WireHost host(config);
  host.ask_stage = false;
  host.run(50ms);
  host.heard.clear();
  const auto asked = host.world.now();
  host.say("?");
  host.run(13ms);
  EXPECT_EQ(host.heard, "");
  host.run(2ms);
  EXPECT_THAT(host.heard, HasSubstr("<Idle|MPos:0.000,0.000,0.000"));
  EXPECT_EQ(host.stage_at - asked, 14ms);
}

TEST(VirtualWorld, ForceRecordsComeEvenlyAtTheirRate) {
  WireHost host(flat_config());
  host.start_sensors();
  host.run(1000ms);
  ASSERT_GT(host.force_at.size(), 990U);
  for (std::size_t i = 1; i < host.force_at.size(); ++i) {
    const auto apart = host.force_at[i] - host.force_at[i - 1];
    ASSERT_NEAR(static_cast<double>(apart.count()), 1e6, 1e9 / 12800 + 1) << i;  // within one plant step
    ASSERT_EQ(host.records[i].rdt_sequence, host.records[i - 1].rdt_sequence + 1);
  }
}

TEST(VirtualWorld, RefusesUnknownAndOpenLinks) {
  daq::ChunkRing chunks(16);
  VirtualWorld world(SimConfig{}, chunks);
  auto unknown = world.open("memory:torque", 0);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("memory:force"));
  auto first = world.open("memory:force", 0);
  ASSERT_TRUE(first);
  EXPECT_FALSE(world.open("memory:force", 1).ok());
  EXPECT_EQ((*first)->uri(), "memory:force");
  std::move(first).value().reset();
  EXPECT_TRUE(world.open("memory:force", 1).ok());
}

TEST(VirtualWorld, WritesBeyondTheWiresRoomAreRefusedWhole) {
  daq::ChunkRing chunks(16);
  VirtualWorld world(SimConfig{}, chunks);
  auto link = world.open("memory:stage", 0);
  ASSERT_TRUE(link);
  const std::vector<std::byte> huge(daq::kChunkCapacity + 1);
  EXPECT_FALSE((*link)->write(huge));
  const std::array one{std::byte{'?'}};
  int taken = 0;
  while (taken < 1000 && (*link)->write(one)) ++taken;
  EXPECT_EQ(taken, 64);
  world.advance(HostTime{} + 5ms);
  EXPECT_TRUE((*link)->write(one));
}

TEST(VirtualWorld, AFullRingHoldsTheRestBackInOrder) {
  WireHost host(flat_config(), 8);
  host.start_sensors();
  host.world.advance(host.world.now() + 500ms);  // far more than eight chunks
  EXPECT_EQ(host.chunks.size(), 8U);
  for (int i = 0; i < 200; ++i) {
    host.listen();
    host.world.advance(host.world.now());
  }
  host.listen();
  EXPECT_EQ(host.chunks.counts().dropped, 0U);
  EXPECT_NEAR(static_cast<double>(host.records.size()), 499, 2);
  for (std::size_t i = 1; i < host.records.size(); ++i)
    ASSERT_EQ(host.records[i].rdt_sequence, host.records[i - 1].rdt_sequence + 1);
}

TEST(VirtualWorld, ADesertedStageStopsByItself) {
  auto config = flat_config();
  config.stage.host_timeout_s = 0.3;
  WireHost host(config);
  host.run(100ms);
  host.say("$J=G91 G21 X150 F600\n");  // 10 mm/s: 15 s
  host.ask_stage = false;
  host.run(1000ms);
  EXPECT_EQ(host.world.world().stage().velocity_m_s(), rig::Position{});
  EXPECT_LT(host.world.world().stage().position_m()[kX], 5e-3);
  EXPECT_GT(host.world.world().stage().position_m()[kX], 2e-3);
}

TEST(VirtualWorld, SpeedIsPrinted) {
  WireHost host{SimConfig{}};
  host.start_sensors();
  host.say("$J=G91 G21 Z-24 F6000\n$J=G91 G21 X190 F1200\n");
  const auto begin = std::chrono::steady_clock::now();
  host.run(10'000ms);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto steps = static_cast<double>(host.world.world().steps());
  std::printf("virtual world: %.2f million plant steps a second, %.0f times real time\n", steps / took.count() * 1e-6,
              10 / took.count());
  EXPECT_EQ(host.world.world().steps(), 128'000U);
}

}  // namespace
}  // namespace strigil::sim
