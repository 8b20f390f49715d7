// What the interlock sees only over time: a stage that does not follow, and a computer that did not look.
#include <gtest/gtest.h>

#include "rig/interlock.hpp"

namespace strigil::rig {
namespace {

using daq::from_seconds;
using daq::HostTime;

class InterlockWatch : public testing::Test {
 protected:
  InterlockWatch() {
    r_.force_seen = r_.vibration_seen = r_.stage_seen = true;
    r_.stage = StageState::kIdle;
    r_.position_m = {0.05, 0, -0.01};
    turn({}, 1e-3);
    EXPECT_TRUE(interlock_.reset());
  }
  static StageConfig stage() {
    StageConfig s;
    s.travel_min_m = {0, 0, -0.08};
    s.travel_max_m = {0.2, 0.1, 0};
    s.clear_z_m = -0.005;
    s.max_speed_m_s = 0.2;
    return s;
  }
  static InterlockConfig limits() {
    InterlockConfig l;
    l.force_stale = from_seconds(0.05);
    l.vibration_stale = from_seconds(0.2);
    l.stage_stale = from_seconds(0.4);
    l.stuck = from_seconds(0.25);
    return l;
  }
  /// A tick after `dt_s`, everything fresh but what `stage_silent` says.
  Setpoint turn(const Demand& demand, double dt_s, bool stage_silent = false) {
    now_ = now_ + from_seconds(dt_s);
    r_.now = r_.force_received = r_.force_t0 = r_.vibration_received = now_;
    if (!stage_silent) r_.position_received = r_.position_t0 = now_;
    interlock_.evaluate(r_, 0, now_);
    return interlock_.permit(demand, r_).get();
  }
  /// For `seconds`, a millisecond a turn, the stage going with `vx`.
  void turns(const Demand& demand, double seconds, double vx = 0) {
    for (int i = 0; i < static_cast<int>(seconds * 1000); ++i) {
      r_.position_m[kX] += vx * 1e-3;
      turn(demand, 1e-3);
    }
  }

  Interlock interlock_{limits(), stage()};
  Readings r_;
  HostTime now_{1'000'000'000};
  const Demand go_{.kind = DemandKind::kMove, .move_id = 1, .target_m = {0.1, 0, -0.01}, .speed_m_s = 0.05};
};

TEST_F(InterlockWatch, AStageThatIsToldToMoveAndDoesNotIsStalled) {
  turn(go_, 1e-3);
  turns({}, 0.49);
  EXPECT_EQ(interlock_.latched(), 0U);
  turns({}, 0.02);
  EXPECT_EQ(interlock_.first_cause(), std::uint32_t{kStageStalled});
  EXPECT_EQ(turn({}, 1e-3).kind, SetpointKind::kRetract);
}

TEST_F(InterlockWatch, AStageThatStopsHalfWayIsStalled) {
  turn(go_, 1e-3);
  turns({}, 0.4, 0.05);
  turns({}, 0.49);
  EXPECT_EQ(interlock_.latched(), 0U);
  turns({}, 0.02);
  EXPECT_EQ(interlock_.first_cause(), std::uint32_t{kStageStalled});
}

TEST_F(InterlockWatch, AStageThatHasArrivedOrWasStoppedMayStand) {
  turn(go_, 1e-3);
  turns({}, 1.0, 0.05);
  turns({}, 2);
  EXPECT_EQ(interlock_.latched(), 0U) << "it stands where it was to go";
  Demand back = go_;
  back.move_id = 2;
  back.target_m[kX] = 0.05;
  turn(back, 1e-3);
  turns({.kind = DemandKind::kStop}, 2);
  EXPECT_EQ(interlock_.latched(), 0U) << "it was told to stop";
}

TEST_F(InterlockWatch, AVelocityThatMovesNothingIsAStall) {
  turns({.kind = DemandKind::kVelocity, .velocity_m_s = {0.01, 0, 0}}, 2, 0.01);
  EXPECT_EQ(interlock_.latched(), 0U);
  for (int i = 0; i < 50; ++i) {
    turns({.kind = DemandKind::kVelocity, .velocity_m_s = {i % 2 == 0 ? 0.004 : -0.004, 0, 0}}, 0.04);
  }
  EXPECT_EQ(interlock_.latched(), 0U) << "to and fro, as a held force may ask: it leads nowhere";
  turns({.kind = DemandKind::kVelocity, .velocity_m_s = {0.0001, 0, 0}}, 2);
  EXPECT_EQ(interlock_.latched(), 0U) << "slower than its reports can tell";
  turns({.kind = DemandKind::kVelocity, .velocity_m_s = {0.01, 0, 0}}, 0.6);
  EXPECT_EQ(interlock_.first_cause(), std::uint32_t{kStageStalled});
}

TEST_F(InterlockWatch, ASlowVelocityThatMovesNothingIsOneToo) {
  // A press whose stage does not move asks for less than a millimetre a second.
  turns({.kind = DemandKind::kVelocity, .velocity_m_s = {0, 0, -0.0005}}, 0.49);
  EXPECT_EQ(interlock_.latched(), 0U);
  turns({.kind = DemandKind::kVelocity, .velocity_m_s = {0, 0, -0.0005}}, 0.05);
  EXPECT_EQ(interlock_.first_cause(), std::uint32_t{kStageStalled});
}

TEST_F(InterlockWatch, AComputerThatDidNotLookTripsAndGivesTheStageTimeToAnswer) {
  turn({}, 0.049);
  EXPECT_EQ(interlock_.latched(), 0U);
  const auto setpoint = turn({}, 2, true);
  EXPECT_EQ(interlock_.first_cause(), std::uint32_t{kHostStalled}) << "not the stage's: nobody asked it";
  EXPECT_EQ(setpoint.kind, SetpointKind::kRetract);
  for (int i = 0; i < 390; ++i) turn({}, 1e-3, true);
  EXPECT_EQ(interlock_.latched(), std::uint32_t{kHostStalled});
  for (int i = 0; i < 20; ++i) turn({}, 1e-3, true);
  EXPECT_EQ(interlock_.latched(), std::uint32_t{kHostStalled | kStageStale}) << "now it has been asked";
}

}  // namespace
}  // namespace strigil::rig
