// TmclSession against the module's double over a serial line of 115200 baud.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/sim/tmcl_bench.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using daq::AxisCondition;
using daq::EventCode;

TEST(TmclStage, BecomesReadyAndTellsWhereItStands) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  EXPECT_EQ(b.session.version(), 6214 << 16 | 1 << 8 | 17);
  ASSERT_EQ(b.count(EventCode::kStageGreeting), 1U);
  b.pass(1s);
  EXPECT_NEAR(b.session.axis(0).position_m, 0.1, 1e-9);
  EXPECT_NEAR(b.session.axis(1).position_m, 0.05, 1e-9);
  EXPECT_NEAR(b.session.axis(2).position_m, -0.04, 1e-9);
  for (std::size_t a = 0; a < daq::kStageAxes; ++a) {
    EXPECT_EQ(b.session.axis(a).condition, AxisCondition::kIdle);
    EXPECT_FALSE(b.session.axis(a).homed);
  }
  EXPECT_EQ(b.untrue, 0U);
  EXPECT_EQ(b.session.lost_answers(), 0U);
  EXPECT_EQ(b.session.refused(), 0U);
  EXPECT_EQ(b.session.counts().samples, b.blocks);
  EXPECT_EQ(b.samples.size(), b.blocks);
  EXPECT_GT(b.blocks, 70U) << "80 rounds a second";
  EXPECT_EQ(b.samples.back().counts[2], -40'000);
}

TEST(TmclStage, RunsAtAVelocityBothWaysAndStops) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.set_velocity(0, 0.03, b.now, b));
  ASSERT_TRUE(b.session.set_velocity(2, -0.01, b.now, b));
  EXPECT_EQ(b.session.pending(), 2U);
  b.pass(200ms);
  EXPECT_EQ(b.session.pending(), 0U);
  EXPECT_NEAR(b.speed(0), 0.03, 1e-9);
  EXPECT_NEAR(b.speed(2), -0.01, 1e-9);
  EXPECT_EQ(b.session.axis(0).condition, AxisCondition::kMoving);
  EXPECT_EQ(b.session.axis(1).condition, AxisCondition::kIdle);
  ASSERT_TRUE(b.session.set_velocity(0, -5, b.now, b));
  b.pass(300ms);
  EXPECT_NEAR(b.speed(0), -0.1, 1e-9) << "cut to the greatest speed";
  ASSERT_TRUE(b.session.stop_axes(b.now, b));
  b.pass(500ms);
  EXPECT_TRUE(b.at_rest());
  EXPECT_EQ(b.session.axis(0).condition, AxisCondition::kIdle);
  EXPECT_EQ(b.untrue, 0U);
  EXPECT_NEAR(b.session.axis(0).position_m, b.twin.position_m()[0], 1e-6);
}

TEST(TmclStage, MovesToAPlaceAtItsSpeed) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.move_to(1, 0.07, 0.02, b.now, b));
  b.pass(500ms);
  EXPECT_NEAR(b.speed(1), 0.02, 1e-9);
  b.pass(1s);
  EXPECT_NEAR(b.twin.position_m()[1], 0.07, 1e-9);
  EXPECT_EQ(b.session.axis(1).condition, AxisCondition::kIdle);
  EXPECT_FALSE(b.session.move_to(1, 0.05, 0, b.now, b));
  EXPECT_FALSE(b.session.move_to(1, 1e9, 0.1, b.now, b));
  EXPECT_FALSE(b.session.set_velocity(1, std::nan(""), b.now, b));
  EXPECT_FALSE(b.session.set_velocity(3, 0.01, b.now, b));
}

