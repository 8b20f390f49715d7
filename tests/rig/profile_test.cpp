// Profile: whatever the limits and the length, no limit is passed, nothing jumps, and no time is given away.
#include "rig/profile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace strigil::rig {
namespace {

constexpr double kRounding = 1e-9;

TEST(Profile, WorkedByHand) {
  // a/j = 0.1 s, v/a = 0.1 s: up in 0.2 s over 10 mm, 80 mm even in 0.8 s, down in 0.2 s.
  const Profile p({0.1, 1, 10}, 0.1);
  EXPECT_NEAR(p.duration_s(), 1.2, 1e-12);
  EXPECT_NEAR(p.at(0.2).way_m, 0.01, 1e-12);
  EXPECT_NEAR(p.at(0.2).speed_m_s, 0.1, 1e-12);
  EXPECT_NEAR(p.at(0.1).acceleration_m_s2, 1, 1e-12);
  EXPECT_NEAR(p.at(0.6).way_m, 0.05, 1e-12);
  EXPECT_NEAR(p.peak_speed_m_s(), 0.1, 1e-12);
}

TEST(Profile, NoWayTakesNoTime) {
  const Profile p({0.1, 1, 10}, 0);
  EXPECT_EQ(p.duration_s(), 0);
  EXPECT_EQ(p.at(1).way_m, 0);
  EXPECT_EQ(Profile().at(1).way_m, 0);
}

TEST(Profile, TwoHundredThousandKeepTheirLimitsAndDoNotJump) {
  std::mt19937_64 random(41);
  const auto decades = [&](double from, double to) {
    return from * std::pow(to / from, std::uniform_real_distribution<>(0, 1)(random));
  };
  for (int n = 0; n < 200'000; ++n) {
    const ProfileLimits l{decades(1e-4, 1), decades(1e-2, 50), decades(1e-1, 1e4)};
    const double length = decades(1e-7, 2);
    const Profile p(l, length);
    const double T = p.duration_s();
    ASSERT_GT(T, 0);
    ProfilePoint last;
    double last_t = 0;
    for (int i = 0; i <= 20; ++i) {
      const double t = T * std::uniform_real_distribution<>(0, 1)(random);
      const auto now = p.at(t);
      ASSERT_LE(now.speed_m_s, l.speed_m_s * (1 + kRounding));
      ASSERT_GE(now.speed_m_s, -l.speed_m_s * kRounding);
      ASSERT_LE(std::abs(now.acceleration_m_s2), l.acceleration_m_s2 * (1 + kRounding));
      ASSERT_GE(now.way_m, -length * kRounding);
      ASSERT_LE(now.way_m, length * (1 + kRounding));
      // Between any two instants no more changes than the limits of the next derivative let it.
      const double apart = std::abs(t - last_t);
      ASSERT_LE(std::abs(now.way_m - last.way_m), l.speed_m_s * apart + kRounding * length);
      ASSERT_LE(std::abs(now.speed_m_s - last.speed_m_s), l.acceleration_m_s2 * apart + kRounding * l.speed_m_s);
      ASSERT_LE(std::abs(now.acceleration_m_s2 - last.acceleration_m_s2),
                l.jerk_m_s3 * apart + kRounding * l.acceleration_m_s2);
      last = now;
      last_t = t;
    }
    // It comes to rest at the end by itself, not because the end is written down.
    const auto end = p.at(T * (1 - 1e-12));
    ASSERT_NEAR(end.way_m, length, 1e-6 * length);
    ASSERT_NEAR(end.speed_m_s, 0, 1e-5 * p.peak_speed_m_s());
    // Nothing is given away: some limit holds it back in every piece, so no bound can be beaten by more than rounding.
    const double by_speed = length / l.speed_m_s;
    const double by_acceleration = 2 * std::sqrt(length / l.acceleration_m_s2);
    const double by_jerk = 4 * std::cbrt(length / (2 * l.jerk_m_s3));
    const double least = std::max({by_speed, by_acceleration, by_jerk});
    ASSERT_GE(T, least * (1 - kRounding));
    ASSERT_LE(T, by_speed + by_acceleration + by_jerk);
  }
}

}  // namespace
}  // namespace strigil::rig
