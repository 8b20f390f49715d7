// Instrument: friction, stiffness, mass, transmissibility, resonance; vibration comparison; against made truths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "calibration/signal/frequency_response.hpp"
#include "calibration/standards/edge_friction.hpp"
#include "calibration/standards/edge_stiffness.hpp"
#include "calibration/standards/resonance.hpp"
#include "calibration/standards/transmissibility.hpp"
#include "calibration/standards/vibration_comparison.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using Complex = std::complex<double>;
using ::testing::HasSubstr;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = std::numbers::pi;

TEST(EdgeFriction, LeanAndOffsetCancel) {
  const double phi = std::atan(0.3), lean = 0.02, offset = 0.05;
  FrictionReadings r;
  Random random(4);
  for (int i = 1; i <= 20; ++i) {
    const double n = 0.5 * i;
    r.forward.push_back({n, n * std::tan(phi + lean) + offset + 0.002 * random.normal()});
    r.backward.push_back({n, -n * std::tan(phi - lean) + offset + 0.002 * random.normal()});
  }
  const auto f = edge_friction(r);
  ASSERT_TRUE(f) << f.error().message;
  EXPECT_LT(std::abs(f->mu.value - 0.3), f->mu.expanded(0.999));
  EXPECT_LT(f->mu.u, 2e-4);
  EXPECT_LT(std::abs(f->lean_rad.value - lean), f->lean_rad.expanded(0.999));
  EXPECT_LT(std::abs(f->offset_N.value - offset), f->offset_N.expanded(0.999));
  EXPECT_FALSE(f->directions_agree);
  r.gain_ratio_u = 0.01;
  EXPECT_NEAR(edge_friction(r)->mu.u, 0.003, 1e-4);
}

TEST(EdgeFriction, WhatDoesNotTellFrictionIsRefused) {
  const auto message = [](const FrictionReadings& r) {
    const auto f = edge_friction(r);
    return f ? std::string("accepted") : f.error().message;
  };
  FrictionReadings r{{{5, 1}, {5, 1.01}, {5.001, 1}}, {{5, -1}, {5, -1.01}, {5.001, -1}}};
  EXPECT_THAT(message(r), HasSubstr("cannot be told from a zero offset"));
  r.tangential_tared = true;
  EXPECT_EQ(message(r), "accepted");
  r.backward[0].normal_N = 0;
  EXPECT_THAT(message(r), HasSubstr("without contact"));
  r.backward[0] = {5, kNaN};
  EXPECT_THAT(message(r), HasSubstr("finite"));
  r.backward = {{5, 1}, {6, 1.2}, {7, 1.4}};
  EXPECT_THAT(message(r), HasSubstr("must resist motion"));
  EXPECT_THAT(message({}), HasSubstr("two are needed"));
}

TEST(EdgeStiffness, WithoutTheRigsOwn) {
  Random random(8);
  std::vector<double> f, x, fu, xu;
  const double c = 1e-5, rig = 2e-6;
  for (int i = 0; i <= 40; ++i) {
    f.push_back(i * 0.5);
    x.push_back((c + rig) * f.back() + 3e-4 + 2e-7 * random.normal());
  }
  for (int i = 40; i >= 0; --i) {
    fu.push_back(i * 0.5);
    xu.push_back((c + rig) * fu.back() + 3e-4 + 2e-7 * random.normal());
  }
  const auto s = edge_stiffness(f, x, fu, xu, {rig, 2e-8, 20});
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_LT(std::abs(s->stiffness_N_m.value - 1 / c), s->stiffness_N_m.expanded(0.999));
  EXPECT_LT(s->stiffness_N_m.u, 300);
  EXPECT_TRUE(s->straight);
  EXPECT_NEAR(s->loop_J, 0, 1e-5);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += 1e-7 * f[i] * f[i];
  EXPECT_FALSE(edge_stiffness(f, x, {}, {})->straight);
  EXPECT_THAT(edge_stiffness(f, x, {}, {}, {2e-5, 1e-8, 10}).error().message, HasSubstr("stiffer"));
  EXPECT_FALSE(edge_stiffness({}, {}, {}, {}));
  x[3] = kNaN;
  EXPECT_FALSE(edge_stiffness(f, x, {}, {}));
}

/// Lines of a response with relative noise; coherence as that noise would give with 64 averages.
std::vector<ResponsePoint> response(ResponseKind kind, double fn, double zeta, double noise, std::uint64_t seed = 2,
                                    double low = 0.4, double high = 2, int count = 400) {
  std::vector<ResponsePoint> out;
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    const double f = fn * (low + (high - low) * i / (count - 1)), r = f / fn;
    const Complex i1(0, 1);
    const Complex receptance = 2.5 / (1 - r * r + 2.0 * i1 * zeta * r);
    Complex h = complex_transmissibility(r, zeta);
    if (kind == ResponseKind::receptance) h = receptance;
    if (kind == ResponseKind::mobility) h = receptance * i1 * r;
    if (kind == ResponseKind::accelerance) h = -receptance * r * r;
    h += noise * std::abs(h) * Complex(random.normal(), random.normal());
    const double coherence = noise > 0 ? 1 / (1 + 2 * 64 * noise * noise) : 1;
    out.push_back({f, h, coherence});
  }
  return out;
}

