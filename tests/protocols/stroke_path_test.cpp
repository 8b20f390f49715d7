#include "protocols/stroke_path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace strigil::protocols {
namespace {

using testing::HasSubstr;

constexpr double kPi = std::numbers::pi;
constexpr double kMm = 1e-3;

double distance(PathPosition a, PathPosition b) { return std::hypot(b.x_m - a.x_m, b.y_m - a.y_m); }

StrokePath must(daq::Result<StrokePath> path) {
  EXPECT_TRUE(path) << (path ? "" : path.error().message);
  return std::move(path).value();
}
std::string refusal(const daq::Result<StrokePath>& path) { return path ? "made" : path.error().message; }

void expect_near(PathPosition a, PathPosition b, double within_m = 1e-12) {
  EXPECT_LT(distance(a, b), within_m) << a.x_m << ", " << a.y_m << " and " << b.x_m << ", " << b.y_m;
}

TEST(StrokePathTest, AStraightStrokeIsALine) {
  const auto path = must(unidirectional_path({.from = {0.01, 0.02}, .heading_rad = kPi / 2, .length_m = 0.1}));
  EXPECT_DOUBLE_EQ(path.length_m(), 0.1);
  expect_near(path.at(0.03).position, {0.01, 0.05});
  EXPECT_NEAR(path.at(0.03).tangent_x, 0, 1e-15);
  EXPECT_DOUBLE_EQ(path.at(0.03).tangent_y, 1);
  EXPECT_DOUBLE_EQ(path.at(0.03).pass_fraction, 0.3);
  EXPECT_TRUE(path.corners().empty());
  expect_near(path.at(-1).position, {0.01, 0.02});
  expect_near(path.at(7).position, {0.01, 0.12});
  EXPECT_EQ(path.at(std::numeric_limits<double>::quiet_NaN()).position.y_m, 0.02);
}

TEST(StrokePathTest, UnidirectionalStrokesGoBackLifted) {
  const auto path = must(unidirectional_path({.length_m = 0.1}, 3));
  EXPECT_EQ(path.passes(), 3U);
  EXPECT_NEAR(path.length_m(), 0.5, 1e-15);
  EXPECT_TRUE(path.at(0.05).pressed);
  const auto back = path.at(0.15);
  EXPECT_FALSE(back.pressed);
  EXPECT_EQ(back.pass, 0U);
  EXPECT_EQ(back.pass_fraction, 1) << "the force profile of a stroke is over";
  EXPECT_EQ(path.at(0.2 + 1e-9).pass, 1U);
  EXPECT_NEAR(path.at(0.225).pass_fraction, 0.25, 1e-12);
  EXPECT_NEAR(path.pass_length_m(0), 0.1, 1e-15);
  EXPECT_EQ(path.corners().size(), 4U);
}

TEST(StrokePathTest, BackAndForthTurnsAtItsEnds) {
  const auto path = must(back_and_forth_path({.from = {0.02, 0}, .heading_rad = 0, .length_m = 0.05}, 4));
  EXPECT_EQ(path.passes(), 4U);
  ASSERT_EQ(path.corners().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(path.corners()[i].at_m, 0.05 * static_cast<double>(i + 1), 1e-15);
    EXPECT_NEAR(std::abs(path.corners()[i].turn_rad), kPi, 1e-12);
  }
  expect_near(path.at(0.06).position, {0.06, 0});
  EXPECT_NEAR(path.at(0.06).tangent_x, -1, 1e-15);
  expect_near(path.at(0.2).position, {0.02, 0});
  EXPECT_TRUE(path.at(0.06).pressed);
}

TEST(StrokePathTest, AFanGoesOutFromItsPivot) {
  FanShape fan{
      .pivot = {0.1, 0.1}, .first_heading_rad = -kPi / 4, .spread_rad = kPi / 2, .strokes = 3, .length_m = 0.04};
  const auto lifted = must(fanning_path(fan));
  EXPECT_EQ(lifted.passes(), 3U);
  EXPECT_NEAR(lifted.length_m(), 5 * 0.04, 1e-15);
  expect_near(lifted.at(0.04).position, {0.1 + 0.04 * std::sqrt(0.5), 0.1 - 0.04 * std::sqrt(0.5)});
  expect_near(lifted.at(0.08).position, fan.pivot);
  expect_near(lifted.at(0.12).position, {0.14, 0.1});
  expect_near(lifted.at(0.20).position, {0.1 + 0.04 * std::sqrt(0.5), 0.1 + 0.04 * std::sqrt(0.5)});
  EXPECT_FALSE(lifted.at(0.06).pressed);

  fan.back_pressed = true;
  const auto pressed = must(fanning_path(fan));
  EXPECT_EQ(pressed.passes(), 6U);
  EXPECT_NEAR(pressed.length_m(), 6 * 0.04, 1e-15);
  EXPECT_TRUE(pressed.at(0.06).pressed);
  expect_near(pressed.at(0.24).position, fan.pivot);
  EXPECT_EQ(pressed.corners().size(), 5U);
}

TEST(StrokePathTest, AFrameGoesRoundARectangle) {
  FrameShape frame{.outline = rectangle_outline({0.05, 0.05}, 0, 0.06, 0.04), .laps = 2};
  const auto sharp = must(framing_path(frame));
  EXPECT_NEAR(sharp.length_m(), 2 * 0.2, 1e-12);
  EXPECT_EQ(sharp.passes(), 2U);
  ASSERT_EQ(sharp.corners().size(), 7U) << "four each lap, of which the last is the end";
  for (const auto& c : sharp.corners()) EXPECT_NEAR(c.turn_rad, kPi / 2, 1e-9);
  EXPECT_NEAR(sharp.box().min_x_m, 0.02, 1e-12);
  EXPECT_NEAR(sharp.box().max_y_m, 0.07, 1e-12);

  frame.corner_radius_m = 0.01;
  const auto round = must(framing_path(frame));
  EXPECT_TRUE(round.corners().empty());
  EXPECT_NEAR(round.length_m(), 2 * (0.2 - 8 * 0.01 + 2 * kPi * 0.01), 1e-9);
  expect_near(round.at(round.length_m()).position, round.at(0).position, 1e-9);
  EXPECT_NEAR(round.box().min_x_m, 0.02, 1e-9);
  EXPECT_NEAR(round.box().max_y_m, 0.07, 1e-9);
}

TEST(StrokePathTest, AJStrokeEndsInAHook) {
  const auto path = must(j_stroke_path({.straight = {.length_m = 0.08}, .radius_m = 0.02, .sweep_rad = -kPi}));
  EXPECT_NEAR(path.length_m(), 0.08 + kPi * 0.02, 1e-15);
  EXPECT_TRUE(path.corners().empty());
  EXPECT_EQ(path.passes(), 1U);
  expect_near(path.at(path.length_m()).position, {0.08, -0.04});
  EXPECT_DOUBLE_EQ(path.at(0.1).curvature_per_m, -50);
  EXPECT_NEAR(path.box().max_x_m, 0.10, 1e-12) << "the hook reaches farthest in the middle";
  EXPECT_NEAR(path.box().min_y_m, -0.04, 1e-12);
}

TEST(StrokePathTest, SpeedFallsToZeroAtCornersAndIsBoundByArcs) {
  const PathSpeedLimits limits{.max_speed_m_s = 0.2, .max_acceleration_m_s2 = 1, .max_centripetal_m_s2 = 0.5};
  const auto j = must(j_stroke_path({.straight = {.length_m = 0.2}, .radius_m = 0.02, .sweep_rad = kPi}));
  EXPECT_EQ(j.allowed_speed_m_s(0, limits), 0);
  EXPECT_EQ(j.allowed_speed_m_s(j.length_m(), limits), 0);
  EXPECT_NEAR(j.allowed_speed_m_s(0.005, limits), std::sqrt(2 * 1 * 0.005), 1e-12);
  EXPECT_DOUBLE_EQ(j.allowed_speed_m_s(0.1, limits), 0.2);
  EXPECT_DOUBLE_EQ(j.allowed_speed_m_s(0.22, limits), 0.1) << "sqrt(a r)";
  EXPECT_NEAR(j.allowed_speed_m_s(0.19, limits), std::sqrt(0.01 + 2 * 0.01), 1e-12) << "brakes for the arc";

  const auto there_and_back = must(back_and_forth_path({.length_m = 0.1}, 2));
  EXPECT_NEAR(there_and_back.allowed_speed_m_s(0.1, limits), 0, 1e-9);
  EXPECT_NEAR(there_and_back.allowed_speed_m_s(0.102, limits), std::sqrt(2 * 0.002), 1e-9);
}

TEST(StrokePathTest, TravelIsCheckedInWords) {
  const auto path = must(unidirectional_path({.from = {0.05, 0.05}, .length_m = 0.1}));
  EXPECT_TRUE(check_travel(path, {0, 0, -1}, {0.15, 0.1, 0}));
  const auto beyond = check_travel(path, {0, 0, -1}, {0.1468, 0.1, 0});
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, testing::AllOf(HasSubstr("3.2 mm"), HasSubstr("+x")));
  const auto below = check_travel(path, {0, 0.06, -1}, {0.2, 0.1, 0});
  ASSERT_FALSE(below);
  EXPECT_THAT(below.error().message, testing::AllOf(HasSubstr("10 mm"), HasSubstr("-y")));
}

