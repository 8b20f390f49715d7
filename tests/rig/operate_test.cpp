#include "rig/operate.hpp"

#include <gtest/gtest.h>

namespace strigil::rig {
namespace {

using namespace std::chrono_literals;

struct Nobody final : EventSink {
  void event(const daq::Event&) noexcept override {}
};

class OperateTest : public testing::Test {
 protected:
  Demand step(daq::Duration after) {
    now = daq::HostTime{1'000'000'000} + after;
    return operate.step(readings, now, nobody);
  }
  static OperatorWish held_until(OperatorWish::Kind kind, daq::Duration after, std::uint64_t number) {
    OperatorWish w;
    w.kind = kind;
    w.number = number;
    w.until = daq::HostTime{1'000'000'000} + after;
    return w;
  }
  Operate operate;
  Readings readings;
  Nobody nobody;
  daq::HostTime now;
};

TEST_F(OperateTest, StandsUntilItIsWishedAnything) { EXPECT_EQ(step(0ms).kind, DemandKind::kHold); }

TEST_F(OperateTest, AJogStopsWhenTheSwitchIsLetGo) {
  auto wish = held_until(OperatorWish::Kind::kJog, 300ms, 1);
  wish.velocity_m_s = {0.02, 0, 0};
  operate.wish(wish);
  EXPECT_EQ(step(299ms).kind, DemandKind::kVelocity);
  EXPECT_EQ(step(299ms).velocity_m_s[kX], 0.02);
  EXPECT_EQ(step(300ms).kind, DemandKind::kStop);
  EXPECT_EQ(step(301ms).kind, DemandKind::kHold);
}

TEST_F(OperateTest, HeldOnItGoesOn) {
  for (int i = 0; i < 10; ++i) {
    operate.wish(held_until(OperatorWish::Kind::kJog, 300ms + i * 100ms, 1));
    EXPECT_EQ(step(i * 100ms).kind, DemandKind::kVelocity);
  }
}

TEST_F(OperateTest, AMoveIsBegunOnceAndStoppedWhenLetGo) {
  auto wish = held_until(OperatorWish::Kind::kMove, 300ms, 1);
  wish.target_m = {0.1, 0, 0};
  wish.speed_m_s = 0.05;
  operate.wish(wish);
  const auto first = step(0ms);
  EXPECT_EQ(first.kind, DemandKind::kMove);
  EXPECT_EQ(first.move_id, 1U);
  wish.until = wish.until + 300ms;
  operate.wish(wish);  // held on: the same move
  EXPECT_EQ(step(400ms).move_id, 1U);
  EXPECT_EQ(step(600ms).kind, DemandKind::kStop);
  operate.wish(held_until(OperatorWish::Kind::kMove, 900ms, 2));
  EXPECT_EQ(step(700ms).move_id, 2U);
}

TEST_F(OperateTest, AFinishedMoveIsNotStoppedAgain) {
  operate.wish(held_until(OperatorWish::Kind::kMove, 300ms, 1));
  (void)step(0ms);
  readings.finished_move = 1;
  (void)step(100ms);
  EXPECT_EQ(step(400ms).kind, DemandKind::kHold);
}

TEST_F(OperateTest, AnApproachEndsAtTheTouchAndStaysThere) {
  auto wish = held_until(OperatorWish::Kind::kApproach, 10s, 1);
  wish.speed_m_s = 0.005;
  wish.force_N = 0.3;
  readings.untared_normal_force_N = 1.5;  // what hangs on the sensor is not the phantom
  operate.wish(wish);
  EXPECT_EQ(step(0ms).velocity_m_s[kZ], -0.005);
  readings.untared_normal_force_N = 1.79;
  EXPECT_EQ(step(10ms).kind, DemandKind::kVelocity);
  readings.untared_normal_force_N = 1.81;
  EXPECT_EQ(step(20ms).kind, DemandKind::kStop);
  readings.untared_normal_force_N = 1.6;  // it relaxes, and is not followed
  EXPECT_EQ(step(30ms).kind, DemandKind::kHold);
}

TEST_F(OperateTest, EndsWhenTheSessionDoes) {
  EXPECT_EQ(operate.state(), BehaviourState::kRunning);
  operate.end();
  EXPECT_EQ(operate.state(), BehaviourState::kDone);
}

}  // namespace
}  // namespace strigil::rig
