#include "protocols/force_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace strigil::protocols {
namespace {

using testing::HasSubstr;

TEST(ForceProfileTest, ShapesInClosedForm) {
  const auto constant = *ForceProfile::constant(6);
  EXPECT_EQ(constant.force_N(0.3), 6);
  EXPECT_EQ(constant.max_slope_N_m(0.1), 0);
  EXPECT_EQ(constant.max_speed_m_s(10, 0.1), std::numeric_limits<double>::infinity());

  const auto ramp = *ForceProfile::ramp(2, 8);
  EXPECT_DOUBLE_EQ(ramp.force_N(0.25), 3.5);
  EXPECT_EQ(ramp.force_N(1), 8);
  EXPECT_DOUBLE_EQ(ramp.max_slope_N_m(0.1), 60);
  EXPECT_DOUBLE_EQ(ramp.max_speed_m_s(15, 0.1), 0.25);

  const auto trapezoid = *ForceProfile::trapezoid(1, 9, 0.2, 0.4);
  EXPECT_EQ(trapezoid.force_N(0), 1);
  EXPECT_DOUBLE_EQ(trapezoid.force_N(0.1), 5);
  EXPECT_EQ(trapezoid.force_N(0.4), 9);
  EXPECT_DOUBLE_EQ(trapezoid.force_N(0.8), 5);
  EXPECT_EQ(trapezoid.force_N(1), 1);
  EXPECT_DOUBLE_EQ(trapezoid.max_slope_N_m(0.1), 8 / 0.02);

  const auto sine = *ForceProfile::half_sine(1, 5);
  EXPECT_EQ(sine.force_N(0), 1);
  EXPECT_DOUBLE_EQ(sine.force_N(0.5), 5);
  EXPECT_EQ(sine.force_N(1), 1);
  EXPECT_NEAR(sine.force_N(1.0 / 6), 3, 1e-12);
  EXPECT_NEAR(sine.max_slope_N_m(1), 4 * std::acos(-1.0), 1e-12);
}

TEST(ForceProfileTest, BeyondTheEndsIsAsAtTheEnds) {
  const auto ramp = *ForceProfile::ramp(2, 8);
  EXPECT_EQ(ramp.force_N(-3), 2);
  EXPECT_EQ(ramp.force_N(4), 8);
  EXPECT_EQ(ramp.force_N(std::numeric_limits<double>::quiet_NaN()), 2);
}

TEST(ForceProfileTest, WhatIsNoForceIsRefused) {
  EXPECT_FALSE(ForceProfile::constant(-1));
  EXPECT_FALSE(ForceProfile::constant(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(ForceProfile::ramp(1, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(ForceProfile::half_sine(-1, 2));
  EXPECT_FALSE(ForceProfile::trapezoid(1, 2, 0, 0.5));
  EXPECT_FALSE(ForceProfile::trapezoid(1, 2, 0.5, std::numeric_limits<double>::quiet_NaN()));
  const auto over = ForceProfile::trapezoid(1, 2, 0.6, 0.5);
  ASSERT_FALSE(over);
  EXPECT_THAT(over.error().message, HasSubstr("0.6"));
}

TEST(ForceProfileProperty, ContinuousWithinItsSlopeAndItsExtremes) {
  std::mt19937 random(5);
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int i = 0; i < 5'000; ++i) {
    const double a = between(0, 30);
    const double b = between(0, 30);
    const double rise = between(0.02, 0.96);
    auto made = i % 4 == 0   ? ForceProfile::constant(a)
                : i % 4 == 1 ? ForceProfile::ramp(a, b)
                : i % 4 == 2 ? ForceProfile::trapezoid(a, b, rise, between(0.02, 1 - rise))
                             : ForceProfile::half_sine(a, b);
    ASSERT_TRUE(made);
    const auto& profile = *made;
    const double way_m = between(0.01, 0.3);
    double steepest = 0;
    double f = 0;
    double highest = profile.force_N(0);
    for (int k = 0; k < 1000; ++k) {
      const double next = f + between(1e-4, 0.002);  // much less than any flank
      const double change_N = std::abs(profile.force_N(next) - profile.force_N(f));
      const double slope_N_m = change_N / ((next - f) * way_m);
      ASSERT_LE(slope_N_m, profile.max_slope_N_m(way_m) * (1 + 1e-9) + 1e-6);
      ASSERT_LE(profile.force_N(f), profile.max_force_N() + 1e-12);
      ASSERT_GE(profile.force_N(f), profile.min_force_N() - 1e-12);
      steepest = std::max(steepest, slope_N_m);
      highest = std::max(highest, profile.force_N(f));
      f = next;
    }
    if (f >= 1) {
      ASSERT_GE(steepest, 0.9 * profile.max_slope_N_m(way_m)) << "and the slope is not just any bound";
    }
    // At its highest speed no force changes faster than asked.
    const double v = profile.max_speed_m_s(15, way_m);
    if (std::isfinite(v)) {
      ASSERT_NEAR(v * profile.max_slope_N_m(way_m), 15, 1e-9);
    }
  }
}

TEST(ForceProfileTest, AScoopEntersDeepensAndLeaves) {
  const auto scoop = scooping_stroke({.straight = {.from = {0.01, 0.02}, .length_m = 0.1},
                                      .enter_N = 1,
                                      .deep_N = 8,
                                      .enter_fraction = 0.25,
                                      .leave_fraction = 0.5});
  ASSERT_TRUE(scoop) << scoop.error().message;
  const auto force_at = [&](double s) { return scoop->force.force_N(scoop->path.at(s).pass_fraction); };
  EXPECT_EQ(force_at(0), 1);
  EXPECT_DOUBLE_EQ(force_at(0.0125), 4.5);
  EXPECT_DOUBLE_EQ(force_at(0.04), 8);
  EXPECT_NEAR(force_at(0.075), 4.5, 1e-12);
  EXPECT_EQ(force_at(0.1), 1);
  EXPECT_FALSE(scooping_stroke({.straight = {.length_m = 0.1}, .enter_N = 5, .deep_N = 4}));
  EXPECT_FALSE(scooping_stroke({.straight = {.length_m = 0}, .enter_N = 1, .deep_N = 4}));
}

}  // namespace
}  // namespace strigil::protocols
