// Delay between channels: fractional, over different clocks, periodic signals, hostile ones.
#include "calibration/standards/channel_delay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "calibration/standards/stream_quotients.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using ::testing::HasSubstr;
constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Cross-spectrum lines of a pure delay with the phase noise that their coherence means.
std::vector<CrossLine> lines_of(double delay_s, double coherence, double averages, double step_Hz, int count,
                                Random& random) {
  std::vector<CrossLine> out;
  for (int i = 1; i <= count; ++i) {
    const double f = step_Hz * i, noise = std::sqrt((1 - coherence) / (2 * coherence * averages));
    out.push_back({f, std::remainder(-kTurn * f * delay_s + noise * random.normal(), kTurn), coherence});
  }
  return out;
}

TEST(DelayFromPhase, FractionalDelaysWithHonestUncertainty) {
  Random random(25);
  int inside = 0;
  constexpr int kTrials = 1000;
  for (int i = 0; i < kTrials; ++i) {
    const double truth = 0.01 * (random.uniform() - 0.5);
    const auto d = delay_from_phase(lines_of(truth, 0.9, 16, 10, 40, random), 16, 0.02);
    ASSERT_TRUE(d) << d.error().message;
    ASSERT_FALSE(d->ambiguous);
    if (std::abs(d->delay_s.value - truth) <= d->delay_s.expanded()) ++inside;
  }
  EXPECT_GE(inside, kTrials * 93 / 100);
  EXPECT_LE(inside, kTrials * 985 / 1000) << "chi squared never makes the interval narrower, only wider";
}

TEST(DelayFromPhase, APeriodicSignalIsAmbiguous) {
  Random random(26);
  std::vector<CrossLine> harmonics;  // of 50 Hz: known modulo 20 ms only
  for (const auto& l : lines_of(0.003, 0.99, 16, 50, 10, random)) harmonics.push_back(l);
  const auto d = delay_from_phase(harmonics, 16, 0.05);
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->ambiguous);
  EXPECT_FALSE(d->candidates_s.empty());
  EXPECT_NEAR(std::remainder(d->delay_s.value - 0.003, 0.02), 0, 1e-4);
  // Within half a period it is not.
  const auto near = delay_from_phase(harmonics, 16, 0.008);
  EXPECT_FALSE(near->ambiguous);
  EXPECT_NEAR(near->delay_s.value, 0.003, 1e-4);
}

TEST(DelayFromPhase, AFilterIsSeenAsNoPureDelay) {
  Random random(27);
  auto lines = lines_of(0.002, 0.999, 64, 5, 60, random);
  for (auto& l : lines) l.phase_rad = std::remainder(l.phase_rad - std::atan(l.frequency_Hz / 100), kTurn);
  const auto d = delay_from_phase(lines, 64, 0.02);
  ASSERT_TRUE(d);
  EXPECT_GT(d->reduced_chi2, 10);
  EXPECT_THAT(d->remarks.front(), HasSubstr("not a pure delay"));
}

TEST(DelayFromPhase, InvertedOnlyWhereAskedFor) {
  Random random(28);
  auto lines = lines_of(0.004, 0.98, 16, 10, 40, random);
  for (auto& l : lines) l.phase_rad = std::remainder(l.phase_rad + std::numbers::pi, kTurn);
  const auto d = delay_from_phase(lines, 16, 0.02, true);
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->inverted);
  EXPECT_NEAR(d->delay_s.value, 0.004, 1e-4);
  EXPECT_THAT(delay_from_phase(lines, 16, 0.02).error().message, HasSubstr("look at the signs"));
}

TEST(DelayFromPhase, HostileLinesAreRefused) {
  Random random(29);
  auto lines = lines_of(0.001, 0.9, 16, 10, 40, random);
  EXPECT_FALSE(delay_from_phase(lines, 16, 0));
  EXPECT_FALSE(delay_from_phase(lines, 0, 0.02));
  EXPECT_THAT(delay_from_phase(lines, 16, 1e6).error().message, HasSubstr("search less far"));
  EXPECT_THAT(delay_from_phase(lines_of(0.001, 0.3, 16, 10, 40, random), 16, 0.02).error().message,
              HasSubstr("coherent lines"));
  lines[0].phase_rad = kNaN;
  EXPECT_FALSE(delay_from_phase(lines, 16, 0.02));
}

