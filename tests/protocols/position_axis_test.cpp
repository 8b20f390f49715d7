#include "protocols/position_axis.hpp"
#include "daq/json_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "protocols/plan.hpp"

namespace strigil::protocols {
namespace {

constexpr daq::StreamId kPosition = 0;
constexpr daq::StreamId kForce = 1;

daq::StreamDescription description(daq::StreamId id, const std::string& name, double rate_Hz) {
  daq::StreamDescription d;
  d.id = id;
  d.name = d.quantity = name;
  d.channels = {{name == "position" ? "x" : "Fz", name == "position" ? "m" : "N", 1, 0}};
  d.rate_Hz = rate_Hz;
  return d;
}

/// A stage that strokes there and back with ramps, a force that is a known function of where it stands, both told as
/// blocks. `late_s`: the force's times are wrong by that much.
class Bench {
 public:
  double from_m = 30e-3;
  double length_m = 60e-3;
  double speed_m_s = 50e-3;
  double acceleration_m_s2 = 1;
  double late_s = 0;
  double report_Hz = 25;
  double report_jitter_s = 0;  ///< what the reports' times are wrong by, and say that they may be
  double (*truth)(double) = [](double x) { return 5 + std::sin(x * 400); };

  [[nodiscard]] double one_way_s() const { return length_m / speed_m_s + speed_m_s / acceleration_m_s2; }
  [[nodiscard]] double way(double t) const {
    const double ramp_s = speed_m_s / acceleration_m_s2;
    const double whole_s = one_way_s();
    if (t <= 0) return 0;
    if (t >= whole_s) return length_m;
    if (t < ramp_s) return acceleration_m_s2 * t * t / 2;
    if (t > whole_s - ramp_s) return length_m - acceleration_m_s2 * (whole_s - t) * (whole_s - t) / 2;
    return speed_m_s * (t - ramp_s / 2);
  }
  [[nodiscard]] double x(double t) const {
    const double back_from_s = 0.5 + one_way_s() + 0.5;
    return from_m + way(t - 0.5) - way(t - back_from_s);
  }
  [[nodiscard]] double ends_s() const { return 0.5 + one_way_s() + 0.5 + one_way_s() + 0.5; }

  void play(PositionAxis& axis) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> jitter(-report_jitter_s, report_jitter_s);
    step(axis, 0.3, 0.5 + one_way_s() + 0.2);
    step(axis, 0.5 + one_way_s() + 0.3, ends_s() - 0.1);
    double report_s = 0;
    std::uint64_t sample = 0;
    for (double t = 0; t < ends_s(); t = static_cast<double>(sample) / 1000) {
      while (report_s <= t) {
        axis.take(block(kPosition, report_s + jitter(random), 1, 0, x(report_s), daq::from_seconds(report_jitter_s)));
        report_s += 1 / report_Hz;
      }
      auto b = block(kForce, t + late_s, 10, 1e6, 0, daq::Duration{0});
      for (std::size_t s = 0; s < 10; ++s, ++sample) {
        b.values[s] = static_cast<float>(truth(x(static_cast<double>(sample) / 1000)));
      }
      axis.take(b);
    }
    samples = sample;
    axis.finish();
  }
  std::uint64_t samples = 0;