TEST(StrokePathTest, WhatIsNoPathIsRefused) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(refusal(StrokePath::from_segments({})), HasSubstr("needs a segment"));
  EXPECT_THAT(refusal(unidirectional_path({.length_m = 0})), HasSubstr("nowhere"));
  EXPECT_THAT(refusal(unidirectional_path({.length_m = -1})), HasSubstr("nowhere"));
  EXPECT_THAT(refusal(unidirectional_path({.heading_rad = kNaN, .length_m = 1})), HasSubstr("none"));
  EXPECT_THAT(refusal(back_and_forth_path({.length_m = 1}, 0)), HasSubstr("0 strokes"));
  EXPECT_THAT(refusal(fanning_path({.spread_rad = 0, .strokes = 2, .length_m = 1})), HasSubstr("spread"));
  EXPECT_THAT(refusal(fanning_path({.spread_rad = 7, .strokes = 2, .length_m = 1})), HasSubstr("full turn"));
  EXPECT_THAT(refusal(j_stroke_path({.straight = {.length_m = 1}, .radius_m = 0, .sweep_rad = 1})),
              HasSubstr("radius"));
  EXPECT_THAT(refusal(j_stroke_path({.straight = {.length_m = 1}, .radius_m = 1, .sweep_rad = 0})), HasSubstr("sweep"));
  EXPECT_THAT(refusal(j_stroke_path({.straight = {.length_m = 1}, .radius_m = 1, .sweep_rad = 7})),
              HasSubstr("full turn"));
  EXPECT_THAT(refusal(framing_path({.outline = {{0, 0}, {1, 0}}})), HasSubstr("three"));
  EXPECT_THAT(refusal(framing_path({.outline = {{0, 0}, {1, 0}, {1, 0}}})), HasSubstr("corners 2 and 3"));
  EXPECT_THAT(refusal(framing_path({.outline = rectangle_outline({}, 0, 0.06, 0.04), .corner_radius_m = 0.021})),
              HasSubstr("radius of 21 mm"));
  EXPECT_THAT(refusal(framing_path({.outline = {{0, 0}, {1, 0}, {0.5, 0}}, .corner_radius_m = 0.01})),
              HasSubstr("turns back"));
  EXPECT_THAT(refusal(StrokePath::from_segments({{.length_m = 1}, {.from = {1.1, 0}, .length_m = 1}})),
              HasSubstr("100 mm from"));
  EXPECT_THAT(refusal(StrokePath::from_segments({{.length_m = 1}, {.from = {1, 0}, .length_m = 1, .pass = 2}})),
              HasSubstr("one by one"));
  EXPECT_THAT(refusal(StrokePath::from_segments({{.length_m = 1, .pressed = false}})), HasSubstr("never presses"));
}

