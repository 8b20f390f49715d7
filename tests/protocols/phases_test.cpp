// Phases of a protocol: scan, treat, rescan in one file, and a treatment that ends when its dose is given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "fake_bench.hpp"
#include "protocols/report.hpp"

namespace strigil::protocols {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kPhased = R"([protocol]
name = "p"
[approach]
start_x_mm = 30
start_z_mm = -25
deepest_z_mm = -55
[press]
hold = "force"
[stroke]
length_mm = 60
directions = "both"
[[phases]]
name = "scan"
normal_force_N = 2
speed_mm_s = [30, 40]
[[phases]]
name = "treat"
normal_force_N = 6
speed_mm_s = 100
repeats = 3
directions = "forward"
survey_speed_mm_s = 0
dwell_ms = 50
dose_percent = 60
[dose]
[limits]
max_force_N = 12
[verdict]
force_tolerance_percent = 10
)";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kPhased;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const auto p = parse_protocol(text, "p.toml");
  EXPECT_FALSE(p.ok()) << text;
  return p.ok() ? "" : p.error().message;
}

PlanLimits holding_limits() {
  auto limits = test::bench_limits();
  limits.hold.emplace();
  return limits;
}

TEST(PhasesTest, InTheAirEachSpeedIsStrokedOnceAtTheClearHeight) {
  const auto text = with("length_mm = 60\n", "length_mm = 60\nin_air = true\n");
  const auto p = parse_protocol(text, "p.toml");
  ASSERT_TRUE(p.ok()) << p.error().message;
  const auto plan = expand(*p, test::bench_limits());
  ASSERT_TRUE(plan.ok()) << "no force is held, so any stage can: " << plan.error().message;
  ASSERT_EQ(plan->conditions.size(), 7U) << "30 and 40 mm/s there and back, and 100 mm/s three times";
  EXPECT_EQ(plan->conditions[1].name(), "scan: in the air, 30 mm/s, backward, repeat 1");
  for (const auto& s : plan->steps) {
    EXPECT_NE(s.kind, StepKind::kApproach);
    EXPECT_NE(s.kind, StepKind::kPress);
    EXPECT_FALSE(s.held);
    EXPECT_TRUE(s.kind != StepKind::kGoTo || s.target_m[rig::kZ] == test::bench_limits().clear_z_m);
  }
  EXPECT_FALSE(plan->dose) << "nothing is dosed";
  EXPECT_THAT(to_json(*plan), HasSubstr("\"in_air\": true"));
  EXPECT_THAT(error_of(with("length_mm = 60\n", "length_mm = 60\nin_air = true\nshape = \"fan\"\n")),
              HasSubstr("straight along x"));
}

TEST(PhasesTest, EachPhaseHasItsOwnAndTheRestOfTheProtocol) {
  const auto p = parse_protocol(kPhased, "p.toml");
  ASSERT_TRUE(p.ok()) << p.error().message;
  ASSERT_EQ(p->phases.size(), 2U);
  const auto& scan = p->phases[0];
  const auto& treat = p->phases[1];
  EXPECT_EQ(scan.name, "scan");
  EXPECT_THAT(scan.normal_force_N, ElementsAre(2));
  EXPECT_THAT(scan.stroke_speed_m_s, ElementsAre(0.03, 0.04));
  EXPECT_EQ(scan.directions, Directions::kBoth) << "of [stroke]";
  EXPECT_EQ(scan.repeats, 1);
  EXPECT_DOUBLE_EQ(scan.dwell_s, 0.2);
  EXPECT_DOUBLE_EQ(scan.survey_speed_m_s, 25e-3);
  EXPECT_DOUBLE_EQ(scan.dose_fraction, 0);
  EXPECT_EQ(treat.directions, Directions::kForward);
  EXPECT_EQ(treat.repeats, 3);
  EXPECT_DOUBLE_EQ(treat.dwell_s, 0.05);
  EXPECT_DOUBLE_EQ(treat.survey_speed_m_s, 0);
  EXPECT_DOUBLE_EQ(treat.dose_fraction, 0.6);
}

