// Every defect of the sensors' electronics against its formula (docs/physics_devices.md).
#include "sim/force_electronics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "sim/accelerometer_electronics.hpp"

namespace strigil::sim {
namespace {

constexpr double kRate_Hz = 12800;
constexpr double kSamples_Hz = 1000;
constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr rig::Position kHome{};

ForceElectronicsConfig scaled() {
  ForceElectronicsConfig c;
  c.full_scale = {80, 80, 200, 4, 4, 4};
  return c;
}

ForceElectronics make(const ForceElectronicsConfig& c, std::uint64_t seed = 1, const TemperatureCourse& t = {}) {
  return {c, t, kRate_Hz, kSamples_Hz, seed};
}

TEST(ForceElectronics, WithoutDefectsSaysWhatIsToTheLastBit) {
  EXPECT_FALSE(scaled().any());
  auto e = make(scaled());
  Noise noise(5);
  for (int n = 0; n < 1000; ++n) {
    const Wrench w{noise.normal(), noise.normal(), noise.normal(), noise.normal(), noise.normal(), noise.normal()};
    EXPECT_EQ(e.feel(w, {noise.normal(), 0, 0}), w);
    EXPECT_EQ(e.convert(w), w);
  }
}

TEST(ForceElectronics, GainAndCrosstalkAreAMatrix) {
  auto c = scaled();
  c.analog.gain_error = {0.01, -0.02, 0.005, 0, 0.03, 0};
  c.analog.crosstalk[0][2] = 0.004;   // Fx says 0.4 % of Fz
  c.analog.crosstalk[4][2] = 0.0005;  // Ty: N m per N
  EXPECT_TRUE(c.any());
  auto e = make(c);
  const auto y = e.feel({1, 2, 50, 0.1, 0.2, 0.3}, kHome);
  EXPECT_NEAR(y[0], 1.01 * 1 + 0.004 * 50, 1e-12);
  EXPECT_NEAR(y[1], 0.98 * 2, 1e-12);
  EXPECT_NEAR(y[2], 1.005 * 50, 1e-12);
  EXPECT_NEAR(y[3], 0.1, 1e-12);
  EXPECT_NEAR(y[4], 1.03 * 0.2 + 0.0005 * 50, 1e-12);
}

TEST(ForceElectronics, TemperatureMovesZeroAndSensitivity) {
  auto c = scaled();
  c.analog.zero_per_K = {0.01, 0, -0.05, 0, 0, 0};
  c.analog.sensitivity_per_K = -2e-4;
  const TemperatureCourse course{.start_K = 2, .warm_up_K = 6, .warm_up_s = 0.5, .swing_K = 1, .swing_s = 4};
  auto e = make(c, 1, course);
  Wrench y{};
  constexpr int kSteps = 12800;  // 1 s
  for (int n = 0; n < kSteps; ++n) y = e.feel({10, 0, 20, 0, 0, 0}, kHome);
  const double warm_K = 2 + 6 * (1 - std::exp(-2.0)) + std::sin(kTwoPi / 4);
  EXPECT_NEAR(y[0], 10 * (1 - 2e-4 * warm_K) + 0.01 * warm_K, 1e-9);
  EXPECT_NEAR(y[2], 20 * (1 - 2e-4 * warm_K) - 0.05 * warm_K, 1e-9);
}

TEST(ForceElectronics, HysteresisOpensByItsWidthAtHalfScaleAndRemembersItsTurns) {
  constexpr double kFull = 200;
  ElementHysteresis h(1e-3, kFull);
  const auto go = [&](double from, double to) {
    double y = 0;
    for (int n = 0; n <= 1000; ++n) y = h.follow(from + (to - from) * n / 1000.0);
    return y;
  };
  EXPECT_NEAR(go(0, kFull), kFull, 1e-9) << "the first load to full scale reads true";
  for (int cycle = 0; cycle < 3; ++cycle) {
    const double falling = go(kFull, kFull / 2);
    (void)go(kFull / 2, 0);
    const double rising = go(0, kFull / 2);
    EXPECT_NEAR(falling - rising, 1e-3 * kFull, 1e-9);
    EXPECT_NEAR(go(kFull / 2, kFull), kFull, 1e-9);
  }
  // A small loop inside closes where it began.
  const double before = go(kFull, 100);
  (void)go(100, 103);
  EXPECT_NEAR(go(103, 100), before, 1e-9);
  // And encloses less than the great one.
  const double up = go(100, 101.5);
  (void)go(101.5, 103);
  EXPECT_LT(go(103, 101.5) - up, 1e-3 * kFull);
}

TEST(ForceElectronics, NonlinearityIsLargestAtHalfScaleAndNothingAtItsEnds) {
  auto c = scaled();
  c.nonlinearity = 2e-3;
  auto e = make(c);
  EXPECT_NEAR(e.feel({0, 0, 100, 0, 0, 2}, kHome)[2], 100 + 2e-3 * 200, 1e-12);
  EXPECT_NEAR(e.feel({0, 0, 100, 0, 0, -2}, kHome)[5], -2 - 2e-3 * 4, 1e-12);
  EXPECT_NEAR(e.feel({0, 0, 200, 0, 0, 0}, kHome)[2], 200, 1e-12);
  EXPECT_EQ(e.feel({}, kHome)[2], 0);
}

TEST(ForceElectronics, CreepsAsTwoExponentialsAndRecovers) {
  auto c = scaled();
  c.creep = {1e-3, 5e-4};
  c.creep_s = {0.2, 2};
  auto e = make(c);
  const auto crept = [](double t) { return 1e-3 * (1 - std::exp(-t / 0.2)) + 5e-4 * (1 - std::exp(-t / 2)); };
  const auto hold = [&](double load, double seconds) {
    double y = 0;
    for (int n = 0; n < static_cast<int>(seconds * kRate_Hz); ++n) y = e.feel({0, 0, load, 0, 0, 0}, kHome)[2];
    return y;
  };
  EXPECT_NEAR(hold(50, 0.1), 50 * (1 + crept(0.1)), 1e-9);
  EXPECT_NEAR(hold(50, 0.9), 50 * (1 + crept(1.0)), 1e-9);
  // Recovery: superposition.
  EXPECT_NEAR(hold(0, 0.5), 50 * (crept(1.5) - crept(0.5)), 1e-9);
}

TEST(ForceElectronics, DriftsAsTheRootOfTime) {
  auto c = scaled();
  c.analog.drift.fill(0.02);
  double sum = 0;
  constexpr int kSensors = 200;
  for (int s = 0; s < kSensors; ++s) {
    ForceElectronics e(c, {}, 100, 100, static_cast<std::uint64_t>(s));
    Wrench y{};
    for (int n = 0; n < 400; ++n) y = e.feel({}, kHome);  // 4 s
    for (const double v : y) sum += v * v;
  }
  // 1200 draws: their RMS lies within 10 % of the true one but once in a million.
  EXPECT_NEAR(std::sqrt(sum / (6 * kSensors)), 0.02 * 2, 0.004);
}

TEST(ForceElectronics, NoiseHasItsDensityWithAndWithoutAFilter) {
  auto c = scaled();
  c.analog.noise_density.fill(1e-3);
  const auto rms = [](ForceElectronics e, bool at_sample) {
    double sum = 0;
    constexpr int kSteps = 40000;
    for (int n = 0; n < kSteps; ++n) {
      const auto y = at_sample ? e.convert(e.feel({}, kHome)) : e.feel({}, kHome);
      for (const double v : y) sum += v * v;
    }
    return std::sqrt(sum / (6.0 * kSteps));
  };
  EXPECT_NEAR(rms(make(c), true), 1e-3 * std::sqrt(kSamples_Hz / 2), 0.02 * 1e-3 * std::sqrt(kSamples_Hz / 2));
  c.analog.corner_Hz = 300;
  // Noise bandwidth of a Butterworth filter: f_c (pi / 2n) / sin(pi / 2n).
  const double two_poles_Hz = 300 * (std::numbers::pi / 4) / std::sin(std::numbers::pi / 4);
  EXPECT_NEAR(rms(make(c), false), 1e-3 * std::sqrt(two_poles_Hz), 0.03 * 1e-3 * std::sqrt(two_poles_Hz));
  c.analog.poles = 4;
  const double four_poles_Hz = 300 * (std::numbers::pi / 8) / std::sin(std::numbers::pi / 8);
  EXPECT_NEAR(rms(make(c), false), 1e-3 * std::sqrt(four_poles_Hz), 0.03 * 1e-3 * std::sqrt(four_poles_Hz));
}

/// Complex answer of channel 2 to a tone.
std::complex<double> answer(ForceElectronics e, double hz) {
  std::complex<double> sum = 0;
  const int settle = static_cast<int>(kRate_Hz / 2);
  const int measure = static_cast<int>(std::round(std::ceil(hz / 2) / hz * kRate_Hz));
  for (int n = 1; n <= settle + measure; ++n) {
    const double phase = kTwoPi * hz * n / kRate_Hz;
    const double y = e.feel({0, 0, std::cos(phase), 0, 0, 0}, kHome)[2];
    if (n > settle) sum += y * std::polar(1.0, -phase);
  }
  return 2.0 * sum / static_cast<double>(measure);
}

TEST(ForceElectronics, FilterIsAButterworth) {
  for (const int poles : {2, 4}) {
    auto c = scaled();
    c.analog.corner_Hz = 200;
    c.analog.poles = poles;
    for (const double hz : {20.0, 200.0, 400.0, 800.0}) {
      const double formula = 1 / std::sqrt(1 + std::pow(hz / 200, 2 * poles));
      // What goes straight between steps: (sin x / x)^2 for each section.
      const double x = std::numbers::pi * hz / kRate_Hz;
      const double straight = std::pow(std::sin(x) / x, poles);
      EXPECT_NEAR(std::abs(answer(make(c), hz)), formula * straight, 2e-3 * formula + 2e-4) << poles << " " << hz;
    }
  }
}

TEST(ForceElectronics, DelayIsATimeAndNotANumberOfSteps) {
  auto c = scaled();
  for (const double delay_s : {0.3e-3, 0.7654e-3, 5e-3}) {
    c.analog.delay_s = delay_s;
    const auto y = answer(make(c), 40);
    EXPECT_NEAR(-std::arg(y) / (kTwoPi * 40), delay_s, 1e-6);
    EXPECT_NEAR(std::abs(y), 1, 1e-4);
  }
}

TEST(ForceElectronics, ConverterRoundsAndClips) {
  auto c = scaled();
  c.analog.resolution = {0.02, 0.02, 0.05, 0, 0, 0};
  c.analog.range = c.full_scale;
  auto e = make(c);
  const auto y = e.convert({0.031, -500, 12.34, 5, -1, 0});
  EXPECT_NEAR(y[0], 0.04, 1e-12);
  EXPECT_EQ(y[1], -80);
  EXPECT_NEAR(y[2], 12.35, 1e-12);
  EXPECT_EQ(y[3], 4);
  EXPECT_EQ(y[4], -1);
}

TEST(ForceElectronics, CablePullsInProportionToTheStagesWay) {
  auto c = scaled();
  c.cable_N_m[rig::kX] = {-2, 0, 0.5};
  c.cable_N_m[rig::kZ] = {0, 0, 3};
  c.cable_rest_m = {0.1, 0, -0.02};
  auto e = make(c);
  const auto y = e.feel({1, 0, 0, 0, 0, 0}, {0.15, 0.7, -0.03});
  EXPECT_NEAR(y[0], 1 - 2 * 0.05, 1e-12);
  EXPECT_NEAR(y[2], 0.5 * 0.05 - 3 * 0.01, 1e-12);
}

TEST(ForceElectronics, OneSeedIsOneSensor) {
  auto c = scaled();
  c.analog.noise_density.fill(1e-3);
  c.analog.drift.fill(1e-3);
  auto a = make(c, 7);
  auto b = make(c, 7);
  auto other = make(c, 8);
  bool same_as_other = true;
  for (int n = 0; n < 100; ++n) {
    const auto y = a.convert(a.feel({}, kHome));
    EXPECT_EQ(y, b.convert(b.feel({}, kHome)));
    same_as_other = same_as_other && y == other.convert(other.feel({}, kHome));
  }
  EXPECT_FALSE(same_as_other);
}

TEST(AccelerometerElectronics, WithoutDefectsSaysWhatIsToTheLastBit) {
  const AccelerometerElectronicsConfig c;
  EXPECT_FALSE(c.any());
  AccelerometerElectronics e(c, {}, kRate_Hz, 6400, 1);
  EXPECT_EQ(e.feel({1.1, -2.2, 3.3}), (std::array{1.1, -2.2, 3.3}));
}

TEST(AccelerometerElectronics, MountingResonatesAsOneMassDoes) {
  AccelerometerElectronicsConfig c;
  c.mounting_Hz = 3000;
  c.mounting_damping_ratio = 0.05;
  EXPECT_TRUE(c.any());
  constexpr double kFast_Hz = 102400;
  for (const double hz : {100.0, 1000.0, 3000.0}) {
    AccelerometerElectronics e(c, {}, kFast_Hz, 6400, 1);
    double most = 0;
    for (int n = 0; n < 20000; ++n) {
      const double y = e.feel({std::cos(kTwoPi * hz * n / kFast_Hz), 0, 0})[0];
      if (n > 15000) most = std::max(most, std::abs(y));
    }
    const double r = hz / 3000;
    const double formula =
        std::sqrt((1 + 0.01 * r * r) / ((1 - r * r) * (1 - r * r) + 0.01 * r * r));  // 4 zeta^2 = 0.01
    EXPECT_NEAR(most, formula, 0.01 * formula) << hz;  // metrology: (f / f_n)^2 too much well below it
  }
}

TEST(AccelerometerElectronics, BiasGainTransverseAndTemperature) {
  AccelerometerElectronicsConfig c;
  c.analog.zero = {0.1, 0, -0.2};
  c.analog.gain_error = {0.02, 0, 0};
  c.analog.crosstalk[1][0] = 0.03;
  c.analog.zero_per_K = {0, 0.01, 0};
  c.analog.range = {20, 20, 20};
  AccelerometerElectronics e(c, {.start_K = 10}, kRate_Hz, 6400, 1);
  const auto y = e.feel({10, 1, 2});
  EXPECT_NEAR(y[0], 10.2 + 0.1, 1e-12);
  EXPECT_NEAR(y[1], 1 + 0.3 + 0.1, 1e-12);
  EXPECT_NEAR(y[2], 2 - 0.2, 1e-12);
  EXPECT_EQ(e.convert({25, -30, 1}), (std::array{20.0, -20.0, 1.0}));
}

}  // namespace
}  // namespace strigil::sim
