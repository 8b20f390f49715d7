#include "rig/interlock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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
/// What the stage does after a velocity was permitted, at the worst: it goes on for as long as it takes to be told
/// otherwise, and then brakes. Way from where it was read, by small steps: no formula that the interlock may share.
double way_to_rest_m(double speed_m_s, double age_s, const StageConfig& stage) {
  constexpr double kStep_s = 1e-4;
  double way_m = speed_m_s * (age_s + stage.reaction_s);
  double v = std::abs(speed_m_s);
  while (v > 0) {
    const double slower = std::max(0.0, v - stage.acceleration_m_s2 * kStep_s);
    way_m += std::copysign((v + slower) / 2 * (v - slower) / stage.acceleration_m_s2, speed_m_s);
    v = slower;
  }
  return way_m;
}

void expect_within_limits(const Setpoint& s, const Readings& r, const Interlock& interlock, const StageConfig& stage) {
  constexpr double kRounding = 1e-9;
  ASSERT_EQ(interlock.latched(), 0U);
  double speed = 0;
  for (std::size_t a = 0; a < kAxes; ++a) {
    const double v = s.velocity_m_s[a];
    ASSERT_TRUE(std::isfinite(v));
    speed = std::hypot(speed, v);
    // Out of travel already: only back.
    const double rest_m = r.position_m[a] + way_to_rest_m(v, daq::seconds(r.now - r.position_t0), stage);
    ASSERT_GE(rest_m, std::min(stage.travel_min_m[a], r.position_m[a]) - kRounding) << "axis " << a << " at " << v;
    ASSERT_LE(rest_m, std::max(stage.travel_max_m[a], r.position_m[a]) + kRounding) << "axis " << a << " at " << v;
  }
  ASSERT_LE(speed, stage.max_speed_m_s + kRounding);
  const double down_m_s = std::max(0.0, -s.velocity_m_s[kZ]);
  const double load_N = std::abs(r.untared_normal_force_N);
  const double deeper_m = way_to_rest_m(down_m_s, daq::seconds(r.now - r.force_t0), stage);
  ASSERT_LE(load_N + limits().stiffest_N_m * deeper_m, std::max(limits().max_force_N, load_N) + 1e-6);
  ASSERT_LE(stage.moving_mass_kg * down_m_s * down_m_s / 2, limits().max_impact_J + kRounding);
}

// A million states: wherever the stage stands, whatever it feels, however old that is and whatever is wished.
TEST_F(InterlockTest, NoPermittedSetpointIsEverBeyondTheLimits) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> wide(-0.4, 0.4);
  std::uniform_real_distribution<double> near(-0.05, 1.05);  // of travel: most draws are inside, the rest just out
  std::uniform_real_distribution<double> speed(-0.1, 0.6);
  std::uniform_real_distribution<double> age(0, 0.03);
  std::uniform_int_distribution<int> kind(0, 5);
  std::uniform_int_distribution<int> chance(0, 30);
  StageConfig stage_now = stage();
  stage_now.moving_mass_kg = 1.5;
  stage_now.reaction_s = 5e-3;
  stage_now.acceleration_m_s2 = 2;
  std::uint64_t moves = 0;
  std::uint64_t velocities = 0;
  std::uint64_t pressing = 0;
  Interlock interlock(limits(), stage_now);
  for (std::uint32_t i = 1; i <= 1'000'000; ++i) {
    auto r = healthy(now_);
    r.position_m = {0.2 * near(random), 0.1 * near(random), -0.08 * near(random)};
    if (chance(random) < 2) r.position_m = {wide(random), wide(random), wide(random)};
    r.position_t0 = now_ - from_seconds(age(random));
    r.force_t0 = now_ - from_seconds(age(random));
    r.untared_normal_force_N = chance(random) == 0 ? 1e3 * wide(random) : 27 * near(random);
    interlock.evaluate(r, chance(random) == 0 ? std::uint32_t{kForceGap} : 0, now_);
    if (chance(random) < 10) (void)interlock.reset();
    Demand d{static_cast<DemandKind>(kind(random)),
             i,
             {0.2 * near(random), 0.1 * near(random), -0.08 * near(random)},
             speed(random)};
    d.velocity_m_s = {wide(random), wide(random), wide(random) / 4};
    if (chance(random) == 0) d.velocity_m_s[kZ] = std::nan("");
    const auto s = interlock.permit(d, r).get();
    if (s.kind == SetpointKind::kMove) {
      ++moves;
      ASSERT_EQ(interlock.latched(), 0U);
      ASSERT_GT(s.speed_m_s, 0);
      ASSERT_LE(s.speed_m_s, stage_now.max_speed_m_s);
      for (std::size_t a = 0; a < kAxes; ++a) {
        ASSERT_GE(s.target_m[a], stage_now.travel_min_m[a]);
        ASSERT_LE(s.target_m[a], stage_now.travel_max_m[a]);
      }
      if (s.target_m[kZ] < r.position_m[kZ]) {
        ASSERT_LE(stage_now.moving_mass_kg * s.speed_m_s * s.speed_m_s / 2, limits().max_impact_J + 1e-9);
      }
    } else if (s.kind == SetpointKind::kRetract) {
      ASSERT_GE(s.target_m[kZ], r.position_m[kZ]);
    } else if (s.kind == SetpointKind::kVelocity) {
      ++velocities;
      if (s.velocity_m_s[kZ] < -1e-3) ++pressing;
      ASSERT_NO_FATAL_FAILURE(expect_within_limits(s, r, interlock, stage_now)) << "state " << i;
    }
  }
  EXPECT_GT(moves, 5000U) << "the search must reach permitted moves";
  EXPECT_GT(velocities, 5000U) << "and velocities";
  EXPECT_GT(pressing, 1000U) << "and such as press";
}

