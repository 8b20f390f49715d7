// The runner suspended at depth, by readings alone; the whole rig, with the force held, is in tests/scenario.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_bench.hpp"
#include "protocols/path_follower.hpp"

namespace strigil::protocols {
namespace {

using rig::BehaviourState;
using test::bench_limits;
using test::FakeBench;
using test::FakeBenchConfig;
using test::one_stroke;
using testing::HasSubstr;

/// A run that is suspended once, when `at` of a step of `kind` has gone by, and goes on after `lasts_s`.
struct Story {
  Story(StepKind kind, double at_s, double lasts_s, Protocol protocol = one_stroke(),
        const FakeBenchConfig& config = {})
      : plan(*expand(protocol, bench_limits())), runner(plan), bench(config) {
    double step_began_s = 0;
    std::size_t steps = 0;
    double suspended_at_s = -1;
    while (runner.state() == BehaviourState::kRunning && bench.now_s() < 200) {
      const auto& r = bench.tick();
      if (runner.results().size() != steps) steps = runner.results().size(), step_began_s = bench.now_s();
      const bool there = steps > 0 && runner.results().back().kind == kind && bench.now_s() - step_began_s >= at_s;
      if (suspended_at_s < 0 && there) {
        EXPECT_TRUE(runner.may_suspend());
        suspended_at_s = bench.now_s();
      }
      const bool suspended = suspended_at_s >= 0 && bench.now_s() < suspended_at_s + lasts_s;
      bench.obey(suspended ? runner.suspended(r, bench.now(), sink) : runner.step(r, bench.now(), sink));
      bench.tare(runner.wants_tare());
      if (!suspended) continue;
      seen.push_back(runner.progress().suspension);
      highest_m = bench.position_m()[rig::kZ];
    }
    auto evidence = test::evidence_of(runner, bench);
    evidence.suspensions = runner.suspensions();
    evidence.suspended_s = runner.suspended_s();
    verdict = judge(plan, evidence);
    for (const auto& r : verdict.reasons) reasons += r.text + "\n";
  }
  [[nodiscard]] std::ptrdiff_t count(StepKind kind, StepOutcome outcome) const {
    return std::count_if(runner.results().begin(), runner.results().end(),
                         [&](const StepResult& r) { return r.kind == kind && r.outcome == outcome; });
  }
  [[nodiscard]] bool did(Suspension what) const { return std::find(seen.begin(), seen.end(), what) != seen.end(); }

