#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "ui/spectrum.hpp"
#include "ui/ticks.hpp"
#include "ui/time_view.hpp"

namespace strigil::ui {
namespace {

TEST(Ticks, AreRoundInOrderAndInside) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> exponent(-8, 8);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int i = 0; i < 10'000; ++i) {
    const double low = unit(random) * std::pow(10, exponent(random));
    const double high = low + std::pow(10, exponent(random));
    const int wanted = 1 + static_cast<int>(random() % 12);
    const auto t = ticks_between(low, high, wanted);
    EXPECT_LE(t.size(), static_cast<std::size_t>(3 * wanted + 2));
    for (std::size_t k = 0; k < t.size(); ++k) {
      EXPECT_GE(t[k], low - 1e-6 * (high - low));
      EXPECT_LE(t[k], high + 1e-6 * (high - low));
      if (k > 0) {
        EXPECT_GT(t[k], t[k - 1]);
      }
    }
  }
}

TEST(Ticks, NonsenseHasNone) {
  EXPECT_TRUE(ticks_between(1, 1, 5).empty());
  EXPECT_TRUE(ticks_between(2, 1, 5).empty());
  EXPECT_TRUE(ticks_between(0, std::nan(""), 5).empty());
  EXPECT_TRUE(ticks_between(0, INFINITY, 5).empty());
  EXPECT_TRUE(ticks_between(1e9, 1e9 + 1e-9, 5).empty());
}

TEST(Ticks, NumbersHaveTheDigitsThatTellThemApart) {
  EXPECT_EQ(tick_text(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_text(20, 10), "20");
  EXPECT_EQ(tick_text(0, 0.1), "0.0");
}

TEST(TimeView, ZoomKeepsWhatIsUnderTheMouse) {
  TimeView v;
  v.follow = false;
  v.to_s = 10;
  v.span_s = 10;
  const double at = 4;
  const double part = (at - v.from_s()) / v.span_s;
  v.zoom(0.5, at);
  EXPECT_NEAR((at - v.from_s()) / v.span_s, part, 1e-12);
  EXPECT_NEAR(v.span_s, 5, 1e-12);
}

TEST(TimeView, FollowsUntilItIsDragged) {
  TimeView v;
  v.advance(100);
  EXPECT_EQ(v.to_s, 100);
  v.pan(-5);
  v.advance(200);
  EXPECT_EQ(v.to_s, 95);
}

TEST(Spectrum, ASineIsWhereItIsWithTheRightPower) {
  constexpr double kRate = 1000;
  constexpr double kAmplitude = 3;
  std::vector<float> v(4096);
  for (std::size_t i = 0; i < v.size(); ++i) {
    v[i] = static_cast<float>(kAmplitude * std::sin(2 * std::numbers::pi * 125 * static_cast<double>(i) / kRate) + 7);
  }
  const auto s = spectrum_of(v, kRate);
  const auto top = std::max_element(s.density.begin(), s.density.end()) - s.density.begin();
  EXPECT_NEAR(static_cast<double>(top) * s.bin_Hz, 125, s.bin_Hz);
  double power = 0;
  for (const float d : s.density) power += static_cast<double>(d) * d * s.bin_Hz;
  EXPECT_NEAR(power, kAmplitude * kAmplitude / 2, 1e-3);
}

TEST(Spectrum, WhiteNoiseHasItsVariance) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> v(16384);
  for (auto& x : v) x = normal(random);
  const auto s = spectrum_of(v, 25600);
  double power = 0;
  for (const float d : s.density) power += static_cast<double>(d) * d * s.bin_Hz;
  EXPECT_NEAR(power, 4, 0.2);
}

TEST(Spectrum, TooLittleOrNonsenseGivesNothing) {
  EXPECT_TRUE(spectrum_of(std::vector<float>(15), 1000).density.empty());
  EXPECT_TRUE(spectrum_of(std::vector<float>(64), 0).density.empty());
  const std::vector<float> nothing(64, std::nanf(""));
  for (const float d : spectrum_of(nothing, 1000).density) EXPECT_EQ(d, 0);
  EXPECT_EQ(spectrogram_of(std::vector<float>(10), 1000, 8, 8).size(), 64U);
}

}  // namespace
}  // namespace strigil::ui
