// ISO 376, ASTM E74, ISO 7500-1 and E4: what is given, what is refused, and in which words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/standards/astm_e74.hpp"
#include "calibration/standards/iso376.hpp"
#include "calibration/standards/machine_force.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using ::testing::HasSubstr;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A perfect instrument of 2 mV/V at 100 N, to which tests add what they look for.
Iso376Readings perfect(std::size_t forces = 10) {
  Iso376Readings r;
  for (std::size_t i = 1; i <= forces; ++i)
    r.force_N.push_back(100.0 * static_cast<double>(i) / static_cast<double>(forces));
  for (auto* s : {&r.x1, &r.x2, &r.x3, &r.x5}) {
    for (const double f : r.force_N) s->rising.push_back(0.02 * f);
  }
  r.x3.falling = r.x3.rising;
  r.x5.falling = r.x5.rising;
  r.x3.position_deg = 120;
  r.x5.position_deg = 240;
  r.resolution = 1e-6;
  r.calibration_force_pct = {0.01};
  r.creep_30s = r.creep_300s = 2.0;
  return r;
}

TEST(Iso376, APerfectInstrumentIsOfTheBestClassAllOver) {
  const auto a = assess_iso376(perfect());
  ASSERT_TRUE(a) << a.error().message;
  for (const auto which : {Iso376Case::A, Iso376Case::B, Iso376Case::C, Iso376Case::D}) {
    const auto& c = a->classes(which);
    ASSERT_EQ(c.ranges.size(), 1U);
    EXPECT_EQ(c.ranges[0].class_name, "00");
    EXPECT_EQ(c.ranges[0].lowest_N, 10);
    EXPECT_EQ(c.ranges[0].highest_N, 100);
  }
  EXPECT_EQ(a->table.status, "method based on");
  EXPECT_EQ(a->table.sha256.size(), 64U);
  EXPECT_EQ(a->validity_months, 26);
  EXPECT_THAT(a->table.citation(), HasSubstr("method based on ISO 376:2011"));
}

TEST(Iso376, ARangeEndsAtTheFirstForceThatFailsHoweverGoodThoseBelow) {
  auto r = perfect();
  r.x3.rising[3] *= 1.0008;  // b of 0.08 % at 40 N
  r.x3.falling[3] *= 1.0008;
  const auto a = assess_iso376(r);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->a.per_force[3], "0.5");
  EXPECT_EQ(a->a.per_force[2], "00");
  ASSERT_EQ(a->a.ranges.size(), 2U);
  EXPECT_EQ(a->a.ranges[0].lowest_N, 50);
  EXPECT_EQ(a->a.ranges[1].class_name, "0.5");
  EXPECT_EQ(a->a.ranges[1].lowest_N, 10);
}

TEST(Iso376, ARangeThatDoesNotReachHalfIsRefused) {
  auto r = perfect();
  r.x3.rising[5] *= 1.0008;  // at 60 N
  r.x3.falling[5] *= 1.0008;
  const auto a = assess_iso376(r);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->a.ranges.size(), 1U);
  EXPECT_EQ(a->a.ranges[0].class_name, "0.5");
  EXPECT_THAT(a->a.refused.at(0), HasSubstr("must reach down to 50 N"));
}

TEST(Iso376, LimitsAreComparedUnrounded) {
  auto r = perfect();
  const double over = 0.05 * 1.0001;  // % ; rounds to 0.05
  for (std::size_t i = 0; i < r.force_N.size(); ++i) r.x3.rising[i] *= 1 + over / 100 * 1.0001;
  const auto a = assess_iso376(r);
  ASSERT_TRUE(a);
  EXPECT_GT(a->forces[0].b_pct, 0.05);
  EXPECT_LT(a->forces[0].b_pct, 0.0501);
  EXPECT_EQ(a->a.per_force[0], "0.5");
}

TEST(Iso376, ACoarseResolutionLiftsTheLowestForce) {
  auto r = perfect();
  r.resolution = 0.0004;  // 4000 r is 1.6 mV/V, 80 N: class 00 does not reach half; 2000 r is 40 N
  const auto a = assess_iso376(r);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->d.ranges.size(), 3U);
  EXPECT_EQ(a->d.ranges[0].class_name, "0.5");
  EXPECT_EQ(a->d.ranges[0].lowest_N, 40);
  EXPECT_EQ(a->d.ranges[1].lowest_N, 20);
  EXPECT_EQ(a->d.ranges[2].lowest_N, 10);
  EXPECT_THAT(a->d.refused.at(0), HasSubstr("resolutions"));
}

