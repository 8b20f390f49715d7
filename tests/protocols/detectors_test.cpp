// In-process detectors on synthetic strokes: any chunking gives the same, the known order holds, cheats are seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "protocols/court/draws.hpp"
#include "protocols/court/froc.hpp"
#include "protocols/court/timeliness.hpp"
#include "protocols/detectors/band_power.hpp"
#include "protocols/detectors/cfar_detector.hpp"
#include "protocols/detectors/cheats.hpp"
#include "protocols/detectors/cusum_detector.hpp"
#include "protocols/detectors/fusion.hpp"
#include "protocols/detectors/glr_detector.hpp"

namespace strigil::protocols {
namespace {

/// What the synthetic tissue does over an inclusion, as raised cosines of its width.
struct Inclusion {
  double centre_mm = 0;
  double width_mm = 12;
  double stiffness_N = 0.25;  ///< of F + k z
  double roughness = 0.25;    ///< of the vibration's amplitude
};
struct Bench {
  double force_share = 0.5;  ///< of the stiffness that shows in F, the rest in z: how stiff the controller is
  double force_noise_N = 0.12;
  double curvature_N = 1;
  double air = 1;  ///< 0: nothing is touched
};

TrainingStroke stroke(Draws& draws, const std::vector<Inclusion>& inclusions, int direction = 1,
                      const Bench& bench = {}) {
  constexpr double kLength_mm = 160;
  TrainingStroke out;
  out.direction = direction;
  for (const auto& i : inclusions) out.targets.push_back({i.centre_mm - i.width_mm / 2, i.centre_mm + i.width_mm / 2});
  const double speed = 100 * (0.9 + 0.2 * draws.uniform());
  const double phase = 6.28 * draws.uniform();
  const auto shape = [&](double x, auto&& amount) {
    double sum = 0;
    for (const auto& i : inclusions) {
      const double u = (x - i.centre_mm) / i.width_mm;
      if (std::abs(u) < 0.5) sum += amount(i) * 0.5 * (1 + std::cos(2 * M_PI * u));
    }
    return sum;
  };
  const auto place = [&](double t) { return direction > 0 ? speed * t : kLength_mm - speed * t; };
  const double duration = kLength_mm / speed;
  double slow = 0;
  for (int k = 0; k / 1'000.0 < duration; ++k) {
    const double t = k / 1'000.0;
    const double x = place(t);
    const double s = shape(x, [](const Inclusion& i) { return i.stiffness_N; });
    const double hill = bench.curvature_N * std::sin(2 * M_PI * x / 200 + phase);
    slow = 0.98 * slow + 0.005 * draws.normal();
    ContactSample c;
    c.at_s = t;
    c.x_mm = x;
    c.speed_mm_s = direction * speed;
    c.force_normal_N =
        bench.air * (6 + bench.force_share * (s + 0.2 * hill)) + slow + bench.force_noise_N * draws.normal();
    c.z_mm = bench.air * ((1 - bench.force_share) * (s + 0.2 * hill)) + 0.01 * draws.normal();
    out.contact.push_back(c);
  }
  for (int k = 0; k / 5'000.0 < duration; ++k) {
    const double t = k / 5'000.0;
    const double x = place(t);
    const double loud = 1 + shape(x, [](const Inclusion& i) { return i.roughness; });
    out.vibration.push_back({t, x, 0, direction * speed, 0.01 * speed * (bench.air * loud + 0.1) * draws.normal()});
  }
  return out;
}

std::vector<Detection> detect(Detector& detector, const TrainingStroke& s, StrokeStart start = {}) {
  std::vector<Detection> out;
  start.direction = s.direction;
  detector.begin(start, out);
  detector.feed(s.contact, s.vibration, out);
  detector.end(out);
  return out;
}

std::vector<TrainingStroke> trained_on(std::uint64_t seed, int count) {
  std::vector<TrainingStroke> out;
  for (int k = 0; k < count; ++k) {
    Draws draws(seed, static_cast<std::uint64_t>(k));
    out.push_back(stroke(draws, {{50 + 60 * draws.uniform(), 8 + 12 * draws.uniform()}}));
  }
  return out;
}

std::vector<std::unique_ptr<Detector>> all_honest() {
  std::vector<std::unique_ptr<Detector>> out;
  out.push_back(std::make_unique<GlrDetector>());
  out.push_back(std::make_unique<GlrDetector>(GlrOptions{.widths_mm = {28}}, "matched filter"));
  out.push_back(std::make_unique<CfarDetector>());
  out.push_back(std::make_unique<CfarDetector>(CfarOptions{.order_statistic = true}, "os-cfar"));
  out.push_back(std::make_unique<CusumDetector>());
  const auto model = train_band_power(trained_on(1, 20));
  EXPECT_TRUE(model) << model.error().message;
  out.push_back(std::make_unique<BandPowerDetector>(*model));
  out.push_back(std::make_unique<FusedDetector>(std::make_unique<GlrDetector>(), FusionOptions{.least = 1}));
  return out;
}

TEST(Detectors, AnyChunkingGivesTheSameAnswers) {
  for (auto& detector : all_honest()) {
    std::size_t answers = 0;
    for (std::uint64_t k = 0; k < 12; ++k) {
      Draws draws(31, k);
      const auto s = stroke(draws, {{40 + 80 * draws.uniform(), 12}}, k % 2 == 0 ? 1 : -1);
      const auto whole = detect(*detector, s);
      answers += whole.size();
      std::vector<Detection> cut;
      StrokeStart start;
      start.direction = s.direction;
      detector->begin(start, cut);
      std::span<const ContactSample> contact = s.contact;
      std::span<const VibrationSample> vibration = s.vibration;
      while (!contact.empty() || !vibration.empty()) {
        const auto c = std::min(contact.size(), draws.below(90));
        const auto v = std::min(vibration.size(), draws.below(k % 3 == 0 ? 900 : 90));
        detector->feed(contact.first(c), vibration.first(v), cut);
        contact = contact.subspan(c);
        vibration = vibration.subspan(v);
      }
      detector->end(cut);
      ASSERT_EQ(cut.size(), whole.size()) << detector->name();
      for (std::size_t i = 0; i < cut.size(); ++i) {
        EXPECT_EQ(cut[i].position_mm, whole[i].position_mm) << detector->name();
        EXPECT_EQ(cut[i].score, whole[i].score) << detector->name();
        EXPECT_EQ(cut[i].at_s, whole[i].at_s) << detector->name();
        EXPECT_EQ(cut[i].answered_s, whole[i].answered_s) << detector->name();
        EXPECT_GE(cut[i].answered_s, cut[i].at_s) << detector->name() << " must not answer before its data";
      }
    }
    EXPECT_GT(answers, 0U) << detector->name() << " must answer something here";
  }
}

TEST(Detectors, ManyMetresAndBrokenSamplesDoNoHarm) {
  for (auto& detector : all_honest()) {
    std::vector<Detection> out;
    detector->begin({}, out);
    detector->feed({}, {}, out);
    Draws draws(3);
    for (int k = 0; k < 20'000; ++k) {
      ContactSample c;
      c.at_s = 1e-3 * k;
      c.x_mm = k % 1'000 == 7 ? std::nan("") : 0.5 * k + (k > 10'000 ? 500 : 0);  // a jump of half a metre
      c.speed_mm_s = 500;
      c.force_normal_N = k % 777 == 3 ? std::numeric_limits<double>::infinity() : 6 + 0.1 * draws.normal();
      VibrationSample v{c.at_s, c.x_mm, 0, k % 555 == 0 ? 0.0 : 500.0, k % 999 == 1 ? std::nan("") : draws.normal()};
      detector->feed({&c, 1}, {&v, 1}, out);
    }
    detector->end(out);
    for (const auto& d : out) {
      EXPECT_TRUE(std::isfinite(d.position_mm) && std::isfinite(d.score) && std::isfinite(d.answered_s))
          << detector->name();
    }
    // A stroke without samples, and the next one as if nothing had been.
    out.clear();
    detector->begin({}, out);
    detector->end(out);
    EXPECT_TRUE(out.empty()) << detector->name();
  }
}

/// wAFROC area over strokes with one inclusion of random width and blank ones.
double theta(Detector& detector, const std::vector<TrainingStroke>& strokes) {
  std::vector<FrocCase> cases;
  for (const auto& s : strokes) {
    const auto found = detect(detector, s);
    const auto matched = match(found, s.targets, {.tolerance_mm = 4});
    EXPECT_TRUE(matched) << matched.error().message;
    cases.push_back(froc_case(*matched, found, s.targets, 0.16));
  }
  return froc_area(cases)->theta;
}

std::vector<TrainingStroke> trial(std::uint64_t seed, int count, const Bench& bench = {}) {
  std::vector<TrainingStroke> out;
  for (int k = 0; k < count; ++k) {
    Draws draws(seed, static_cast<std::uint64_t>(k));
    std::vector<Inclusion> inclusions;
    if (k % 2 == 0) inclusions.push_back({50 + 60 * draws.uniform(), 8 + 12 * draws.uniform(), 0.16, 0.2});
    out.push_back(stroke(draws, inclusions, 1, bench));
  }
  return out;
}

TEST(Detectors, TheKnownOrderHolds) {
  const auto strokes = trial(51, 200);
  GlrDetector glr;
  GlrDetector mismatched({.widths_mm = {40}}, "matched to 40 mm");
  CusumDetector cusum;
  CfarDetector cfar;
  ConstantAnswer constant;
  BandPowerDetector band_power(*train_band_power(trained_on(61, 40)));
  const double by_glr = theta(glr, strokes);
  const double by_mismatched = theta(mismatched, strokes);
  const double by_cusum = theta(cusum, strokes);
  const double by_cfar = theta(cfar, strokes);
  const double by_bands = theta(band_power, strokes);
  const double by_constant = theta(constant, strokes);
  RecordProperty("glr_mismatched_cusum_cfar_bands_constant",
                 std::to_string(by_glr) + " " + std::to_string(by_mismatched) + " " + std::to_string(by_cusum) + " " +
                     std::to_string(by_cfar) + " " + std::to_string(by_bands) + " " + std::to_string(by_constant));
  EXPECT_GT(by_glr, 0.85);
  EXPECT_GT(by_glr, by_mismatched + 0.05) << "a bank knows the width";
  EXPECT_GT(by_glr, by_cusum + 0.02);
  EXPECT_GT(by_glr, by_cfar) << "the vibration says less than the stiffness here";
  EXPECT_GT(by_bands, by_cfar) << "both signals say more than one";
  EXPECT_GT(by_cusum, by_constant);
  EXPECT_GT(by_cfar, by_constant);
  EXPECT_NEAR(by_constant, 0.5, 1e-12) << "a tie everywhere";

  // Four strokes there and back: the sum over sqrt(4) knows more than one.
  std::vector<FrocCase> fused_cases;
  std::vector<FrocCase> single_cases;
  FusedDetector fused(std::make_unique<GlrDetector>(), {.tolerance_mm = 6, .least = 2});
  const Bench faint{.force_noise_N = 0.2};
  for (std::uint64_t k = 0; k < 60; ++k) {
    Draws draws(71, k);
    std::vector<Inclusion> inclusions;
    if (k % 2 == 0) inclusions.push_back({50 + 60 * draws.uniform(), 12, 0.08, 0});
    std::vector<Detection> out;
    TrainingStroke one;
    for (std::size_t pass = 0; pass < 4; ++pass) {
      one = stroke(draws, inclusions, pass % 2 == 0 ? 1 : -1, faint);
      fused.begin({pass, 4, one.direction, nullptr}, out);
      fused.feed(one.contact, one.vibration, out);
      fused.end(out);
    }
    fused_cases.push_back(froc_case(*match(out, one.targets, {.tolerance_mm = 4}), out, one.targets, 0.16));
    const auto alone = detect(glr, one);
    single_cases.push_back(froc_case(*match(alone, one.targets, {.tolerance_mm = 4}), alone, one.targets, 0.16));
  }
  const double by_fused = froc_area(fused_cases)->theta;
  const double by_single = froc_area(single_cases)->theta;
  RecordProperty("fused_single", std::to_string(by_fused) + " " + std::to_string(by_single));
  EXPECT_GT(by_fused, by_single + 0.03);
}

TEST(Detectors, WhatTheControllerDoesChangesNothing) {
  // The same inclusion with the position held and with the force held: F + k z sees it in both, F alone in one.
  GlrDetector both;
  GlrDetector force_only({.stiffness_N_mm = 0}, "F alone");
  const auto held_position = trial(81, 60, {.force_share = 1, .force_noise_N = 0.05});
  const auto held_force = trial(81, 60, {.force_share = 0, .force_noise_N = 0.05});
  EXPECT_NEAR(theta(both, held_position), theta(both, held_force), 0.05);
  EXPECT_GT(theta(both, held_force), 0.9);
  EXPECT_GT(theta(force_only, held_position), 0.9);
  EXPECT_LT(theta(force_only, held_force), 0.7);
}

TEST(Detectors, GlrPlacesItsAnswersAndIgnoresCurvature) {
  GlrDetector glr;
  std::vector<double> errors;
  for (std::uint64_t k = 0; k < 40; ++k) {
    Draws draws(91, k);
    const double centre = 50 + 60 * draws.uniform();
    const auto s = stroke(draws, {{centre, 12, 1, 0}}, k % 2 == 0 ? 1 : -1);
    auto answers = detect(glr, s);
    ASSERT_FALSE(answers.empty());
    const auto best = *std::max_element(answers.begin(), answers.end(),
                                        [](const auto& a, const auto& b) { return a.score < b.score; });
    errors.push_back(std::abs(best.position_mm - centre));
    // Any parabola on top leaves the scores as they are.
    auto bent = s;
    for (auto& c : bent.contact) c.force_normal_N += 3 + 0.02 * c.x_mm - 1e-4 * c.x_mm * c.x_mm;
    const auto again = detect(glr, bent);
    const auto same =
        *std::max_element(again.begin(), again.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    EXPECT_NEAR(same.position_mm, best.position_mm, 0.5);
    EXPECT_NEAR(same.score, best.score, 0.03 * best.score);  // a cell's mean of x^2 is not quite its centre's
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[20], 0.75) << "median, mm";
  EXPECT_LT(errors[38], 3) << "95 %, mm";
}

TEST(Detectors, GlrOfNoiseIsStudentsT) {
  // One width, white noise by cells: the statistic before the picking of peaks exceeds t's quantile as often as t.
  GlrDetector glr({.widths_mm = {10}, .noise_floor_N = 1e-9, .threshold = -1e9, .apart_mm = 0});
  std::vector<Detection> out;
  Draws draws(101);
  glr.begin({}, out);
  for (int k = 0; k < 60'000; ++k) {
    ContactSample c;
    c.at_s = 1e-3 * k;
    c.x_mm = 0.5 * k + 0.25;
    c.force_normal_N = draws.normal();
    glr.feed({&c, 1}, {}, out);
  }
  glr.end(out);
  double above = 0;
  for (const auto& d : out) above += d.score > 2.0017 ? 1 : 0;  // t at 0.975 with 61 - 3 - 1 degrees of freedom
  EXPECT_NEAR(above / static_cast<double>(out.size()), 0.025, 0.004);
}

TEST(Cfar, FactorsGiveTheFalseAlarmsTheyPromise) {
  EXPECT_NEAR(std::pow(1 + ca_cfar_factor(16, 1e-3) / 16, -16), 1e-3, 1e-12);
  Draws draws(5);
  int ca = 0;
  int os = 0;
  constexpr int kRuns = 60'000;
  const double ca_factor = ca_cfar_factor(16, 0.02);
  const double os_factor = os_cfar_factor(16, 12, 0.02);
  for (int k = 0; k < kRuns; ++k) {
    std::vector<double> training;
    double mean = 0;
    for (int i = 0; i < 16; ++i) {
      training.push_back(draws.chi_squared(2));
      mean += training.back() / 16;
    }
    std::sort(training.begin(), training.end());
    const double cell = draws.chi_squared(2);
    ca += cell > ca_factor * mean ? 1 : 0;
    os += cell > os_factor * training[11] ? 1 : 0;
  }
  EXPECT_NEAR(ca / static_cast<double>(kRuns), 0.02, 0.002);
  EXPECT_NEAR(os / static_cast<double>(kRuns), 0.02, 0.002);
}

TEST(SpatialCells, MeansBridgesAndGaps) {
  std::vector<Cell> cells;
  const CellSink sink = [&](const Cell& c) { cells.push_back(c); };
  SpatialCells forward(1, 3);
  forward.begin(1);
  for (const auto& [x, v] : {std::pair{0.2, 1.0}, {0.8, 3.0}, {0.4, 5.0}, {1.5, 7.0}, {4.5, 13.0}, {20.5, 1.0}}) {
    forward.add(x, x, v, sink);
  }
  forward.add(21, 21, std::nan(""), sink);
  forward.finish(sink);
  ASSERT_EQ(cells.size(), 6U);
  EXPECT_EQ(cells[0].value, 3) << "0.4 comes late and counts to the open cell";
  EXPECT_EQ(cells[0].closed_s, 1.5);
  EXPECT_EQ(cells[2].centre_mm, 2.5);
  EXPECT_EQ(cells[2].value, 9) << "bridged in line";
  EXPECT_EQ(cells[3].value, 11);
  EXPECT_FALSE(cells[4].after_gap);
  EXPECT_TRUE(cells[5].after_gap);
  cells.clear();
  SpatialCells back(1);
  back.begin(-1);
  back.add(3.5, 0, 1, sink);
  back.add(2.5, 1, 2, sink);
  back.finish(sink);
  EXPECT_EQ(cells[0].centre_mm, 3.5);
  EXPECT_EQ(cells[1].centre_mm, 2.5);
  EXPECT_EQ(cells[1].index, cells[0].index + 1);
}

TEST(PeakPickerTest, PicksWhatIsHighestWithinReach) {
  Draws draws(9);
  for (int k = 0; k < 300; ++k) {
    std::vector<double> values;
    for (std::size_t i = draws.below(40); i > 0; --i) values.push_back(std::floor(6 * draws.uniform()));
    const std::size_t radius = draws.below(5);
    PeakPicker picker(radius, 2);
    std::vector<Detection> out;
    for (std::size_t i = 0; i < values.size(); ++i) {
      picker.push({static_cast<double>(i), 0, static_cast<double>(i), values[i]}, out);
    }
    picker.finish(out);
    std::vector<double> expected;
    for (std::size_t i = 0; i < values.size(); ++i) {
      bool peak = values[i] >= 2;
      for (std::size_t j = i > radius ? i - radius : 0; j < std::min(values.size(), i + radius + 1); ++j) {
        if (j < i ? values[j] >= values[i] : values[j] > values[i]) peak = false;
      }
      if (peak) expected.push_back(static_cast<double>(i));
    }
    ASSERT_EQ(out.size(), expected.size());
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i].position_mm, expected[i]);
  }
}