TEST(TmclStage, HomesEveryAxisAndForgetsItWhenTheModuleRestarts) {
  auto twin = mid_travel();
  twin.start_known = false;
  TmclBench b(tmcl_session_config(), twin);
  ASSERT_TRUE(b.get_ready());
  for (std::size_t a = 0; a < daq::kStageAxes; ++a) {
    ASSERT_TRUE(b.session.home(a, b.now, b));
    b.pass(100ms);
    EXPECT_EQ(b.session.axis(a).condition, AxisCondition::kHoming);
    EXPECT_FALSE(b.session.set_velocity(a, 0.01, b.now, b)) << "while it searches";
    ASSERT_TRUE(b.pass_until([&] { return b.session.axis(a).homed; }, 10s));
  }
  b.pass(500ms);
  for (std::size_t a = 0; a < daq::kStageAxes; ++a) {
    EXPECT_EQ(b.session.axis(a).condition, AxisCondition::kIdle);
    EXPECT_NEAR(b.session.axis(a).position_m, b.twin.position_m()[a], 1e-6) << "machine coordinates";
  }
  ASSERT_TRUE(b.session.move_to(0, 0.05, 0.1, b.now, b));
  b.pass(300ms);
  b.twin.reboot();
  ASSERT_TRUE(b.pass_until([&] { return b.session.restarts() == 1; }, 300ms));
  EXPECT_FALSE(b.session.ready());
  EXPECT_FALSE(b.session.axis(0).homed);
  ASSERT_TRUE(b.get_ready());
  b.pass(500ms);
  EXPECT_TRUE(b.at_rest()) << "no wish survives a restart";
  EXPECT_EQ(b.session.restarts(), 1U);
  EXPECT_EQ(b.session.axis(0).condition, AxisCondition::kIdle);
  const auto reset = [](const daq::NewestSample& s) { return (s.flags & daq::kDeviceReset) != 0; };
  EXPECT_EQ(std::count_if(b.samples.begin(), b.samples.end(), reset), 1);
  EXPECT_EQ(b.untrue, 0U) << "not even for one round does it mix the two coordinates";
}

/// Another program, with a session of its own, on the same module.
void next_host(TmclBench& b) {
  b.session = daq::TmclSession(tmcl_session_config());
  ASSERT_TRUE(b.get_ready());
  b.pass(200ms);
}

TEST(TmclStage, TheNextHostFindsTheReferenceThatThisOneLeft) {
  auto twin = mid_travel();
  twin.start_known = false;
  TmclBench b(tmcl_session_config(), twin);
  ASSERT_TRUE(b.get_ready());
  for (const std::size_t a : {0U, 2U}) {
    ASSERT_TRUE(b.session.home(a, b.now, b));
    ASSERT_TRUE(b.pass_until([&] { return b.session.axis(a).homed; }, 10s));
  }
  b.pass(100ms);
  next_host(b);
  EXPECT_TRUE(b.session.axis(0).homed);
  EXPECT_FALSE(b.session.axis(1).homed);
  EXPECT_TRUE(b.session.axis(2).homed);
  EXPECT_NEAR(b.session.axis(0).position_m, b.twin.position_m()[0], 1e-6);

  b.twin.stall(2);  // nobody is told, but the module's error flags are
  next_host(b);
  EXPECT_TRUE(b.session.axis(0).homed);
  EXPECT_FALSE(b.session.axis(2).homed);

  ASSERT_TRUE(b.session.home(0, b.now, b));  // and this host dies over it
  b.pass(100ms);
  ASSERT_TRUE(b.twin.searching(0));
  next_host(b);
  EXPECT_FALSE(b.session.axis(0).homed) << "a search that was begun and not seen to end";
  EXPECT_FALSE(b.twin.searching(0));

  ASSERT_TRUE(b.session.home(0, b.now, b));
  ASSERT_TRUE(b.pass_until([&] { return b.session.axis(0).homed; }, 10s));
  b.pass(100ms);
  b.twin.reboot();
  next_host(b);
  EXPECT_FALSE(b.session.axis(0).homed) << "it was reset in between";
}

TEST(TmclStage, WhatAnEarlierHostLeftRunningIsBroughtToRest) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.set_velocity(2, -0.005, b.now, b));
  b.pass(100ms);
  ASSERT_NEAR(b.speed(2), -0.005, 1e-6);
  next_host(b);
  EXPECT_TRUE(b.at_rest());
  EXPECT_EQ(b.twin.silences(), 0U) << "by the new host, not by the module's program";
}

TEST(TmclStage, TheLiftAfterAHostThatDiedIsNotBrokenOff) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.set_velocity(2, -0.005, b.now, b));
  b.pass(100ms);
  b.host_alive = false;
  ASSERT_TRUE(b.pass_until([&] { return b.twin.silences() == 1 && b.speed(2) > 0; }, 2s));
  b.host_alive = true;
  const double z_m = b.twin.position_m()[2];
  b.session = daq::TmclSession(tmcl_session_config());
  b.pass(1500ms);
  EXPECT_GT(b.twin.position_m()[2], z_m + 5e-3);
}