TEST(Resonance, ThreeWaysAgreeForEveryKindOfResponse) {
  for (const auto kind :
       {ResponseKind::transmissibility, ResponseKind::receptance, ResponseKind::mobility, ResponseKind::accelerance}) {
    for (const double zeta : {0.01, 0.05, 0.2}) {
      const auto lines = response(kind, 180, zeta, 0, 1, 0.4, 2.5, 2000);
      for (const auto& r : {half_power(lines, kind), circle_fit(lines, kind), model_fit(lines, kind)}) {
        ASSERT_TRUE(r) << r.error().message;
        EXPECT_NEAR(r->natural_Hz.value, 180, r->method == "half-power" ? 0.02 : 1e-6) << r->method << " " << zeta;
        EXPECT_NEAR(r->damping.value, zeta, r->method == "half-power" ? 0.01 * zeta : 1e-8) << r->method << " " << zeta;
      }
    }
  }
}

TEST(Resonance, NoisyLinesKeepTheTruthWithinTheirIntervals) {
  for (const auto kind : {ResponseKind::transmissibility, ResponseKind::accelerance}) {
    const auto lines = response(kind, 240, 0.03, 0.01);
    const auto m = model_fit(lines, kind);
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_LT(std::abs(m->natural_Hz.value - 240), m->natural_Hz.expanded(0.999));
    EXPECT_LT(std::abs(m->damping.value - 0.03), m->damping.expanded(0.999));
    EXPECT_LT(m->natural_Hz.u, 0.1);
    const auto c = circle_fit(lines, kind);
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_NEAR(c->damping.value, 0.03, 0.001);
    EXPECT_NEAR(half_power(lines, kind)->damping.value, 0.03, 0.003);
  }
}

TEST(Resonance, WhatHasNoneIsRefused) {
  std::vector<ResponsePoint> flat;
  for (int i = 1; i <= 50; ++i) flat.push_back({10.0 * i, {0.5 * i, 0.1}, 1});
  EXPECT_FALSE(half_power(flat, ResponseKind::mobility));
  const auto below = response(ResponseKind::receptance, 180, 0.02, 0, 1, 0.1, 0.5);
  EXPECT_THAT(half_power(below, ResponseKind::receptance).error().message, HasSubstr("not within the lines"));
  const auto coarse = response(ResponseKind::receptance, 180, 0.002, 0, 1, 0.4, 2, 100);
  EXPECT_THAT(half_power(coarse, ResponseKind::receptance).error().message, HasSubstr("longer record"));
  auto turned = response(ResponseKind::receptance, 180, 0.02, 0);
  for (auto& l : turned) l.response = std::conj(l.response);
  EXPECT_FALSE(circle_fit(turned, ResponseKind::receptance));
  EXPECT_FALSE(model_fit(turned, ResponseKind::receptance));
  turned[5].response = kNaN;
  EXPECT_FALSE(model_fit(turned, ResponseKind::receptance));
  EXPECT_FALSE(model_fit({}, ResponseKind::receptance));
}

TEST(Resonance, AnExponentialWindowIsTakenOff) {
  const auto d = without_window({0.05, 0.001, 20}, 100, 1);
  ASSERT_TRUE(d);
  EXPECT_NEAR(d->value, 0.05 - 1 / (2 * kPi * 100), 1e-12);
  EXPECT_FALSE(without_window({0.001, 0, 20}, 100, 1));
}

TEST(Transmissibility, FiguresBandsAndTheSqrtTwoCheck) {
  const auto lines = response(ResponseKind::transmissibility, 180, 0.05, 0.01);
  TransmissibilityOptions o;
  o.averages = 64;
  o.gain_ratio_u = 0.01;
  o.bands_Hz = {{100, 150}, {200, 300}, {4000, 5000}};
  const auto t = assess_transmissibility(lines, o);
  ASSERT_TRUE(t) << t.error().message;
  for (const auto& p : t->points) {
    EXPECT_NEAR(p.magnitude.u / p.magnitude.value, std::hypot(0.01, 0.01 * std::sqrt(64.0 / 63)), 1e-9);
    EXPECT_NEAR(p.magnitude_dB, 20 * std::log10(p.magnitude.value), 1e-12);
  }
  EXPECT_GT(t->bands[0].magnitude.value, 1);
  EXPECT_GT(t->bands[0].magnitude.u, 0.01 * t->bands[0].magnitude.value)
      << "gain is common: averaging does not lessen it";
  EXPECT_EQ(t->bands[2].lines, 0U);
  EXPECT_THAT(t->remarks.back(), HasSubstr("not measured"));
  const auto m = model_fit(lines, ResponseKind::transmissibility);
  const auto check = check_sqrt_two(*t, m->natural_Hz);
  ASSERT_TRUE(check);
  EXPECT_TRUE(check->kept) << check->magnitude.value;
  auto wrong = lines;
  for (auto& l : wrong) l.response *= 1.2;  // one channel's gain is off
  EXPECT_FALSE(check_sqrt_two(*assess_transmissibility(wrong, o), m->natural_Hz)->kept);
  EXPECT_FALSE(check_sqrt_two(*t, {1000, 1, 10}));
  EXPECT_EQ(usable_band(5000).within_5_pct_Hz, 1000);
}

