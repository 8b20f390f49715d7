// One axis with a ramp of its own: exact times, limits kept, and no dependence on how time is cut.
#include "sim/axis_motion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace strigil::sim {
namespace {

constexpr AxisMotionLimits kLimits{0.1, 1};

TEST(AxisMotion, ATrapezoidTakesItsExactTime) {
  AxisMotion m(kLimits, 0);
  m.move_to(0.1, 5);  // cut to 0.1 m/s: 0.1 s and 5 mm up, 90 mm in 0.9 s, 0.1 s down
  m.step(0.05);
  EXPECT_NEAR(m.velocity_m_s(), 0.05, 1e-15);
  EXPECT_NEAR(m.position_m(), 0.00125, 1e-15);
  m.step(0.5);
  EXPECT_NEAR(m.position_m(), 0.005 + 0.1 * 0.45, 1e-15);
  m.step(0.5);
  EXPECT_NEAR(m.velocity_m_s(), 0.05, 1e-12);
  EXPECT_FALSE(m.done());
  m.step(0.05 + 1e-9);
  EXPECT_TRUE(m.at_rest());
  EXPECT_EQ(m.position_m(), 0.1);
}

TEST(AxisMotion, AShortMoveIsATriangleAndNoMoveIsNone) {
  AxisMotion m({1, 1}, 0.5);
  m.move_to(0.49, 1);
  m.step(0.1);
  EXPECT_NEAR(m.velocity_m_s(), -0.1, 1e-12);
  EXPECT_NEAR(m.position_m(), 0.495, 1e-12);
  m.step(0.1 + 1e-9);
  EXPECT_TRUE(m.at_rest());
  EXPECT_EQ(m.position_m(), 0.49);
  m.move_to(0.49, 1);
  EXPECT_TRUE(m.at_rest());
  EXPECT_EQ(m.position_m(), 0.49);
}

TEST(AxisMotion, VelocityRampsThroughZero) {
  AxisMotion m(kLimits, 0);
  m.set_velocity(0.1);
  m.step(0.2);
  EXPECT_TRUE(m.done());
  EXPECT_FALSE(m.at_rest());
  EXPECT_NEAR(m.position_m(), 0.015, 1e-15);
  m.set_velocity(-7);
  EXPECT_EQ(m.asked_velocity_m_s(), -0.1);
  m.step(0.1);
  EXPECT_NEAR(m.velocity_m_s(), 0, 1e-15);
  EXPECT_NEAR(m.position_m(), 0.02, 1e-15);
  m.step(0.1);
  EXPECT_NEAR(m.velocity_m_s(), -0.1, 1e-15);
  m.stop();
  m.step(1);
  EXPECT_TRUE(m.at_rest());
  EXPECT_NEAR(m.position_m(), 0.01, 1e-15) << "5 mm back up the ramp, 5 mm of braking";
}

TEST(AxisMotion, TurnsBackWhenItCannotStopInTime) {
  AxisMotion m(kLimits, 0);
  m.set_velocity(0.1);
  m.step(0.1);  // at 5 mm
  m.move_to(0.007, 0.1);
  double furthest = 0;
  for (int i = 0; i < 10000; ++i) {
    m.step(1e-4);
    furthest = std::max(furthest, m.position_m());
  }
  EXPECT_NEAR(furthest, 0.01, 1e-8);
  EXPECT_EQ(m.position_m(), 0.007);
}

TEST(AxisMotion, SlowsDownToALowerSpeedFirst) {
  AxisMotion m(kLimits, 0);
  m.set_velocity(0.1);
  m.step(0.1);
  m.move_to(0.05, 0.02);
  m.step(0.08);
  EXPECT_NEAR(m.velocity_m_s(), 0.02, 1e-12);
  EXPECT_NEAR(m.position_m(), 0.005 + (0.01 - 0.0004) / 2, 1e-12);
  m.step(10);
  EXPECT_EQ(m.position_m(), 0.05);
}

TEST(AxisMotion, HaltIsAtOnce) {
  AxisMotion m(kLimits, 0);
  m.set_velocity(0.1);
  m.step(0.3);
  m.halt_at(0.02);
  EXPECT_TRUE(m.at_rest());
  m.step(1);
  EXPECT_EQ(m.position_m(), 0.02);
}

TEST(AxisMotion, MotionDoesNotDependOnHowTimeIsCut) {
  std::mt19937 random(3);
  const auto uniform = [&](double lo, double hi) { return std::uniform_real_distribution<>(lo, hi)(random); };
  for (int n = 0; n < 200; ++n) {
    const AxisMotionLimits limits{uniform(0.01, 0.3), uniform(0.1, 3)};
    AxisMotion coarse(limits, 0);
    AxisMotion fine(limits, 0);
    for (int command = 0; command < 10; ++command) {
      const double place = uniform(-0.1, 0.1);
      const double speed = uniform(0.001, 0.4);
      for (auto* m : {&coarse, &fine}) {
        if (command % 3 == 0) {
          m->set_velocity(place * 5);
        } else {
          m->move_to(place, speed);
        }
      }
      const double t = uniform(0, 0.5);
      coarse.step(t);
      for (int i = 0; i < 512; ++i) fine.step(t / 512);
      ASSERT_NEAR(coarse.position_m(), fine.position_m(), 1e-12) << n << ' ' << command;
      ASSERT_NEAR(coarse.velocity_m_s(), fine.velocity_m_s(), 1e-11) << n << ' ' << command;
    }
  }
}

TEST(AxisMotion, RandomCommandsKeepEveryLimitAndArrive) {
  std::mt19937 random(5);
  const auto uniform = [&](double lo, double hi) { return std::uniform_real_distribution<>(lo, hi)(random); };
  for (int n = 0; n < 500; ++n) {
    const AxisMotionLimits limits{uniform(0.01, 0.3), uniform(0.1, 3)};
    AxisMotion m(limits, 0);
    const double dt = uniform(1e-4, 5e-3);
    double before_m_s = 0;
    double before_m = 0;
    for (int i = 0; i < 400; ++i) {
      if (random() % 10 == 0) m.set_velocity(uniform(-0.5, 0.5));
      if (random() % 10 == 0) m.move_to(uniform(-0.05, 0.05), uniform(0.001, 0.4));
      m.step(dt);
      const double change = m.velocity_m_s() - before_m_s;
      ASSERT_LE(std::abs(m.velocity_m_s()), limits.max_speed_m_s * (1 + 1e-12));
      ASSERT_LE(std::abs(change), limits.acceleration_m_s2 * dt * (1 + 1e-6));
      // Within what any motion between the two velocities can come to at this acceleration.
      const double middle = (m.velocity_m_s() + before_m_s) / 2 * dt;
      ASSERT_NEAR(m.position_m() - before_m, middle, limits.acceleration_m_s2 * dt * dt / 4 + 1e-12);
      before_m_s = m.velocity_m_s();
      before_m = m.position_m();
    }
    const double target = uniform(-0.05, 0.05);
    m.move_to(target, uniform(0.01, 0.4));
    m.step(600);
    ASSERT_TRUE(m.at_rest());
    ASSERT_EQ(m.position_m(), target);
  }
}

}  // namespace
}  // namespace strigil::sim