TEST(TmclStage, AStopEndsAReferenceSearchToo) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  for (const auto delay : {0ms, 1ms, 2ms, 5ms, 50ms, 500ms}) {
    ASSERT_TRUE(b.session.home(0, b.now, b));
    b.pass(delay);
    ASSERT_TRUE(b.session.stop_axes(b.now, b));
    b.pass(1s);
    EXPECT_TRUE(b.at_rest()) << delay.count();
    EXPECT_FALSE(b.twin.searching(0));
    EXPECT_FALSE(b.session.axis(0).homed);
    EXPECT_EQ(b.session.axis(0).condition, AxisCondition::kIdle);
  }
}

TEST(TmclStage, ASearchThatNobodyAnsweredForIsEndedToo) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  bool asked = false;
  b.harm_request = [&](TmclBench::Frame& frame) {
    asked = asked || (frame.size() > 1 && frame[1] == static_cast<std::byte>(daq::TmclCommand::kReference));
  };
  b.harm_reply = [&](TmclBench::Frame& frame) {
    if (asked) frame.clear();
  };
  ASSERT_TRUE(b.session.home(0, b.now, b));
  b.pass(300ms);  // the wish is stale, and the watchdog program has not stopped it yet
  EXPECT_TRUE(b.twin.searching(0));
  b.harm_request = b.harm_reply = nullptr;
  b.pass(1s);
  EXPECT_FALSE(b.twin.searching(0));
  EXPECT_TRUE(b.at_rest());
  EXPECT_FALSE(b.session.axis(0).homed);
}

TEST(TmclStage, AThousandWishesASecondAndPositionsAtHalfTheRate) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  const auto before = b.positions();
  const auto requests = b.twin.requests();
  double wished = 0;
  for (int ms = 0; ms < 2000; ++ms) {
    wished = 0.02 * std::sin(ms * 0.01);
    for (std::size_t a = 0; a < daq::kStageAxes; ++a) ASSERT_TRUE(b.session.set_velocity(a, wished, b.now, b));
    EXPECT_LE(b.session.pending(), 3U);
    b.pass(1ms);
  }
  b.pass(50ms);
  EXPECT_EQ(b.session.pending(), 0U);
  for (std::size_t a = 0; a < daq::kStageAxes; ++a) EXPECT_NEAR(b.speed(a), wished, 1e-6) << "the newest wish";
  const auto read = b.positions() - before;
  const auto all = b.twin.requests() - requests;
  RecordProperty("requests_per_s", static_cast<int>(all / 2));
  RecordProperty("positions_per_s", static_cast<int>(read / 2));
  EXPECT_GE(2 * read + 10, std::min<std::uint64_t>(all, 2 * 480)) << "half of " << all << ", or all that are due";
  EXPECT_EQ(b.untrue, 0U);
  EXPECT_EQ(b.session.lost_answers(), 0U);
}

TEST(TmclStage, AStopOvertakesWhateverWaits) {
  std::mt19937 random(2);
  for (const bool hard : {false, true}) {
    TmclBench b(tmcl_session_config(), mid_travel());
    ASSERT_TRUE(b.get_ready());
    for (int n = 0; n < 20; ++n) {
      const int spell = 100 + static_cast<int>(random() % 50);
      for (int ms = 0; ms < spell; ++ms) {
        for (std::size_t a = 0; a < daq::kStageAxes; ++a)
          (void)b.session.set_velocity(a, n % 2 == 0 ? 0.1 : -0.1, b.now, b);
        b.pass(1ms);
      }
      const auto asked = b.twin.requests();
      EXPECT_TRUE(hard ? b.session.stop_hard(b.now, b) : b.session.stop_axes(b.now, b));
      const auto told = [&] {
        bool all = true;
        for (std::size_t a = 0; a < daq::kStageAxes; ++a) all = all && b.twin.motion(a).asked_velocity_m_s() == 0;
        return all;
      };
      ASSERT_TRUE(b.pass_until(told, 100ms));
      EXPECT_LE(b.twin.requests() - asked, 4U) << "what was under way, and one for each axis";
      const auto from = b.now;
      ASSERT_TRUE(b.pass_until([&] { return b.at_rest(); }, 200ms));
      const auto braking = daq::seconds(b.now - from);
      if (hard) {
        EXPECT_LT(braking, 0.04) << "at 5 m/s2 once that is set, not 1 m/s2";
      }
    }
    // A later wish runs with the usual ramp again.
    ASSERT_TRUE(b.session.set_velocity(0, 0.01, b.now, b));
    b.pass(200ms);
    EXPECT_NEAR(b.speed(0), 0.01, 1e-9);
    EXPECT_NEAR(b.twin.motion(0).limits().acceleration_m_s2, 1, 1e-9);
  }
}