 private:
  static void step(PositionAxis& axis, double began_s, double ended_s) {
    daq::Event e;
    e.at = daq::HostTime{} + daq::from_seconds(began_s);
    e.code = daq::EventCode::kStepBegan;
    e.arguments[1] = static_cast<double>(StepKind::kStroke);
    axis.take(e);
    e.at = daq::HostTime{} + daq::from_seconds(ended_s);
    e.code = daq::EventCode::kStepEnded;
    axis.take(e);
  }
  static daq::Block block(daq::StreamId stream, double t0_s, std::uint16_t samples, double period_ns, double value,
                          daq::Duration bound) {
    daq::Block b;
    b.stream = stream;
    b.channels = 1;
    b.samples = samples;
    b.t0 = daq::HostTime{} + daq::from_seconds(t0_s);
    b.period_ns = period_ns;
    b.bound = bound;
    b.values[0] = static_cast<float>(value);
    return b;
  }
};

PositionAxis axis_of(PositionAxisConfig config = {}) {
  return {{description(kPosition, "position", 0), description(kForce, "force", 1000)}, config};
}

TEST(PositionAxis, EverySampleOfAStrokeLiesInItsBin) {
  Bench bench;
  auto axis = axis_of();
  bench.play(axis);
  const auto passes = axis.passes();
  ASSERT_EQ(passes.size(), 2U);
  EXPECT_TRUE(passes[0].forward);
  EXPECT_FALSE(passes[1].forward);
  std::uint64_t placed = 0;
  for (const auto& pass : passes) {
    ASSERT_EQ(pass.channels.size(), 1U);
    for (std::size_t i = 0; i < pass.channels[0].bins.size(); ++i) {
      const auto& bin = pass.channels[0].bins[i];
      placed += bin.count;
      if (bin.count == 0) continue;
      // What the truth is anywhere within the bin and the stated uncertainty around it: nothing else may lie there.
      double low = 1e9;
      double high = -1e9;
      const double reach = pass.bin_m / 2 + bin.uncertainty_m;
      for (int k = -50; k <= 50; ++k) {
        const double x = pass.bin_centre_m(i) + reach * k / 50;
        low = std::min(low, bench.truth(x));
        high = std::max(high, bench.truth(x));
      }
      constexpr double kFloat = 1e-4;
      EXPECT_GE(bin.min, low - kFloat) << pass.bin_centre_m(i);
      EXPECT_LE(bin.max, high + kFloat) << pass.bin_centre_m(i);
      EXPECT_GE(bin.rms() + kFloat, std::abs(bin.mean()));
      EXPECT_GE(bin.mean(), bin.min);
      EXPECT_LE(bin.mean(), bin.max);
    }
  }
  EXPECT_EQ(placed + axis.unplaced()[kForce], bench.samples) << "every sample is placed or counted as not placed";
  const double moving_s = 2 * bench.one_way_s();
  EXPECT_NEAR(static_cast<double>(placed), 1000 * moving_s, 4 * 40) << "a report's spacing at each end of each way";
}

TEST(PositionAxis, InTheMiddleABinHoldsWhatSpeedAndRatePromise) {
  Bench bench;
  auto axis = axis_of();
  bench.play(axis);
  for (const auto& pass : axis.passes()) {
    const auto middle = static_cast<std::size_t>(static_cast<std::int64_t>(60) - pass.first_bin);
    EXPECT_NEAR(static_cast<double>(pass.channels[0].bins[middle].count), 20, 1) << "1 mm at 50 mm/s and 1 kHz";
    EXPECT_LT(pass.channels[0].bins[middle].uncertainty_m, 1e-6) << "steady, and no bound of times";
    EXPECT_GT(pass.channels[0].bins.front().uncertainty_m, 20e-6) << "it bends where the stage speeds up";
  }
}

TEST(PositionAxis, AnUncertainReportMakesUncertainBins) {
  Bench bench;
  bench.report_jitter_s = 1e-3;
  auto axis = axis_of();
  bench.play(axis);
  for (const auto& pass : axis.passes()) {
    EXPECT_GE(pass.channels[0].bins[pass.channels[0].bins.size() / 2].uncertainty_m, 0.9 * bench.speed_m_s * 1e-3);
  }
}

TEST(PositionAxis, WaysThereAndBackAreRegisteredAndShowALateStream) {
  for (const double late_ms : {0.0, 4.0, -10.0, 20.0}) {
    Bench bench;
    bench.late_s = late_ms * 1e-3;
    bench.truth = [](double x) { return 5 + 3 * std::exp(-std::pow((x - 60e-3) / 6e-3, 2)); };
    auto axis = axis_of();
    bench.play(axis);
    const auto passes = axis.passes();
    ASSERT_EQ(passes.size(), 2U);
    const auto r = register_passes(passes[0], passes[1], kForce, 0, ProfileValue::kMean);
    EXPECT_NEAR(r.shift_m, 2 * bench.speed_m_s * bench.late_s, 0.1e-3) << late_ms << " ms late";
    EXPECT_GT(r.correlation, 0.98);
  }
}

TEST(PositionAxis, OnlyStrokesUnlessAllMotionIsWanted) {
  Bench bench;
  PositionAxis strokes({description(kPosition, "position", 0), description(kForce, "force", 1000)}, {});
  PositionAxis all({description(kPosition, "position", 0), description(kForce, "force", 1000)},
                   {.only_strokes = false});
  const auto feed = [&](PositionAxis& axis) {
    for (int i = 0; i <= 100; ++i) {
      daq::Block b;
      b.channels = b.samples = 1;
      b.t0 = daq::HostTime{} + std::chrono::milliseconds(40 * i);
      b.values[0] = static_cast<float>(1e-3 * i);
      axis.take(b);
      b.stream = kForce;
      axis.take(b);
    }
    axis.finish();
  };
  feed(strokes);
  feed(all);
  EXPECT_TRUE(strokes.passes().empty());
  EXPECT_EQ(all.passes().size(), 1U);
}

TEST(PositionAxis, AJumpInTheReadbackDoesNotEatAllMemory) {
  auto axis = axis_of({.bin_m = 1e-5, .only_strokes = false});
  std::mt19937 random(1);
  std::uniform_real_distribution<double> anywhere(-1e6, 1e6);
  for (int i = 0; i < 2000; ++i) {
    daq::Block b;
    b.channels = b.samples = 1;
    b.t0 = daq::HostTime{} + std::chrono::milliseconds(i);
    b.values[0] = static_cast<float>(anywhere(random));
    axis.take(b);
    b.stream = kForce;
    axis.take(b);
  }
  axis.finish();
  for (const auto& pass : axis.passes()) {
    for (const auto& c : pass.channels) EXPECT_LE(c.bins.size(), 100000U);
  }
}

TEST(PositionAxis, JsonHoldsWhatWasBinned) {
  Bench bench;
  auto axis = axis_of();
  bench.play(axis);
  const auto pass = axis.passes().front();
  const auto j = daq::parse_json(to_json(pass, pass.channels[0], description(kForce, "force", 1000)));
  EXPECT_EQ(j["stream"], "force");
  EXPECT_EQ(j["direction"], "forward");
  EXPECT_EQ(j["bins"]["mean"].size(), pass.channels[0].bins.size());
  EXPECT_DOUBLE_EQ(j["bins"]["mean"][5].get<double>(), pass.channels[0].bins[5].mean());
  EXPECT_DOUBLE_EQ(j["first_centre_m"].get<double>(), pass.bin_centre_m(0));
}

}  // namespace
}  // namespace strigil::protocols