TEST(Iso376, WhatWasNotMeasuredIsNotJudged) {
  auto r = perfect();
  r.x3.falling.clear();
  r.x5.falling.clear();
  const auto a = assess_iso376(r);
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->a.judged);
  EXPECT_FALSE(a->b.judged);
  EXPECT_THAT(a->b.why_not, HasSubstr("falling"));
  r.creep_30s.reset();
  r.creep_300s.reset();
  const auto b = assess_iso376(r);
  ASSERT_TRUE(b);
  EXPECT_FALSE(b->c.judged);
  EXPECT_THAT(b->c.why_not, HasSubstr("creep"));
}

TEST(Iso376, ATestThatFallsShortGivesFiguresAndNoClass) {
  auto r = perfect(5);
  const auto few = assess_iso376(r);
  ASSERT_TRUE(few);
  EXPECT_THAT(few->nonconformities.at(0), HasSubstr("5 forces; at least 8"));
  EXPECT_TRUE(few->a.ranges.empty());
  EXPECT_EQ(few->a.per_force[0], "00");
  r = perfect();
  r.x5.position_deg = 110;
  const auto unturned = assess_iso376(r);
  ASSERT_TRUE(unturned);
  EXPECT_THAT(unturned->nonconformities.at(0), HasSubstr("less than 60 deg apart"));
  r = perfect();
  r.x3.position_deg = 350;  // 10 degrees from X1, across zero
  EXPECT_FALSE(assess_iso376(r)->nonconformities.empty());
}

TEST(Iso376, HostileReadingsAreRefusedInWords) {
  const auto message = [](const Iso376Readings& r, Iso376Options o = {}) {
    const auto a = assess_iso376(r, o);
    return a ? std::string("accepted") : a.error().message;
  };
  auto r = perfect();
  r.x3.rising[4] = kNaN;
  EXPECT_THAT(message(r), HasSubstr("X3[4] is not a finite number"));
  r = perfect();
  r.x2.rising.pop_back();
  EXPECT_THAT(message(r), HasSubstr("X2 has 9 values"));
  r = perfect();
  std::swap(r.force_N[2], r.force_N[3]);
  EXPECT_THAT(message(r), HasSubstr("must rise"));
  r = perfect();
  r.x5.falling.clear();
  EXPECT_THAT(message(r), HasSubstr("one of the two falling series"));
  r = perfect();
  r.x1.rising[0] = 0;
  EXPECT_THAT(message(r), HasSubstr("zero or of the other sign"));
  r = perfect();
  r.calibration_force_pct = {};
  EXPECT_THAT(message(r), HasSubstr("calibration_force_pct"));
  EXPECT_THAT(message(perfect(), {4, true}), HasSubstr("degree 1 to 3"));
  EXPECT_THAT(message(perfect(2), {3, false}), HasSubstr("could not be fitted"));
  EXPECT_THAT(message({}), HasSubstr("no forces"));
}

TEST(Iso376, CompressionReadsNegativeAndMeansTheSame) {
  auto r = perfect();
  Random random(5);
  for (auto* s : {&r.x1, &r.x2, &r.x3, &r.x5}) {
    s->zero_before = 1e-6 * random.normal();
    s->zero_after = 1e-6 * random.normal();
    for (auto* v : {&s->rising, &s->falling}) {
      for (double& x : *v) x *= 1 + 1e-4 * random.normal();
    }
  }
  auto turned = r;
  for (auto* s : {&turned.x1, &turned.x2, &turned.x3, &turned.x5}) {
    s->zero_before *= -1;
    s->zero_after *= -1;
    for (auto* v : {&s->rising, &s->falling}) {
      for (double& x : *v) x *= -1;
    }
  }
  turned.creep_30s = turned.creep_300s = -2.0;
  const auto a = assess_iso376(r), b = assess_iso376(turned);
  ASSERT_TRUE(a && b);
  for (std::size_t i = 0; i < a->forces.size(); ++i) {
    EXPECT_NEAR(a->forces[i].b_pct, b->forces[i].b_pct, 1e-9);
    EXPECT_NEAR(*a->forces[i].v_pct, *b->forces[i].v_pct, 1e-9);
    EXPECT_NEAR(a->forces[i].W_pct, b->forces[i].W_pct, 1e-9);
    EXPECT_GE(a->expanded_uncertainty.at(a->forces[i].force_N), a->forces[i].W_pct);
  }
}

TEST(Iso376, UseIsRefusedOutsideTheRangeAndGrowsWithItsConditions) {
  const auto a = assess_iso376(perfect());
  ASSERT_TRUE(a);
  const auto plain = iso376_in_use(*a, 1.0);
  ASSERT_TRUE(plain);
  EXPECT_NEAR(plain->force_N, 50, 1e-9);
  const auto warm = iso376_in_use(*a, 1.0, {0.1, 5, 0.01, true, 0});
  ASSERT_TRUE(warm);
  EXPECT_NEAR(warm->W_pct, std::sqrt(std::pow(plain->W_pct, 2) + 4.0 / 3 * (0.01 + 0.0025)), 1e-6);
  for (const double x : {0.19, 2.01, kNaN}) EXPECT_FALSE(iso376_in_use(*a, x));
  EXPECT_THAT(iso376_in_use(*a, 2.01).error().message, HasSubstr("outside the calibrated"));
}

