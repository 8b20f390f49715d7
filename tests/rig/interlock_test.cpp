#include "rig/interlock.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace strigil::rig {
namespace {

using daq::from_seconds;
using daq::HostTime;

StageConfig stage() {
  StageConfig s;
  s.travel_min_m = {0, 0, -0.08};
  s.travel_max_m = {0.2, 0.1, 0};
  s.clear_z_m = -0.005;
  s.max_speed_m_s = 0.2;
  return s;
}

InterlockConfig limits() {
  InterlockConfig l;
  l.max_force_N = 25;
  l.force_stale = from_seconds(0.05);
  l.vibration_stale = from_seconds(0.2);
  l.stage_stale = from_seconds(0.4);
  l.stuck = from_seconds(0.25);
  return l;
}

Readings healthy(HostTime now) {
  Readings r;
  r.now = now;
  r.force_seen = r.vibration_seen = r.stage_seen = true;
  r.force_received = r.vibration_received = r.position_received = now;
  r.stage = StageState::kIdle;
  r.position_m = {0.05, 0, -0.01};
  return r;
}

Demand move(std::uint32_t id, double x, double z, double speed) {
  return {.kind = DemandKind::kMove, .move_id = id, .target_m = {x, 0, z}, .speed_m_s = speed};
}

class InterlockTest : public testing::Test {
 protected:
  void arm() {
    auto r = healthy(now_);
    interlock_.evaluate(r, 0, now_);
    ASSERT_TRUE(interlock_.reset());
  }
  Interlock interlock_{limits(), stage()};
  HostTime now_{1'000'000'000};
};

TEST_F(InterlockTest, StartsFaultedAndPermitsNoMove) {
  auto r = healthy(now_);
  interlock_.evaluate(r, 0, now_);
  EXPECT_EQ(r.latched_faults, std::uint32_t{kNotReset});
  EXPECT_EQ(interlock_.permit(move(1, 0.1, -0.02, 0.05), r).get().kind, SetpointKind::kHold);
  EXPECT_EQ(interlock_.refused_move(), 1U);
}

TEST_F(InterlockTest, ResetIsRefusedWhileAConditionHolds) {
  auto r = healthy(now_);
  r.untared_normal_force_N = 30;
  interlock_.evaluate(r, 0, now_);
  EXPECT_FALSE(interlock_.reset());
  arm();
  EXPECT_EQ(interlock_.permit(move(2, 0.1, -0.02, 0.05), healthy(now_)).get().kind, SetpointKind::kMove);
}

TEST_F(InterlockTest, EveryConditionTripsWithItsOwnName) {
  struct Case {
    std::uint32_t fault;
    void (*spoil)(Readings&);
  };
  const Case cases[] = {
      {kForceLimit, [](Readings& r) { r.untared_normal_force_N = 25.1; }},
      {kForceLimit, [](Readings& r) { r.untared_normal_force_N = std::nan(""); }},
      {kForceLimit, [](Readings& r) { r.tangential_force_N = -26; }},
      {kForceStale, [](Readings& r) { r.force_received = r.now - from_seconds(0.051); }},
      {kVibrationStale, [](Readings& r) { r.vibration_received = r.now - from_seconds(0.201); }},
      {kStageStale, [](Readings& r) { r.position_received = r.now - from_seconds(0.401); }},
      {kStageAlarm, [](Readings& r) { r.stage = StageState::kAlarm; }},
      {kStageRestarted, [](Readings& r) { r.stage_restarts = 1; }},
      {kTravel, [](Readings& r) { r.position_m[kX] = 0.201; }},
      {kTravel, [](Readings& r) { r.position_m[kZ] = std::nan(""); }},
  };
  for (const auto& c : cases) {
    Interlock interlock(limits(), stage());
    auto r = healthy(now_);
    interlock.evaluate(r, 0, now_);
    ASSERT_TRUE(interlock.reset());
    r = healthy(now_);
    c.spoil(r);
    EXPECT_TRUE(interlock.evaluate(r, 0, now_)) << fault_names(c.fault);
    EXPECT_EQ(interlock.first_cause(), c.fault) << fault_names(interlock.first_cause());
    EXPECT_FALSE(fault_names(c.fault).empty());
    EXPECT_FALSE(fault_advice(c.fault).empty());
    EXPECT_FALSE(interlock.evidence().empty());
  }
}

TEST_F(InterlockTest, TheFirstCauseStaysAndClearsOnlyByReset) {
  arm();
  auto r = healthy(now_);
  r.untared_normal_force_N = 40;
  interlock_.evaluate(r, 0, now_);
  r = healthy(now_);
  r.stage = StageState::kAlarm;
  interlock_.evaluate(r, 0, now_);
  EXPECT_EQ(interlock_.first_cause(), std::uint32_t{kForceLimit});
  EXPECT_EQ(interlock_.latched(), std::uint32_t{kForceLimit | kStageAlarm});
  r = healthy(now_);
  interlock_.evaluate(r, 0, now_);
  EXPECT_EQ(r.faults, 0U);
  EXPECT_NE(r.latched_faults, 0U) << "all-clear alone must not release the latch";
  ASSERT_TRUE(interlock_.reset());
  EXPECT_EQ(interlock_.latched(), 0U);
}

TEST_F(InterlockTest, ATripLiftsWhenTheStageCanBeTrustedAndStopsWhenItCannot) {
  arm();
  auto r = healthy(now_);
  r.position_m = {0.05, 0, -0.03};
  r.untared_normal_force_N = 40;
  interlock_.evaluate(r, 0, now_);
  const auto lift = interlock_.permit(move(3, 0.1, -0.04, 0.05), r).get();
  EXPECT_EQ(lift.kind, SetpointKind::kRetract);
  EXPECT_DOUBLE_EQ(lift.target_m[kZ], -0.005);
  EXPECT_DOUBLE_EQ(lift.target_m[kX], 0.05);
  r.stage = StageState::kAlarm;
  interlock_.evaluate(r, 0, now_);
  EXPECT_EQ(interlock_.permit({.kind = DemandKind::kRetract}, r).get().kind, SetpointKind::kStop);
}

// Whatever is wished, in whatever state: nothing leaves travel, nothing is too fast, nothing goes down when faulted.
TEST_F(InterlockTest, NoPermittedSetpointIsEverBeyondTheLimits) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> wide(-0.4, 0.4);
  std::uniform_real_distribution<double> near(-0.05, 1.05);  // of travel: most draws are inside, the rest just out
  std::uniform_real_distribution<double> speed(-0.1, 0.6);
  std::uniform_int_distribution<int> kind(0, 3);
  std::uniform_int_distribution<int> chance(0, 30);
  std::uint64_t moves = 0;
  Interlock interlock(limits(), stage());
  for (std::uint32_t i = 1; i <= 200'000; ++i) {
    auto r = healthy(now_);
    r.position_m = {wide(random), wide(random), wide(random)};
    if (chance(random) > 2) r.position_m = {0.1, 0.05, -0.02};
    r.untared_normal_force_N = chance(random) == 0 ? 1e3 * wide(random) : 5;
    interlock.evaluate(r, chance(random) == 0 ? std::uint32_t{kForceGap} : 0, now_);
    if (chance(random) < 10) (void)interlock.reset();
    const Demand d{static_cast<DemandKind>(kind(random)),
                   i,
                   {0.2 * near(random), 0.1 * near(random), -0.08 * near(random)},
                   speed(random)};
    const auto s = interlock.permit(d, r).get();
    if (s.kind == SetpointKind::kMove) {
      ++moves;
      ASSERT_EQ(interlock.latched(), 0U);
      ASSERT_GT(s.speed_m_s, 0);
      ASSERT_LE(s.speed_m_s, stage().max_speed_m_s);
      for (std::size_t a = 0; a < kAxes; ++a) {
        ASSERT_GE(s.target_m[a], stage().travel_min_m[a]);
        ASSERT_LE(s.target_m[a], stage().travel_max_m[a]);
      }
    } else if (s.kind == SetpointKind::kRetract) {
      ASSERT_GE(s.target_m[kZ], r.position_m[kZ]);
    }
  }
  EXPECT_GT(moves, 1000U) << "the search must reach permitted moves";
}

}  // namespace
}  // namespace strigil::rig