/// A tap as two sensors see it: a smooth step, at rates and with clocks of their own.
struct Seen {
  std::vector<double> t, v;
  [[nodiscard]] TimedSamples samples() const { return {t, v}; }
};
Seen see(double rate_Hz, double start_s, double delay_s, double gain, double offset, double noise, Random& random) {
  Seen s;
  for (double t = start_s; t < 1; t += 1 / rate_Hz) {
    s.t.push_back(t);
    s.v.push_back(offset + gain * std::tanh((t - 0.5 - delay_s) / 0.004) + noise * random.normal());
  }
  return s;
}

TEST(DelayFromEvent, StepsAtDifferentRatesWithHonestUncertainty) {
  Random random(30);
  int inside = 0;
  constexpr int kTrials = 200;
  for (int i = 0; i < kTrials; ++i) {
    const double truth = 0.01 * (random.uniform() - 0.5);
    const auto a = see(2000, 0, 0, 1, 0, 0.003, random);
    const auto b = see(733, 1e-4 * random.uniform(), truth, 3, 5, 0.01, random);
    const auto d = delay_from_event(a.samples(), b.samples(), 0.02);
    ASSERT_TRUE(d) << d.error().message;
    ASSERT_FALSE(d->ambiguous);
    ASSERT_LT(d->delay_s.u, 1e-4);
    if (std::abs(d->delay_s.value - truth) <= d->delay_s.expanded()) ++inside;
  }
  EXPECT_GE(inside, kTrials * 92 / 100);
  EXPECT_LE(inside, kTrials * 98 / 100);
}

TEST(DelayFromEvent, InvertedPeriodicAndUnrelatedChannels) {
  Random random(31);
  const auto a = see(2000, 0, 0, 1, 0, 0.003, random);
  const auto turned = see(1000, 0, 0.003, -2, 0, 0.003, random);
  const auto d = delay_from_event(a.samples(), turned.samples(), 0.02, true);
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->inverted);
  EXPECT_NEAR(d->delay_s.value, 0.003, 1e-4);
  EXPECT_FALSE(delay_from_event(a.samples(), turned.samples(), 0.02))
      << "not the same sign, and nobody asked for the other";
  Seen sine, later;
  for (int i = 0; i < 1000; ++i) {
    sine.t.push_back(i * 1e-3);
    sine.v.push_back(std::sin(kTurn * 50 * i * 1e-3));
    later.t.push_back(i * 1e-3);
    later.v.push_back(std::sin(kTurn * 50 * (i * 1e-3 - 0.003)) + 0.01 * random.normal());
  }
  const auto p = delay_from_event(sine.samples(), later.samples(), 0.05);
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->ambiguous);
  Seen noise;
  for (int i = 0; i < 1000; ++i) {
    noise.t.push_back(i * 1e-3);
    noise.v.push_back(random.normal());
  }
  EXPECT_FALSE(delay_from_event(a.samples(), noise.samples(), 0.02));
}

TEST(DelayFromEvent, HostileRecordsAreRefused) {
  Random random(32);
  const auto a = see(2000, 0, 0, 1, 0, 0.003, random);
  auto b = a;
  EXPECT_FALSE(delay_from_event(a.samples(), b.samples(), kNaN));
  EXPECT_THAT(delay_from_event(a.samples(), b.samples(), 0.6).error().message, HasSubstr("record longer"));
  b.v[7] = kNaN;
  EXPECT_FALSE(delay_from_event(a.samples(), b.samples(), 0.02));
  b = a;
  std::swap(b.t[7], b.t[8]);
  EXPECT_FALSE(delay_from_event(a.samples(), b.samples(), 0.02));
  b.t.resize(3);
  b.v.resize(3);
  EXPECT_FALSE(delay_from_event(a.samples(), b.samples(), 0.02));
}

