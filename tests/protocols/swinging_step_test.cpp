// A step of velocity on something that rings, or hums while it moves.
#include "protocols/swinging_step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace strigil::protocols {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kRate_Hz = 6400;
constexpr double kAcceleration_m_s2 = 5;
constexpr double kRamp_s = 2e-3;  // 10 mm/s

/// Acceleration that is felt on a mass on a spring whose foot begins to accelerate by 1 at t = 0.
double carried(double t, double hz, double zeta) {
  if (t <= 0) return 0;
  const double w = kTwoPi * hz;
  const double wd = w * std::sqrt(1 - zeta * zeta);
  return 1 - std::exp(-zeta * w * t) * (std::cos(wd * t) - zeta * w / wd * std::sin(wd * t));
}

/// A step whose ramp is centred on `at_s`, felt on a ringing mass, with whatever `more` adds.
TimeSeries felt(double at_s, double hz, double zeta, const auto& more) {
  TimeSeries s;
  for (double t = -0.3; t < 0.5; t += 1 / kRate_Hz) {
    s.at_s.push_back(t);
    s.value.push_back(0.4 +
                      kAcceleration_m_s2 *
                          (carried(t - at_s + kRamp_s / 2, hz, zeta) - carried(t - at_s - kRamp_s / 2, hz, zeta)) +
                      more(t));
  }
  return s;
}

TEST(SwingingStep, IsTimedThroughRingingOfEveryPitch) {
  for (const double hz : {42.0, 90.0, 140.0, 250.0, 400.0, 900.0}) {
    for (const double zeta : {0.02, 0.05, 0.1}) {
      for (const double at_s : {0.0, 0.0123, -0.021}) {
        const auto step = swinging_step(felt(at_s, hz, zeta, [](double) { return 0.0; }), 0, 60e-3, 0.2);
        // What the bell leaves of it (see the header), at the narrowest that may have been taken; and samples.
        const double bell_s = hz < 60 ? 9e-3 : hz < 120 ? 4.5e-3 : 2.25e-3;
        const double left_s = 2 * zeta / (std::pow(kTwoPi * hz, 3) * bell_s * bell_s);
        EXPECT_NEAR(step.at_s, at_s, left_s + 25e-6) << hz << " Hz, " << zeta;
        EXPECT_NEAR(step.change_m_s, kAcceleration_m_s2 * kRamp_s, 0.08 * kAcceleration_m_s2 * kRamp_s)
            << hz << " " << zeta;
      }
    }
  }
}

TEST(SwingingStep, IsTimedThroughHumAndNoise) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, 0.1);
  double worst_s = 0;
  for (int trial = 0; trial < 50; ++trial) {
    const double at_s = 1e-4 * trial;
    const auto hum = [&](double t) { return noise(random) + (t > at_s ? 2 * std::sin(kTwoPi * 400 * t + trial) : 0); };
    worst_s = std::max(worst_s, std::abs(swinging_step(felt(at_s, 250, 0.05, hum), 0, 60e-3, 0.2).at_s - at_s));
  }
  EXPECT_LT(worst_s, 0.6e-3);
}

TEST(SwingingStep, RestlessnessOfOneSideIsToldFromNoiseOfBoth) {
  std::mt19937 random(6);
  std::normal_distribution<double> noise(0, 0.05);
  int mistaken = 0;
  int missed = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const VelocityStep step{0, 0.01};
    const auto quiet = felt(0, 3000, 0.7, [&](double) { return noise(random); });
    mistaken += swings(quiet, step, 5e-3, 0.4) ? 1 : 0;
    const auto rings = felt(0, 200, 0.05, [&](double) { return noise(random); });
    missed += swings(rings, step, 5e-3, 0.4) ? 0 : 1;
  }
  EXPECT_EQ(mistaken, 0);
  EXPECT_EQ(missed, 0);
}

TEST(SwingingStep, WhatIsNotThereIsNotFound) {
  EXPECT_TRUE(std::isnan(swinging_step({}, 0, 60e-3, 0.2).at_s));
  TimeSeries still;
  for (double t = -0.3; t < 0.5; t += 1 / kRate_Hz) {
    still.at_s.push_back(t);
    still.value.push_back(0.4);
  }
  EXPECT_TRUE(std::isnan(swinging_step(still, 0, 60e-3, 0.2).at_s));
  EXPECT_FALSE(swings(still, {0, 0.01}, 5e-3, 0.4));
  // No bell fits between two steps so near to each other.
  EXPECT_TRUE(std::isnan(swinging_step(felt(0, 200, 0.05, [](double) { return 0.0; }), 0, 60e-3, 5e-3).at_s));
}

}  // namespace
}  // namespace strigil::protocols
