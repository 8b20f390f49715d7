// Matching against every possible assignment, FROC against its definition, operating points, localisation and reaction.
#include "protocols/court/matching.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "protocols/court/draws.hpp"
#include "protocols/court/froc.hpp"
#include "protocols/court/timeliness.hpp"

namespace strigil::protocols {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct World {
  std::vector<Detection> detections;
  std::vector<TruthTarget> targets;
};
World random_world(Draws& draws) {
  World w;
  const auto targets = 1 + draws.below(5);
  for (std::size_t i = 0; i < targets; ++i) {
    const double from = 60 * draws.uniform();
    w.targets.push_back({from, from + 6 * draws.uniform()});
  }
  const auto detections = draws.below(7);
  for (std::size_t i = 0; i < detections; ++i) {
    Detection d;
    d.position_mm = 70 * draws.uniform();
    d.score = std::floor(4 * draws.uniform());  // ties on purpose
    w.detections.push_back(d);
  }
  return w;
}

/// Most matches, and of those the least sum of distances, over all assignments of the detections from `threshold` up.
struct Best {
  int count = 0;
  double distance = 0;
};
Best brute(const World& w, double threshold, double tolerance) {
  Best best{-1, 0};
  std::vector<bool> taken(w.targets.size(), false);
  const std::function<void(std::size_t, Best)> go = [&](std::size_t d, Best so_far) {
    if (d == w.detections.size()) {
      if (so_far.count > best.count || (so_far.count == best.count && so_far.distance < best.distance)) best = so_far;
      return;
    }
    go(d + 1, so_far);
    if (w.detections[d].score < threshold) return;
    for (std::size_t t = 0; t < w.targets.size(); ++t) {
      const double x = w.detections[d].position_mm;
      if (taken[t] || x < w.targets[t].from_mm - tolerance || x > w.targets[t].to_mm + tolerance) continue;
      taken[t] = true;
      go(d + 1, {so_far.count + 1, so_far.distance + std::abs(x - w.targets[t].centre_mm())});
      taken[t] = false;
    }
  };
  go(0, {});
  return best;
}

TEST(CourtMatching, FindsAsManyTargetsAsCanBeAtEveryThreshold) {
  Draws draws(17);
  int matched = 0;
  for (int k = 0; k < 3'000; ++k) {
    const auto w = random_world(draws);
    const auto found = match(w.detections, w.targets, {.tolerance_mm = 4});
    ASSERT_TRUE(found) << found.error().message;
    for (const double threshold : {0.0, 1.0, 2.0, 3.0}) {
      const auto reached = std::count_if(found->targets.begin(), found->targets.end(),
                                         [&](const auto& t) { return t.score >= threshold; });
      ASSERT_EQ(reached, brute(w, threshold, 4).count) << "world " << k << " at " << threshold;
    }
    // Every detection is accounted for once; no two targets share one; all pairs are within reach.
    std::vector<int> used(w.detections.size(), 0);
    for (std::size_t t = 0; t < w.targets.size(); ++t) {
      const auto& m = found->targets[t];
      EXPECT_EQ(m.detection.has_value(), m.score > -kInfinity);
      if (!m.detection) continue;
      ++matched;
      ++used[*m.detection];
      EXPECT_NEAR(m.error_mm, w.detections[*m.detection].position_mm - w.targets[t].centre_mm(), 1e-12);
      EXPECT_LE(std::abs(m.error_mm), 0.5 * (w.targets[t].to_mm - w.targets[t].from_mm) + 4 + 1e-9);
    }
    for (const auto i : found->duplicates) ++used[i];
    for (const auto i : found->false_alarms) ++used[i];
    EXPECT_TRUE(std::all_of(used.begin(), used.end(), [](int n) { return n == 1; }));
  }
  EXPECT_GT(matched, 2'000) << "the worlds must have something to match";
}

TEST(CourtMatching, PairsTheKeptOnesAtTheLeastDistance) {
  Draws draws(23);
  for (int k = 0; k < 1'000; ++k) {
    auto w = random_world(draws);
    // None left over: then the least distance of all assignments is the one asked for.
    for (auto& d : w.detections) d.score = 1;
    const auto found = match(w.detections, w.targets, {.tolerance_mm = 4});
    if (!found->duplicates.empty()) continue;
    double sum = 0;
    for (const auto& t : found->targets) sum += t.detection ? std::abs(t.error_mm) : 0;
    EXPECT_NEAR(sum, brute(w, 0, 4).distance, 1e-9);
  }
}

TEST(CourtMatching, DuplicatesAreCountedAsTheOptionsSay) {
  const std::vector<TruthTarget> targets{{10, 14}};
  const std::vector<Detection> detections{{11, 0, 0, 0.5}, {12, 0, 0, 0.9}, {30, 0, 0, 0.7}};
  const auto kept = match(detections, targets);
  EXPECT_EQ(*kept->targets[0].detection, 1U);
  EXPECT_EQ(kept->duplicates, (std::vector<std::size_t>{0}));
  EXPECT_EQ(kept->false_alarms, (std::vector<std::size_t>{2}));
  const auto strict = match(detections, targets, {.tolerance_mm = 5, .duplicates_are_false_alarms = true});
  EXPECT_EQ(strict->false_alarms, (std::vector<std::size_t>{0, 2}));
  EXPECT_TRUE(strict->duplicates.empty());
}

TEST(CourtMatching, HostileInput) {
  const std::vector<TruthTarget> target{{10, 14}};
  const std::vector<Detection> nan_place{{std::nan(""), 0, 0, 1}};
  const std::vector<Detection> nan_score{{12, 0, 0, std::nan("")}};
  const std::vector<Detection> far{{kInfinity, 0, 0, 1}};
  EXPECT_FALSE(match(nan_place, target));
  EXPECT_FALSE(match(nan_score, target));
  EXPECT_FALSE(match(far, target));
  EXPECT_FALSE(match({}, target, {.tolerance_mm = -1}));
  EXPECT_FALSE(match({}, target, {.tolerance_mm = kInfinity}));
  const std::vector<TruthTarget> reversed{{14, 10}};
  EXPECT_FALSE(match({}, reversed));
  EXPECT_FALSE(match({}, std::vector<TruthTarget>(2'001, target[0])));
  EXPECT_TRUE(match({}, {}));
  // A detector that answers everywhere: a hundred thousand duplicates and false alarms, in little time.
  std::vector<Detection> flood;
  for (int i = 0; i < 100'000; ++i) flood.push_back({i * 1e-3, 0, 0, 1.0 * (i % 7)});
  const auto found = match(flood, target);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->duplicates.size() + found->false_alarms.size() + 1, flood.size());
  // Infinite scores are scores.
  const std::vector<Detection> sure{{12, 0, 0, kInfinity}};
  EXPECT_EQ(match(sure, target)->targets[0].score, kInfinity);
}

FrocCase froc_case_of(std::vector<double> targets, std::vector<double> alarms, double length_m = 0.1) {
  return {std::move(targets), {}, std::move(alarms), length_m};
}

double brute_theta(const std::vector<FrocCase>& cases, bool weighted) {
  double sum = 0;
  double blanks = 0;
  double with_targets = 0;
  double targets = 0;
  for (const auto& c : cases) {
    (c.target_scores.empty() ? blanks : with_targets) += 1;
    targets += static_cast<double>(c.target_scores.size());
  }
  for (const auto& blank : cases) {
    if (!blank.target_scores.empty()) continue;
    double highest = -kInfinity;
    for (const double s : blank.false_scores) highest = std::max(highest, s);
    for (const auto& c : cases) {
      for (const double s : c.target_scores) {
        const double psi = s > highest ? 1 : s == highest ? 0.5 : 0;
        const double w = weighted ? 1 / static_cast<double>(c.target_scores.size()) / with_targets : 1 / targets;
        sum += w * psi / blanks;
      }
    }
  }
  return sum;
}

TEST(CourtFroc, AreaIsThatOfTheDefinition) {
  Draws draws(31);
  for (int k = 0; k < 300; ++k) {
    std::vector<FrocCase> cases{froc_case_of({1}, {}), froc_case_of({}, {})};
    const auto score = [&] { return draws.uniform() < 0.2 ? -kInfinity : std::floor(5 * draws.uniform()); };
    for (int i = 0; i < 12; ++i) {
      FrocCase c;
      c.length_m = 0.1;
      for (std::size_t t = draws.below(3); t > 0; --t) c.target_scores.push_back(score());
      for (std::size_t t = draws.below(3); t > 0; --t) c.false_scores.push_back(score());
      cases.push_back(c);
    }
    EXPECT_NEAR(froc_area(cases, FrocMerit::kWafroc)->theta, brute_theta(cases, true), 1e-12);
    EXPECT_NEAR(froc_area(cases, FrocMerit::kAfroc)->theta, brute_theta(cases, false), 1e-12);
  }
}

TEST(CourtFroc, SilenceIsATie) {
  // A target not marked against a blank stroke without a mark: 1/2. Weights: within the case, whatever their sum.
  std::vector<FrocCase> cases{froc_case_of({-kInfinity}, {}), froc_case_of({}, {})};
  EXPECT_EQ(froc_area(cases)->theta, 0.5);
  cases = {{{3, -kInfinity}, {3, 1}, {}, 1}, froc_case_of({}, {1})};
  EXPECT_NEAR(froc_area(cases)->theta, 0.75, 1e-15);
}

TEST(CourtFroc, IntervalCovers) {
  // One target a case; scores of targets N(1), highest false score of blanks N(0): theta = Phi(1 / sqrt 2).
  const double truth = 0.5 * std::erfc(-0.5);
  int held = 0;
  constexpr int kRuns = 1'500;
  for (int k = 0; k < kRuns; ++k) {
    Draws draws(41, static_cast<std::uint64_t>(k));
    std::vector<FrocCase> cases;
    for (int i = 0; i < 60; ++i) cases.push_back(froc_case_of({1 + draws.normal()}, {}));
    for (int i = 0; i < 60; ++i) cases.push_back(froc_case_of({}, {draws.normal()}));
    held += froc_area(cases)->interval.contains(truth) ? 1 : 0;
  }
  EXPECT_NEAR(held / static_cast<double>(kRuns), 0.95, 0.01 + 3.3 * std::sqrt(0.95 * 0.05 / kRuns));
}

TEST(CourtFroc, OperatingPointsKeepToTheirFalseAlarms) {
  // 10 m; 10 targets at scores 10 ... 1; false alarms at 9.5, 6.5, 6.5, 2.5.
  std::vector<FrocCase> cases;
  for (int i = 1; i <= 10; ++i) cases.push_back(froc_case_of({1.0 * i}, {}, 1));
  cases[0].false_scores = {9.5, 6.5};
  cases[1].false_scores = {6.5, 2.5};
  const auto none = found_at(cases, 0);
  EXPECT_EQ(none->found.hits, 1U) << "only 10 stands above the highest false alarm";
  EXPECT_EQ(none->false_alarms.events, 0U);
  const auto one = found_at(cases, 0.1);
  EXPECT_EQ(one->found.hits, 4U);  // 10 ... 7: the two at 6.5 would be three
  EXPECT_EQ(one->threshold, 7);
  EXPECT_EQ(one->false_alarms.events, 1U);
  EXPECT_EQ(found_at(cases, 0.3)->found.hits, 8U);
  EXPECT_EQ(found_at(cases, 10)->found.hits, 10U);
  EXPECT_NEAR(found_at(cases, 1)->found.interval.low, 0.691502892182, 1e-9);  // 10 of 10: 0.025^(1/10)
  EXPECT_FALSE(found_at(cases, 0.05)->warnings.empty()) << "10 m cannot show 0.05 per metre";
  const auto curve = froc_curve(cases);
  EXPECT_EQ(curve->back().found, 1);
  EXPECT_NEAR(curve->back().false_alarms_per_m, 0.4, 1e-15);
  std::vector<std::size_t> phantoms(cases.size());
  for (std::size_t i = 0; i < phantoms.size(); ++i) phantoms[i] = i / 2;
  const auto over = found_at(cases, 0.1, phantoms);
  ASSERT_TRUE(over) << over.error().message;
  EXPECT_TRUE(over->found_over_phantoms->interval.contains(0.4));
}

TEST(CourtFroc, HostileInput) {
  EXPECT_FALSE(froc_area({}));
  EXPECT_FALSE(froc_area(std::vector{froc_case_of({1}, {})})) << "no blank case";
  EXPECT_FALSE(froc_area(std::vector{froc_case_of({}, {1})})) << "no target";
  EXPECT_FALSE(froc_area(std::vector{froc_case_of({std::nan("")}, {}), froc_case_of({}, {})}));
  EXPECT_FALSE(froc_area(std::vector{froc_case_of({1}, {}, 0), froc_case_of({}, {})}));
  EXPECT_FALSE(froc_area(std::vector{FrocCase{{1}, {0}, {}, 1}, froc_case_of({}, {})})) << "a weight of 0";
  EXPECT_FALSE(found_at(std::vector{froc_case_of({1}, {})}, -1));
  EXPECT_FALSE(found_at(std::vector{froc_case_of({}, {1})}, 1)) << "nothing to find";
}

TEST(CourtTimeliness, ErrorsAndReactions) {
  std::vector<StrokeErrors> strokes;
  for (std::size_t i = 0; i < 20; ++i) strokes.push_back({i / 2, {1.0 + 0.1 * static_cast<double>(i), -1}});
  const auto spread = spread_of_errors(strokes);
  ASSERT_TRUE(spread) << spread.error().message;
  EXPECT_EQ(spread->count, 40U);
  EXPECT_TRUE(spread->median.interval.contains(spread->median.value));
  EXPECT_NEAR(spread->mean_signed.value, (20 + 19 - 20) / 40.0, 1e-12);
  EXPECT_FALSE(spread_of_errors(std::vector<StrokeErrors>{{0, {}}}));
  EXPECT_FALSE(spread_of_errors(std::vector<StrokeErrors>{{0, {std::nan("")}}}));

  const std::vector<TruthTarget> targets{{10, 14, 1, 1.0}, {30, 34, 1, 2.0}, {50, 54, 1, 3.0}};
  const std::vector<Detection> detections{{12, 1.02, 1.05, 1}, {32, 2.0, 1.9, 1}, {52, 3.0, 3.5, 1}};
  const std::vector<Matching> matched{*match(detections, targets)};
  const auto r = reaction(matched, 0.1);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->count, 3U);
  EXPECT_EQ(r->before_the_data, 1U) << "clairvoyant";
  EXPECT_EQ(r->in_time.hits, 1U);
  EXPECT_NEAR(r->latest_s, 0.5, 1e-12);
  EXPECT_NEAR(r->earliest_s, -0.1, 1e-12);
  EXPECT_FALSE(reaction({}, 0.1));
  EXPECT_FALSE(reaction(matched, 0));
}

}  // namespace
}  // namespace strigil::protocols