  Plan plan;
  Runner runner;
  FakeBench bench;
  test::CountingSink sink;
  std::vector<Suspension> seen;
  double highest_m = 0;  ///< when it went on
  Verdict verdict;
  std::string reasons;
};

TEST(RunnerSuspended, AStrokeIsBrokenOffDoneAgainAndCountsOnce) {
  for (const double lasts_s : {0.5, 8.0}) {
    const Story s(StepKind::kStroke, 0.3, lasts_s);
    ASSERT_EQ(s.runner.state(), BehaviourState::kDone) << s.reasons;
    EXPECT_EQ(s.verdict.judgement, Judgement::kPass) << s.reasons;
    EXPECT_EQ(s.count(StepKind::kStroke, StepOutcome::kInterrupted), 1);
    EXPECT_EQ(s.count(StepKind::kStroke, StepOutcome::kDone), 1);
    EXPECT_EQ(s.count(StepKind::kPress, StepOutcome::kDone), 2) << "a contact of its own";
    ASSERT_EQ(s.verdict.strokes.size(), 1U);
    EXPECT_EQ(s.verdict.strokes[0].interrupted, 1U);
    EXPECT_NEAR(s.verdict.strokes[0].length_m, 60e-3, 0.1e-3) << "all of it in one pass";
    EXPECT_THAT(s.reasons, HasSubstr("was broken off by a suspension"));
    EXPECT_THAT(s.reasons, HasSubstr("suspended 1 time,"));
    EXPECT_TRUE(s.did(Suspension::kHolding));
    EXPECT_EQ(s.did(Suspension::kClear), lasts_s > 5) << "the contact is held for [suspend] hold_s";
    EXPECT_NEAR(s.runner.suspended_s(), lasts_s, 0.01);
    const auto& again = s.runner.results().back();
    EXPECT_FALSE(again.repeated) << "the retract was not done before";
  }
}

TEST(RunnerSuspended, ABrokenOffStrokeNeverStandsForADeliveredOne) {
  Story s(StepKind::kStroke, 0.3, 0.5);
  auto evidence = test::evidence_of(s.runner, s.bench);
  // As if nobody had made it again.
  std::erase_if(evidence.steps,
                [](const StepResult& r) { return r.kind == StepKind::kStroke && r.outcome == StepOutcome::kDone; });
  const auto verdict = judge(s.plan, evidence);
  EXPECT_EQ(verdict.judgement, Judgement::kInvalid);
  EXPECT_TRUE(verdict.strokes.empty());
}

TEST(RunnerSuspended, ADwellThatIsHeldGoesOnWhereItWas) {
  auto p = one_stroke();
  p.dwell_s = 1;
  const Story s(StepKind::kDwell, 0.4, 2, p);
  EXPECT_EQ(s.verdict.judgement, Judgement::kPass) << s.reasons;
  EXPECT_EQ(s.count(StepKind::kPress, StepOutcome::kDone), 1);
  const auto dwell = std::find_if(s.runner.results().begin(), s.runner.results().end(),
                                  [](const StepResult& r) { return r.kind == StepKind::kDwell; });
  EXPECT_NEAR(dwell->suspended_s, 2, 0.01);
  EXPECT_NEAR(daq::seconds(dwell->ended - dwell->began), 3, 0.01);
}

TEST(RunnerSuspended, WithoutHoldItIsLiftedAtOnce) {
  auto p = one_stroke();
  p.suspend_hold_s = 0;
  const Story s(StepKind::kDwell, 0.05, 4, p);
  EXPECT_EQ(s.verdict.judgement, Judgement::kPass) << s.reasons;
  EXPECT_FALSE(s.did(Suspension::kHolding));
  EXPECT_NEAR(s.highest_m, -5e-3, 0.2e-3) << "clear";
  EXPECT_EQ(s.count(StepKind::kDwell, StepOutcome::kInterrupted), 1);
}

TEST(RunnerSuspended, EveryKindOfStepCanBeLeftAndDoneAgain) {
  auto p = one_stroke();
  p.directions = Directions::kBoth;
  for (const auto kind : {StepKind::kLift, StepKind::kGoTo, StepKind::kTare, StepKind::kApproach, StepKind::kPress,
                          StepKind::kDwell, StepKind::kStroke, StepKind::kRetract}) {
    for (const double lasts_s : {0.001, 0.05, 3.0, 12.0}) {
      const Story s(kind, 0.02, lasts_s, p);
      ASSERT_EQ(s.runner.state(), BehaviourState::kDone) << name_of(kind) << " " << lasts_s << "\n" << s.reasons;
      EXPECT_EQ(s.verdict.judgement, Judgement::kPass) << name_of(kind) << " " << lasts_s << "\n" << s.reasons;
      EXPECT_EQ(s.count(StepKind::kStroke, StepOutcome::kDone), 2) << name_of(kind);
      EXPECT_LT(s.bench.largest_true_force_N, 12) << name_of(kind);
    }
  }
}

TEST(RunnerSuspended, ItEndsByItselfWhenNobodyLetsItGoOn) {
  auto p = one_stroke();
  p.suspend_longest_s = 9;
  const Story s(StepKind::kStroke, 0.3, 100, p);
  EXPECT_EQ(s.runner.state(), BehaviourState::kFailed);
  EXPECT_EQ(s.runner.results().back().outcome, StepOutcome::kSuspendedTooLong);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("suspended for longer than [suspend] longest_s of 9 s"));
}

TEST(RunnerSuspended, AFaultEndsItAsEver) {
  FakeBenchConfig config;
  config.fault_at_s = 9;
  const Story s(StepKind::kStroke, 0.1, 100, one_stroke(), config);
  EXPECT_EQ(s.runner.state(), BehaviourState::kFailed);
  EXPECT_EQ(s.runner.results().back().outcome, StepOutcome::kInterlock);
  EXPECT_LT(s.bench.now_s(), 9.1);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
}

TEST(RunnerSuspended, AZeroThatMovedBeforeTheNewTareIsNotHidden) {
  FakeBenchConfig config;
  config.zero_drift_N_s = 0.03;
  auto p = one_stroke();
  p.force_tolerance = 0.5;
  const Story s(StepKind::kStroke, 0.3, 20, p, config);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("its zero has moved"));
}