TEST(Transmissibility, HostileLinesAreRefused) {
  std::vector<ResponsePoint> lines = {{10, 1, 1}, {20, 1, 1}};
  const auto one = assess_transmissibility(lines, {});
  ASSERT_TRUE(one);
  EXPECT_TRUE(std::isinf(one->points[0].magnitude.u)) << "one average says nothing of its scatter";
  lines[1].coherence = 1.1;
  EXPECT_THAT(assess_transmissibility(lines, {}).error().message, HasSubstr("cannot leave 0 to 1"));
  lines[1] = {10, 1, 1};
  EXPECT_FALSE(assess_transmissibility(lines, {}));
  lines[1] = {20, kNaN, 1};
  EXPECT_FALSE(assess_transmissibility(lines, {}));
  EXPECT_FALSE(assess_transmissibility({}, {}));
  lines[1] = {20, 1, 0};
  const auto dead = assess_transmissibility(lines, {});
  ASSERT_TRUE(dead);
  EXPECT_FALSE(dead->points[1].usable);
  EXPECT_TRUE(std::isinf(dead->points[1].magnitude.u));
}

ComparisonInput comparison() {
  ComparisonInput in;
  Random random(16);
  for (const double f : third_octaves_Hz(20, 2000)) {
    ComparisonReadings r;
    r.frequency_Hz = f;
    r.amplitude_m_s2 = 20;
    const double response = 1 / (1 - std::pow(f / 20000, 2));
    for (int i = 0; i < 5; ++i) r.ratio.push_back(std::polar(0.5 * response * (1 + 1e-3 * random.normal()), -f * 1e-5));
    in.readings.push_back(r);
  }
  ComparisonReference ref;
  ref.sensitivity = 0.01;
  ref.expanded_pct = 0.5;
  ref.expanded_phase_deg = 0.5;
  ref.gain_reference = 10;
  ref.gain_dut = 2;
  in.reference = {ref};
  in.terms = {{"transverse", 0.1}, {"voltmeter ratio", 0.05}};
  in.reference_frequency_Hz = 158.489;
  in.mountings = 5;
  return in;
}

TEST(VibrationComparison, SensitivityDeviationAndBudget) {
  const auto c = assess_comparison(comparison());
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_TRUE(c->nonconformities.empty()) << c->nonconformities.front();
  const auto& p = c->points[c->reference_point];
  EXPECT_NEAR(p.frequency_Hz, 158.489, 0.01);
  EXPECT_NEAR(p.magnitude.value, 0.01 * 0.5 * 10 / 2, 3e-5);
  EXPECT_EQ(p.deviation_pct, 0);
  EXPECT_NEAR(p.phase_deg.value, -158.489e-5 * 180 / kPi, 1e-6);
  const auto& last = c->points.back();
  EXPECT_NEAR(last.deviation_pct, 1, 0.3) << "the resonance at 20 kHz shows at 2 kHz";
  EXPECT_NEAR(last.deviation_dB, 20 * std::log10(1 + last.deviation_pct / 100), 1e-12);
  for (const auto& q : c->points) {
    double squares = 0;
    for (const auto& t : q.budget) squares += t.u_pct * t.u_pct;
    EXPECT_NEAR(100 * q.magnitude.u / q.magnitude.value, std::sqrt(squares), 1e-9);
    EXPECT_GT(q.expanded_pct, 0.5);
  }
  EXPECT_EQ(c->band_within(5).second, c->points.back().frequency_Hz);
}

TEST(VibrationComparison, ShortfallsAreNamedAndHostileReadingsRefused) {
  const auto message = [](const ComparisonInput& in) {
    const auto c = assess_comparison(in);
    return c ? std::string("accepted") : c.error().message;
  };
  auto in = comparison();
  in.mountings = 1;
  in.readings[3].distortion_pct = 7;
  EXPECT_EQ(assess_comparison(in)->nonconformities.size(), 2U);
  in = comparison();
  in.readings[2].ratio[1] = 0;
  EXPECT_THAT(message(in), HasSubstr("dead"));
  in = comparison();
  in.reference_frequency_Hz = 170;
  EXPECT_THAT(message(in), HasSubstr("was not measured"));
  in = comparison();
  in.reference.clear();
  EXPECT_THAT(message(in), HasSubstr("reference entries"));
  in = comparison();
  in.reference[0].gain_dut = 0;
  EXPECT_FALSE(assess_comparison(in));
  in = comparison();
  in.readings[4].ratio[0] = Complex(kNaN, 0);
  EXPECT_FALSE(assess_comparison(in));
  EXPECT_FALSE(assess_comparison({}));
  EXPECT_EQ(third_octaves_Hz(100, 1000).size(), 11U);
}

}  // namespace
}  // namespace strigil::calibration
