// Where a plan goes on after a suspension: from every step of plans of every make.
#include "protocols/resumption.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "fake_bench.hpp"

namespace strigil::protocols {
namespace {

PlanLimits limits(bool taps) {
  auto l = test::bench_limits();
  l.hold = rig::ForceControlConfig{};
  l.max_speed_m_s = 0.2;
  if (taps) l.taps = rig::TapConfig{.x_m = 185e-3, .start_z_m = -27e-3, .deepest_z_m = -32e-3};
  return l;
}

std::vector<Plan> plans() {
  std::vector<Plan> out;
  for (const bool taps : {false, true}) {
    for (const auto directions : {Directions::kForward, Directions::kBoth}) {
      auto p = test::one_stroke();
      p.directions = directions;
      p.repeats = 2;
      p.stroke_length_m = 40e-3;
      out.push_back(expand(p, limits(taps)).value());
      p.hold = Hold::kForce;
      p.force_rate_N_s = 20;
      p.acceleration_m_s2 = 1;
      p.jerk_m_s3 = 50;
      for (const double survey : {0.0, 25e-3}) {
        p.survey_speed_m_s = survey;
        p.shape = StrokeShape::kStraight;
        out.push_back(expand(p, limits(taps)).value());
        p.shape = StrokeShape::kFan;
        p.start_y_m = 40e-3;
        p.fan_strokes = 3;
        p.fan_spread_rad = 0.5;
        out.push_back(expand(p, limits(taps)).value());
        p.start_y_m = 0;
      }
    }
  }
  return out;
}

/// The steps that are gone through from the resumption on.
std::vector<std::size_t> steps_of(const Plan& plan, const Resumption& way) {
  std::vector<std::size_t> steps;
  for (auto i = way.from; i < plan.steps.size(); i = step_after(plan, way, i)) steps.push_back(i);
  return steps;
}

TEST(Resumption, FromEveryStepOfEveryPlanNothingIsLeftOutAndNothingDeliveredTwice) {
  std::size_t looked_at = 0;
  std::size_t of_their_own = 0;
  for (const auto& plan : plans()) {
    for (std::size_t broken = 0; broken < plan.steps.size(); ++broken) {
      const auto way = resumption_of(plan, broken);
      const auto steps = steps_of(plan, way);
      const auto does = [&](std::size_t i) { return std::find(steps.begin(), steps.end(), i) != steps.end(); };
      ++looked_at;
      of_their_own += way.pass ? 1 : 0;
      for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const auto kind = plan.steps[i].kind;
        if (i >= broken) {
          EXPECT_TRUE(does(i)) << "step " << i << " after " << broken;
        } else if (kind == StepKind::kStroke) {
          EXPECT_FALSE(does(i)) << "stroke " << i << " was delivered before " << broken;
        }
      }
      EXPECT_EQ(steps.front() == broken, steps.size() == plan.steps.size() - broken);
      EXPECT_LE(std::count_if(steps.begin(), steps.end(), [&](std::size_t i) { return i <= broken; }),
                static_cast<std::ptrdiff_t>(longest_contact(plan)));
      if (plan.steps[broken].kind == StepKind::kRetract) {
        EXPECT_EQ(steps.front(), broken);
        continue;
      }
      // A whole contact: up, over the place, a new zero, down, pressed, and the pass from where it begins.
      std::vector<StepKind> kinds;
      for (const auto i : steps) {
        if (i > broken && plan.steps[i].kind == StepKind::kRetract) break;
        kinds.push_back(plan.steps[i].kind);
      }
      ASSERT_GE(kinds.size(), 3U);
      EXPECT_EQ(kinds[0], StepKind::kLift);
      EXPECT_EQ(kinds[1], StepKind::kGoTo);
      EXPECT_EQ(kinds[2], StepKind::kTare);
    }
  }
  EXPECT_GT(looked_at, 300U);
  EXPECT_GT(of_their_own, 30U);
}

TEST(Resumption, ARepeatedStrokeBeginsAboveItsOwnBeginningAndIsMetSlowly) {
  for (const auto& plan : plans()) {
    for (std::size_t broken = 0; broken < plan.steps.size(); ++broken) {
      const auto way = resumption_of(plan, broken);
      if (!way.pass) continue;
      const Step& pass = plan.steps[*way.pass];
      ASSERT_EQ(pass.kind, StepKind::kStroke);
      std::size_t presses = 0;
      for (auto i = way.from; i < *way.pass; i = step_after(plan, way, i)) {
        const Step s = step_on(plan, way, i);
        if (s.kind == StepKind::kPress) ++presses;
        if (s.kind == StepKind::kGoTo) {
          EXPECT_EQ(s.target_m[rig::kZ], plan.limits.clear_z_m) << "never fast down to where nobody said it is free";
        }
        if (s.kind == StepKind::kApproach || (s.kind == StepKind::kPress && s.held)) {
          EXPECT_GT(s.timeout_s, plan.steps[i].timeout_s) << "it comes from higher up";
        }
        if (s.kind == StepKind::kGoTo || s.kind == StepKind::kApproach) {
          double x_m = plan.protocol.start_x_m;
          double y_m = plan.protocol.start_y_m;
          if (pass.held) {
            const auto& path = plan.ways[pass.way].path;
            x_m = path.at(pass.forward ? 0 : path.length_m()).position.x_m;
            y_m = path.at(pass.forward ? 0 : path.length_m()).position.y_m;
          } else if (!plan.conditions[pass.condition].forward) {
            x_m += plan.protocol.stroke_length_m;
          }
          EXPECT_NEAR(s.target_m[rig::kX], x_m, 1e-12);
          EXPECT_NEAR(s.target_m[rig::kY], y_m, 1e-12);
        }
      }
      EXPECT_EQ(presses, 1U);
      EXPECT_EQ(step_on(plan, way, *way.pass).target_m, pass.target_m) << "the stroke itself is as planned";
    }
  }
}

}  // namespace
}  // namespace strigil::protocols