// --- a rig put together for homing -----------------------------------------------------------------------------------

TEST(InterlockForHoming, PermitsSearchesAndStopsAndNothingElse) {
  Interlock interlock(limits(), stage(), RigPurpose::kHome);
  const HostTime now{1'000'000'000};
  auto r = healthy(now);
  r.position_m = {5, -3, 0.7};  // far outside the travel: it does not know better
  r.stage = StageState::kAlarm;
  EXPECT_EQ(interlock.permit({.kind = DemandKind::kHome, .move_id = 1}, r).get().kind, SetpointKind::kHold)
      << "not before the reset";
  interlock.evaluate(r, 0, now);
  ASSERT_TRUE(interlock.reset()) << fault_names(r.faults);
  const auto search = interlock.permit({.kind = DemandKind::kHome, .move_id = 2, .axis = kX}, r).get();
  EXPECT_EQ(search.kind, SetpointKind::kHome);
  EXPECT_EQ(search.axis, kX);
  EXPECT_EQ(search.move_id, 2U);
  EXPECT_EQ(interlock.permit(move(3, 0.05, -0.01, 0.05), r).get().kind, SetpointKind::kHold);
  EXPECT_EQ(interlock.refused_move(), 3U);
  for (const auto kind : {DemandKind::kVelocity, DemandKind::kForce, DemandKind::kRetract, DemandKind::kStop}) {
    EXPECT_EQ(interlock.permit({.kind = kind, .velocity_m_s = {0, 0, 0.01}}, r).get().kind, SetpointKind::kStop);
  }
  r.untared_normal_force_N = 30;
  EXPECT_TRUE(interlock.evaluate(r, 0, now));
  EXPECT_EQ(interlock.permit({.kind = DemandKind::kHome, .move_id = 4}, r).get().kind, SetpointKind::kStop);
  EXPECT_EQ(interlock.refused_move(), 4U);
}

TEST(InterlockForHoming, OnlyASearchExcusesAStageThatSaysNothing) {
  Interlock interlock(limits(), stage(), RigPurpose::kHome);
  HostTime now{1'000'000'000};
  auto r = healthy(now);
  interlock.evaluate(r, 0, now);
  ASSERT_TRUE(interlock.reset());
  for (int i = 0; i < 60; ++i) {
    now = now + from_seconds(0.01);
    r.now = r.force_received = now;
    r.stage = StageState::kHoming;
    EXPECT_FALSE(interlock.evaluate(r, 0, now));
  }
  r.stage = StageState::kIdle;
  EXPECT_TRUE(interlock.evaluate(r, 0, now));
  EXPECT_EQ(r.latched_faults, kStageStale);
}

TEST_F(InterlockTest, ARigForRunsHomesNothing) {
  arm();
  const auto r = healthy(now_);
  EXPECT_EQ(interlock_.permit({.kind = DemandKind::kHome, .move_id = 7}, r).get().kind, SetpointKind::kHold);
  EXPECT_EQ(interlock_.refused_move(), 7U);
}

}  // namespace
}  // namespace strigil::rig