TEST(RunnerSuspended, NoMoreOftenThanThereIsRoomFor) {
  const auto plan = *expand(one_stroke(), bench_limits());
  Runner runner(plan);
  FakeBench bench({});
  test::CountingSink sink;
  std::size_t times = 0;
  const StepResult* first = nullptr;
  while (runner.state() == BehaviourState::kRunning && bench.now_s() < 600) {
    const auto& r = bench.tick();
    // Again and again in mid-stroke, each time for a tick.
    const bool stroking = !runner.results().empty() && runner.results().back().kind == StepKind::kStroke &&
                          runner.results().back().outcome == StepOutcome::kDone && bench.position_m()[rig::kX] > 50e-3;
    const bool suspend = stroking && runner.may_suspend();
    times += suspend ? 1 : 0;
    bench.obey(suspend ? runner.suspended(r, bench.now(), sink) : runner.step(r, bench.now(), sink));
    bench.tare(runner.wants_tare());
    if (first == nullptr && !runner.results().empty()) first = runner.results().data();
    if (first != nullptr) {
      ASSERT_EQ(first, runner.results().data()) << "nothing was allocated in the tick";
    }
  }
  EXPECT_EQ(runner.state(), BehaviourState::kDone);
  EXPECT_EQ(times, 32U);
}

// Whenever it is told, the way is left nowhere, nothing jumps, and it stands after the time that its speed needs.
TEST(PathFollower, BrakesOnItsPathFromAnywhere) {
  const auto paths = [] {
    auto p = one_stroke();
    p.hold = Hold::kForce;
    p.start_y_m = 50e-3;
    p.stroke_length_m = 80e-3;
    p.frame_width_m = 20e-3;
    p.corner_radius_m = 4e-3;
    p.hook_radius_m = 15e-3;
    p.hook_sweep_rad = 3;
    std::vector<StrokePath> out;
    for (const auto shape : {StrokeShape::kStraight, StrokeShape::kFrame, StrokeShape::kHook}) {
      p.shape = shape;
      out.push_back(ways_of(p, 6).value().front().path);
    }
    return out;
  }();
  for (const auto& path : paths) {
    for (const double speed_m_s : {0.025, 0.1, 0.4}) {
      const FollowLimits limits{{speed_m_s, 1, 50}, 1, 0};
      const double duration_s = PathFollower::duration_s(path, limits);
      for (int i = 0; i <= 40; ++i) {
        const double brake_s = duration_s * i / 40;
        PathFollower follower;
        rig::Readings r;
        const daq::HostTime began{1'000'000'000};
        follower.begin(path, true, limits, began);
        double last_m_s = 0;
        double stood_s = -1;
        FollowPoint last;
        for (double t_s = 0; t_s < brake_s + 1; t_s += 1e-3) {
          const auto now = began + daq::from_seconds(t_s);
          if (t_s >= brake_s) follower.brake(now);
          r.now = now;
          r.position_t0 = now;
          const auto wish = path.at(last.way_m).position;  // the stage is where it was wanted a millisecond ago
          r.position_m = {wish.x_m, wish.y_m, 0};
          r.position_t0 = t_s > 0 ? now - std::chrono::milliseconds(1) : now;
          last = follower.follow(r, now);
          ASSERT_LT(last.deviation_m, 1e-6);
          ASSERT_LE(std::abs(last.along_m_s - last_m_s), 2.6e-3) << "from " << last_m_s << " m/s at " << t_s;
          last_m_s = last.along_m_s;
          if (t_s > brake_s && last.along_m_s == 0 && stood_s < 0) stood_s = t_s - brake_s;
        }
        ASSERT_EQ(last.along_m_s, 0);
        ASSERT_LE(stood_s, 1.5 * speed_m_s / 1 + 0.01);
        ASSERT_LE(last.way_m, path.length_m() + 1e-9);
      }
    }
  }
}

}  // namespace
}  // namespace strigil::protocols