TEST(Fusion, AgreementLagAndSquareRoot) {
  const std::vector<std::vector<Detection>> strokes{{{51, 0, 1, 4}, {80, 0, 1, 9}}, {{49, 0, 1, 4}, {48, 0, 1, 1}}};
  const auto fused = fuse(strokes, {.tolerance_mm = 4, .least = 2});
  ASSERT_EQ(fused.size(), 1U) << "80 was felt once only, however strongly";
  EXPECT_EQ(fused[0].position_mm, 50) << "the lags of both ways cancel";
  EXPECT_NEAR(fused[0].score, 8 / M_SQRT2, 1e-12);
  EXPECT_EQ(fuse(strokes, {.tolerance_mm = 4, .least = 1}).size(), 2U);
  EXPECT_TRUE(fuse({}).empty());
}

TEST(BandPower, TrainingIsRepeatableAndRefusesWhatItCannotLearn) {
  const auto a = train_band_power(trained_on(1, 8));
  const auto b = train_band_power(trained_on(1, 8));
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(a->weight, b->weight);
  EXPECT_EQ(a->bias, b->bias);
  EXPECT_GT(a->weight[kBands], 0) << "stiffer is rather a target";
  auto blank = trained_on(1, 3);
  for (auto& s : blank) s.targets.clear();
  EXPECT_FALSE(train_band_power(blank));
  EXPECT_FALSE(train_band_power({}));
  EXPECT_FALSE(train_band_power(blank, {}, 5, 0));
  auto dead = trained_on(1, 3);
  for (auto& s : dead) {
    for (auto& v : s.vibration) v.acceleration_m_s2 = 0;
  }
  EXPECT_NE(train_band_power(dead).error().message.find("never varies"), std::string::npos);
}

