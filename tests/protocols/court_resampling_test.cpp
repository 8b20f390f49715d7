// Bootstrap, permutation, baselines and golden envelopes: what they promise is measured.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "protocols/court/baseline.hpp"
#include "protocols/court/bootstrap.hpp"
#include "protocols/court/distributions.hpp"
#include "protocols/court/draws.hpp"
#include "protocols/court/golden_envelope.hpp"
#include "protocols/court/roc.hpp"

namespace strigil::protocols {
namespace {

int simulations(int in_ci) { return std::getenv("STRIGIL_FULL_COVERAGE") != nullptr ? 4'000 : in_ci; }

TEST(CourtDraws, AreFairAndTheSameEverywhere) {
  EXPECT_EQ(Draws(1).next(), Draws(1, 0).next());
  EXPECT_NE(Draws(1, 0).next(), Draws(1, 1).next());
  EXPECT_NE(Draws(1, 2).next(), Draws(2, 1).next());
  Draws golden(42);
  EXPECT_EQ(golden.next(), 4606240542329192548ULL);
  std::vector<int> bins(7, 0);
  Draws draws(3);
  for (int i = 0; i < 70'000; ++i) ++bins[draws.below(7)];
  for (const int n : bins) EXPECT_NEAR(n, 10'000, 400);
  for (const double dof : {0.5, 1.0, 3.0, 40.0}) {
    double mean = 0;
    double square = 0;
    for (int i = 0; i < 40'000; ++i) {
      const double x = draws.chi_squared(dof);
      mean += x / 40'000;
      square += x * x / 40'000;
    }
    EXPECT_NEAR(mean, dof, 0.04 * dof + 0.02) << dof;
    EXPECT_NEAR(square - mean * mean, 2 * dof, 0.1 * dof + 0.1) << dof;
  }
}

/// Phantoms differ, strokes on a phantom differ less: scores of `strokes` targets and as many others on each.
struct Specimens {
  std::vector<std::size_t> phantom;
  std::vector<bool> target;
  std::vector<double> score;
};
Specimens specimens(Draws& draws, std::size_t phantoms, std::size_t strokes, double d) {
  Specimens out;
  for (std::size_t p = 0; p < phantoms; ++p) {
    const double effect = 0.7 * draws.normal();
    for (std::size_t s = 0; s < strokes; ++s) {
      const bool target = s % 2 == 0;
      out.phantom.push_back(p);
      out.target.push_back(target);
      out.score.push_back((target ? d : 0) + effect + draws.normal());
    }
  }
  return out;
}
double auc_of(const Specimens& s, std::span<const std::size_t> rows) {
  LabelledScores scores;
  for (const auto i : rows) (s.target[i] ? scores.targets : scores.others).push_back(s.score[i]);
  return roc_auc(scores);
}

TEST(CourtBootstrap, IntervalsOfAucCover) {
  const int runs = simulations(200);
  for (const auto& [auc, d_unit] : {std::pair{0.5, 0.0}, {0.8, normal_quantile(0.8)}, {0.95, normal_quantile(0.95)}}) {
    // Both scores carry the phantom's effect: over all phantoms their spread is sqrt(1 + 0.49).
    const double d = d_unit * std::sqrt(2 * 1.49);
    int bca = 0;
    int percentile = 0;
    int both = 0;
    for (int k = 0; k < runs; ++k) {
      Draws draws(501, static_cast<std::uint64_t>(k));
      const auto s = specimens(draws, 24, 6, d);
      const StrokeStatistic statistic = [&](std::span<const std::size_t> rows) { return auc_of(s, rows); };
      BootstrapOptions options;
      options.resamples = 300;
      options.seed = static_cast<std::uint64_t>(k);
      bca += bootstrap(s.phantom, statistic, options)->interval.contains(auc) ? 1 : 0;
      options.method = BootstrapMethod::kPercentile;
      percentile += bootstrap(s.phantom, statistic, options)->interval.contains(auc) ? 1 : 0;
      options.resampling = Resampling::kPhantomsAndStrokes;
      both += bootstrap(s.phantom, statistic, options)->interval.contains(auc) ? 1 : 0;
    }
    const double error = 3.3 * std::sqrt(0.95 * 0.05 / runs);
    EXPECT_NEAR(bca / static_cast<double>(runs), 0.95, 0.02 + error) << auc;
    EXPECT_NEAR(percentile / static_cast<double>(runs), 0.95, 0.02 + error) << auc;
    EXPECT_GE(both, percentile) << "the strokes' spread counts twice: too wide, never too narrow";
    RecordProperty("bca_percentile_both_" + std::to_string(auc),
                   std::to_string(bca) + " " + std::to_string(percentile) + " " + std::to_string(both) + " of " +
                       std::to_string(runs));
  }
}

TEST(CourtBootstrap, MeanOfSkewedPhantomsAndWhatSamplesWouldClaim) {
  const int runs = simulations(400);
  int over_phantoms = 0;
  int over_strokes = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(601, static_cast<std::uint64_t>(k));
    std::vector<std::size_t> phantom;
    std::vector<double> value;
    for (std::size_t p = 0; p < 30; ++p) {
      const double effect = draws.chi_squared(4);  // mean 4, skewed
      for (int s = 0; s < 8; ++s) {
        phantom.push_back(p);
        value.push_back(effect + 0.3 * draws.normal());
      }
    }
    const StrokeStatistic mean = [&](std::span<const std::size_t> rows) {
      double sum = 0;
      for (const auto i : rows) sum += value[i];
      return sum / static_cast<double>(rows.size());
    };
    BootstrapOptions options;
    options.resamples = 400;
    options.seed = static_cast<std::uint64_t>(k);
    options.resampling = Resampling::kPhantoms;
    over_phantoms += bootstrap(phantom, mean, options)->interval.contains(4) ? 1 : 0;
    std::vector<std::size_t> each(value.size());
    std::iota(each.begin(), each.end(), std::size_t{0});
    over_strokes += bootstrap(each, mean, options)->interval.contains(4) ? 1 : 0;
  }
  RecordProperty("phantoms_strokes",
                 std::to_string(over_phantoms) + " " + std::to_string(over_strokes) + " of " + std::to_string(runs));
  EXPECT_GT(over_phantoms / static_cast<double>(runs), 0.90 - 3.3 * std::sqrt(0.9 * 0.1 / runs));
  EXPECT_LT(over_strokes / static_cast<double>(runs), 0.65) << "strokes as if they were specimens: far too sure";
}

TEST(CourtBootstrap, IsTheSameForTheSameSeedAndSaysWhatItCannot) {
  Draws draws(4);
  const auto s = specimens(draws, 6, 4, 1);
  const StrokeStatistic statistic = [&](std::span<const std::size_t> rows) { return auc_of(s, rows); };
  const auto a = bootstrap(s.phantom, statistic, {.resamples = 200, .seed = 9});
  const auto b = bootstrap(s.phantom, statistic, {.resamples = 200, .seed = 9});
  const auto c = bootstrap(s.phantom, statistic, {.resamples = 200, .seed = 10});
  EXPECT_EQ(a->interval.low, b->interval.low);
  EXPECT_EQ(a->interval.high, b->interval.high);
  EXPECT_NE(a->standard_error, c->standard_error);
  EXPECT_FALSE(a->warnings.empty()) << "six phantoms are few";
  const std::vector<std::size_t> one(s.phantom.size(), 3);
  EXPECT_NE(bootstrap(one, statistic, {.resamples = 200})->warnings[0].find("one phantom"), std::string::npos);
  EXPECT_FALSE(bootstrap({}, statistic));
  EXPECT_FALSE(bootstrap(s.phantom, statistic, {.resamples = 10}));
  EXPECT_FALSE(bootstrap(s.phantom, [](std::span<const std::size_t>) { return std::nan(""); }));
  // A statistic that needs stroke 0: a third of the resamples lack it.
  const auto lacking = bootstrap(one, [](std::span<const std::size_t> rows) {
    return std::find(rows.begin(), rows.end(), 0U) == rows.end() ? std::nan("") : 1.0;
  });
  ASSERT_FALSE(lacking);
  EXPECT_NE(lacking.error().message.find("no value"), std::string::npos);
  const auto constant = bootstrap(s.phantom, [](std::span<const std::size_t>) { return 7.0; });
  EXPECT_EQ(constant->interval.low, 7);
  EXPECT_EQ(constant->interval.high, 7);
}

TEST(CourtPermutation, ExactByHandAndLevelKept) {
  // 1 2 3: all 8 sign patterns; |sum| >= 6 for two of them.
  EXPECT_NEAR(paired_permutation(std::vector<double>{1, 2, 3})->p, 0.25, 1e-15);
  EXPECT_TRUE(paired_permutation(std::vector<double>{1, 2, 3})->exact);
  EXPECT_EQ(paired_permutation(std::vector<double>{0, 0})->p, 1);
  int paired = 0;
  int unpaired = 0;
  int sees = 0;
  constexpr int kRuns = 400;
  for (int k = 0; k < kRuns; ++k) {
    Draws draws(701, static_cast<std::uint64_t>(k));
    std::vector<double> a;
    std::vector<double> b;
    for (int i = 0; i < 20; ++i) {
      a.push_back(draws.chi_squared(2) - draws.chi_squared(2));
      b.push_back(draws.chi_squared(2) - draws.chi_squared(2));
    }
    paired += paired_permutation(a, 400, static_cast<std::uint64_t>(k))->p <= 0.05 ? 1 : 0;
    unpaired += unpaired_permutation(a, b, 400, static_cast<std::uint64_t>(k))->p <= 0.05 ? 1 : 0;
    for (double& v : b) v += 3;
    sees += unpaired_permutation(a, b, 400, static_cast<std::uint64_t>(k))->p <= 0.05 ? 1 : 0;
  }
  const double error = 3.3 * std::sqrt(0.05 * 0.95 / kRuns);
  EXPECT_NEAR(paired / static_cast<double>(kRuns), 0.05, error);
  EXPECT_NEAR(unpaired / static_cast<double>(kRuns), 0.05, error);
  EXPECT_GT(sees, kRuns * 8 / 10);
  EXPECT_FALSE(paired_permutation({}));
  EXPECT_FALSE(paired_permutation(std::vector<double>{std::nan("")}));
  EXPECT_FALSE(unpaired_permutation(std::vector<double>{1}, {}));
}

BaselineMetric metric(const char* name, double value, double low, double high, double margin = 0.02) {
  return {name, value, {low, high, 0.95}, true, margin};
}

TEST(CourtBaseline, DecidesByIntervals) {
  const Baseline before{"suite x",
                        {metric("auc", 0.9, 0.87, 0.93), metric("pd", 0.8, 0.7, 0.9), metric("gone", 1, 1, 1)}};
  const std::vector<BaselineMetric> now{metric("auc", 0.8, 0.77, 0.83), metric("pd", 0.78, 0.68, 0.88),
                                        metric("new", 1, 1, 1)};
  const auto c = compare_with_baseline(before, now);
  ASSERT_TRUE(c) << c.error().message;
  ASSERT_EQ(c->changes.size(), 4U);
  EXPECT_EQ(c->changes[0].change, Change::kWorse);
  EXPECT_EQ(c->changes[1].change, Change::kUndecided) << "0.78 is not shown to be less than 0.80";
  EXPECT_EQ(c->changes[2].change, Change::kMissing);
  EXPECT_EQ(c->changes[3].change, Change::kNew);
  EXPECT_TRUE(c->failed);
  auto narrow = before;
  narrow.metrics = {metric("auc", 0.9, 0.895, 0.905)};
  EXPECT_EQ(compare_with_baseline(narrow, std::vector{metric("auc", 0.899, 0.894, 0.904)})->changes[0].change,
            Change::kNotWorse);
  EXPECT_EQ(compare_with_baseline(narrow, std::vector{metric("auc", 0.95, 0.945, 0.955)})->changes[0].change,
            Change::kBetter);
  narrow.metrics[0].higher_is_better = false;
  EXPECT_EQ(compare_with_baseline(narrow, std::vector{metric("auc", 0.95, 0.945, 0.955)})->changes[0].change,
            Change::kWorse);
  // Exact numbers: any loss beyond the margin.
  const Baseline exact{"", {metric("count", 10, 10, 10, 0)}};
  EXPECT_EQ(compare_with_baseline(exact, std::vector{metric("count", 10, 10, 10)})->changes[0].change,
            Change::kNotWorse);
  EXPECT_EQ(compare_with_baseline(exact, std::vector{metric("count", 9, 9, 9)})->changes[0].change, Change::kWorse);
}

TEST(CourtBaseline, FalseAlarmsOfTheComparisonAreRare) {
  // Two samples of the same detector: "worse" must come up in at most 2.5 % and a little.
  int worse = 0;
  constexpr int kRuns = 2'000;
  for (int k = 0; k < kRuns; ++k) {
    Draws draws(801, static_cast<std::uint64_t>(k));
    const auto m = [&] {
      LabelledScores s;
      for (int i = 0; i < 60; ++i) {
        s.targets.push_back(1.2 + draws.normal());
        s.others.push_back(draws.normal());
      }
      const auto a = roc_area(s);
      return BaselineMetric{"auc", a->auc, a->interval, true, 0};
    };
    const Baseline before{"", {m()}};
    worse += compare_with_baseline(before, std::vector{m()})->failed ? 1 : 0;
  }
  EXPECT_NEAR(worse / static_cast<double>(kRuns), 0.025, 0.006 + 3.3 * std::sqrt(0.025 * 0.975 / kRuns));
}

TEST(CourtBaseline, IsWrittenAndReadAndBrokenOnesAreRefused) {
  const Baseline b{"suite x, seed 7", {metric("a", 0.1 + 0.2, 0.25, 0.5), metric("b/c", -1, -2, 0)}};
  const auto text = write_baseline(b);
  const auto back = read_baseline(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->metrics[0].value, 0.1 + 0.2) << "to the last bit";
  EXPECT_EQ(write_baseline(*back), text);
  EXPECT_FALSE(read_baseline(""));
  EXPECT_FALSE(read_baseline("{}"));
  EXPECT_FALSE(read_baseline(R"({"format": 2, "origin": "", "metrics": []})"));
  EXPECT_FALSE(read_baseline(R"({"format": 1, "origin": "", "metrics": [], "extra": 1})"));
  EXPECT_FALSE(read_baseline(R"({"format": 1, "origin": "", "metrics": [{"name": "a"}]})"));
  EXPECT_FALSE(read_baseline(R"({"format": 1, "origin": "", "metrics": [3]})"));
  // Bounds in the wrong order, a name twice, a level that is none.
  for (const char* metrics :
       {R"({"name":"a","value":1,"low":2,"high":0,"level":0.95,"higher_is_better":true,"margin":0})",
        R"({"name":"a","value":1,"low":1,"high":1,"level":2,"higher_is_better":true,"margin":0})",
        R"({"name":"a","value":1,"low":1,"high":1,"level":0.9,"higher_is_better":true,"margin":-1})"}) {
    EXPECT_FALSE(read_baseline(std::string(R"({"format": 1, "origin": "", "metrics": [)") + metrics + "]}")) << metrics;
  }
  EXPECT_FALSE(compare_with_baseline({"", {metric("a", 1, 1, 1), metric("a", 1, 1, 1)}}, {}));
}

}  // namespace
}  // namespace strigil::protocols