/// Three runs of ten forces up to 100 N, 2 mV/V, scatter and a bend as asked.
E74Readings three_runs(double scatter, double bend = 0, std::uint64_t seed = 1) {
  E74Readings r;
  Random random(seed);
  for (int run = 1; run <= 3; ++run) {
    for (int i = 1; i <= 10; ++i) {
      const double f = 10.0 * i;
      r.observations.push_back({f, 0.02 * f + bend * f * f + scatter * random.normal(), run, 120.0 * (run - 1)});
    }
  }
  r.resolution = 1e-6;
  r.reference = E74Reference::primary;
  r.creep_recovery_pct = 0.01;
  return r;
}

TEST(AstmE74, ClassesByTheirLowerLimits) {
  const auto a = assess_e74(three_runs(5e-6, 1e-6));
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(a->degrees.degree, 2);
  ASSERT_EQ(a->ranges.size(), 2U);
  EXPECT_EQ(a->ranges[0].class_name, "AA");
  EXPECT_EQ(a->ranges[1].class_name, "A");
  // 2.4 * 5e-6 / 0.02 is 0.0006 N: 2000 of it 1.2 N, 400 of it 0.24 N; the smallest force applied decides.
  EXPECT_NEAR(a->llf_N, 0.0006, 0.0002);
  EXPECT_EQ(a->ranges[1].decided_by, "the smallest force applied");
  EXPECT_EQ(a->ranges[1].lowest_N, 10);
  const auto coarse = assess_e74(three_runs(2e-4));
  ASSERT_TRUE(coarse);
  EXPECT_EQ(coarse->degrees.degree, 1);
  ASSERT_EQ(coarse->ranges.size(), 2U);
  EXPECT_EQ(coarse->ranges[0].decided_by, "LLF");
  EXPECT_NEAR(coarse->ranges[0].lowest_N, 2000 * coarse->llf_N, 1e-12);
}

TEST(AstmE74, WhatARangeMayNotClaimIsRefused) {
  auto r = three_runs(5e-6);
  r.reference = E74Reference::class_AA;
  auto a = assess_e74(r);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->ranges.size(), 1U) << "no class AA from a class AA standard";
  EXPECT_EQ(a->ranges[0].class_name, "A");
  EXPECT_THAT(a->refused.at(0), HasSubstr("primary"));
  r.reference = E74Reference::class_A;
  EXPECT_TRUE(assess_e74(r)->ranges.empty()) << "no class A from a class A standard";
  r = three_runs(5e-6);
  r.creep_recovery_pct = 0.03;
  a = assess_e74(r);
  ASSERT_EQ(a->ranges.size(), 1U);
  EXPECT_THAT(a->refused.at(0), HasSubstr("creep recovery"));
  r = three_runs(5e-6);
  r.resolution = 1e-3;  // 2000 of it are 100 N
  a = assess_e74(r);
  ASSERT_EQ(a->ranges.size(), 1U);
  EXPECT_NEAR(a->ranges[0].lowest_N, 400 * a->resolution_N, 1e-12);
  EXPECT_NEAR(a->llf_N, a->resolution_N, 1e-12) << "LLF is never below the resolution";
  r = three_runs(5e-6);
  r.observations.pop_back();
  EXPECT_THAT(assess_e74(r)->nonconformities.at(0), HasSubstr("29 force applications"));
  r = three_runs(5e-6);
  r.observations.insert(r.observations.begin(), {0, 0, 1, 0});
  EXPECT_THAT(assess_e74(r)->nonconformities.at(0), HasSubstr("zero force"));
  r = three_runs(5e-6);
  for (auto& o : r.observations) o.position_deg = 0;
  EXPECT_TRUE(assess_e74(r)->ranges.empty());
  r = three_runs(5e-6);
  r.change_pct = 0.05;
  EXPECT_EQ(assess_e74(r)->remarks.size(), 1U);
}

TEST(AstmE74, NothingIsReadBelowTheLimitOrAboveTheLargestForce) {
  const auto a = assess_e74(three_runs(2e-4));
  ASSERT_TRUE(a);
  const double lowest = a->ranges[0].lowest_N;
  EXPECT_TRUE(e74_force_N(*a, 0.02 * lowest * 1.02, "AA"));
  EXPECT_FALSE(e74_force_N(*a, 0.02 * lowest * 0.98, "AA"));
  EXPECT_THAT(e74_force_N(*a, 2.2, "A").error().message, HasSubstr("nothing is extrapolated"));
  EXPECT_FALSE(e74_force_N(*a, kNaN, "A"));
  EXPECT_FALSE(e74_force_N(*a, 1, "B"));
}

