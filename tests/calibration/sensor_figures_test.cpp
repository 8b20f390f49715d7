// Creep, hysteresis, crosstalk, R 60, temperature: against truths that the tests make.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/standards/creep.hpp"
#include "calibration/standards/load_cell.hpp"
#include "calibration/standards/temperature_effect.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using ::testing::HasSubstr;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <typename Truth>
CreepRecord record(Truth truth, double noise = 0, std::size_t readings = 361, double step_s = 5,
                   std::uint64_t seed = 3) {
  CreepRecord r;
  Random random(seed);
  for (std::size_t i = 0; i < readings; ++i) {
    r.time_s.push_back(step_s * static_cast<double>(i));
    r.reading.push_back(truth(r.time_s.back()) + noise * random.normal());
  }
  r.full_deflection = 2;
  return r;
}

TEST(Creep, FiguresBetweenFixedTimes) {
  const auto f = creep_figures(record([](double t) { return 2 + 1e-6 * t; }));
  ASSERT_TRUE(f);
  EXPECT_NEAR(*f->from_30_to_300_s_pct, 100 * 270e-6 / 2, 1e-9);
  EXPECT_NEAR(*f->from_20_to_30_min_pct, 100 * 600e-6 / 2, 1e-9);
  const auto brief = creep_figures(record([](double) { return 2.0; }, 0, 100));  // 495 s
  EXPECT_TRUE(brief->from_30_to_300_s_pct);
  EXPECT_FALSE(brief->from_20_to_30_min_pct) << "a record that does not reach says nothing";
}

TEST(Creep, EveryModelIsFoundAgainAndItsIntervalsHoldTheTruth) {
  const auto two = [](double t) { return 2 + 4e-4 * (1 - std::exp(-t / 20)) + 8e-4 * (1 - std::exp(-t / 400)); };
  auto exact = fit_creep(record(two), CreepKind::two_exponentials);
  ASSERT_TRUE(exact) << exact.error().message;
  EXPECT_NEAR(exact->tau_s[0].value, 20, 1e-3);
  EXPECT_NEAR(exact->tau_s[1].value, 400, 1e-2);
  EXPECT_NEAR(exact->at(700), two(700), 1e-10);
  const auto noisy = fit_creep(record(two, 5e-6), CreepKind::two_exponentials);
  ASSERT_TRUE(noisy);
  for (const auto& [e, truth] : {std::pair{noisy->tau_s[0], 20.0},
                                 {noisy->tau_s[1], 400.0},
                                 {noisy->amplitude[0], 4e-4},
                                 {noisy->amplitude[1], 8e-4},
                                 {noisy->start, 2.0}}) {
    EXPECT_LT(std::abs(e.value - truth), e.expanded(0.999));
    EXPECT_LT(e.u, 0.2 * truth);
  }
  const auto log = [](double t) { return 2 + 1e-4 * std::log1p(t / 7); };
  const auto ranked = fit_creep_models(record(log, 1e-6));
  ASSERT_TRUE(ranked);
  EXPECT_EQ(ranked->front().kind, CreepKind::logarithm);
  EXPECT_NEAR(ranked->front().tau_s[0].value, 7, 1);
  const auto one = [](double t) { return 2 - 6e-4 * (1 - std::exp(-t / 90)); };
  EXPECT_EQ(fit_creep_models(record(one, 2e-6))->front().kind, CreepKind::one_exponential);
  EXPECT_THAT(ranked->front().equation(), HasSubstr("ln(1 + t/"));
}

TEST(Creep, HostileRecordsAreRefused) {
  auto r = record([](double) { return 2.0; });
  r.reading[4] = kNaN;
  EXPECT_FALSE(creep_figures(r));
  r = record([](double) { return 2.0; });
  r.full_deflection = 0;
  EXPECT_FALSE(creep_figures(r));
  std::swap(r.time_s[3], r.time_s[4]);
  r.full_deflection = 1;
  EXPECT_FALSE(creep_figures(r));
  EXPECT_FALSE(creep_figures({}));
  EXPECT_FALSE(fit_creep(record([](double t) { return t; }, 0, 4), CreepKind::two_exponentials));
  // A constant has no time: amplitude nothing, time anything.
  EXPECT_FALSE(fit_creep(record([](double) { return 2.0; }), CreepKind::one_exponential));
}

TEST(Hysteresis, FromTerminalAndLeastSquaresLines) {
  const std::vector<double> f = {25, 50, 75, 100}, up = {0.5, 1.001, 1.5, 2.0}, down = {0.502, 1.003, 1.5015, 2.0};
  const auto t = hysteresis_figures(f, up, down, ReferenceLine::terminal);
  ASSERT_TRUE(t);
  EXPECT_NEAR(t->points[0].reversibility_pct, 0.4, 1e-9);
  EXPECT_NEAR(t->hysteresis_pct, 0.1, 1e-9);
  EXPECT_NEAR(t->nonlinearity_pct, 0.05, 1e-9);
  EXPECT_NEAR(t->combined_pct, 0.15, 1e-9);
  const auto l = hysteresis_figures(f, up, down, ReferenceLine::least_squares);
  EXPECT_LT(std::abs(l->nonlinearity_pct), t->nonlinearity_pct);
  EXPECT_FALSE(hysteresis_figures(f, up, std::vector{1.0}, ReferenceLine::terminal));
  EXPECT_NEAR(*zero_return_pct(0, 2e-4, 2), 0.01, 1e-12);
  EXPECT_FALSE(zero_return_pct(0, 1, 0));
}

