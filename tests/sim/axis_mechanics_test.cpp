// What lies between the place that is counted and the place where the edge is.
#include "sim/axis_mechanics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace strigil::sim {
namespace {

constexpr double kDt_s = 1.0 / 12800;
constexpr double kTwoPi = 2 * std::numbers::pi;

/// Counts from where it stands to `to_m` at one speed, and then waits.
struct Axis {
  AxisMechanics mechanics;
  double counted_m;
  double push_N = 0;

  explicit Axis(const AxisMechanicsConfig& c, double at_m = 0) : mechanics(c, at_m, 3), counted_m(at_m) {}
  void step(double counted_m_s) {
    counted_m += counted_m_s * kDt_s;
    mechanics.step(kDt_s, counted_m, counted_m_s, push_N);
  }
  void go(double to_m, double speed_m_s) {
    const double v = to_m > counted_m ? speed_m_s : -speed_m_s;
    while (std::abs(to_m - counted_m) > 1.5 * speed_m_s * kDt_s) step(v);
    counted_m = to_m;
    mechanics.step(kDt_s, counted_m, 0, push_N);
  }
  void wait(double seconds) {
    for (int n = 0; n < static_cast<int>(seconds / kDt_s); ++n) step(0);
  }
};

TEST(AxisMechanics, WithoutDefectsTheEdgeIsWhereItIsCountedToTheLastBit) {
  EXPECT_FALSE(AxisMechanicsConfig{}.any());
  Axis a({}, 0.0123);
  EXPECT_EQ(a.mechanics.position_m(), 0.0123);
  for (int n = 0; n < 1000; ++n) {
    const double v = 0.1 * std::sin(0.01 * n);
    a.step(v);
    EXPECT_EQ(a.mechanics.position_m(), a.counted_m);
    EXPECT_EQ(a.mechanics.velocity_m_s(), v);
  }
}

TEST(AxisMechanics, BacklashIsTheDifferenceOfBothDirections) {
  Axis a({.backlash_m = 30e-6});
  a.go(0.02, 0.01);
  a.go(0.01, 0.01);
  const double down = a.mechanics.position_m();
  a.go(0.005, 0.01);
  a.go(0.01, 0.01);
  EXPECT_NEAR(down - a.mechanics.position_m(), 30e-6, 1e-12);
  // In the play it stands, though the controller counts.
  a.step(-0.01);
  EXPECT_EQ(a.mechanics.velocity_m_s(), 0);
  for (int n = 0; n < 100; ++n) a.step(-0.01);
  EXPECT_EQ(a.mechanics.velocity_m_s(), -0.01);
}

TEST(AxisMechanics, ScrewErsByScaleAndPeriod) {
  const AxisMechanicsConfig c{
      .scale_error = 200e-6, .periodic_error_m = 4e-6, .lead_m = 5e-3, .periodic_phase_rad = 0.7};
  EXPECT_TRUE(c.any());
  Axis a(c);
  for (const double x : {0.0012, 0.01, 0.0333, 0.2}) {
    a.go(x, 0.05);
    EXPECT_NEAR(a.mechanics.position_m() - x, 200e-6 * x + 4e-6 * std::sin(kTwoPi * x / 5e-3 + 0.7), 1e-12) << x;
  }
  // Its velocity is the slope of that.
  const double before = a.mechanics.position_m();
  a.step(-0.01);
  EXPECT_NEAR((a.mechanics.position_m() - before) / kDt_s, a.mechanics.velocity_m_s(), 1e-6);
}

/// Amplitude of a tone in the edge's velocity while it goes at `speed_m_s`.
double tone_m_s(const AxisMechanicsConfig& c, double speed_m_s, double hz) {
  Axis a(c);
  for (int n = 0; n < 6400; ++n) a.step(speed_m_s);
  std::complex<double> sum = 0;
  constexpr int kSteps = 12800;
  for (int n = 0; n < kSteps; ++n) {
    a.step(speed_m_s);
    sum += a.mechanics.velocity_m_s() * std::polar(1.0, -kTwoPi * hz * n * kDt_s);
  }
  return 2 * std::abs(sum) / kSteps;
}

TEST(AxisMechanics, RippleIsAToneAtTheStepRateThatTheCarriageFilters) {
  AxisMechanicsConfig c{.ripple_m = 0.5e-6, .full_step_m = 25e-6};
  for (const double speed : {2.5e-3, 5e-3}) {
    const double hz = speed / 25e-6;  // 100, 200
    EXPECT_NEAR(tone_m_s(c, speed, hz), 0.5e-6 * kTwoPi * hz, 0.01 * 0.5e-6 * kTwoPi * hz);
    c.resonance_Hz = 120;
    c.damping_ratio = 0.05;
    const double r = hz / 120;
    const double through = std::sqrt((1 + 0.01 * r * r) / (std::pow(1 - r * r, 2) + 0.01 * r * r));  // 4 zeta^2 = 0.01
    EXPECT_NEAR(tone_m_s(c, speed, hz), through * 0.5e-6 * kTwoPi * hz, 0.02 * through * 0.5e-6 * kTwoPi * hz);
    c.resonance_Hz = 0;
  }
}

TEST(AxisMechanics, CarriageRingsBendsUnderLoadAndDoesNotLagAtConstantSpeed) {
  AxisMechanicsConfig c{.resonance_Hz = 80, .damping_ratio = 0.02, .moving_mass_kg = 2};
  Axis a(c, 0.05);
  EXPECT_EQ(a.mechanics.position_m(), 0.05);
  a.push_N = 6;
  a.wait(8);
  EXPECT_NEAR(a.mechanics.position_m() - 0.05, 6 / (2 * std::pow(kTwoPi * 80, 2)), 1e-12);
  a.push_N = 0;
  a.wait(8);
  // Started at 20 mm/s: it swings about its place with w sqrt(1 - z^2).
  std::vector<double> crossings;
  double before = 0;
  for (int n = 1; n < 8 * 12800; ++n) {
    a.step(0.02);
    const double off = a.mechanics.position_m() - a.counted_m;
    if (before < 0 && off >= 0 && crossings.size() < 11) crossings.push_back((n - off / (off - before)) * kDt_s);
    before = off;
  }
  ASSERT_EQ(crossings.size(), 11U);
  EXPECT_NEAR(10 / (crossings.back() - crossings.front()), 80 * std::sqrt(1 - 0.02 * 0.02), 0.02);
  EXPECT_NEAR(a.mechanics.position_m(), a.counted_m, 1e-10);
  EXPECT_NEAR(a.mechanics.velocity_m_s(), 0.02, 1e-9);
}

TEST(AxisMechanics, RumbleGrowsWithSpeedAndIsSilentAtRest) {
  const AxisMechanicsConfig c{.resonance_Hz = 100, .damping_ratio = 0.05, .rumble_m_s2_rtHz = 0.01};
  const auto rms_m_s = [&](double speed) {
    Axis a(c);
    for (int n = 0; n < 6400; ++n) a.step(speed);
    double sum = 0;
    constexpr int kSteps = 12800 * 8;
    for (int n = 0; n < kSteps; ++n) {
      a.step(speed);
      sum += std::pow(a.mechanics.velocity_m_s() - speed, 2);
    }
    return std::sqrt(sum / kSteps);
  };
  EXPECT_LT(rms_m_s(0), 1e-12);
  // White acceleration of density S on a resonance: velocity variance S^2 / (8 z w) with one-sided S.
  const double formula = 0.01 / std::sqrt(8 * 0.05 * kTwoPi * 100);
  EXPECT_NEAR(rms_m_s(0.1), formula, 0.1 * formula);
  EXPECT_NEAR(rms_m_s(0.05), formula / 2, 0.1 * formula);
}

TEST(AxisMechanics, LosesWholePeriodsWhenMoreIsAskedThanTheMotorHolds) {
  const AxisMechanicsConfig c{.full_step_m = 25e-6, .moving_mass_kg = 1, .pull_out_N = 20, .pull_out_speed_m_s = 0.2};
  Axis a(c);
  a.push_N = -12;
  a.go(0.01, 0.05);  // holds 20 / 1.25 = 16 N there
  EXPECT_EQ(a.mechanics.lost_m(), 0);
  a.push_N = -17;
  while (a.counted_m < 0.02) a.step(0.05);
  EXPECT_TRUE(a.mechanics.slipping());
  EXPECT_EQ(a.mechanics.velocity_m_s(), 0);
  const double stands = a.mechanics.position_m();
  a.push_N = 0;
  a.step(0.05);
  EXPECT_FALSE(a.mechanics.slipping());
  const double periods = a.mechanics.lost_m() / 100e-6;
  EXPECT_NEAR(periods, std::round(periods), 1e-9);
  EXPECT_NEAR(a.mechanics.lost_m(), 0.01, 150e-6);
  EXPECT_NEAR(a.mechanics.position_m(), stands, 51e-6);
  a.go(0, 0.05);
  EXPECT_NEAR(a.mechanics.position_m(), -a.mechanics.lost_m(), 1e-12) << "it never finds them again";
  // A standing one holds more; and a stop dead is too short for the rotor to notice.
  Axis b(c);
  b.push_N = -19;
  b.wait(0.1);
  EXPECT_EQ(b.mechanics.lost_m(), 0);
  b.push_N = 0;
  b.go(0.01, 0.1);
  b.wait(0.1);
  EXPECT_EQ(b.mechanics.lost_m(), 0);
}

}  // namespace
}  // namespace strigil::sim