TEST(PhasesTest, MistakesAreRefusedAtTheirPlace) {
  EXPECT_THAT(error_of(with("normal_force_N = 2", "force_N = 2")), StartsWith("p.toml:14:1: unknown key"));
  EXPECT_THAT(error_of(with("speed_mm_s = 100\n", "")), HasSubstr("'phases[1].speed_mm_s' is required"));
  EXPECT_THAT(error_of(with("name = \"treat\"", "name = \"scan\"")), HasSubstr("two phases are called 'scan'"));
  EXPECT_THAT(error_of(with("name = \"treat\"", "name = \"treat it\"")), HasSubstr("1 to 64 of"));
  EXPECT_THAT(error_of(with("dose_percent = 60", "dose_percent = 0")), HasSubstr("must lie between 1 and 100"));
  EXPECT_THAT(error_of(with("[dose]\n", "")), HasSubstr("[dose], which is not there"));
  EXPECT_THAT(error_of(with("hold = \"force\"", "hold = \"depth\"")), HasSubstr("needs [press] hold"));
  EXPECT_THAT(error_of(with("repeats = 3", "repeats = 0")), HasSubstr("must lie between 1"));
  std::string many = kPhased;
  for (int i = 0; i < 20; ++i)
    many += "[[phases]]\nname = \"n" + std::to_string(i) + "\"\nnormal_force_N = 1\nspeed_mm_s = 9\n";
  EXPECT_THAT(error_of(many), HasSubstr("at most 20 phases"));
}

TEST(PhasesTest, ForcesAndSpeedsOfTheProtocolStandInWhereAPhaseHasNone) {
  const auto text = with("hold = \"force\"", "hold = \"force\"\nnormal_force_N = 5");
  const auto p = parse_protocol(
      text.substr(0, text.find("normal_force_N = 2\n")) + text.substr(text.find("normal_force_N = 2\n") + 19),
      "p.toml");
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_THAT(p->phases[0].normal_force_N, ElementsAre(5));
  EXPECT_THAT(p->phases[1].normal_force_N, ElementsAre(6));
}

TEST(PhasesTest, ExpandOneAfterTheOther) {
  const auto p = parse_protocol(kPhased, "p.toml").value();
  const auto plan = expand(p, holding_limits());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  std::vector<std::string> names;
  for (const auto& c : plan->conditions) names.push_back(c.name());
  EXPECT_THAT(names, ElementsAre("scan: 2 N, 30 mm/s, forward, repeat 1", "scan: 2 N, 30 mm/s, backward, repeat 1",
                                 "scan: 2 N, 40 mm/s, forward, repeat 1", "scan: 2 N, 40 mm/s, backward, repeat 1",
                                 "treat: 6 N, 100 mm/s, forward, repeat 1", "treat: 6 N, 100 mm/s, forward, repeat 2",
                                 "treat: 6 N, 100 mm/s, forward, repeat 3"));
  std::size_t surveys_in_treat = 0;
  for (const auto& s : plan->steps) {
    const auto& c = plan->conditions[s.condition];
    EXPECT_EQ(plan->dose_fraction(s), c.phase == 1 ? 0.6 : 0);
    if (s.held) {
      EXPECT_EQ(s.force_N, c.phase == 1 ? 6 : 2);
    }
    surveys_in_treat += s.kind == StepKind::kSurvey && c.phase == 1;
  }
  EXPECT_EQ(surveys_in_treat, 0U);
  EXPECT_THAT(to_text(*plan), HasSubstr("phase 'treat' ends early when an area has received 60 % of its dose"));
}

TEST(PhasesTest, AForceThatIsTooMuchIsRefusedInWhicheverPhaseItStands) {
  auto p = parse_protocol(with("normal_force_N = 6", "normal_force_N = 13"), "p.toml").value();
  const auto plan = expand(p, holding_limits());
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, HasSubstr("a normal force of 13 N"));
}

TEST(PhasesTest, AlsoAtAHeldDepthEachPhaseIsCarriedOut) {
  auto p = test::one_stroke();
  auto scan = phases_of(p).front();
  scan.name = "scan";
  scan.normal_force_N = {3};
  auto treat = scan;
  treat.name = "treat";
  treat.normal_force_N = {8};
  p.phases = {scan, treat};
  const auto plan = expand(p, test::bench_limits());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  Runner runner(*plan);
  test::FakeBench bench({});
  test::CountingSink sink;
  carry_out(runner, bench, sink);
  const auto verdict = judge(*plan, test::evidence_of(runner, bench));
  EXPECT_EQ(verdict.judgement, Judgement::kPass);
  ASSERT_EQ(verdict.strokes.size(), 2U);
  EXPECT_NEAR(verdict.strokes[0].mean_normal_force_N, 3, 0.3);
  EXPECT_NEAR(verdict.strokes[1].mean_normal_force_N, 8, 0.8);
  EXPECT_TRUE(verdict.left_out.empty());
}