TEST(Crosstalk, MatrixAndLargest) {
  const auto x = crosstalk_pct({{100, 0.5, -1}, {0.2, 50, 0}, {0, 0, 20}}, std::vector<double>{100, 50, 20});
  ASSERT_TRUE(x);
  EXPECT_NEAR((*x)[1][0], 1, 1e-12) << "reading on axis 1 under load on axis 0";
  EXPECT_NEAR((*x)[2][0], -5, 1e-12);
  EXPECT_NEAR((*x)[0][1], 0.2, 1e-12);
  EXPECT_NEAR(largest_crosstalk_pct(*x), -5, 1e-12);
  EXPECT_FALSE(crosstalk_pct({{1, 2}}, std::vector<double>{1, 1}));
  EXPECT_FALSE(crosstalk_pct({{1, kNaN}, {0, 1}}, std::vector<double>{1, 1}));
  EXPECT_FALSE(crosstalk_pct({{1}}, std::vector<double>{0}));
}

TEST(R60, EnvelopeCreepAndReturn) {
  const auto table = read_built_in_table("oiml_r60", oiml_r60_schema());
  EXPECT_NEAR(*r60_mpe_N(500, 1, 0.7, table), 0.35, 1e-12);
  EXPECT_NEAR(*r60_mpe_N(501, 1, 0.7, table), 0.7, 1e-12);
  EXPECT_NEAR(*r60_mpe_N(2001, 1, 0.7, table), 1.05, 1e-12);
  EXPECT_FALSE(r60_mpe_N(10001, 1, 0.7, table));
  R60Readings r;
  r.interval_N = 0.1;
  r.load_N = {10, 50, 100, 200};
  r.indication_N = {10.03, 50.03, 100.05, 200.06};
  r.largest_N = 200;
  CreepRecord creep;
  for (int i = 0; i <= 180; ++i) {
    creep.time_s.push_back(10.0 * i);
    creep.reading.push_back(200 + 0.04 * (1 - std::exp(-i / 30.0)));
  }
  creep.full_deflection = 200;
  r.creep = creep;
  r.return_N = 0.03;
  const auto a = assess_r60(r, table);
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_TRUE(a->kept);
  EXPECT_TRUE(a->not_measured.empty());
  r.return_N = 0.06;
  EXPECT_FALSE(assess_r60(r, table)->kept);
  r.return_N.reset();
  r.creep.reset();
  EXPECT_EQ(assess_r60(r, table)->not_measured.size(), 2U);
  r.apportioning = 0.9;
  EXPECT_FALSE(assess_r60(r, table));
}

TEST(TemperatureEffect, IsFoundAgainWithItsIntervals) {
  Random random(9);
  std::vector<TemperaturePoint> points;
  const double z0 = 0.01, z1 = 3e-5, s0 = 0.02, k1 = -4e-5;
  for (const double t : {13.0, 18.0, 23.0, 28.0, 33.0}) {
    for (int i = 0; i <= 5; ++i) {
      const double f = 20.0 * i, dt = t - 23;
      points.push_back({t, f, z0 + z1 * dt + s0 * f * (1 + k1 * dt) + 2e-6 * random.normal()});
    }
  }
  const auto e = fit_temperature_effect(points);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_LT(std::abs(e->sensitivity_per_K.value - k1), e->sensitivity_per_K.expanded(0.999));
  EXPECT_LT(std::abs(e->zero_per_K.value - z1), e->zero_per_K.expanded(0.999));
  EXPECT_LT(e->sensitivity_per_K.u, 1e-6);
  EXPECT_NEAR(e->zero_pct_K.value, 100 * z1 / (s0 * 100), 1e-5);
  EXPECT_NEAR(*e->force_N(z0 + z1 * 5 + s0 * 50 * (1 + k1 * 5), 28), 50, 1e-3);
  EXPECT_FALSE(e->force_N(1, 40));
  EXPECT_FALSE(e->force_N(5, 23));
  auto two = points;
  std::erase_if(two, [](const auto& p) { return p.temperature_degC != 13 && p.temperature_degC != 33; });
  EXPECT_THAT(fit_temperature_effect(two).error().message, HasSubstr("2 temperatures"));
  auto few = points;
  std::erase_if(few, [](const auto& p) { return p.temperature_degC == 13 && p.force_N > 50; });
  EXPECT_THAT(fit_temperature_effect(few).error().message, HasSubstr("3 different forces"));
  points[0].reading = kNaN;
  EXPECT_FALSE(fit_temperature_effect(points));
}

}  // namespace
}  // namespace strigil::calibration
