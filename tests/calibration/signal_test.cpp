// Sines, spectra and frequency responses, against what was put in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "calibration/fit/summary.hpp"
#include "calibration/signal/frequency_response.hpp"
#include "calibration/signal/sine_approximation.hpp"
#include "calibration/signal/sine_fit.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration::tested {
namespace {

using ::testing::HasSubstr;
constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> sine(std::size_t n, double rate_Hz, double f_Hz, double amplitude, double phase, double offset,
                         double noise, Random& random) {
  std::vector<double> y(n);
  for (std::size_t i = 0; i < n; ++i) {
    y[i] = amplitude * std::sin(kTwoPi * f_Hz * static_cast<double>(i) / rate_Hz + phase) + offset +
           (noise > 0 ? noise * random.normal() : 0);
  }
  return y;
}

TEST(SineFit, FindsWhatWasPutInWithoutNoise) {
  Random random(1);
  for (int trial = 0; trial < 60; ++trial) {
    const double rate = 1000, f = 20 + 400 * random.uniform(), a = std::exp(4 * random.uniform() - 2);
    const double phase = kTwoPi * random.uniform() - std::numbers::pi, offset = random.normal();
    const auto y = sine(400 + random.below(200), rate, f, a, phase, offset, 0, random);
    auto known = fit_sine(y, rate, f);
    auto sought = fit_sine_and_frequency(y, rate);
    ASSERT_TRUE(known.ok() && sought.ok()) << f << " Hz";
    for (const auto& fit : {*known, *sought}) {
      EXPECT_NEAR(fit.frequency_Hz, f, 1e-9 * f);
      EXPECT_NEAR(fit.amplitude / a, 1, 1e-10);
      EXPECT_NEAR(std::remainder(fit.phase_rad - phase, kTwoPi), 0, 1e-8);
      EXPECT_NEAR(fit.offset, offset, 1e-9 * a);
      EXPECT_LT(fit.rms_residual, 1e-9 * a);
    }
  }
}

// As good as any estimate can be, and stated uncertainties are those seen.
TEST(SineFit, ReachesTheCramerRaoBoundAndSaysIt) {
  // metrology.md 2.3: N=500, 5 kHz, A=1.25, sigma=0.01.
  const auto bounds = sine_bounds(500, 5000, 1.25, 0.01, false);
  EXPECT_NEAR(bounds.amplitude, 6.3246e-4, 5e-8);
  EXPECT_NEAR(sine_bounds(500, 5000, 1.25, 0.01, true).phase_rad, 5.0596e-4, 5e-8);
  EXPECT_NEAR(bounds.phase_rad, 1.0119e-3, 5e-7);
  EXPECT_NEAR(bounds.frequency_Hz, 2.7895e-3, 5e-7);
  Random random(2);
  constexpr int kRuns = 200;
  double a2 = 0, f2 = 0, p2 = 0, u_a = 0, u_f = 0, u_p = 0;
  for (int run = 0; run < kRuns; ++run) {
    auto fit = fit_sine_and_frequency(sine(500, 5000, 159.155, 1.25, 0.4, 0.05, 0.01, random), 5000, 159);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    a2 += std::pow(fit->amplitude - 1.25, 2) / kRuns;
    f2 += std::pow(fit->frequency_Hz - 159.155, 2) / kRuns;
    p2 += std::pow(fit->phase_rad - 0.4, 2) / kRuns;
    u_a += fit->u_amplitude / kRuns;
    u_f += fit->u_frequency_Hz / kRuns;
    u_p += fit->u_phase_rad / kRuns;
  }
  const double five = 5 / std::sqrt(2.0 * kRuns);
  EXPECT_NEAR(std::sqrt(a2) / bounds.amplitude, 1, five);
  EXPECT_NEAR(std::sqrt(f2) / bounds.frequency_Hz, 1, five);
  EXPECT_NEAR(std::sqrt(p2) / bounds.phase_rad, 1, five);
  EXPECT_NEAR(u_a / bounds.amplitude, 1, 0.02);
  EXPECT_NEAR(u_f / bounds.frequency_Hz, 1, 0.02);
  EXPECT_NEAR(u_p / bounds.phase_rad, 1, 0.02);
}

TEST(SineFit, RefusesInWords) {
  Random random(3);
  const auto y = sine(100, 1000, 50, 1, 0, 0, 0, random);
  EXPECT_THAT(fit_sine(y, 1000, 500).error().message, HasSubstr("half the rate"));
  EXPECT_THAT(fit_sine(y, 1000, -5).error().message, HasSubstr("half the rate"));
  EXPECT_THAT(fit_sine(y, 0, 5).error().message, HasSubstr("half the rate"));
  EXPECT_THAT(fit_sine(std::span(y).first(3), 1000, 50).error().message, HasSubstr("too few"));
  auto bad = y;
  bad[7] = kNaN;
  EXPECT_THAT(fit_sine(bad, 1000, 50).error().message, HasSubstr("sample 7"));
  EXPECT_THAT(fit_sine(std::span(y).first(8), 1000, 1e-4).error().message, HasSubstr("offset"));
  EXPECT_FALSE(fit_sine(std::vector<double>(100, 3.0), 1000, 50).ok());
  EXPECT_FALSE(fit_sine_and_frequency(std::vector<double>(100, 3.0), 1000).ok());
  EXPECT_FALSE(fit_sine_and_frequency(bad, 1000).ok());
}

TEST(SineApproximation, FindsAComplexSensitivity) {
  Random random(4);
  const double f = 80, rate = 25600, w = kTwoPi * f, s = 0.0102, phase = -0.03;
  const double displacement = 10 / (w * w);
  const auto laser =
      sine(5120, rate, f, displacement * 4 * std::numbers::pi / kHeNeWavelength_m, 0.7, 12, 1e-3, random);
  const auto metres = sine(5120, rate, f, displacement, 0.7, 0, 0, random);
  const auto volts = sine(5120, rate, f, s * 10, 0.7 + std::numbers::pi + phase, 0.2, 1e-5, random);
  auto by_laser = sine_approximation_laser(laser, volts, rate, f);
  auto by_encoder = sine_approximation(metres, volts, rate, f);
  ASSERT_TRUE(by_laser.ok() && by_encoder.ok());
  for (const auto& found : {*by_laser, *by_encoder}) {
    EXPECT_NEAR(found.acceleration_m_s2, 10, 1e-4);
    EXPECT_NEAR(found.sensitivity / s, 1, 5 * found.u_sensitivity / s);
    EXPECT_NEAR(found.phase_rad, phase, 5 * found.u_phase_rad);
    EXPECT_LT(found.u_sensitivity / s, 1e-5);
  }
  EXPECT_THAT(sine_approximation(std::span(metres).first(10), volts, rate, f).error().message, HasSubstr("together"));
  EXPECT_FALSE(sine_approximation_laser(laser, volts, rate, f, -1).ok());
}

TEST(Spectrum, OfNoiseHasItsPowerAndItsWindowsAreRight) {
  Random random(5);
  std::vector<double> x(1 << 16);
  for (double& v : x) v = 3 * random.normal();
  for (const auto window : {Window::kRectangular, Window::kHann, Window::kFlatTop}) {
    SpectrumOptions options;
    options.window = window;
    auto s = cross_spectrum(x, x, 2000, options);
    ASSERT_TRUE(s.ok());
    double power = 0;
    for (const double g : s->xx) power += g * s->resolution_Hz;
    EXPECT_NEAR(power, 9, 0.3);  // Parseval: the variance
    EXPECT_NEAR(std::abs(s->xy[100]), s->xx[100], 1e-12 * s->xx[100]);
  }
  EXPECT_NEAR(noise_bandwidth_bins(window_of(Window::kHann, 1024)), 1.5, 1e-12);
  EXPECT_NEAR(noise_bandwidth_bins(window_of(Window::kRectangular, 64)), 1, 1e-12);
  EXPECT_NEAR(noise_bandwidth_bins(window_of(Window::kFlatTop, 1024)), 3.77, 0.01);
  // Welch: Hann at half overlap, rho = 1/6: n / (1 + 2 (1 - 1/n) / 36).
  EXPECT_NEAR(effective_averages(window_of(Window::kHann, 4096), 100, 2048), 100 / (1 + 2 * 0.99 / 36), 1e-3);
  EXPECT_DOUBLE_EQ(effective_averages(window_of(Window::kHann, 512), 20, 512), 20);
}

TEST(Spectrum, RefusesInWords) {
  const std::vector<double> x(100, 1), y(99, 1);
  EXPECT_THAT(cross_spectrum(x, y, 10).error().message, HasSubstr("100 and 99"));
  EXPECT_THAT(cross_spectrum(x, x, 10).error().message, HasSubstr("less than one segment"));
  SpectrumOptions options;
  options.segment = 7;
  EXPECT_FALSE(cross_spectrum(x, x, 10, options).ok());
  options.segment = 64;
  options.overlap = 1;
  EXPECT_FALSE(cross_spectrum(x, x, 10, options).ok());
  options.overlap = 0;
  EXPECT_THAT(frequency_response(x, x, 10, options).error().message, HasSubstr("one segment"));
  EXPECT_FALSE(cross_spectrum(x, x, -1, options).ok());
}

/// y = 0.8 x[i] - 0.3 x[i-1] + noise on both channels; n samples.
struct TwoChannels {
  std::vector<double> x, y;
};
TwoChannels two_channels(std::size_t n, double noise_x, double noise_y, Random& random) {
  TwoChannels out;
  double last = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double v = random.normal();
    out.x.push_back(v + noise_x * random.normal());
    out.y.push_back(0.8 * v - 0.3 * last + noise_y * random.normal());
    last = v;
  }
  return out;
}
std::complex<double> true_response(double f_Hz, double rate_Hz) {
  return 0.8 - 0.3 * std::polar(1.0, -kTwoPi * f_Hz / rate_Hz);
}