TEST(TmclStage, AStopGetsThroughWhenRepliesAreLost) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  for (std::size_t a = 0; a < daq::kStageAxes; ++a) ASSERT_TRUE(b.session.set_velocity(a, 0.02, b.now, b));
  b.pass(100ms);
  b.harm_reply = [](TmclBench::Frame& frame) { frame.clear(); };
  b.pass(30ms);  // out of step by now
  ASSERT_TRUE(b.session.stop_axes(b.now, b));
  b.pass(100ms);
  EXPECT_TRUE(b.at_rest()) << "unanswered, but sent at once";
  EXPECT_EQ(b.session.pending(), 3U) << "nobody has said yes";
  b.harm_reply = nullptr;
  b.pass(100ms);
  EXPECT_EQ(b.session.pending(), 0U);
  EXPECT_GT(b.session.lost_answers(), 0U);
}

TEST(TmclStage, AStallIsAFaultUntilItIsCleared) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.home(1, b.now, b));
  ASSERT_TRUE(b.pass_until([&] { return b.session.axis(1).homed; }, 10s));
  ASSERT_TRUE(b.session.set_velocity(1, 0.02, b.now, b));
  b.pass(300ms);
  b.twin.stall(1);
  b.pass(300ms);
  EXPECT_EQ(b.session.axis(1).condition, AxisCondition::kFault);
  EXPECT_EQ(b.session.axis(1).fault, daq::kTmclStall);
  EXPECT_FALSE(b.session.axis(1).homed) << "steps were lost";
  EXPECT_NE(std::string(b.session.fault_words(b.session.axis(1).fault)).find("stalled"), std::string::npos);
  EXPECT_EQ(b.count(EventCode::kStageAlarm), 1U);
  EXPECT_FALSE(b.session.set_velocity(1, 0.02, b.now, b));
  EXPECT_TRUE(b.session.set_velocity(0, 0.02, b.now, b)) << "the others may";
  EXPECT_TRUE(b.session.clear_faults(b.now, b));
  b.pass(300ms);
  EXPECT_EQ(b.session.axis(1).condition, AxisCondition::kIdle);
  EXPECT_TRUE(b.session.set_velocity(1, 0.02, b.now, b));
  b.twin.set_driver_flags(2, 1 << 1);  // too hot, and it stays so
  b.pass(2s);
  EXPECT_EQ(b.session.axis(2).fault, daq::kTmclTooHot);
  EXPECT_TRUE(b.session.clear_faults(b.now, b));
  b.pass(2s);
  EXPECT_EQ(b.session.axis(2).fault, daq::kTmclTooHot) << "it comes again while it lasts";
}

TEST(TmclStage, AStallInASearchIsNoReference) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.home(0, b.now, b));
  b.pass(500ms);
  b.twin.stall(0);
  b.pass(1s);
  EXPECT_EQ(b.session.axis(0).condition, AxisCondition::kFault);
  EXPECT_FALSE(b.session.axis(0).homed);
}

TEST(TmclStage, ARestartInASearchIsNoReference) {
  for (int n = 0; n < 40; ++n) {
    TmclBench b(tmcl_session_config(), mid_travel());
    ASSERT_TRUE(b.get_ready());
    ASSERT_TRUE(b.session.home(0, b.now, b));
    b.pass(500ms + 7ms * n);
    b.twin.reboot();
    b.pass(1s);
    EXPECT_FALSE(b.session.axis(0).homed);
    EXPECT_EQ(b.session.restarts(), 1U);
  }
}

TEST(TmclStage, RefusedCommandsAreCountedAndDropped) {
  auto config = tmcl_session_config();
  config.axes[0].max_speed_m_s = 9;  // more pulses/s than the module makes
  TmclBench b(config, mid_travel());
  EXPECT_FALSE(b.get_ready()) << "it refuses to be set up so";
  EXPECT_GT(b.session.refused(), 0U);
  EXPECT_GT(b.count(EventCode::kStageError), 0U);

  auto other = tmcl_session_config();
  other.axes[1].reference_mode = 3;  // the double knows none but 1
  TmclBench c(other, mid_travel());
  EXPECT_FALSE(c.get_ready());
  EXPECT_GT(c.session.refused(), 0U);
}

TEST(TmclStage, IsNotReadyWithoutItsWatchdogProgram) {
  auto twin = mid_travel();
  twin.watchdog_program = false;
  TmclBench b(tmcl_session_config(), twin);
  EXPECT_FALSE(b.get_ready());
  EXPECT_GT(b.count(EventCode::kStageError), 0U);
  auto config = tmcl_session_config();
  config.host_silence = daq::TmclHostSilence::kNothing;
  TmclBench c(config, twin);
  EXPECT_TRUE(c.get_ready());
}

