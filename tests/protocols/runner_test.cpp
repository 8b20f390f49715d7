#include "protocols/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "daq/latest.hpp"
#include "fake_bench.hpp"
#include "protocols/stroke_way.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {
namespace {

using rig::BehaviourState;
using test::bench_limits;
using test::FakeBench;
using test::FakeBenchConfig;
using test::one_stroke;
using testing::HasSubstr;

/// One run from plan to verdict.
struct Story {
  explicit Story(const FakeBenchConfig& config = {}, const Protocol& protocol = one_stroke())
      : plan(*expand(protocol, bench_limits())), runner(plan), bench(config) {
    carry_out(runner, bench, sink);
    verdict = judge(plan, evidence_of(runner, bench));
    for (const auto& r : verdict.reasons) reasons += r.text + "\n";
  }
  [[nodiscard]] StepOutcome last_outcome() const { return runner.results().back().outcome; }
  [[nodiscard]] StepKind last_kind() const { return runner.results().back().kind; }

  Plan plan;
  Runner runner;
  FakeBench bench;
  test::CountingSink sink;
  Verdict verdict;
  std::string reasons;
};

TEST(RunnerTest, AnHonestStrokePasses) {
  const Story s;
  ASSERT_EQ(s.runner.state(), BehaviourState::kDone) << s.reasons;
  EXPECT_EQ(s.verdict.judgement, Judgement::kPass) << s.reasons;
  ASSERT_EQ(s.verdict.strokes.size(), 1U);
  const auto& stroke = s.verdict.strokes[0];
  EXPECT_NEAR(stroke.mean_normal_force_N, 6, 0.03 * 6 + 0.02);
  EXPECT_NEAR(stroke.mean_tangential_force_N, 0.6, 0.03);
  EXPECT_NEAR(stroke.speed_m_s, 0.1, 0.005);
  EXPECT_NEAR(stroke.length_m, 60e-3, 0.1e-3);
  EXPECT_NEAR(stroke.deviation_N, 0.01, 0.005);
  EXPECT_EQ(stroke.contact_fraction, 1);
  EXPECT_GT(stroke.samples, 400U) << "most of 0.6 s at 1 kHz is seen under way";
  const auto& retract = s.runner.results().back();
  EXPECT_EQ(retract.kind, StepKind::kRetract);
  EXPECT_NEAR(retract.zero_N, 0, 0.01) << "the bias was tared away";
  // From where it was tared, clear of the phantom, to where it pressed.
  const auto way = stroke_way(s.plan, s.runner.results(), 0);
  ASSERT_TRUE(way);
  EXPECT_NEAR((*way)[rig::kX].high - (*way)[rig::kX].low, 60e-3, 0.1e-3);
  EXPECT_NEAR((*way)[rig::kZ].high, s.plan.limits.clear_z_m, 0.1e-3);
  EXPECT_NEAR((*way)[rig::kZ].low, retract.low_m[rig::kZ], 0.1e-3);
  EXPECT_LT((*way)[rig::kZ].low, s.plan.limits.clear_z_m - 1e-3);
}

TEST(RunnerTest, EventsTellOfEachStepAndOfContact) {
  const Story s;
  const auto n = [&](daq::EventCode c) { return std::count(s.sink.codes.begin(), s.sink.codes.end(), c); };
  EXPECT_EQ(n(daq::EventCode::kStepBegan), static_cast<std::ptrdiff_t>(s.plan.steps.size()));
  EXPECT_EQ(n(daq::EventCode::kStepEnded), static_cast<std::ptrdiff_t>(s.plan.steps.size()));
  EXPECT_EQ(n(daq::EventCode::kContact), 1);
}

TEST(RunnerTest, SoftAndStiffPhantomsAreBroughtToForceBothWaysAndAtSeveralForces) {
  for (const double stiffness : {300.0, 1000.0, 5000.0}) {
    FakeBenchConfig config;
    config.stiffness_N_m = stiffness;
    auto p = one_stroke();
    p.normal_force_N = {2, 6};
    p.deepest_z_m = -60e-3;
    p.directions = Directions::kBoth;
    const Story s(config, p);
    EXPECT_EQ(s.verdict.judgement, Judgement::kPass) << stiffness << " N/m\n" << s.reasons;
    EXPECT_EQ(s.verdict.strokes.size(), 4U);
    EXPECT_LT(s.bench.largest_true_force_N, 12) << stiffness;
  }
}

TEST(RunnerTest, AnInstrumentThatNeverMeetsThePhantomIsInvalidAndRetracts) {
  FakeBenchConfig config;
  config.surface_z_m = -70e-3;
  const Story s(config);
  EXPECT_EQ(s.runner.state(), BehaviourState::kFailed);
  EXPECT_EQ(s.last_outcome(), StepOutcome::kNoContact);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("the instrument never met the phantom down to z = -50.0 mm"));
  EXPECT_EQ(s.bench.retracts, 1);
  EXPECT_GE(s.bench.lowest_told_z_m, -50e-3 - 1e-9);
}

