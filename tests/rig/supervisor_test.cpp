#include "rig/supervisor.hpp"

#include <gtest/gtest.h>

namespace strigil::rig {
namespace {

using daq::from_seconds;
using daq::HostTime;

class SupervisorTest : public testing::Test {
 protected:
  static StageConfig stage() {
    StageConfig s;
    s.travel_min_m = {0, 0, -0.08};
    s.travel_max_m = {0.2, 0.1, 0};
    s.clear_z_m = -0.005;
    return s;
  }
  static InterlockConfig limits() {
    InterlockConfig l;
    l.force_stale = l.vibration_stale = l.stage_stale = from_seconds(1);
    return l;
  }
  SupervisorTest() {
    r_.force_seen = r_.vibration_seen = r_.stage_seen = true;
    r_.stage = StageState::kIdle;
    r_.position_m = {0, 0, -0.03};
  }
  void run() {
    interlock_.evaluate(r_, 0, now_);
    ASSERT_TRUE(supervisor_.apply(Command::kReset, interlock_, now_));
    ASSERT_TRUE(supervisor_.apply(Command::kStart, interlock_, now_));
    r_.latched_faults = 0;
  }
  StageConfig stage_ = stage();
  InterlockConfig limits_ = limits();
  Readings r_;
  HostTime now_{};
  Interlock interlock_{limits_, stage_};
  Supervisor supervisor_{stage_};
};

TEST_F(SupervisorTest, NothingStartsBeforeAReset) {
  EXPECT_FALSE(supervisor_.apply(Command::kStart, interlock_, now_));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kFaulted);
}

TEST_F(SupervisorTest, AGoodEndIsFinishedOnlyWhenClear) {
  run();
  supervisor_.advance(r_, BehaviourState::kDone, now_);
  EXPECT_EQ(supervisor_.state(), SupervisorState::kAborting);
  supervisor_.advance(r_, BehaviourState::kDone, now_ + from_seconds(1));
  EXPECT_FALSE(supervisor_.over());
  r_.position_m[kZ] = -0.005;
  supervisor_.advance(r_, BehaviourState::kDone, now_ + from_seconds(2));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kFinished);
  EXPECT_TRUE(supervisor_.reached_clear());
}

TEST_F(SupervisorTest, AnAbortRetractsAndNeverCountsAsFinished) {
  run();
  EXPECT_TRUE(supervisor_.apply(Command::kAbort, interlock_, now_));
  r_.position_m[kZ] = 0;
  supervisor_.advance(r_, BehaviourState::kDone, now_);
  EXPECT_EQ(supervisor_.state(), SupervisorState::kSafe);
  EXPECT_TRUE(supervisor_.aborted());
}

TEST_F(SupervisorTest, ATripEndsTheRunEvenWhenTheRetractNeverArrives) {
  run();
  r_.latched_faults = kForceLimit;
  supervisor_.advance(r_, BehaviourState::kRunning, now_);
  EXPECT_EQ(supervisor_.state(), SupervisorState::kAborting);
  supervisor_.advance(r_, BehaviourState::kRunning, now_ + from_seconds(16));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kSafe);
  EXPECT_FALSE(supervisor_.reached_clear());
}

TEST_F(SupervisorTest, AStageThatCannotBeTrustedIsNotWaitedFor) {
  run();
  r_.latched_faults = r_.faults = kStageAlarm;
  r_.stage = StageState::kAlarm;
  supervisor_.advance(r_, BehaviourState::kRunning, now_);
  supervisor_.advance(r_, BehaviourState::kRunning, now_);
  EXPECT_EQ(supervisor_.state(), SupervisorState::kSafe);
}

TEST_F(SupervisorTest, ASilentStageIsGivenTheTimeInWhichItsDriveStops) {
  run();
  r_.latched_faults = r_.faults = kStageStale;
  supervisor_.advance(r_, BehaviourState::kRunning, now_);
  supervisor_.advance(r_, BehaviourState::kRunning, now_ + from_seconds(stage_.host_silence_s));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kAborting) << "it may still be moving";
  supervisor_.advance(r_, BehaviourState::kRunning, now_ + from_seconds(stage_.host_silence_s + 0.31));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kSafe);
  EXPECT_FALSE(supervisor_.reached_clear());
}

TEST_F(SupervisorTest, EachStateHasItsNameAndItsNumber) {
  // Recorded and published (docs/run_file.md): never another name for a number.
  const char* const names[] = {"faulted", "ready",    "running",           "aborting",
                               "safe",    "finished", "emergency_stopped", "suspended"};
  ASSERT_EQ(std::size(names), static_cast<std::size_t>(kSupervisorStates));
  for (int i = 0; i < kSupervisorStates; ++i) EXPECT_EQ(name_of(static_cast<SupervisorState>(i)), names[i]);
}

TEST_F(SupervisorTest, ASuspensionIsLeftByResumeAbortAndTrip) {
  run();
  EXPECT_FALSE(supervisor_.apply(Command::kResume, interlock_, now_)) << "nothing to go on with";
  ASSERT_TRUE(supervisor_.apply(Command::kSuspend, interlock_, now_));
  supervisor_.advance(r_, BehaviourState::kRunning, now_ + from_seconds(100));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kSuspended);
  EXPECT_FALSE(supervisor_.apply(Command::kSuspend, interlock_, now_));
  EXPECT_FALSE(supervisor_.over());
  ASSERT_TRUE(supervisor_.apply(Command::kResume, interlock_, now_));
  EXPECT_EQ(supervisor_.state(), SupervisorState::kRunning);
  ASSERT_TRUE(supervisor_.apply(Command::kSuspend, interlock_, now_));
  r_.latched_faults = kForceLimit;
  supervisor_.advance(r_, BehaviourState::kRunning, now_);
  EXPECT_EQ(supervisor_.state(), SupervisorState::kAborting);
}

TEST_F(SupervisorTest, EmergencyStopWinsFromEveryState) {
  for (int commands = 0; commands < 4; ++commands) {
    Supervisor s(stage_);
    Interlock interlock(limits_, stage_);
    interlock.evaluate(r_, 0, now_);
    if (commands > 0) {
      ASSERT_TRUE(s.apply(Command::kReset, interlock, now_));
    }
    if (commands > 1) {
      ASSERT_TRUE(s.apply(Command::kStart, interlock, now_));
    }
    if (commands > 2) {
      ASSERT_TRUE(s.apply(Command::kSuspend, interlock, now_));
    }
    s.emergency_stop();
    s.advance(r_, BehaviourState::kRunning, now_);
    EXPECT_EQ(s.state(), SupervisorState::kEmergencyStopped);
    EXPECT_TRUE(s.over());
    EXPECT_FALSE(s.apply(Command::kReset, interlock, now_));
  }
}

}  // namespace
}  // namespace strigil::rig