TEST(TmclStage, AHostThatFallsSilentLeavesAStageAtRest) {
  for (const auto silence : {daq::TmclHostSilence::kProgram, daq::TmclHostSilence::kSerialHeartbeat}) {
    const bool program = silence == daq::TmclHostSilence::kProgram;
    auto config = tmcl_session_config();
    config.host_silence = silence;
    TmclBench b(config, mid_travel());
    ASSERT_TRUE(b.get_ready());
    ASSERT_TRUE(b.session.set_velocity(0, 0.02, b.now, b));
    b.pass(2s);
    EXPECT_EQ(b.twin.silences(), 0U);
    EXPECT_NEAR(b.speed(0), 0.02, 1e-9) << "a host that only reads is alive";
    const double z = b.twin.position_m()[2];
    const double x = b.twin.position_m()[0];
    b.host_alive = false;
    b.pass(3s);
    EXPECT_TRUE(b.at_rest());
    EXPECT_LT(b.twin.position_m()[0] - x, 0.02 * 0.53) << "half a second, a tick, a ramp";
    EXPECT_NEAR(b.twin.position_m()[2], program ? z + 0.02 : z, 1e-6);
    EXPECT_EQ(b.twin.silences() > 0, true);
    b.host_alive = true;
    b.pass(1s);
    EXPECT_TRUE(b.at_rest());
    EXPECT_EQ(b.session.silences(), program ? 1U : 0U);
    EXPECT_EQ(b.session.restarts(), 0U);
    ASSERT_TRUE(b.session.set_velocity(0, 0.02, b.now, b));
    b.pass(1s);
    EXPECT_NEAR(b.speed(0), 0.02, 1e-9) << "and it goes on";
    EXPECT_EQ(b.untrue, 0U);
  }
}

TEST(TmclStage, WishesOfBeforeAnOutageAreNotSentAfterIt) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  b.twin.set_silent(true);
  b.pass(30ms);
  ASSERT_TRUE(b.session.set_velocity(0, 0.05, b.now, b));
  b.pass(1s);
  b.twin.set_silent(false);
  b.pass(500ms);
  EXPECT_TRUE(b.at_rest());
  EXPECT_EQ(b.session.pending(), 0U);
  EXPECT_EQ(b.count(EventCode::kNoAnswer), 2U) << "the module, and the wish";
  EXPECT_GT(b.session.lost_answers(), 0U);
}

TEST(TmclStage, PowerLostAndFoundIsARestart) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  ASSERT_TRUE(b.session.set_velocity(0, 0.05, b.now, b));
  b.pass(200ms);
  b.twin.set_power(false);
  b.pass(2s);
  b.twin.set_power(true);
  ASSERT_TRUE(b.pass_until([&] { return b.session.restarts() == 1; }, 300ms));
  ASSERT_TRUE(b.get_ready());
  b.pass(300ms);
  EXPECT_TRUE(b.at_rest());
  EXPECT_EQ(b.session.restarts(), 1U);
  EXPECT_EQ(b.untrue, 0U);
}

TEST(TmclStage, ALinkThatTakesNothingIsTriedAgain) {
  TmclBench b(tmcl_session_config(), mid_travel());
  ASSERT_TRUE(b.get_ready());
  b.link_takes = false;
  b.pass(5ms);
  ASSERT_TRUE(b.session.set_velocity(0, 0.05, b.now, b));
  b.pass(50ms);
  b.link_takes = true;
  b.pass(200ms);
  EXPECT_NEAR(b.speed(0), 0.05, 1e-9);
}

TEST(TmclStage, StagesWithFewerAxes) {
  auto config = tmcl_session_config();
  config.axes[0].present = false;
  TmclBench b(config, mid_travel());
  ASSERT_TRUE(b.get_ready());
  b.pass(500ms);
  EXPECT_FALSE(b.session.axis(0).present);
  EXPECT_EQ(b.session.axis(0).condition, AxisCondition::kIdle);
  EXPECT_EQ(b.session.axis(0).reports, 0U);
  EXPECT_FALSE(b.session.set_velocity(0, 0.01, b.now, b));
  EXPECT_GT(b.samples.size(), 30U);
  EXPECT_EQ(b.samples.back().counts[0], 0);
  EXPECT_EQ(b.samples.back().counts[2], -40'000);
}

}  // namespace
}  // namespace strigil::sim
