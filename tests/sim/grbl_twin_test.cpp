// The stage's double: exact motion, Grbl's own answers, and the host's session against it in memory.
#include "sim/grbl_twin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "daq/codec/grbl_session.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using daq::GrblState;

constexpr daq::HostTime kStart{1'000'000'000};

double norm(const rig::Position& v) { return std::hypot(v[0], v[1], v[2]); }

AxisLimits limits(double speed_m_s, double acceleration_m_s2) {
  AxisLimits l;
  l.max_speed_m_s.fill(speed_m_s);
  l.acceleration_m_s2.fill(acceleration_m_s2);
  return l;
}

// --- planner ---------------------------------------------------------------------------------------------------------

TEST(MotionPlanner, ATrapezoidTakesItsExactTime) {
  MotionPlanner p(limits(0.1, 1), {});
  ASSERT_TRUE(p.queue({0.1, 0, 0}, 0.1));
  // 0.1 s up to 0.1 m/s over 5 mm, 90 mm at speed in 0.9 s, 0.1 s down.
  p.step(0.05);
  EXPECT_NEAR(p.velocity_m_s()[0], 0.05, 1e-12);
  EXPECT_NEAR(p.position_m()[0], 0.00125, 1e-12);
  p.step(0.5);
  EXPECT_NEAR(p.velocity_m_s()[0], 0.1, 1e-12);
  EXPECT_NEAR(p.position_m()[0], 0.005 + 0.1 * 0.45, 1e-12);
  p.step(0.5);
  EXPECT_NEAR(p.velocity_m_s()[0], 0.05, 1e-9);
  EXPECT_FALSE(p.empty());
  p.step(0.05 + 1e-9);
  EXPECT_TRUE(p.empty());
  EXPECT_EQ(p.position_m()[0], 0.1);
}

TEST(MotionPlanner, AShortMoveIsATriangle) {
  MotionPlanner p(limits(1, 1), {});
  ASSERT_TRUE(p.queue({0, 0.01, 0}, 1));
  p.step(0.1);  // sqrt(L/a) = 0.1 s to the peak
  EXPECT_NEAR(p.velocity_m_s()[1], 0.1, 1e-9);
  EXPECT_NEAR(p.position_m()[1], 0.005, 1e-9);
  p.step(0.1 + 1e-9);
  EXPECT_TRUE(p.empty());
}

TEST(MotionPlanner, MotionDoesNotDependOnHowTimeIsCut) {
  const auto run = [](const std::vector<double>& steps, std::vector<rig::Position>& at) {
    MotionPlanner p(limits(0.1, 0.7), {});
    for (const auto& target : {rig::Position{0.03, 0, 0}, {0.05, 0, 0}, {0.05, 0.02, 0}, {0.06, 0.03, -0.01}}) {
      ASSERT_TRUE(p.queue(target, 0.08));
    }
    double t = 0;
    double mark = 0.05;
    for (const double dt : steps) {
      p.step(dt);
      t += dt;
      if (t > mark - 1e-9) {
        at.push_back(p.position_m());
        mark += 0.05;
      }
    }
    EXPECT_TRUE(p.empty());
  };
  std::vector<rig::Position> coarse;
  std::vector<rig::Position> fine;
  run(std::vector<double>(60, 0.05), coarse);
  run(std::vector<double>(60000, 0.00005), fine);
  ASSERT_EQ(coarse.size(), 60U);
  ASSERT_EQ(fine.size(), 60U);
  for (std::size_t i = 0; i < coarse.size(); ++i) {
    for (std::size_t a = 0; a < rig::kAxes; ++a) ASSERT_NEAR(coarse[i][a], fine[i][a], 1e-8) << i;
  }
}

TEST(MotionPlanner, SegmentsInOneDirectionKeepTheirSpeed) {
  MotionPlanner p(limits(0.1, 1), {});
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(p.queue({0.01 * i, 0, 0}, 0.05));
  double slowest = 1;
  for (int ms = 0; !p.empty(); ++ms) {
    p.step(1e-3);
    ASSERT_LT(ms, 10000);
    if (p.position_m()[0] > 0.0013 && p.position_m()[0] < 0.0987) slowest = std::min(slowest, p.velocity_m_s()[0]);
  }
  EXPECT_NEAR(slowest, 0.05, 1e-9);
}

TEST(MotionPlanner, ReversesThroughRest) {
  MotionPlanner p(limits(0.1, 1), {});
  ASSERT_TRUE(p.queue({0.02, 0, 0}, 0.1) && p.queue({0, 0, 0}, 0.1));
  double furthest = 0;
  double before = 0;
  for (int i = 0; i < 10000; ++i) {
    p.step(1e-4);
    const double v = p.velocity_m_s()[0];
    ASSERT_LE(std::abs(v - before), 1e-4 * 1.0001) << "acceleration within its limit";
    before = v;
    furthest = std::max(furthest, p.position_m()[0]);
  }
  EXPECT_TRUE(p.empty());
  EXPECT_NEAR(furthest, 0.02, 1e-6);
  EXPECT_EQ(p.position_m()[0], 0);
}

TEST(MotionPlanner, RandomPathsStayWithinEveryLimit) {
  std::mt19937 random(5);
  const auto uniform = [&](double lo, double hi) { return std::uniform_real_distribution<>(lo, hi)(random); };
  for (int n = 0; n < 300; ++n) {
    AxisLimits l = limits(uniform(0.01, 0.3), uniform(0.1, 3));
    l.junction_deviation_m = n % 2 == 0 ? 0 : 1e-5;
    MotionPlanner p(l, {});
    rig::Position end{};
    rig::Position v{};
    const double dt = uniform(1e-4, 5e-3);
    const int cancel_at = random() % 3 == 0 ? static_cast<int>(random() % 400) : -1;
    for (int i = 0; i < 400; ++i) {
      if (random() % 8 == 0 && !p.full() && cancel_at < 0) {
        for (auto& x : end) x += uniform(-0.01, 0.01);
        ASSERT_TRUE(p.queue(end, uniform(0.001, 0.3)));
      }
      if (i == cancel_at) p.cancel();
      p.step(dt);
      const auto now = p.velocity_m_s();
      for (std::size_t a = 0; a < rig::kAxes; ++a) {
        ASSERT_LE(std::abs(now[a]), l.max_speed_m_s[a] * (1 + 1e-9));
        if (l.junction_deviation_m == 0) {  // cutting a corner is a jump of direction, and meant to be
          ASSERT_LE(std::abs(now[a] - v[a]), l.acceleration_m_s2[a] * dt * (1 + 1e-6)) << n << ' ' << i;
        }
      }
      v = now;
    }
    for (int i = 0; i < 20000 && !p.empty(); ++i) p.step(0.05);
    ASSERT_TRUE(p.empty());
    ASSERT_EQ(norm(p.velocity_m_s()), 0);
    if (cancel_at < 0) {
      ASSERT_EQ(p.position_m(), end);
    }
  }
}

TEST(MotionPlanner, HoldKeepsTheQueueAndCancelForgetsIt) {
  MotionPlanner p(limits(0.1, 1), {});
  ASSERT_TRUE(p.queue({0.1, 0, 0}, 0.1));
  p.step(0.3);
  p.hold();
  p.step(0.2);
  EXPECT_TRUE(p.at_rest());
  EXPECT_NEAR(p.position_m()[0], 0.03, 1e-9) << "25 mm and 5 mm of braking";
  EXPECT_EQ(p.queued(), 1U);
  p.resume();
  p.step(0.3);
  p.cancel();
  p.step(0.2);
  EXPECT_TRUE(p.empty());
  EXPECT_EQ(p.end_m(), p.position_m());
  EXPECT_NEAR(p.position_m()[0], 0.06, 1e-9);
}

// --- twin alone ------------------------------------------------------------------------------------------------------

class Text final : public TwinOutput {
 public:
  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::string take() {
    std::string out;
    std::swap(out, text);
    std::erase(out, '\r');
    return out;
  }
  std::string text;
};

/// Without the command time-out, so that a test may look on in silence.
GrblTwinConfig patient() {
  GrblTwinConfig config;
  config.host_timeout = 0ms;
  return config;
}

struct Bare {
  explicit Bare(const GrblTwinConfig& config = patient()) : twin(config, kStart) { pass(1ms); }
  GrblTwin twin;
  Text out;
  daq::HostTime now = kStart;

  void pass(daq::Duration d) {
    for (const auto end = now + d; now < end;) {
      now = now + 1ms;
      twin.step(now, {}, out);
    }
  }
  std::string say(std::string_view bytes) {
    twin.receive(std::as_bytes(std::span(bytes)), now, out);
    return out.take();
  }
};

TEST(GrblTwin, GreetsAtPowerUpAndAfterAReset) {
  Bare b;
  EXPECT_EQ(b.out.take(), "\nGrbl 1.1h ['$' for help]\n");
  EXPECT_EQ(b.say("\x18"), "\nGrbl 1.1h ['$' for help]\n");
  GrblTwinConfig config = patient();
  config.start_in_alarm = true;
  Bare alarmed(config);
  EXPECT_EQ(alarmed.out.take(), "\nGrbl 1.1h ['$' for help]\n[MSG:'$H'|'$X' to unlock]\n");
  EXPECT_EQ(alarmed.say("$X\n"), "[MSG:Caution: Unlocked]\nok\n");
  EXPECT_EQ(alarmed.twin.state(), GrblState::kIdle);
}

TEST(GrblTwin, AnswersLinesAsGrblDoes) {
  Bare b;
  b.out.take();
  EXPECT_EQ(b.say("\n"), "ok\n");
  EXPECT_EQ(b.say("\r\n"), "ok\nok\n") << "Grbl takes either for a line's end";
  EXPECT_EQ(b.say("$J=G53 X10 F600\n"), "ok\n");
  EXPECT_EQ(b.say("$j=g91 g21 x1 f600\n"), "ok\n") << "small letters and blanks";
  EXPECT_EQ(b.say("$J=X10\n"), "error:22\n");
  EXPECT_EQ(b.say("$J=X10F0\n"), "error:22\n");
  EXPECT_EQ(b.say("$J=X10F-5\n"), "error:4\n");
  EXPECT_EQ(b.say("$J=X201F600\n"), "error:15\n");
  EXPECT_EQ(b.say("$J=G91X200F600\n"), "error:15\n") << "from the end of the queue at 11 mm";
  EXPECT_EQ(b.say("$J=G2X10F600\n"), "error:16\n");
  EXPECT_EQ(b.say("$J=XF600\n"), "error:2\n");
  EXPECT_EQ(b.say("$J=5\n"), "error:1\n");
  EXPECT_EQ(b.say("$J X1\n"), "error:3\n");
  EXPECT_EQ(b.say("G1X1\n"), "error:9\n") << "locked while jogging";
  EXPECT_EQ(b.say("$H\n"), "error:8\n");
  EXPECT_EQ(b.say(std::string(80, 'X') + "\n"), "error:11\n");
  EXPECT_EQ(b.say(std::string(127, 'X')), "");
  EXPECT_EQ(b.say("XXX\n"), "error:11\n") << "one answer for one line, however long";
  b.pass(3s);
  EXPECT_NEAR(b.twin.position_m()[0], 0.011, 1e-12);
  EXPECT_EQ(b.say("$nonsense\n"), "error:3\n");
  b.twin.trigger_alarm(4, b.now, b.out);
  EXPECT_EQ(b.out.take(), "ALARM:4\n");
  EXPECT_EQ(b.say("$J=X10F600\n"), "error:8\n");
  EXPECT_EQ(b.say("G1X1\n"), "error:9\n");
}

TEST(GrblTwin, JogsInInchesAndInWorkCoordinates) {
  GrblTwinConfig config = patient();
  config.work_offset_m = {0.1, 0, -0.05};
  Bare b(config);
  b.out.take();
  EXPECT_EQ(b.say("$J=G20G53X1F60\n"), "ok\n");
  b.pass(3s);
  EXPECT_NEAR(b.twin.position_m()[0], 0.0254, 1e-12);
  EXPECT_EQ(b.say("$J=G90X10Z5F6000\n"), "ok\n");
  b.pass(3s);
  EXPECT_NEAR(b.twin.position_m()[0], 0.11, 1e-12);
  EXPECT_NEAR(b.twin.position_m()[2], -0.045, 1e-12);
}

TEST(GrblTwin, LinesAreAcknowledgedOnlyWhenThePlannerTakesThem) {
  Bare b;
  b.out.take();
  for (int i = 1; i <= 15; ++i) EXPECT_EQ(b.say("$J=G91X1F60\n"), "ok\n");
  EXPECT_EQ(b.say("$J=G91X1F60\n"), "") << "the 16th waits";
  EXPECT_EQ(b.twin.buffered(), 12U);
  b.pass(1100ms);
  EXPECT_EQ(b.out.take(), "ok\n");
  EXPECT_EQ(b.twin.buffered(), 0U);
}

TEST(GrblTwin, BytesBeyondTheReceiveBufferAreLost) {
  Bare b;
  for (int i = 1; i <= 15; ++i) b.say("$J=G91X1F60\n");
  const std::string jog = "$J=G91X1.0F60\n";
  std::string flood;
  for (int i = 0; i < 10; ++i) flood += jog;
  EXPECT_EQ(b.say(flood), "");
  EXPECT_EQ(b.twin.buffered(), 128U);
  EXPECT_EQ(b.twin.most_buffered(), 128U);
  EXPECT_EQ(b.twin.overflowed(), 140U - 128U);
}

TEST(GrblTwin, WaitingJogsRunAfterACancelAndNoneIsTakenWhileItBrakes) {
  GrblTwinConfig config = patient();
  config.limits = limits(0.2, 0.05);
  Bare b(config);
  for (int i = 1; i <= 15; ++i) b.say("$J=G91X5F600\n");
  EXPECT_EQ(b.say("$J=G91Y1F600\n"), "");
  b.out.take();
  b.pass(300ms);
  EXPECT_EQ(b.say("\x85"), "");
  EXPECT_EQ(b.twin.state(), GrblState::kJog);
  b.pass(100ms);
  EXPECT_EQ(b.out.take(), "");
  b.pass(2s);
  EXPECT_EQ(b.out.take(), "ok\n");
  EXPECT_NEAR(b.twin.position_m()[1], 0.001, 1e-12) << "as in Grbl: the host has to cancel it too";
}

TEST(GrblTwin, HoldInAJogCancelsItAndIdleHoldStopsTakingLines) {
  Bare b;
  b.say("$J=X100F6000\n");
  b.pass(300ms);
  b.say("!");
  b.pass(500ms);
  EXPECT_EQ(b.twin.state(), GrblState::kIdle);
  EXPECT_LT(b.twin.position_m()[0], 0.1);
  b.say("!");
  EXPECT_EQ(b.twin.state(), GrblState::kHold);
  EXPECT_NE(b.say("?").find("<Hold:0|"), std::string::npos);
  EXPECT_EQ(b.say("$J=X50F6000\n"), "");
  EXPECT_EQ(b.say("~"), "ok\n");
}

TEST(GrblTwin, AResetInMotionIsAlarmThreeAndInHomingSix) {
  Bare b;
  b.say("$J=X100F6000\n");
  b.pass(300ms);
  EXPECT_EQ(b.say("\x18"), "ALARM:3\n\nGrbl 1.1h ['$' for help]\n[MSG:'$H'|'$X' to unlock]\n");
  EXPECT_EQ(norm(b.twin.velocity_m_s()), 0);
  EXPECT_EQ(b.say("$H\n"), "") << "answered when it is done";
  b.pass(100ms);
  EXPECT_NE(b.say("?").find("<Home|"), std::string::npos);
  EXPECT_EQ(b.say("\x18").substr(0, 8), "ALARM:6\n");
  b.say("$H\n");
  b.pass(5s);
  EXPECT_EQ(b.out.take(), "ok\n");
  EXPECT_EQ(b.twin.state(), GrblState::kIdle);
  EXPECT_EQ(b.twin.position_m(), (rig::Position{0, 0, 0}));
}

TEST(GrblTwin, AfterALimitNothingIsTakenUntilAReset) {
  Bare b;
  b.say("$J=X100F6000\n");
  b.out.take();
  b.pass(200ms);
  b.twin.trigger_alarm(1, b.now, b.out);
  EXPECT_EQ(b.out.take(), "ALARM:1\n[MSG:Reset to continue]\n");
  EXPECT_EQ(b.say("$X\n"), "");
  EXPECT_EQ(b.say("\x18"), "\nGrbl 1.1h ['$' for help]\n[MSG:'$H'|'$X' to unlock]\n");
  EXPECT_EQ(b.say("$X\n"), "[MSG:Caution: Unlocked]\nok\n");
}

TEST(GrblTwin, StopsByItselfWhenTheHostFallsSilent) {
  for (const bool watchdog : {true, false}) {
    GrblTwinConfig config = patient();
    config.limits = limits(0.1, 1);
    config.host_timeout = watchdog ? 500ms : 0ms;
    Bare b(config);
    for (int i = 0; i < 20; ++i) b.say("$J=G91X5F6000\n");  // more than the planner holds
    b.pass(450ms);
    EXPECT_NEAR(b.twin.velocity_m_s()[0], 0.1, 1e-9);
    b.pass(200ms);
    EXPECT_EQ(norm(b.twin.velocity_m_s()) == 0, watchdog);
    const auto there = b.twin.position_m();
    b.pass(1s);
    EXPECT_EQ(b.twin.position_m() == there, watchdog) << "what waited in the buffer must not set it moving again";
    if (watchdog) {
      EXPECT_NEAR(there[0], 0.1 * 0.5 - 0.005 + 0.005, 2e-4);
    }
  }
}

TEST(GrblTwin, AStalledStageAcknowledgesAndStandsStill) {
  Bare b;
  b.say("$J=X100F6000\n");
  b.pass(300ms);
  b.twin.set_stalled(true);
  const auto there = b.twin.position_m();
  EXPECT_EQ(b.say("$J=X50F6000\n"), "ok\n");
  const auto report = b.say("?");
  b.pass(1s);
  EXPECT_EQ(b.twin.position_m(), there);
  EXPECT_NE(report.find("<Idle|"), std::string::npos);
}

TEST(GrblTwin, ASilentStageGoesOnMoving) {
  Bare b;
  b.say("$J=X10F6000\n");
  b.twin.set_silent(true);
  EXPECT_EQ(b.say("?$$\n"), "");
  b.pass(1s);
  EXPECT_NEAR(b.twin.position_m()[0], 0.01, 1e-12);
  EXPECT_EQ(b.twin.reports_sent(), 0U);
}

TEST(GrblTwin, LateAnswersCarryWhatWasTrueWhenTheyWereAsked) {
  GrblTwinConfig config = patient();
  config.answer_latency = 20ms;
  Bare b(config);
  b.pass(30ms);
  b.out.take();
  b.say("$J=X10F60\n");
  EXPECT_EQ(b.say("?"), "");
  b.pass(19ms);
  EXPECT_EQ(b.out.take(), "");
  b.pass(1ms);
  const auto text = b.out.take();
  EXPECT_NE(text.find("ok\n<Jog|MPos:0.000,"), std::string::npos) << text;
}

TEST(GrblTwin, SurvivesRandomBytes) {
  std::mt19937 random(6);
  constexpr std::string_view kAlphabet = "$J=G9120XYZF0123.-\n\n\n?!~XH\x18\x85\xFF ";
  Bare b;
  for (int n = 0; n < 20000; ++n) {
    std::string bytes(random() % 40, ' ');
    for (auto& c : bytes) c = random() % 9 == 0 ? static_cast<char>(random()) : kAlphabet[random() % kAlphabet.size()];
    if (random() % 2 == 0) bytes.insert(0, "$J=G91F600X0.");
    b.say(bytes);
    ASSERT_LE(b.twin.buffered(), daq::kGrblRxBuffer);
    b.pass(2ms);
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      ASSERT_GE(b.twin.position_m()[a], (rig::Position{0, 0, -0.08})[a] - 1e-9);
      ASSERT_LE(b.twin.position_m()[a], (rig::Position{0.2, 0.1, 0})[a] + 1e-9);
    }
  }
  b.say("\n\x18");
  EXPECT_EQ(b.say("?").front(), '<');
}

}  // namespace
}  // namespace strigil::sim