/// Two phases of one stroke each, carried out; the second is then said to be limited by its dose.
struct TwoPhases {
  TwoPhases() {
    auto p = test::one_stroke();
    auto scan = phases_of(p).front();
    scan.name = "scan";
    auto treat = scan;
    treat.name = "treat";
    p.phases = {scan, treat};
    plan = *expand(p, test::bench_limits());
    Runner runner(plan);
    test::FakeBench bench({});
    test::CountingSink sink;
    carry_out(runner, bench, sink);
    evidence = test::evidence_of(runner, bench);
  }
  void take_away(std::size_t condition) {
    std::erase_if(evidence.steps, [&](const StepResult& s) { return s.condition == condition; });
  }
  Plan plan;
  RunEvidence evidence;
};

TEST(PhasesTest, StrokesThatNoDoseLeftOutAreMissing) {
  TwoPhases run;
  EXPECT_EQ(judge(run.plan, run.evidence).judgement, Judgement::kPass);
  run.take_away(1);
  const auto verdict = judge(run.plan, run.evidence);
  EXPECT_EQ(verdict.judgement, Judgement::kInvalid);
  EXPECT_TRUE(verdict.left_out.empty());
}

TEST(PhasesTest, APhaseOfWhichNothingWasLeftIsInvalid) {
  TwoPhases run;
  run.plan.phases[1].dose_fraction = 0.5;
  run.take_away(1);
  const auto verdict = judge(run.plan, run.evidence);
  EXPECT_EQ(verdict.judgement, Judgement::kInvalid);
  ASSERT_EQ(verdict.reasons.size(), 1U);
  EXPECT_THAT(verdict.reasons.front().text, HasSubstr("phase 'treat' gave no stroke"));
  EXPECT_THAT(verdict.left_out, ElementsAre(1U));
  EXPECT_THAT(to_junit(run.plan, verdict, 1), HasSubstr("left out: its phase had given its part of the dose"));
  EXPECT_THAT(to_json(run.plan, verdict), HasSubstr("\"left_out\""));
}

TEST(PhasesTest, AStrokeThatBeganWasNotLeftOut) {
  TwoPhases run;
  run.plan.phases[1].dose_fraction = 0.5;
  std::erase_if(run.evidence.steps,
                [&](const StepResult& s) { return s.condition == 1 && s.kind == StepKind::kStroke; });
  const auto verdict = judge(run.plan, run.evidence);
  EXPECT_EQ(verdict.judgement, Judgement::kInvalid);
  EXPECT_TRUE(verdict.left_out.empty());
}

TEST(PhasesTest, TheUsedPartOfADoseIsThatOfItsNearestLimit) {
  DoseConfig config;
  config.limits = {.max_time_s = 10, .max_strokes = 4, .max_impulse_N_s = 1e6, .max_work_J = 1e6};
  auto account = DoseAccount::make(config).value();
  EXPECT_EQ(account.used(), 0);
  for (std::int64_t i = 0; i <= 100; ++i) account.add({.at = {i * 50'000'000}, .normal_force_N = 2, .speed_m_s = 0});
  EXPECT_NEAR(account.used(), 0.5, 0.01) << "5 of 10 s, 1 of 4 strokes";
  config.limits.max_strokes = 1;
  auto few = DoseAccount::make(config).value();
  few.add({.at = {0}, .normal_force_N = 2});
  few.add({.at = {50'000'000}, .normal_force_N = 2});
  EXPECT_EQ(few.used(), 1);
  constexpr double kNone = std::numeric_limits<double>::infinity();
  config.limits = {.max_time_s = kNone,
                   .max_strokes = std::numeric_limits<std::uint32_t>::max(),
                   .max_impulse_N_s = kNone,
                   .max_work_J = kNone};
  auto free = DoseAccount::make(config).value();
  for (std::int64_t i = 0; i <= 100; ++i)
    free.add({.at = {i * 50'000'000}, .normal_force_N = 2, .tangential_force_N = 1, .speed_m_s = 1});
  EXPECT_LT(free.used(), 1e-6);
}

}  // namespace
}  // namespace strigil::protocols
