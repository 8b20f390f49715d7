// Do 95 % intervals hold the truth in 95 % of cases? Simulated calibrations with known truths: 2,000 of each kind here,
// more with STRIGIL_COVERAGE_CALIBRATIONS. One question a calibration, so that the answers are independent and 94 to 96
// % is what chance allows (two standard deviations of 2,000 answers are 0.98 %).
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdlib>
#include <functional>

#include "calibration/signal/frequency_response.hpp"
#include "calibration/standards/force_curve.hpp"
#include "calibration/standards/iso230_2.hpp"
#include "calibration/standards/resonance.hpp"
#include "calibration/standards/transmissibility.hpp"
#include "calibration/standards/vibration_comparison.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using Complex = std::complex<double>;

int calibrations() {
  const char* set = std::getenv("STRIGIL_COVERAGE_CALIBRATIONS");
  return set != nullptr ? std::max(std::atoi(set), 2000) : 2000;
}

/// A statement and the truth it is about.
struct Answer {
  Estimate stated;
  double truth = 0;
};

/// Part of simulated calibrations whose interval holds the truth. Each has a stream of random numbers of its own.
double coverage(const char* name, std::uint64_t seed, const std::function<Answer(Random&)>& calibrate) {
  const int n = calibrations();
  int inside = 0;
  double widths = 0, errors = 0;
  for (int i = 0; i < n; ++i) {
    Random random(seed, static_cast<std::uint64_t>(i));
    const auto a = calibrate(random);
    const double error = a.stated.value - a.truth;
    if (std::abs(error) <= a.stated.expanded()) ++inside;
    widths += a.stated.expanded() / n;
    errors += error * error / n;
  }
  const double part = static_cast<double>(inside) / n;
  std::printf("coverage %-52s %7d calibrations %6.2f %%  (U/rms error %.2f)\n", name, n, 100 * part,
              widths / std::sqrt(errors));
  return part;
}

#define EXPECT_COVERS(...)           \
  do {                               \
    const double part = __VA_ARGS__; \
    EXPECT_GE(part, 0.94);           \
    EXPECT_LE(part, 0.96);           \
  } while (false)

double rectangular(Random& random, double half_width) { return half_width * (2 * random.uniform() - 1); }

/// Runs of `points` forces up to 50 N on a sensor with a bend; then a use at a force that was not among them.
Answer force_calibration(Random& random, int runs, int points, int degree, double mounting, double reference_u,
                         int masses) {
  ForceCurveInput in;
  in.degree = degree;
  in.mounted_anew = mounting > 0;
  const double bend = degree > 1 ? 1e-4 : 0, noise = 2e-4;
  const auto truth = [&](double f) { return 0.02 * f + bend * f * f / 50; };
  // Forces come from masses that were certified against one standard: their errors are one.
  std::vector<LoadMass> pieces(static_cast<std::size_t>(masses),
                               {"piece", 5.0 / masses, 5.0 / masses * reference_u, true, 8000, 0, true});
  const auto reference = reference_force(pieces, {9.81, 9.81 * 1e-5, 1.2, 0.02});
  in.reference_relative_u = reference->relative_u;
  const double reference_error = in.reference_relative_u * random.normal();
  for (int run = 0; run < runs; ++run) {
    ForceRun r;
    const double gain = 1 + mounting * random.normal();
    for (int i = 1; i <= points; ++i) {
      const double stated = 50.0 * i / points;
      r.force_N.push_back(stated);
      r.reading.push_back(gain * truth(stated * (1 + reference_error)) + noise * random.normal());
    }
    in.runs.push_back(r);
  }
  const auto curve = ForceCurve::make(in);
  const double used = 50 * (0.25 + 0.7 * random.uniform());
  const auto statement = curve->force((1 + mounting * random.normal()) * truth(used) + noise * random.normal());
  return {statement->force_N, used};
}