TEST(FrequencyResponse, FindsTheFilterAndItsOwnErrors) {
  Random random(6);
  SpectrumOptions options;
  options.segment = 256;
  double size2 = 0, phase2 = 0, stated2 = 0, stated_phase2 = 0;
  int lines = 0;
  for (int run = 0; run < 40; ++run) {
    const auto c = two_channels(8192, 0, 0.5, random);
    auto h = frequency_response(c.x, c.y, 1000, options);
    ASSERT_TRUE(h.ok());
    for (std::size_t k = 4; k < 124; k += 4) {
      const auto& line = h->lines[k];
      const auto ratio = line.h1 / true_response(line.frequency_Hz, 1000);
      size2 += std::pow(std::abs(ratio) - 1, 2);
      phase2 += std::pow(std::arg(ratio), 2);
      stated2 += line.relative_error * line.relative_error;
      stated_phase2 += line.phase_error_rad * line.phase_error_rad;
      ++lines;
      EXPECT_LE(line.coherence, 1);
      EXPECT_LE(std::abs(line.h1), std::abs(line.h2) * (1 + 1e-12));
      EXPECT_NEAR(std::norm(line.h1) / std::abs(line.h1 * std::conj(line.h2)), line.coherence, 1e-12);
      EXPECT_NEAR(std::abs(line.hv), std::sqrt(std::abs(line.h1) * std::abs(line.h2)), 1e-12);
    }
  }
  EXPECT_NEAR(std::sqrt(size2 / stated2), 1, 0.1) << lines;
  EXPECT_NEAR(std::sqrt(phase2 / stated_phase2), 1, 0.1);
}