TEST(Cheats, EachIsSeenForWhatItIs) {
  Draws draws(11);
  const auto s = stroke(draws, {{70, 12, 1, 0.5}});
  // The truth peeker knocks at the door, which remembers and tells nothing.
  TruthTrap trap;
  TruthPeeker peeker;
  StrokeStart start;
  start.truth = &trap;
  EXPECT_TRUE(detect(peeker, s, start).empty());
  ASSERT_EQ(trap.asked().size(), 1U);
  EXPECT_EQ(trap.asked()[0], "truth peeker");
  TruthTrap untouched;
  start.truth = &untouched;
  for (auto& honest : all_honest()) (void)detect(*honest, s, start);
  EXPECT_TRUE(untouched.asked().empty());

  // The clairvoyant is right and too early.
  auto target = s.targets;
  target[0].entered_s = 0.6;
  Clairvoyant clairvoyant({70});
  const auto answers = detect(clairvoyant, s);
  const auto matched = match(answers, target);
  ASSERT_TRUE(matched) << matched.error().message;
  EXPECT_LT(matched->targets[0].reaction_s, 0);

  // The stage-noise learner finds every target where targets always lie, and goes on in the air.
  const std::vector<double> learned{40, 100};
  StageNoiseLearner learner(learned);
  GlrDetector glr;
  const auto scores_at = [&](Detector& detector, const Bench& bench, bool with_targets, std::uint64_t seed) {
    LabelledScores out;
    for (std::uint64_t k = 0; k < 25; ++k) {
      Draws own(seed, k);
      std::vector<Inclusion> inclusions;
      if (with_targets) inclusions = {{40, 12, 1, 0}, {100, 12, 1, 0}};
      const auto one = stroke(own, inclusions, 1, bench);
      const auto found = detect(detector, one);
      const auto best_near = [&](double x) {
        double best = -std::numeric_limits<double>::infinity();
        for (const auto& d : found) best = std::abs(d.position_mm - x) < 8 ? std::max(best, d.score) : best;
        return best;
      };
      for (const double x : {40.0, 100.0}) out.targets.push_back(best_near(x));
      for (const double x : {70.0, 130.0}) out.others.push_back(best_near(x));
    }
    return out;
  };
  EXPECT_GT(roc_auc(scores_at(learner, {}, true, 1)), 0.99) << "on the phantoms it looks like the best of all";
  EXPECT_TRUE(check_on_blanks(scores_at(learner, {.air = 0}, false, 2))->works_on_nothing);
  EXPECT_TRUE(check_on_blanks(scores_at(learner, {}, false, 3))->works_on_nothing) << "contrast 1.0";
  EXPECT_GT(roc_auc(scores_at(glr, {}, true, 4)), 0.95);
  EXPECT_FALSE(check_on_blanks(scores_at(glr, {.air = 0}, false, 5))->works_on_nothing);
  EXPECT_FALSE(check_on_blanks(scores_at(glr, {}, false, 6))->works_on_nothing);
}

}  // namespace
}  // namespace strigil::protocols
