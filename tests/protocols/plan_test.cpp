#include "protocols/plan.hpp"
#include "daq/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fake_bench.hpp"

namespace strigil::protocols {
namespace {

using test::bench_limits;
using test::one_stroke;
using testing::HasSubstr;

std::string refusal(const Protocol& p, const PlanLimits& l = bench_limits()) {
  const auto plan = expand(p, l);
  EXPECT_FALSE(plan.ok());
  return plan.ok() ? "" : plan.error().message;
}

TEST(PlanTest, ListsExpandToTheFullFactorial) {
  auto p = one_stroke();
  p.normal_force_N = {3, 6, 9};
  p.stroke_speed_m_s = {0.05, 0.1};
  p.directions = Directions::kBoth;
  p.repeats = 2;
  const auto plan = expand(p, bench_limits());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->conditions.size(), 3U * 2 * 2 * 2);
  std::set<std::string> names;
  for (const auto& c : plan->conditions) names.insert(c.name());
  EXPECT_EQ(names.size(), plan->conditions.size());
  std::size_t strokes = 0;
  for (const auto& s : plan->steps) {
    ASSERT_LT(s.condition, plan->conditions.size());
    EXPECT_GT(s.timeout_s, plan->estimated_step_s(s)) << name_of(s.kind);
    if (s.kind != StepKind::kStroke) continue;
    EXPECT_EQ(s.condition, strokes) << "one stroke for each condition, in order";
    const auto& c = plan->conditions[s.condition];
    EXPECT_DOUBLE_EQ(s.speed_m_s, c.speed_m_s);
    EXPECT_DOUBLE_EQ(s.target_m[rig::kX], c.forward ? 90e-3 : 30e-3);
    ++strokes;
  }
  EXPECT_EQ(strokes, plan->conditions.size());
}

TEST(PlanTest, TheTareComesWhereNothingTouchesAndTheRetractLast) {
  const auto plan = expand(one_stroke(), bench_limits());
  ASSERT_TRUE(plan.ok());
  using enum StepKind;
  const std::vector<StepKind> order{kLift, kGoTo, kTare, kGoTo, kApproach, kPress, kDwell, kStroke, kRetract};
  ASSERT_EQ(plan->steps.size(), order.size());
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(plan->steps[i].kind, order[i]) << i;
  EXPECT_DOUBLE_EQ(plan->steps[1].target_m[rig::kZ], bench_limits().clear_z_m);
}

TEST(PlanTest, EveryLimitIsCheckedBeforeAnythingMoves) {
  auto p = one_stroke();
  p.max_force_N = 26;
  EXPECT_THAT(refusal(p), HasSubstr("interlock trips at 25 N"));
  p = one_stroke();
  p.normal_force_N = {6, 11.9};
  EXPECT_THAT(refusal(p), HasSubstr("11.9 N (+3 %) exceeds"));
  p = one_stroke();
  p.normal_force_N = {0.3};
  EXPECT_THAT(refusal(p), HasSubstr("not above the contact force"));
  p = one_stroke();
  p.stroke_speed_m_s = {0.1, 0.25};
  EXPECT_THAT(refusal(p), HasSubstr("250 mm/s exceeds the stage's 200 mm/s"));
  p = one_stroke();
  p.stroke_length_m = 180e-3;
  EXPECT_THAT(refusal(p), HasSubstr("the end of the stroke is at x = 210.0 mm"));
  p = one_stroke();
  p.start_x_m = -1e-3;
  EXPECT_THAT(refusal(p), HasSubstr("the start is at x = -1.0 mm"));
  p = one_stroke();
  p.start_y_m = 101e-3;
  EXPECT_THAT(refusal(p), HasSubstr("y = 101.0 mm"));
  p = one_stroke();
  p.deepest_z_m = -81e-3;
  EXPECT_THAT(refusal(p), HasSubstr("the deepest approach is at z = -81.0 mm"));
  p = one_stroke();
  p.start_z_m = -4e-3;
  EXPECT_THAT(refusal(p), HasSubstr("above the bench's clear_z_mm"));
  p = one_stroke();
  p.stroke_length_m = 5e-3;
  EXPECT_THAT(refusal(p), HasSubstr("has told its speed"));
  auto slow = bench_limits();
  slow.max_speed_m_s = 5e-3;
  p = one_stroke();
  p.stroke_speed_m_s = {4e-3};
  EXPECT_THAT(refusal(p, slow), HasSubstr("an approach at 8 mm/s exceeds"));
  EXPECT_THAT(refusal(p, slow), HasSubstr("Nothing was moved"));
  EXPECT_THAT(refusal(p, slow), HasSubstr("one.toml"));
}

TEST(PlanTest, TheAngleMustBeTheOneThatTheInstrumentIsHeldAt) {
  auto p = one_stroke();
  auto limits = bench_limits();
  p.angle_rad = 1.0;
  EXPECT_TRUE(expand(p, limits).ok()) << "a bench that does not know";
  limits.angle_rad = 1.008;
  EXPECT_TRUE(expand(p, limits).ok()) << "set by hand";
  limits.angle_rad = 1.02;
  const auto plan = expand(p, limits);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, HasSubstr("[instrument] angle_deg"));
}

TEST(PlanTest, TooLargeAFactorialIsRefused) {
  auto p = one_stroke();
  p.normal_force_N.assign(200, 6);
  p.stroke_speed_m_s.assign(200, 0.1);
  p.repeats = 1000;
  EXPECT_THAT(refusal(p), HasSubstr("more than 10000 strokes"));
}

TEST(PlanTest, TheDryRunShowsEveryStepAndTheLimits) {
  const auto plan = expand(one_stroke(), bench_limits());
  ASSERT_TRUE(plan.ok());
  const auto text = to_text(*plan);
  EXPECT_THAT(text, HasSubstr("limits: force 12 N (bench 25 N)"));
  for (const auto& s : plan->steps) EXPECT_THAT(text, HasSubstr(std::string(name_of(s.kind))));
  const auto j = daq::parse_json(to_json(*plan));
  EXPECT_EQ(j["steps"].size(), plan->steps.size());
  EXPECT_EQ(j["conditions"][0]["name"], "6 N, 100 mm/s, forward, repeat 1");
  EXPECT_EQ(j["limits"]["bench_max_force_N"], 25);
  EXPECT_GT(j["estimated_duration_s"].get<double>(), 1);
}

}  // namespace
}  // namespace strigil::protocols