TEST(FrequencyResponse, EachEstimateIsRightForItsOwnNoise) {
  Random random(7);
  SpectrumOptions options;
  options.segment = 256;
  const auto noisy_y = two_channels(200'000, 0, 0.7, random), noisy_x = two_channels(200'000, 0.7, 0, random);
  auto out = frequency_response(noisy_y.x, noisy_y.y, 1000, options);
  auto in = frequency_response(noisy_x.x, noisy_x.y, 1000, options);
  ASSERT_TRUE(out.ok() && in.ok());
  double h1_out = 0, h2_in = 0, h1_in = 0;
  for (std::size_t k = 10; k < 120; ++k) {
    const double truth = std::abs(true_response(out->lines[k].frequency_Hz, 1000));
    h1_out += std::abs(out->lines[k].h1) / truth / 110;
    h2_in += std::abs(in->lines[k].h2) / truth / 110;
    h1_in += std::abs(in->lines[k].h1) / truth / 110;
  }
  EXPECT_NEAR(h1_out, 1, 0.01);
  EXPECT_NEAR(h2_in, 1, 0.01);
  EXPECT_NEAR(h1_in, 1 / 1.49, 0.01);  // bias 1/(1 + Gnn/Gxx), metrology.md 2.4
}

TEST(Transmissibility, IsOneAtRootTwoAndItsPhaseIsRight) {
  for (const double z : {0.001, 0.05, 0.5, 2.0}) {
    EXPECT_NEAR(transmissibility(std::numbers::sqrt2, z), 1, 1e-12);
    EXPECT_DOUBLE_EQ(transmissibility(0, z), 1);
    for (const double r : {0.3, 1.0, 7.0})
      EXPECT_NEAR(std::abs(complex_transmissibility(r, z)), transmissibility(r, z), 1e-12);
  }
  EXPECT_LT(std::arg(complex_transmissibility(10, 0.01)), -2.5);
}

}  // namespace
}  // namespace strigil::calibration::tested
