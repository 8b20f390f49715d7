// The fault catalogue at the wire and in the plant: each fault does what it says, when it says, and nothing else.
#include "sim/fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/sim/wire_host.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using rig::kX;
using rig::kZ;
using ::testing::EndsWith;
using ::testing::HasSubstr;

SimConfig with(const SimFault& fault) {
  auto config = flat_config();
  config.force.noise_N = 1e-4;
  config.faults = {fault};
  return config;
}

/// A second after the host's first byte.
SimFault after_a_second(FaultKind kind, double size = 0, daq::Duration lasts = {}, std::uint32_t count = 1) {
  return {.kind = kind, .after = FaultOrigin::kHost, .at = 1s, .count = count, .size = size, .lasts = lasts};
}

/// Normal force of every record, bias gone.
std::vector<double> normals(const WireHost& host, const SimConfig& config) {
  std::vector<double> out;
  for (const auto& r : host.records) out.push_back(r.counts[kZ] / config.force.counts_per_N - config.force.bias_N[kZ]);
  return out;
}

/// How many values lie beyond `limit`, and how many of them there are in a row at most.
std::pair<int, int> beyond(const std::vector<double>& values, double limit) {
  int all = 0;
  int row = 0;
  int longest = 0;
  for (const double v : values) {
    row = v > limit ? row + 1 : 0;
    all += v > limit ? 1 : 0;
    longest = std::max(longest, row);
  }
  return {all, longest};
}

TEST(FaultAtTheWire, ASpikeIsAsLongAndAsHighAsItIsAsked) {
  for (const auto lasts : {0ms, 20ms}) {
    const auto config = with(after_a_second(FaultKind::kSpikeForce, 7, lasts));
    WireHost host(config);
    host.start_sensors();
    host.run(2s);
    const int samples = lasts == 0ms ? 1 : 20;
    EXPECT_EQ(beyond(normals(host, config), 6.9), std::pair(samples, samples));
    EXPECT_EQ(beyond(normals(host, config), 7.1).first, 0);
  }
}

TEST(FaultAtTheWire, AStepOfBiasStays) {
  const auto config = with(after_a_second(FaultKind::kBiasForce, -2));
  WireHost host(config);
  host.start_sensors();
  host.run(2s);
  const auto n = normals(host, config);
  EXPECT_NEAR(n[900], 0, 0.01);
  for (std::size_t i = 1100; i < n.size(); ++i) ASSERT_NEAR(n[i], -2, 0.01) << i;
}

TEST(FaultAtTheWire, SaturationStatusAndRailEnd) {
  const auto saturated = with(after_a_second(FaultKind::kSaturateForce, 0, 100ms));
  WireHost host(saturated);
  host.start_sensors();
  host.run(2s);
  int full = 0;
  for (const auto& r : host.records) full += r.counts[4] == std::numeric_limits<std::int32_t>::max() ? 1 : 0;
  EXPECT_NEAR(full, 100, 2);

  WireHost flagged(with(after_a_second(FaultKind::kFlagForce, 0, 100ms, 2)));
  flagged.start_sensors();
  flagged.run(2s);
  int ill = 0;
  for (const auto& r : flagged.records) ill += r.status == 2 ? 1 : 0;
  EXPECT_NEAR(ill, 100, 2);
  EXPECT_EQ(flagged.records.back().status, 0U);

  const auto railed = with(after_a_second(FaultKind::kRailForce, saturated.force.bias_N[kZ] + 1));
  WireHost rail(railed);
  rail.start_sensors();
  rail.say("$J=G91 G21 Z-22 F6000\n");  // 2 N, and 1 N is all that is told
  rail.run(2s);
  EXPECT_NEAR(rail.world.world().plant().force_N[kZ], 2, 1e-6);
  EXPECT_DOUBLE_EQ(normals(rail, railed).back(), 1);
  EXPECT_NE(rail.records.back().counts[0], rail.records[rail.records.size() - 2].counts[0]) << "the others live on";
}

TEST(FaultAtTheWire, AClockThatJumpsTakesNoSampleWithIt) {
  WireHost host(with(after_a_second(FaultKind::kJumpForceClock, 0.05)));
  host.start_sensors();
  host.run(2s);
  int jumps = 0;
  for (std::size_t i = 1; i < host.records.size(); ++i) {
    ASSERT_EQ(host.records[i].rdt_sequence, host.records[i - 1].rdt_sequence + 1);
    const auto step = host.records[i].ft_sequence - host.records[i - 1].ft_sequence;
    if (step == 1) continue;
    ++jumps;
    EXPECT_EQ(step, 51U);
  }
  EXPECT_EQ(jumps, 1);
}

TEST(FaultAtTheWire, ARestartedSensorIsSilentUntilItIsAskedAndCountsAnew) {
  WireHost host(with(after_a_second(FaultKind::kRebootForce)));
  host.start_sensors();
  host.run(2s);
  EXPECT_NEAR(static_cast<double>(host.records.size()), 1000, 3);
  host.start_sensors();
  host.run(100ms);
  EXPECT_NEAR(static_cast<double>(host.records.size()), 1100, 5);
  EXPECT_LT(host.records.back().rdt_sequence, 110U);
  EXPECT_LT(host.records.back().ft_sequence, 1200U);
}