TEST(Coverage, Force) {
  EXPECT_COVERS(coverage("force, 3 runs of 10, straight", 1,
                         [](Random& r) { return force_calibration(r, 3, 10, 1, 0, 2e-5, 1); }));
  EXPECT_COVERS(coverage("force, 3 runs of 10, second degree", 2,
                         [](Random& r) { return force_calibration(r, 3, 10, 2, 0, 2e-5, 1); }));
  EXPECT_COVERS(
      coverage("force, n = 5 points", 3, [](Random& r) { return force_calibration(r, 1, 5, 1, 0, 2e-5, 1); }));
  EXPECT_COVERS(coverage("force, n = 5, correlated masses weigh more", 4,
                         [](Random& r) { return force_calibration(r, 1, 5, 1, 0, 8e-4, 5); }));
  EXPECT_COVERS(coverage("force, 8 mountings, each its own gain", 5,
                         [](Random& r) { return force_calibration(r, 8, 10, 1, 1e-3, 2e-5, 1); }));
}

/// Five mountings against a reference whose certificate is off by as much as it says.
Answer vibration_calibration(Random& random, double reference_pct, double scatter) {
  ComparisonInput in;
  const double truth = 0.0123 * (1 + 0.1 * random.normal());
  ComparisonReference ref;
  ref.sensitivity = 0.01;
  ref.expanded_pct = reference_pct;
  in.reference = {ref};
  const double actual_reference = 0.01 * (1 + reference_pct / 200 * random.normal());
  const double transverse = rectangular(random, 0.001), meter = rectangular(random, 0.0005);
  in.terms = {{"transverse", 0.1 / std::sqrt(3.0)}, {"voltmeter ratio", 0.05 / std::sqrt(3.0)}};
  ComparisonReadings r;
  r.frequency_Hz = 160;
  for (int i = 0; i < 5; ++i) {
    const double ratio = truth / actual_reference * (1 + transverse + meter + scatter * random.normal());
    r.ratio.push_back(std::polar(ratio, 0.1 + 0.001 * random.normal()));
  }
  in.readings = {r};
  in.mountings = 5;
  return {assess_comparison(in)->points[0].magnitude, truth};
}

/// A frequency response as averages of a noisy random excitation would give it.
ResponsePoint averaged(Random& random, double frequency_Hz, Complex truth, double noise, int averages) {
  double xx = 0, yy = 0;
  Complex xy = 0;
  for (int i = 0; i < averages; ++i) {
    const Complex x(random.normal(), random.normal());
    const Complex y = truth * x + noise * std::abs(truth) * Complex(random.normal(), random.normal());
    xx += std::norm(x);
    yy += std::norm(y);
    xy += std::conj(x) * y;
  }
  return {frequency_Hz, xy / xx, std::norm(xy) / (xx * yy)};
}

TEST(Coverage, Vibration) {
  EXPECT_COVERS(coverage("vibration, sine, repeatability and reference alike", 11,
                         [](Random& r) { return vibration_calibration(r, 0.5, 0.005); }));
  EXPECT_COVERS(coverage("vibration, sine, n = 5 scatter alone", 12,
                         [](Random& r) { return vibration_calibration(r, 0.01, 0.02); }));
  EXPECT_COVERS(
      coverage("vibration, sine, reference alone", 13, [](Random& r) { return vibration_calibration(r, 1, 0.0005); }));
  EXPECT_COVERS(coverage("vibration, chirp, 16 averages", 14, [](Random& r) {
    ComparisonInput in;
    const double truth = 0.0123;
    ComparisonReference ref;
    ref.sensitivity = 0.01;
    ref.expanded_pct = 0.5;
    in.reference = {ref};
    const double actual_reference = 0.01 * (1 + 0.0025 * r.normal());
    const auto line = averaged(r, 160, truth / actual_reference, 0.03, 16);
    in.readings = {{160, 20, {line.response}, line.coherence, 16, 0, 0, {}, 0}};
    return Answer{assess_comparison(in)->points[0].magnitude, truth};
  }));
}

