#include "protocols/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "fake_bench.hpp"

namespace strigil::protocols {
namespace {

using test::bench_limits;
using test::one_stroke;
using testing::HasSubstr;

/// A run in which everything is as it should be; each test spoils one thing.
struct GoodRun {
  explicit GoodRun(const Protocol& protocol = one_stroke())
      : plan(*expand(protocol, bench_limits())), runner(plan), bench({}) {
    test::CountingSink sink;
    carry_out(runner, bench, sink);
    evidence = evidence_of(runner, bench);
  }
  [[nodiscard]] StepResult& stroke() {
    for (auto& s : evidence.steps) {
      if (s.kind == StepKind::kStroke) return s;
    }
    throw std::logic_error("no stroke");
  }
  /// What the hops of the force stream counted.
  void ledger(daq::StreamLedger hops) {
    hops.stream = "force";
    evidence.ledger = daq::ledger_rows(hops);
  }
  [[nodiscard]] Verdict verdict() const { return judge(plan, evidence); }

  Plan plan;
  Runner runner;
  test::FakeBench bench;
  RunEvidence evidence;
};

RunningStatistics of(double value, double spread, int n) {
  RunningStatistics s;
  for (int i = 0; i < n; ++i) s.add(value + (i % 2 == 0 ? spread : -spread));
  return s;
}

TEST(VerdictTest, ARunWithNothingAmissPasses) {
  const GoodRun run;
  EXPECT_EQ(run.verdict().judgement, Judgement::kPass);
  EXPECT_TRUE(run.verdict().reasons.empty());
}

TEST(VerdictTest, AStrokeInTheAirThatTouchesIsNoControl) {
  auto protocol = one_stroke();
  protocol.in_air = true;
  GoodRun run(protocol);
  ASSERT_EQ(run.verdict().judgement, Judgement::kPass) << run.verdict().reasons.front().text;
  EXPECT_LT(run.verdict().strokes.front().mean_normal_force_N, 0.1) << "and no force was wished";
  for (const auto& s : run.evidence.steps) EXPECT_GE(s.to_m[rig::kZ], bench_limits().clear_z_m - 1e-6);
  run.stroke().in_contact = run.stroke().normal_force_N.count() / 10;
  EXPECT_EQ(run.verdict().judgement, Judgement::kInvalid);
  EXPECT_THAT(run.verdict().reasons.front().text, HasSubstr("nothing was to be touched"));
}

TEST(VerdictTest, WhatASubscriberLosesIsNoFaultOfTheRun) {
  GoodRun run;
  daq::StreamLedger hops{.device = 100, .intake = 100, .recorded = 100, .published_at_all = true, .published = 100};
  hops.subscribers = {{"late", 60, 40}, {"slow", 0, 7}};
  run.ledger(hops);
  EXPECT_EQ(run.verdict().judgement, Judgement::kPass);
  hops.published = 99;
  run.ledger(hops);
  EXPECT_EQ(run.verdict().judgement, Judgement::kInvalid) << "what nobody can explain is another matter";
}

TEST(VerdictTest, EachThingAmissHasItsJudgementAndItsWords) {
  struct Case {
    const char* what;
    std::function<void(GoodRun&)> spoil;
    Judgement expected;
    const char* says;
  };
  constexpr auto kInvalid = Judgement::kInvalid;
  constexpr auto kFail = Judgement::kFail;
  const Case cases[] = {
      {"emergency", [](GoodRun& r) { r.evidence.emergency_stopped = true; }, kInvalid,
       "the emergency stop was pressed"},
      {"abort", [](GoodRun& r) { r.evidence.aborted = true; }, kInvalid, "the operator aborted"},
      {"interlock", [](GoodRun& r) { r.evidence.faults = "force_gap", r.evidence.fault_advice = "Check the network."; },
       kInvalid, "the interlock tripped (force_gap) and the rig retracted the instrument. Check the network."},
      {"recorder", [](GoodRun& r) { r.evidence.recorder_failure = "disk full"; }, kInvalid,
       "the recorder failed: disk full"},
      {"not clear", [](GoodRun& r) { r.evidence.reached_clear = false; }, kInvalid, "not seen to come clear"},
      {"not finished", [](GoodRun& r) { r.evidence.plan_finished = false; }, kInvalid, "the run ended after step 9"},
      {"no steps", [](GoodRun& r) { r.evidence.steps.clear(), r.evidence.plan_finished = false; }, kInvalid,
       "the run ended before its first step"},
      {"no stroke", [](GoodRun& r) { r.evidence.steps.resize(3); }, kInvalid, "1 of 1 strokes were not delivered"},
      {"no streams", [](GoodRun& r) { r.evidence.streams.clear(); }, kInvalid, "no stream was taken in"},
      {"lost", [](GoodRun& r) { r.ledger({.device = 13, .lost_on_wire = 3, .intake = 10, .recorded = 10}); }, kInvalid,
       "3 samples of stream 'force' were lost in the wire; check its cable"},
      {"overrun", [](GoodRun& r) { r.ledger({.device = 13, .lost_in_chunk_ring = 3, .intake = 10, .recorded = 10}); },
       kInvalid, "lost in the chunk ring; this computer did not read in time"},
      {"damaged", [](GoodRun& r) { r.ledger({.device = 13, .lost_in_codec = 3, .intake = 10, .recorded = 10}); },
       kInvalid, "lost in the codec; they arrived damaged"},
      {"dropped", [](GoodRun& r) { r.ledger({.device = 10, .intake = 10, .lost_in_recorder_ring = 4, .recorded = 6}); },
       kInvalid, "the recorder did not keep up"},
      {"unexplained", [](GoodRun& r) { r.ledger({.device = 10, .intake = 10, .recorded = 9}); }, kInvalid,
       "the ledger does not balance: 10 samples of 'force' left the recorder ring, 9 entered the recorder"},
      {"silent", [](GoodRun& r) { r.evidence.streams[0].samples = 10; }, kInvalid,
       "the sensor was not alive throughout"},
      {"empty", [](GoodRun& r) { r.evidence.streams[2].samples = 0; }, kInvalid, "stream 'position' gave no sample"},
      {"unlocked", [](GoodRun& r) { r.evidence.streams[1].unlocked = 64; }, kInvalid,
       "of stream 'vibration' carry times of an unlocked clock"},
      {"no tare", [](GoodRun& r) { r.evidence.steps[2].normal_force_N = {}; }, kInvalid, "was to be tared"},
      {"zero moved", [](GoodRun& r) { r.evidence.steps.back().zero_N = -0.5; }, kInvalid, "its zero has moved"},
      {"zero unknown", [](GoodRun& r) { r.evidence.steps.back().zero_N = std::numeric_limits<double>::quiet_NaN(); },
       kInvalid, "its zero has moved"},
      {"short", [](GoodRun& r) { r.stroke().to_m[rig::kX] -= 1e-3; }, kInvalid, "mm were told"},
      {"wrong way", [](GoodRun& r) { r.stroke().to_m[rig::kX] = r.stroke().from_m[rig::kX] - 60e-3; }, kInvalid,
       "mm were told"},
      {"lifted", [](GoodRun& r) { r.stroke().to_m[rig::kZ] += 1e-3; }, kInvalid, "z went from"},
      {"astray", [](GoodRun& r) { r.stroke().to_m[rig::kY] += 1e-3; }, kInvalid, "y went from"},
      {"slow", [](GoodRun& r) { r.stroke().middle_speed_m_s = 0.085; }, kInvalid, "the stage went at 85.0 mm/s"},
      {"untold speed",
       [](GoodRun& r) {
         r.stroke().middle_speed_m_s = std::numeric_limits<double>::quiet_NaN();
         r.stroke().middle_reports = 2;
       },
       kInvalid, "2 position reports came in its middle"},
      {"no force", [](GoodRun& r) { r.stroke().moving_normal_force_N = {}; }, kInvalid, "no force sample came"},
      {"constant", [](GoodRun& r) { r.stroke().normal_force_N = r.stroke().moving_normal_force_N = of(6, 0, 500); },
       kInvalid, "did not change by one count"},
      {"half frozen", [](GoodRun& r) { r.stroke().longest_same = r.stroke().normal_force_N.count() / 2; }, kInvalid,
       "did not change by one count"},
      {"lost contact", [](GoodRun& r) { r.stroke().moving_in_contact /= 2; }, kInvalid, "touched the phantom for 5"},
      {"lost contact standing", [](GoodRun& r) { r.stroke().in_contact /= 2; }, kInvalid, "touched the phantom for"},
      {"deaf", [](GoodRun& r) { r.stroke().moving_vibration_m_s2 = of(0.001, 0, 50); }, kInvalid,
       "the accelerometer felt 0.0010"},
      {"no vibration", [](GoodRun& r) { r.stroke().moving_vibration_m_s2 = {}; }, kInvalid, "no block came"},
      {"too weak", [](GoodRun& r) { r.stroke().moving_normal_force_N = of(5.3, 0.01, 500); }, kFail,
       "the mean normal force was 5.300 N, 11.7 % from the wish; 10 % are allowed"},
      {"too strong", [](GoodRun& r) { r.stroke().moving_normal_force_N = of(6.7, 0.01, 500); }, kFail, "6.700 N"},
      {"peak", [](GoodRun& r) { r.stroke().normal_force_N.add(12.1); }, kFail, "peaked at 12.10 N"},
  };
  for (const auto& c : cases) {
    GoodRun run;
    c.spoil(run);
    const auto v = run.verdict();
    EXPECT_EQ(v.judgement, c.expected) << c.what;
    std::string all;
    for (const auto& reason : v.reasons) all += reason.text + "\n";
    EXPECT_THAT(all, HasSubstr(c.says)) << c.what;
  }
}

TEST(VerdictTest, EveryWayToEndEarlyIsInvalidAndNamesItsStep) {
  for (const auto outcome :
       {StepOutcome::kNoContact, StepOutcome::kTooSoft, StepOutcome::kTooStiff, StepOutcome::kTimeout,
        StepOutcome::kMoveRefused, StepOutcome::kEarlyContact, StepOutcome::kOverforce}) {
    GoodRun run;
    run.evidence.steps.resize(6);
    run.evidence.steps.back().outcome = outcome;
    run.evidence.plan_finished = false;
    const auto v = run.verdict();
    EXPECT_EQ(v.judgement, Judgement::kInvalid) << name_of(outcome);
    ASSERT_GE(v.reasons.size(), 2U);
    if (outcome != StepOutcome::kMoveRefused) {
      EXPECT_THAT(v.reasons[0].text, HasSubstr("; the rig retracted. ")) << name_of(outcome);
      run.evidence.reached_clear = false;
      EXPECT_THAT(run.verdict().reasons[0].text, HasSubstr("was not seen to arrive. ")) << name_of(outcome);
    }
    EXPECT_THAT(v.reasons[0].text, HasSubstr("step 6 (press, 6 N, 100 mm/s, forward, repeat 1)")) << name_of(outcome);
  }
}

TEST(VerdictTest, InvalidOutweighsFail) {
  GoodRun run;
  run.stroke().moving_normal_force_N = of(9, 0.01, 500);
  EXPECT_EQ(run.verdict().judgement, Judgement::kFail);
  run.ledger({.device = 2, .lost_on_wire = 1, .intake = 1, .recorded = 1});
  EXPECT_EQ(run.verdict().judgement, Judgement::kInvalid);
}

TEST(StatisticsTest, WelfordAgreesWithTheTextbookFarFromZero) {
  RunningStatistics s;
  EXPECT_TRUE(std::isnan(s.mean()));
  EXPECT_EQ(s.deviation(), 0);
  for (const double v : {4.0, 7.0, 13.0, 16.0}) s.add(1e9 + v);
  EXPECT_DOUBLE_EQ(s.mean(), 1e9 + 10);
  EXPECT_NEAR(s.deviation() * s.deviation(), 30, 1e-6);
  EXPECT_EQ(s.min(), 1e9 + 4);
  EXPECT_EQ(s.max(), 1e9 + 16);
  EXPECT_EQ(s.count(), 4U);
}

TEST(StatisticsTest, ASlopeNeedsThreePointsAtDifferentTimes) {
  Slope s;
  s.add(1, 2);
  s.add(2, 4);
  EXPECT_TRUE(std::isnan(s.value()));
  s.add(3, 6);
  EXPECT_DOUBLE_EQ(s.value(), 2);
  Slope same;
  for (int i = 0; i < 5; ++i) same.add(1, i);
  EXPECT_TRUE(std::isnan(same.value()));
}

}  // namespace
}  // namespace strigil::protocols