TEST(RunnerTest, AStageThatNeverMovesIsInvalid) {
  FakeBenchConfig config;
  config.stage_moves = false;
  const Story s(config);
  EXPECT_EQ(s.last_outcome(), StepOutcome::kTimeout);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("Check that the stage moves when told"));
}

TEST(RunnerTest, AStageThatOnlySaysThatItMovesIsInvalid) {
  FakeBenchConfig config;
  config.stage_moves = false;
  config.stage_pretends = true;
  const Story s(config);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
}

TEST(RunnerTest, AStrokeThatStopsShortIsInvalid) {
  FakeBenchConfig config;
  config.stop_stroke_at_x_m = 60e-3;
  const Story s(config);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("where 30.00 to 90.00 mm were told"));
}

TEST(RunnerTest, AStrokeAtHalfItsSpeedIsInvalid) {
  FakeBenchConfig config;
  config.speed_factor = 0.5;
  const Story s(config);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("the stage went at 50.0 mm/s by readback where 100 mm/s were told"));
}

TEST(RunnerTest, ContactLostInMidStrokeIsInvalid) {
  FakeBenchConfig config;
  config.absent_from_x_m = 70e-3;
  const Story s(config);
  EXPECT_EQ(s.runner.state(), BehaviourState::kDone);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("the instrument touched the phantom for"));
}

TEST(RunnerTest, AForceSensorThatFreezesInMidStrokeIsInvalid) {
  const Story whole;
  double stroke_s = 0;
  for (const auto& r : whole.runner.results()) {
    if (r.kind == StepKind::kStroke) stroke_s = daq::seconds(r.began - daq::HostTime{1'000'000'000}) + 0.3;
  }
  FakeBenchConfig config;
  config.freeze_force_from_s = stroke_s;
  const Story s(config);
  EXPECT_EQ(s.runner.state(), BehaviourState::kDone) << "the rig's own watch is not part of this test";
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("the force did not change by one count"));
}

TEST(RunnerTest, AForceSensorStuckAtAnyConstantNeverPasses) {
  for (const double stuck : {0.0, 0.5, 6.0}) {
    FakeBenchConfig config;
    config.always_constant = true;
    config.constant_force_N = stuck;
    const Story s(config);
    EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid) << stuck;
  }
}

TEST(RunnerTest, SomethingHardInTheWayMakesTheRunnerLetGo) {
  FakeBenchConfig config;
  config.hard_from_x_m = 60e-3;
  const Story s(config);
  EXPECT_EQ(s.runner.state(), BehaviourState::kFailed);
  EXPECT_EQ(s.last_outcome(), StepOutcome::kOverforce);
  EXPECT_EQ(s.last_kind(), StepKind::kStroke);
  EXPECT_EQ(s.bench.retracts, 1);
  EXPECT_THAT(s.reasons, HasSubstr("above [limits] max_force_N of 12 N"));
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
}

TEST(RunnerTest, APhantomHigherThanTheStartIsMetGently) {
  FakeBenchConfig config;
  config.surface_z_m = -20e-3;  // the start is at -26 mm
  const Story s(config);
  EXPECT_EQ(s.last_outcome(), StepOutcome::kEarlyContact);
  EXPECT_LT(s.bench.largest_true_force_N, 3);
  EXPECT_THAT(s.reasons, HasSubstr("Raise [approach] start_z_mm"));
}