TEST(AstmE74, HostileReadingsAreRefused) {
  EXPECT_FALSE(assess_e74({}));
  auto r = three_runs(0);
  r.observations[3].deflection = kNaN;
  EXPECT_FALSE(assess_e74(r));
  r = three_runs(0);
  r.observations[3].force_N = -1;
  EXPECT_THAT(assess_e74(r).error().message, HasSubstr("magnitudes"));
  r = three_runs(1e-5, -2e-4);  // turns back at 50 N
  EXPECT_THAT(assess_e74(r).error().message, HasSubstr("turns back"));
  EXPECT_FALSE(assess_e74(three_runs(1e-5), 9));
}

MachineReadings machine(double error_pct) {
  MachineReadings m;
  for (int s = 0; s < 3; ++s) {
    MachineSeries series;
    for (const double f : {10.0, 20.0, 40.0, 60.0, 80.0, 100.0}) {
      series.reference_N.push_back(f);
      series.indicated_N.push_back(f * (1 + error_pct / 100 * (s == 0 ? 1.2 : s == 1 ? 1.0 : 0.8)));
    }
    m.rising.push_back(series);
  }
  m.zero_residual_N = {0.001, -0.002, 0.001};
  m.resolution_N = 0.001;
  m.reference_class = "0.5";
  return m;
}

TEST(MachineForce, ClassesAndTheMeanRule) {
  const auto iso = read_built_in_table("iso7500_1_2018", iso7500_schema());
  const auto e4 = read_built_in_table("astm_e4", astm_e4_schema());
  auto a = assess_machine(machine(0.4), iso);
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(a->awarded_class, "0.5");
  EXPECT_NEAR(a->forces[0].q_mean_pct, 0.4, 1e-9);
  EXPECT_NEAR(a->forces[0].b_pct, 0.16, 1e-9);
  EXPECT_NEAR(a->f0_pct, 0.002, 1e-12);
  // 0.9 % mean, 1.08 % in one series: class 1 by the mean, out of E4 by the one.
  EXPECT_EQ(assess_machine(machine(0.9), iso)->awarded_class, "1");
  EXPECT_EQ(assess_machine(machine(0.9), e4)->awarded_class, "");
  EXPECT_EQ(assess_machine(machine(0.8), e4)->awarded_class, "E4");
  EXPECT_EQ(assess_machine(machine(5), iso)->class_by_figures, "");
  EXPECT_EQ(assess_machine(machine(5), iso)->forces[0].held_by, "q");
}

TEST(MachineForce, APoorReferenceOrATestThatFallsShortGivesNoClass) {
  const auto iso = read_built_in_table("iso7500_1_2018", iso7500_schema());
  auto m = machine(0.1);
  m.reference_class = "1";
  EXPECT_EQ(assess_machine(m, iso)->awarded_class, "1") << "class 0.5 asks for a reference of class 0.5";
  m.reference_class = "";
  const auto unknown = assess_machine(m, iso);
  EXPECT_EQ(unknown->class_by_figures, "0.5");
  EXPECT_EQ(unknown->awarded_class, "");
  EXPECT_FALSE(unknown->nonconformities.empty());
  m = machine(0.1);
  m.rising.pop_back();
  EXPECT_EQ(assess_machine(m, iso)->awarded_class, "");
  m = machine(0.1);
  m.zero_residual_N.clear();
  EXPECT_EQ(assess_machine(m, iso)->awarded_class, "");
  m = machine(0.1);
  m.falling = m.rising[1];
  for (double& f : m.falling->indicated_N) f *= 1.01;  // v of 1 %
  EXPECT_EQ(assess_machine(m, iso)->awarded_class, "1");
  EXPECT_EQ(assess_machine(m, iso)->forces[0].held_by, "v");
}

TEST(MachineForce, HostileReadingsAreRefused) {
  const auto iso = read_built_in_table("iso7500_1_2018", iso7500_schema());
  EXPECT_FALSE(assess_machine({}, iso));
  auto m = machine(0.1);
  m.rising[1].indicated_N[2] = kNaN;
  EXPECT_FALSE(assess_machine(m, iso));
  m = machine(0.1);
  m.rising[2].reference_N.pop_back();
  EXPECT_FALSE(assess_machine(m, iso));
  m = machine(0.1);
  m.rising[0].reference_N[0] = 0;
  EXPECT_FALSE(assess_machine(m, iso));
}

}  // namespace
}  // namespace strigil::calibration