TEST(FaultAtTheWire, ARestartedStageCallsWhereItStandsItsStart) {
  WireHost host(with(after_a_second(FaultKind::kRebootStage)));
  host.say("$J=G91 G21 X50 F1800\n");  // 30 mm/s
  host.run(990ms);
  host.heard.clear();
  host.run(500ms);
  EXPECT_THAT(host.heard, HasSubstr("Grbl 1.1h"));
  EXPECT_THAT(host.heard, HasSubstr("<Idle|MPos:0.000,0.000,0.000"));
  EXPECT_NEAR(host.world.world().stage().position_m()[kX], 0.0295, 0.001);
}

TEST(FaultAtTheWire, LostStepsPartTruthFromReadbackByExactlyThat) {
  WireHost host(with(after_a_second(FaultKind::kLoseStepsX, 1e-3)));
  host.say("$J=G91 G21 X50 F1800\n");
  host.run(3s);
  host.heard.clear();
  host.run(100ms);
  EXPECT_THAT(host.heard, HasSubstr("<Idle|MPos:50.000,"));
  EXPECT_NEAR(host.world.world().stage().position_m()[kX], 49e-3, 1e-9);
  host.say("$J=G91 G21 X-50 F1800\n");
  host.run(3s);
  EXPECT_NEAR(host.world.world().stage().position_m()[kX], -1e-3, 1e-9) << "lost once, not once more";
}

/// Chunks of all links until now.
struct Kinds {
  int closed[3] = {};
  int others[3] = {};
};
Kinds drain(daq::ChunkRing& ring) {
  Kinds kinds;
  daq::Chunk chunk;
  while (ring.pop(chunk)) ++(chunk.kind == daq::ChunkKind::kClosed ? kinds.closed : kinds.others)[chunk.link];
  return kinds;
}

TEST(FaultAtTheWire, AnUnpluggedPortClosesForGoodAndANetworkComesBack) {
  auto config = with(after_a_second(FaultKind::kUnplugStage, 0, 200ms));
  config.faults.push_back(after_a_second(FaultKind::kUnplugForce, 0, 200ms));
  WireHost host(config);
  host.ask_stage = false;
  host.start_sensors();
  host.say("?");
  host.world.advance(daq::HostTime{} + 990ms);
  (void)drain(host.chunks);
  host.world.advance(daq::HostTime{} + 1150ms);
  auto kinds = drain(host.chunks);
  EXPECT_EQ(kinds.closed[0], 1);
  EXPECT_EQ(kinds.closed[1], 0) << "a network says nothing";
  EXPECT_LT(kinds.others[1], 20);
  EXPECT_FALSE(host.stage->write(std::as_bytes(std::span("?", 1))));
  host.world.advance(daq::HostTime{} + 1500ms);
  kinds = drain(host.chunks);
  EXPECT_GT(kinds.others[1], 250);
  EXPECT_FALSE(host.stage->write(std::as_bytes(std::span("?", 1)))) << "this handle is dead";
  host.stage.reset();
  auto again = host.world.open("memory:stage", 0);
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE((*again)->write(std::as_bytes(std::span("?", 1))));
  host.world.advance(daq::HostTime{} + 1600ms);
  EXPECT_EQ(drain(host.chunks).others[0], 1);
}

TEST(FaultAtTheWire, PhasesAreThoseOfThePlant) {
  auto config = flat_config();
  for (const auto origin :
       {FaultOrigin::kApproach, FaultOrigin::kContact, FaultOrigin::kStroke, FaultOrigin::kRetract}) {
    config.faults.push_back({.kind = FaultKind::kDropForce, .after = origin});
  }
  WireHost host(config);
  host.start_sensors();
  const auto& world = host.world.world();
  const auto expect_made = [&](std::size_t faults, const char* when) {
    EXPECT_EQ(world.made().size(), faults) << when;
  };
  host.say("$J=G91 G21 Z-16 F6000\n");
  host.run(500ms);
  expect_made(0, "4 mm above");
  host.say("$J=G91 G21 Z-2 F6000\n");
  host.run(300ms);
  expect_made(1, "approach");
  host.say("$J=G91 G21 Z-3 F6000\n");
  host.run(300ms);
  expect_made(2, "contact");
  host.say("$J=G91 G21 X5 F2400\n");
  host.run(400ms);
  expect_made(3, "stroke");
  host.say("$J=G91 G21 Z10 F6000\n");
  host.run(400ms);
  expect_made(4, "retract");
}

TEST(FaultFile, WhatIsWrittenReadsBack) {
  const auto text = to_toml({.kind = FaultKind::kLoseStepsZ, .after = FaultOrigin::kStroke, .at = 250ms, .size = 1e-3});
  EXPECT_THAT(text, HasSubstr("lost_mm = 1"));
  const auto config = parse_sim_config(text, "f.toml");
  ASSERT_TRUE(config.ok()) << config.error().message;
  ASSERT_EQ(config->faults.size(), 1U);
  EXPECT_EQ(config->faults[0].kind, FaultKind::kLoseStepsZ);
  EXPECT_EQ(config->faults[0].after, FaultOrigin::kStroke);
  EXPECT_EQ(config->faults[0].at, daq::Duration(250ms));
  EXPECT_DOUBLE_EQ(config->faults[0].size, 1e-3);
}

}  // namespace
}  // namespace strigil::sim