/// Six targets, five cycles, both directions; asked at one of them.
Answer stage_calibration(Random& random, bool reversal, double device_u) {
  StageReadings r;
  StageConditions c;
  c.device_expanded_m = 2 * device_u;
  c.expansion_per_K = 11.5e-6;
  c.temperature_range_K = 0.2;
  const double device = device_u * random.normal();
  const double temperature = rectangular(random, 0.1);
  const auto asked = 1 + random.below(5);
  Answer answer;
  for (std::size_t i = 0; i < 6; ++i) {
    const double at = 0.02 * static_cast<double>(i);
    r.target_m.push_back(at);
    const double deviation = 1e-5 * random.normal(), backlash = 5e-6 + 1e-6 * random.normal();
    const double systematic = device + 11.5e-6 * at * temperature;
    std::vector<double> up, down;
    for (int j = 0; j < 5; ++j) {
      up.push_back(at + deviation + backlash / 2 + systematic + 1e-6 * random.normal());
      down.push_back(at + deviation - backlash / 2 + systematic + 1e-6 * random.normal());
    }
    r.forward_m.push_back(up);
    r.backward_m.push_back(down);
    if (i == asked) answer.truth = reversal ? backlash : deviation + backlash / 2;
  }
  const auto a = assess_stage(r, c);
  answer.stated = reversal ? a->targets[asked].reversal : a->targets[asked].deviation_forward_m;
  return answer;
}

TEST(Coverage, Stage) {
  EXPECT_COVERS(coverage("stage, deviation, n = 5, scatter alone", 21,
                         [](Random& r) { return stage_calibration(r, false, 1e-9); }));
  EXPECT_COVERS(coverage("stage, deviation, scatter and device alike", 22,
                         [](Random& r) { return stage_calibration(r, false, 0.5e-6); }));
  EXPECT_COVERS(coverage("stage, reversal", 23, [](Random& r) { return stage_calibration(r, true, 0.5e-6); }));
}

Answer fitted_resonance(Random& r, bool damping) {
  const double fn = 180 * (1 + 0.1 * r.normal()), zeta = 0.05 * (1 + 0.2 * r.uniform());
  std::vector<ResponsePoint> lines;
  for (int i = 0; i < 40; ++i) {
    const double ratio = 0.7 + 0.6 * i / 39;
    lines.push_back(averaged(r, fn * ratio, complex_transmissibility(ratio, zeta), 0.05, 16));
  }
  const auto m = model_fit(lines, ResponseKind::transmissibility);
  return damping ? Answer{m->damping, zeta} : Answer{m->natural_Hz, fn};
}

TEST(Coverage, Transmissibility) {
  const auto line = [](Random& r, double gain_u, double noise, int averages) {
    const double ratio = 0.3 + 1.7 * r.uniform(), gain = 1 + gain_u * r.normal();
    const Complex truth = complex_transmissibility(ratio, 0.1);
    TransmissibilityOptions o;
    o.averages = averages;
    o.gain_ratio_u = gain_u;
    const ResponsePoint one = averaged(r, 180 * ratio, truth * gain, noise, averages);
    return Answer{assess_transmissibility(std::span(&one, 1), o)->points[0].magnitude, std::abs(truth)};
  };
  EXPECT_COVERS(coverage("transmissibility, 16 averages", 31, [&](Random& r) { return line(r, 1e-6, 0.1, 16); }));
  EXPECT_COVERS(coverage("transmissibility, n = 5 averages", 32, [&](Random& r) { return line(r, 1e-6, 0.05, 5); }));
  EXPECT_COVERS(
      coverage("transmissibility, gain and noise alike", 33, [&](Random& r) { return line(r, 0.01, 0.06, 16); }));
  EXPECT_COVERS(
      coverage("natural frequency of the model fit", 34, [](Random& r) { return fitted_resonance(r, false); }));
  EXPECT_COVERS(coverage("damping of the model fit", 35, [](Random& r) { return fitted_resonance(r, true); }));
}

// Welch-Satterthwaite itself is an approximation. With three degrees of freedom beside half as much that is known for
// sure it covers 93.8 % (400,000 draws), with two 92.8 %: below what the rest of this file asks for, and told in
// docs/calibration_methods.md rather than hidden behind a kinder example.
TEST(Coverage, WelchSatterthwaiteAtItsWorst) {
  const double part = coverage("force, n = 5, masses half the scatter", 41,
                               [](Random& r) { return force_calibration(r, 1, 5, 1, 0, 2e-4, 5); });
  EXPECT_GE(part, 0.92);
  EXPECT_LE(part, 0.96);
}

}  // namespace
}  // namespace strigil::calibration