/// White noise and the same 12.37 samples later, exactly: both are sums of the same sines.
struct Streams {
  std::vector<double> x, y;
};
Streams delayed(double samples, double noise, Random& random) {
  constexpr std::size_t kLength = 4096, kLines = 600;
  Streams s{std::vector<double>(kLength), std::vector<double>(kLength)};
  for (std::size_t k = 1; k <= kLines; ++k) {
    // Frequencies that are no multiples of anything, so that the record is not periodic.
    const double w = 0.4 * std::numbers::pi * (static_cast<double>(k) - random.uniform()) / kLines,
                 p = kTurn * random.uniform();
    for (std::size_t i = 0; i < kLength; ++i) {
      s.x[i] += std::sin(w * static_cast<double>(i) + p);
      s.y[i] += std::sin(w * (static_cast<double>(i) - samples) + p);
    }
  }
  const double rms = std::sqrt(kLines / 2.0);
  for (double& v : s.y) v += noise * rms * random.normal();
  return s;
}

TEST(DelayBetween, AFractionOfASampleAtTwentyDecibels) {
  // metrology.md 2.5: 12.37 samples, SNR 20 dB, within three of the least standard deviations.
  Random random(33);
  const double rate = 10000;
  const auto s = delayed(12.37, 0.1, random);
  SpectrumOptions o;
  o.segment = 512;
  const auto d = delay_between(s.x, s.y, rate, 0.005, 0, 1800, o);
  ASSERT_TRUE(d) << d.error().message;
  EXPECT_FALSE(d->ambiguous);
  const double error = d->delay_s.value - 12.37 / rate;
  EXPECT_LT(std::abs(error), d->delay_s.expanded(0.997)) << d->delay_s.value * rate << " samples";
  EXPECT_LT(d->delay_s.u * rate, 0.02);
  EXPECT_FALSE(delay_between(s.x, s.y, rate, 0.05, 0, 1800, o)) << "segments too short for that search";
}

TEST(StreamQuotients, SinesAndChirpSayTheSame) {
  Random random(34);
  std::vector<double> x, y;
  for (int i = 0; i < 2000; ++i) {
    x.push_back(2 * std::sin(0.1 * i + 0.3) + 0.5);
    y.push_back(3 * std::sin(0.1 * i - 0.1));
  }
  const auto q = sine_quotient(x, y, 1000, 100 / kTurn);
  ASSERT_TRUE(q) << q.error().message;
  EXPECT_NEAR(std::abs(*q), 1.5, 1e-9);
  EXPECT_NEAR(std::arg(*q), -0.4, 1e-9);
  y.pop_back();
  EXPECT_FALSE(sine_quotient(x, y, 1000, 16));
  const auto s = delayed(0, 0.01, random);
  SpectrumOptions o;
  o.segment = 512;
  const auto h = frequency_response(s.x, s.y, 10000, o);
  ASSERT_TRUE(h);
  const auto readings = chirp_readings(*h, std::vector<double>{200, 400, 800});
  ASSERT_TRUE(readings) << readings.error().message;
  for (const auto& r : *readings) EXPECT_NEAR(std::abs(r.ratio[0]), 1, 0.05);
  EXPECT_FALSE(chirp_readings(*h, std::vector<double>{200, 201}));
  EXPECT_FALSE(chirp_readings(*h, std::vector<double>{9000}));
  EXPECT_TRUE(response_points(*h, 100, 200));
  EXPECT_FALSE(response_points(*h, 1e5, 2e5));
}

TEST(MeanDelay, ScatterAndWhatIsCommon) {
  const auto m = mean_delay(std::vector{1e-3, 1.1e-3, 0.9e-3, 1e-3}, 1e-5);
  ASSERT_TRUE(m);
  EXPECT_NEAR(m->value, 1e-3, 1e-15);
  EXPECT_NEAR(m->u, std::hypot(std::sqrt(2.0 / 3) * 1e-4 / 2, 1e-5), 1e-12);
  EXPECT_FALSE(mean_delay(std::vector{1e-3}, 0));
}

}  // namespace
}  // namespace strigil::calibration
