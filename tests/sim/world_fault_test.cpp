// What goes wrong on purpose, seen at the wire and in the plant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/sim/wire_host.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using rig::kX;
using rig::kZ;
using ::testing::HasSubstr;

SimConfig with_fault(FaultKind kind, FaultOrigin after, daq::Duration at, std::uint32_t count = 1) {
  auto config = flat_config();
  config.faults = {{kind, after, at, count}};
  return config;
}

/// Down to 2 mm under the surface in about 0.3 s, then along x in short jogs, as the rig's drive does.
void stroke(WireHost& host, std::chrono::milliseconds length = 1700ms) {
  host.start_sensors();
  host.say("$J=G91 G21 Z-22 F6000\n");
  host.run(500ms);
  for (auto t = 0ms; t < length; t += 50ms) {
    host.say("$J=G91 G21 X2 F2400\n");  // 40 mm/s
    host.run(50ms);
  }
}

double x_mm(const WireHost& host) { return host.world.world().stage().position_m()[kX] * 1e3; }

TEST(Faults, NoneUnlessAsked) {
  WireHost host(flat_config());
  stroke(host);
  EXPECT_GT(x_mm(host), 55);
  EXPECT_NEAR(host.world.world().plant().force_N[kZ], 2, 1e-6);
  EXPECT_NE(host.records.back().counts, host.records[host.records.size() - 2].counts);
}

TEST(Faults, FrozenForceGoesOnWithTheSameCounts) {
  WireHost host(with_fault(FaultKind::kFreezeForce, FaultOrigin::kHost, 1s));
  stroke(host);
  const auto& records = host.records;
  ASSERT_GT(records.size(), 2000U);
  EXPECT_NE(records[900].counts, records[899].counts);
  for (std::size_t i = 1010; i < records.size(); ++i) {
    ASSERT_EQ(records[i].counts, records[1009].counts) << i;
    ASSERT_EQ(records[i].ft_sequence, records[i - 1].ft_sequence + 1) << i;
  }
}

TEST(Faults, FrozenVibrationGoesOnWithTheSameCounts) {
  WireHost host(with_fault(FaultKind::kFreezeVibration, FaultOrigin::kHost, 1s));
  stroke(host);
  const auto& samples = host.samples;
  ASSERT_GT(samples.size(), 12800U);
  EXPECT_NE(samples[6000], samples[5999]);
  for (std::size_t i = 6500; i < samples.size(); ++i) ASSERT_EQ(samples[i], samples.back()) << i;
}

TEST(Faults, SilentSensorsStopWhileTheOthersGoOn) {
  WireHost mute_force(with_fault(FaultKind::kSilenceForce, FaultOrigin::kHost, 1s));
  stroke(mute_force);
  EXPECT_NEAR(static_cast<double>(mute_force.records.size()), 1000, 3);
  EXPECT_GT(mute_force.samples.size(), 12800U);
  EXPECT_EQ(mute_force.totals(DeviceName::kForce).samples, mute_force.records.size());

  WireHost mute_vibration(with_fault(FaultKind::kSilenceVibration, FaultOrigin::kHost, 1s));
  stroke(mute_vibration);
  EXPECT_NEAR(static_cast<double>(mute_vibration.samples.size()), 6400, 70);
  EXPECT_GT(mute_vibration.records.size(), 2000U);
}

TEST(Faults, SilentStageStillMovesAndDoesNotTell) {
  WireHost host(with_fault(FaultKind::kSilenceStage, FaultOrigin::kHost, 1s));
  stroke(host);
  EXPECT_GT(x_mm(host), 55);
  EXPECT_LE(host.stage_at.ns, 1'005'000'000);
}

TEST(Faults, StalledStageAcknowledgesAndStands) {
  WireHost host(with_fault(FaultKind::kStallStage, FaultOrigin::kHost, 1s));
  stroke(host, 600ms);
  const double stood_at = x_mm(host);
  host.heard.clear();
  host.say("$J=G91 G21 X10 F2400\n");
  host.run(500ms);
  EXPECT_THAT(host.heard, HasSubstr("ok\r\n"));
  EXPECT_NEAR(x_mm(host), stood_at, 1e-9);
  EXPECT_LT(x_mm(host), 25);
}

TEST(Faults, StageAlarmAfterContactStopsIt) {
  WireHost host(with_fault(FaultKind::kStageAlarm, FaultOrigin::kContact, 500ms));
  stroke(host);
  EXPECT_THAT(host.heard, HasSubstr("ALARM:1\r\n"));
  EXPECT_THAT(host.heard, HasSubstr("<Alarm|"));
  EXPECT_GT(x_mm(host), 5);
  EXPECT_LT(x_mm(host), 30);
  EXPECT_EQ(host.world.world().stage().velocity_m_s(), rig::Position{});
}

TEST(Faults, NothingAfterContactWhenThereIsNoContact) {
  auto config = with_fault(FaultKind::kStageAlarm, FaultOrigin::kContact, 0s);
  config.phantom.present = false;
  WireHost host(config);
  stroke(host);
  EXPECT_EQ(host.heard.find("ALARM"), std::string::npos);
  EXPECT_EQ(host.world.world().plant().force_N[kZ], 0);
  EXPECT_GT(x_mm(host), 55);
}

TEST(Faults, DroppedRecordsLeaveExactlyTheirHole) {
  WireHost host(with_fault(FaultKind::kDropForce, FaultOrigin::kHost, 1s, 17));
  stroke(host);
  std::uint32_t missing = 0;
  int holes = 0;
  for (std::size_t i = 1; i < host.records.size(); ++i) {
    const auto step = host.records[i].rdt_sequence - host.records[i - 1].rdt_sequence;
    missing += step - 1;
    holes += step > 1 ? 1 : 0;
  }
  EXPECT_EQ(missing, 17U);
  EXPECT_EQ(holes, 1);
}

TEST(Faults, PhantomThatEndsLosesContactInMidStroke) {
  auto config = flat_config();
  config.phantom.absent_from_x_m = 30e-3;
  WireHost host(config);
  stroke(host, 700ms);
  EXPECT_LT(x_mm(host), 30);
  EXPECT_NEAR(host.world.world().plant().force_N[kZ], 2, 1e-6);
  for (int i = 0; i < 10; ++i) {
    host.say("$J=G91 G21 X2 F2400\n");
    host.run(50ms);
  }
  EXPECT_GT(x_mm(host), 30);
  EXPECT_EQ(host.world.world().plant().force_N[kZ], 0);
  EXPECT_NEAR(host.normal_N(), config.force.bias_N[kZ], 0.1);
}

TEST(Faults, StiffInclusionExceedsAForceLimit) {
  auto config = flat_config();
  config.phantom.inclusions = {{30e-3, 6e-3, 20}};
  WireHost host(config);
  stroke(host);
  double most_N = 0;
  for (const auto& record : host.records) most_N = std::max(most_N, record.counts[kZ] / config.force.counts_per_N);
  EXPECT_NEAR(most_N, 40 + config.force.bias_N[kZ], 0.5);
}

}  // namespace
}  // namespace strigil::sim