TEST(RunnerTest, APressThatCannotReachItsForceSaysSo) {
  FakeBenchConfig soft;
  soft.stiffness_N_m = 100;
  const Story too_soft(soft);
  EXPECT_EQ(too_soft.last_outcome(), StepOutcome::kTooSoft);
  EXPECT_GE(too_soft.bench.lowest_told_z_m, -50e-3 - 1e-9);
  auto p = one_stroke();
  p.press_timeout_s = 0.4;
  const Story late({}, p);
  EXPECT_EQ(late.last_outcome(), StepOutcome::kTimeout);
  EXPECT_EQ(late.last_kind(), StepKind::kPress);
}

TEST(RunnerTest, APressNeverCommandsAStepThatCouldExceedTheLimit) {
  FakeBenchConfig config;
  config.stiffness_N_m = 30e3;
  auto p = one_stroke();
  p.normal_force_N = {3};
  p.max_force_N = 3.2;
  p.approach_speed_m_s = 0.5e-3;
  p.press_tolerance = 0.05;
  p.start_z_m = -29.9e-3;
  const Story s(config, p);
  EXPECT_LT(s.bench.largest_true_force_N, 3.2);
}

TEST(RunnerTest, ARefusedMoveEndsTheRun) {
  FakeBenchConfig config;
  config.refuses_strokes = true;
  const Story s(config);
  EXPECT_EQ(s.last_outcome(), StepOutcome::kMoveRefused);
  EXPECT_EQ(s.bench.retracts, 1);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
}

TEST(RunnerTest, ALatchedFaultEndsTheRunWithARetract) {
  FakeBenchConfig config;
  config.fault_at_s = 2;
  const Story s(config);
  EXPECT_EQ(s.runner.state(), BehaviourState::kFailed);
  EXPECT_EQ(s.last_outcome(), StepOutcome::kInterlock);
  EXPECT_EQ(s.bench.retracts, 1);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
}

TEST(RunnerTest, AZeroThatMovedIsInvalid) {
  FakeBenchConfig config;
  config.zero_drift_N_s = 0.08;
  const Story s(config);
  ASSERT_EQ(s.runner.state(), BehaviourState::kDone) << s.reasons;
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("its zero has moved"));
}

TEST(RunnerTest, ADeadAccelerometerIsInvalid) {
  FakeBenchConfig config;
  config.vibration_m_s2 = 0;
  auto p = one_stroke();
  p.min_vibration_m_s2 = 0;  // even when nothing is asked of it
  const Story s(config, p);
  EXPECT_EQ(s.verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(s.reasons, HasSubstr("the accelerometer felt 0.0000"));
}

TEST(RunnerTest, AWrongMeanForceIsAFail) {
  Story s;
  s.plan.conditions[0].normal_force_N = 7;  // as if 7 N had been wished
  const auto v = judge(s.plan, evidence_of(s.runner, s.bench));
  EXPECT_EQ(v.judgement, Judgement::kFail);
  ASSERT_EQ(v.reasons.size(), 1U);
  EXPECT_THAT(v.reasons[0].text, HasSubstr("10 % are allowed"));
}

TEST(RunnerTest, ProgressCrossesThreadsByValue) {
  static_assert(std::is_trivially_copyable_v<Progress>);
  const Story s;
  daq::Latest<Progress> latest;
  latest.store(s.runner.progress());
  EXPECT_EQ(latest.load().steps, s.plan.steps.size());
  EXPECT_EQ(latest.load().step, s.plan.steps.size() - 1);
  EXPECT_NEAR(latest.load().elapsed_s, s.bench.now_s(), 0.1);
  EXPECT_NEAR(latest.load().estimated_s, latest.load().elapsed_s, 1) << "known better the less is left";
  EXPECT_LT(s.plan.estimated_duration_s(), 2 * s.bench.now_s());
  EXPECT_GT(s.plan.estimated_duration_s(), 0.5 * s.bench.now_s());
}

TEST(RunnerTest, AnEmptyPlanIsDoneAndInvalid) {
  const Plan plan;
  Runner runner(plan);
  EXPECT_EQ(runner.state(), BehaviourState::kDone);
  RunEvidence e;
  e.plan_finished = e.reached_clear = true;
  EXPECT_EQ(judge(plan, e).judgement, Judgement::kInvalid);
}

}  // namespace
}  // namespace strigil::protocols