/// Any path at all: segments one behind the other, some with corners between them, some lifted; and any of the shapes.
class AnyPath {
 public:
  explicit AnyPath(unsigned seed) : random_(seed) {}
  double between(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  int one_of(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  PathPosition place() { return {between(-0.3, 0.3), between(-0.3, 0.3)}; }
  StraightShape straight() {
    return {.from = place(), .heading_rad = between(-10, 10), .length_m = std::pow(10, between(-4, -0.5))};
  }
  daq::Result<StrokePath> next() {
    switch (one_of(7)) {
      case 0:
        return unidirectional_path(straight(), 1 + one_of(4));
      case 1:
        return back_and_forth_path(straight(), 1 + one_of(6));
      case 2: {
        const int strokes = 1 + one_of(6);
        return fanning_path({.pivot = place(),
                             .first_heading_rad = between(-10, 10),
                             .spread_rad = strokes > 1 ? between(-6, 6) : 0,
                             .strokes = strokes,
                             .length_m = between(0.001, 0.2),
                             .back_pressed = one_of(2) == 0});
      }
      case 3: {
        const double length = between(0.01, 0.2);
        const double width = between(0.01, 0.2);
        return framing_path({.outline = rectangle_outline(place(), between(-4, 4), length, width),
                             .corner_radius_m = one_of(2) == 0 ? 0 : between(1e-4, 0.5) * std::min(length, width),
                             .laps = 1 + one_of(3)});
      }
      case 4:
        return framing_path({.outline = star(), .laps = 1 + one_of(2)});
      case 5:
        return j_stroke_path({.straight = straight(),
                              .radius_m = std::pow(10, between(-3, 1)),
                              .sweep_rad = std::copysign(between(0.001, 2 * kPi), between(-1, 1))});
      default:
        return StrokePath::from_segments(segments());
    }
  }

 private:
  /// Around a centre, so that no two neighbours are too near.
  std::vector<PathPosition> star() {
    const auto centre = place();
    const int n = 3 + one_of(6);
    std::vector<PathPosition> out;
    for (int i = 0; i < n; ++i) {
      const double r = between(0.01, 0.1);
      const double angle = 2 * kPi * (i + between(0, 0.5)) / n;
      out.push_back({centre.x_m + r * std::cos(angle), centre.y_m + r * std::sin(angle)});
    }
    return out;
  }
  std::vector<PathSegment> segments() {
    std::vector<PathSegment> out;
    const int n = 1 + one_of(8);
    for (int i = 0; i < n; ++i) {
      PathSegment s{.from = place(), .heading_rad = between(-4, 4), .length_m = std::pow(10, between(-4, -0.5))};
      // Curvatures over many decades, as far as a full turn.
      if (one_of(3) > 0) {
        s.curvature_per_m = std::copysign(2 * kPi / s.length_m * std::pow(10, between(-12, 0)), between(-1, 1));
      }
      if (!out.empty()) {
        const auto& before = out.back();
        s.from = before.at(before.length_m);
        if (one_of(2) == 0) s.heading_rad = before.heading_at(before.length_m);
        s.pass = before.pass + static_cast<std::size_t>(one_of(2));
        s.pressed = s.pass != before.pass || one_of(3) > 0;
      }
      out.push_back(s);
    }
    return out;
  }
  std::mt19937 random_;
};

constexpr int kPaths = 20'000;
constexpr int kLooks = 64;

TEST(StrokePathProperty, EveryPathIsContinuousWithUnitTangentsInItsBox) {
  AnyPath any(1);
  for (int i = 0; i < kPaths; ++i) {
    const auto path = must(any.next());
    const auto& box = path.box();
    PathPoint last = path.at(0);
    double last_s = 0;
    for (int k = 0; k < kLooks; ++k) {
      const double s = last_s + any.between(0, 2 * path.length_m() / kLooks);
      const auto p = path.at(s);
      ASSERT_NEAR(std::hypot(p.tangent_x, p.tangent_y), 1, 1e-12);
      // No place is farther away than the way to it: continuous, at most at the pace of the way.
      const double way = std::min(s, path.length_m()) - last_s;
      ASSERT_LE(distance(last.position, p.position), way + 1e-9);
      ASSERT_GE(p.position.x_m, box.min_x_m - 1e-9);
      ASSERT_LE(p.position.x_m, box.max_x_m + 1e-9);
      ASSERT_GE(p.position.y_m, box.min_y_m - 1e-9);
      ASSERT_LE(p.position.y_m, box.max_y_m + 1e-9);
      ASSERT_GE(p.pass_fraction, p.pass == last.pass ? last.pass_fraction - 1e-9 : 0);
      ASSERT_LE(p.pass_fraction, 1);
      ASSERT_GE(p.pass, last.pass);
      last = p;
      last_s = std::min(s, path.length_m());
    }
  }
}

TEST(StrokePathProperty, TheWayIsTheLengthOfTheCurve) {
  AnyPath any(2);
  for (int i = 0; i < kPaths / 4; ++i) {
    const auto path = must(any.next());
    for (std::size_t n = 0; n < path.segments().size(); ++n) {
      // Chords are short by a fraction (turn of one)^2 / 24 at most.
      const auto& segment = path.segments()[n];
      constexpr int kChords = 200;
      double sum = 0;
      auto from = segment.at(0);
      for (int k = 1; k <= kChords; ++k) {
        const auto to = segment.at(segment.length_m * k / kChords);
        sum += distance(from, to);
        from = to;
      }
      const double turn = segment.curvature_per_m * segment.length_m / kChords;
      ASSERT_LE(sum, segment.length_m * (1 + 1e-9));
      ASSERT_GE(sum, segment.length_m * (1 - turn * turn / 24 - 1e-9));
      // Tangent and curvature are the derivatives of the position, within what a step of 1e-5 of the segment shows.
      const double step = segment.length_m * 1e-5;
      const double u = any.between(2 * step, segment.length_m - 2 * step);
      const auto point = path.at(path.begin_of_m(n) + u);
      const auto before = segment.at(u - step);
      const auto after = segment.at(u + step);
      ASSERT_NEAR((after.x_m - before.x_m) / (2 * step), point.tangent_x, 1e-5);
      ASSERT_NEAR((after.y_m - before.y_m) / (2 * step), point.tangent_y, 1e-5);
      const double turned = segment.heading_at(u + step) - segment.heading_at(u - step);
      ASSERT_NEAR(turned / (2 * step), point.curvature_per_m, 1e-3 + 1e-6 * std::abs(point.curvature_per_m));
    }
  }
}

/// Every jump of the tangent is a corner, and there is no other.
TEST(StrokePathProperty, CornersAreWhereTheTangentJumps) {
  AnyPath any(3);
  std::size_t corners = 0;
  for (int i = 0; i < kPaths / 4; ++i) {
    const auto path = must(any.next());
    auto corner = path.corners().begin();
    for (std::size_t n = 1; n < path.segments().size(); ++n) {
      const auto& before = path.segments()[n - 1];
      const auto& after = path.segments()[n];
      const double end = before.heading_at(before.length_m);
      const double cosine = std::cos(end) * std::cos(after.heading_rad) + std::sin(end) * std::sin(after.heading_rad);
      const bool jumps = cosine < 1 - 1e-11;
      const bool listed = corner != path.corners().end() && corner->at_m == path.begin_of_m(n);
      if (jumps || before.pressed != after.pressed) {
        ASSERT_TRUE(listed);
        ASSERT_NEAR(std::cos(corner->turn_rad), jumps ? cosine : 1, 1e-9);
      }
      if (listed) {
        ASSERT_TRUE(cosine < 1 - 1e-13 || before.pressed != after.pressed);
        ++corner;
        ++corners;
      }
    }
    ASSERT_EQ(corner, path.corners().end());
  }
  EXPECT_GT(corners, 1000U);
}

TEST(StrokePathProperty, TheAllowedSpeedCanBeDrivenAndKeepsEveryLimit) {
  AnyPath any(4);
  for (int i = 0; i < kPaths / 4; ++i) {
    const auto path = must(any.next());
    const PathSpeedLimits limits{.max_speed_m_s = any.between(0.01, 0.4),
                                 .max_acceleration_m_s2 = any.between(0.1, 5),
                                 .max_centripetal_m_s2 = any.between(0.1, 5)};
    ASSERT_EQ(path.allowed_speed_m_s(0, limits), 0);
    ASSERT_EQ(path.allowed_speed_m_s(path.length_m(), limits), 0);
    for (const auto& c : path.corners()) ASSERT_LT(path.allowed_speed_m_s(c.at_m, limits), 1e-9);
    double last_s = 0;
    double last_v = 0;
    for (int k = 0; k < kLooks; ++k) {
      const double s = std::min(path.length_m(), last_s + any.between(0, 2 * path.length_m() / kLooks));
      const double v = path.allowed_speed_m_s(s, limits);
      ASSERT_LE(v, limits.max_speed_m_s);
      ASSERT_LE(v * v * std::abs(path.at(s).curvature_per_m), limits.max_centripetal_m_s2 * (1 + 1e-9));
      ASSERT_LE(std::abs(v * v - last_v * last_v), 2 * limits.max_acceleration_m_s2 * (s - last_s) + 1e-12);
      last_s = s;
      last_v = v;
    }
  }
}

}  // namespace
}  // namespace strigil::protocols
