// Golden envelopes: the false-reject rate is the promised one, divergence is named, hostile input is refused.
#include "protocols/court/golden_envelope.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "protocols/court/draws.hpp"
#include "protocols/golden_strokes.hpp"
#include "protocols/run_comparison.hpp"

namespace strigil::protocols {
namespace {

int simulations(int in_ci) { return std::getenv("STRIGIL_FULL_COVERAGE") != nullptr ? 20'000 : in_ci; }

constexpr std::size_t kPoints = 40;

GoldenGrid grid() {
  GoldenGrid g;
  for (std::size_t i = 0; i < kPoints; ++i) g.at.push_back(2.5 * static_cast<double>(i));
  g.unit = "mm";
  return g;
}
const std::vector<GoldenChannelName> kChannels{{"normal force", "N", 0}, {"vibration", "m/s2", 0}};

/// Smooth deviations that differ from point to point, heavy tails in the second channel: nothing normal about it.
GoldenRun run(Draws& draws) {
  GoldenRun out;
  const double offset = 0.1 * draws.normal();
  const double phase = 0.3 * draws.normal();
  const double loud = std::exp(0.5 * draws.normal());
  out.channel.resize(2);
  auto& force = out.channel[0];
  auto& vibration = out.channel[1];
  double walk = 0;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double x = static_cast<double>(i) / kPoints;
    walk = 0.8 * walk + 0.05 * draws.normal();
    force.push_back(6 + offset + 0.4 * std::sin(6 * x + phase) + walk);
    vibration.push_back(loud * (1 + 0.3 * draws.chi_squared(2)));
  }
  return out;
}

double false_rejects(GoldenMethod method, std::size_t references, double asked, int runs, double& promised) {
  int rejected = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(901 + references, static_cast<std::uint64_t>(k));
    std::vector<GoldenRun> good;
    for (std::size_t i = 0; i < references; ++i) good.push_back(run(draws));
    const auto e = learn_envelope(grid(), kChannels, good, {asked, method, static_cast<std::uint64_t>(k)});
    EXPECT_TRUE(e) << e.error().message;
    promised = e->promised;
    rejected += judge_run(*e, run(draws))->accepted ? 0 : 1;  // one run each: runs are independent of each other
  }
  return rejected / static_cast<double>(runs);
}

TEST(CourtGolden, FalseRejectRateIsThePromisedOne) {
  const int runs = simulations(1'200);
  for (const auto& [method, references, asked] : {std::tuple{GoldenMethod::kFull, 19, 0.05},
                                                  {GoldenMethod::kFull, 30, 0.1},
                                                  {GoldenMethod::kFull, 39, 0.05},
                                                  {GoldenMethod::kSplit, 40, 0.05},
                                                  {GoldenMethod::kSplit, 60, 0.1}}) {
    double promised = 0;
    const double measured = false_rejects(method, static_cast<std::size_t>(references), asked, runs, promised);
    EXPECT_GT(promised, 0.5 * asked);
    EXPECT_LE(promised, asked + 1e-12);
    EXPECT_NEAR(measured, promised, 3.3 * std::sqrt(promised * (1 - promised) / runs))
        << references << " references, " << asked << " asked";
    RecordProperty((method == GoldenMethod::kFull ? "full_" : "split_") + std::to_string(references) + "_asked_" +
                       std::to_string(asked),
                   std::to_string(measured) + " promised " + std::to_string(promised));
  }
}

TEST(CourtGolden, FirstDivergenceIsNamed) {
  for (const auto method : {GoldenMethod::kFull, GoldenMethod::kSplit}) {
    Draws draws(7);
    std::vector<GoldenRun> good;
    for (int i = 0; i < 45; ++i) good.push_back(run(draws));
    const auto e = learn_envelope(grid(), kChannels, good, {0.05, method, 3});
    ASSERT_TRUE(e) << e.error().message;
    auto bad = good[0];
    for (std::size_t i = 16; i < 24; ++i) bad.channel[0][i] += 5;  // from 40 mm on
    bad.channel[0][30] -= 9;
    const auto j = judge_run(*e, bad);
    ASSERT_TRUE(j) << j.error().message;
    EXPECT_FALSE(j->accepted);
    ASSERT_TRUE(j->first);
    EXPECT_EQ(j->first->channel, 0U);
    EXPECT_EQ(j->first->at, 40);
    EXPECT_GT(j->first->beyond, 0);
    EXPECT_EQ(j->worst->point, 30U);
    EXPECT_LT(j->worst->beyond, 0);
    EXPECT_NEAR(j->first->value - j->first->high, j->first->beyond, 1e-12);
    EXPECT_NE(j->first->words.find("normal force first leaves its envelope at 40 mm"), std::string::npos)
        << j->first->words;
    EXPECT_NE(j->first->words.find("too high by"), std::string::npos) << j->first->words;
    EXPECT_GT(j->outside_share[0], j->outside_share[1]);
    for (std::size_t c = 0; c < 2; ++c) {
      for (std::size_t i = 0; i < kPoints; ++i) EXPECT_LT(e->low[c][i], e->high[c][i]);
    }
    if (method == GoldenMethod::kFull) {
      EXPECT_EQ(j->p, 1.0 / 46);
    }
  }
}

TEST(CourtGolden, AcceptedRunsHaveNoDivergence) {
  Draws draws(5);
  std::vector<GoldenRun> good;
  for (int i = 0; i < 40; ++i) good.push_back(run(draws));
  const auto e = learn_envelope(grid(), kChannels, good);
  auto mean = good[0];
  mean.channel = e->centre;
  const auto j = judge_run(*e, mean);
  EXPECT_TRUE(j->accepted);
  EXPECT_FALSE(j->first);
  EXPECT_EQ(j->p, 1);
  EXPECT_EQ(j->outside_share[0], 0);
}

TEST(CourtGolden, HostileInput) {
  Draws draws(5);
  std::vector<GoldenRun> good;
  for (int i = 0; i < 40; ++i) good.push_back(run(draws));
  const auto few = learn_envelope(grid(), kChannels, std::span(good).first(10));
  ASSERT_FALSE(few);
  EXPECT_NE(few.error().message.find("19 are needed"), std::string::npos) << few.error().message;
  EXPECT_EQ(references_needed(0.05, GoldenMethod::kFull), 19U);
  EXPECT_EQ(references_needed(0.01, GoldenMethod::kSplit), 102U);
  EXPECT_FALSE(learn_envelope({}, kChannels, good));
  EXPECT_FALSE(learn_envelope(grid(), {}, good));
  EXPECT_FALSE(learn_envelope(grid(), kChannels, good, {0, GoldenMethod::kFull, 1}));
  auto broken = good;
  broken[3].channel[1][2] = std::nan("");
  EXPECT_FALSE(learn_envelope(grid(), kChannels, broken));
  broken = good;
  broken[3].channel[1].pop_back();
  EXPECT_FALSE(learn_envelope(grid(), kChannels, broken));
  auto descending = grid();
  std::swap(descending.at[3], descending.at[4]);
  EXPECT_FALSE(learn_envelope(descending, kChannels, good));
  // A point where nothing ever varies: without a resolution no envelope, with one it works.
  auto still = good;
  for (auto& r : still) r.channel[0][0] = 6;
  EXPECT_FALSE(learn_envelope(grid(), kChannels, still));
  auto resolved = kChannels;
  resolved[0].resolution = 0.01;
  const auto e = learn_envelope(grid(), resolved, still);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_TRUE(judge_run(*e, still[4]));
  auto other = good[0];
  other.channel.pop_back();
  EXPECT_FALSE(judge_run(*e, other));
  other = good[0];
  other.channel[0][7] = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(judge_run(*e, other));
}

/// A stroke of 30 mm in 0.5 s whose force wanders; every sample of it is made anew.
RunSeries made_run(Draws& draws, double offset_N = 0) {
  RunSeries out;
  auto& stroke = out.strokes.emplace_back();
  stroke.ended = stroke.began + daq::from_seconds(0.5);
  stroke.from_m = 1e-6 * draws.normal();
  stroke.to_m = 0.03 + 1e-6 * draws.normal();
  const double level = 6 + 0.1 * draws.normal() + offset_N;
  double walk = 0;
  for (int i = 0; i < 250; ++i) {
    const double t = 0.002 * i;
    walk = 0.9 * walk + 0.03 * draws.normal();
    for (auto* s : {&stroke.normal_N, &stroke.tangential_N}) {
      s->t_s.push_back(t);
      s->x_m.push_back(stroke.from_m + (stroke.to_m - stroke.from_m) * t / 0.5);
      s->value.push_back((level + walk) * (s == &stroke.normal_N ? 1 : 0.1));
    }
  }
  return out;
}

/// Each trial with references and a run of its own, so that the trials are independent.
TEST(GoldenStrokes, FalseRejectRateOfWholeRunsIsThePromisedOne) {
  const int runs = simulations(600);
  int rejected = 0;
  int caught = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(77, static_cast<std::uint64_t>(k));
    std::vector<RunSeries> good;
    for (int i = 0; i < 19; ++i) good.push_back(made_run(draws));
    const auto g = learn_golden(good, {.false_reject = 0.05});
    ASSERT_TRUE(g) << g.error().message;
    rejected += check_golden(*g, made_run(draws))->accepted ? 0 : 1;
    caught += check_golden(*g, made_run(draws, 1.5))->accepted ? 0 : 1;
  }
  EXPECT_NEAR(rejected, 0.05 * runs, 3 * std::sqrt(0.05 * 0.95 * runs));
  EXPECT_GT(caught, 0.9 * runs) << "fifteen deviations off";
}

TEST(RunComparison, FindsWhereTwoRunsAreApart) {
  Draws draws(3);
  const auto first = made_run(draws);
  auto second = first;
  second.strokes[0].normal_N.value[125] += 5;  // at 15 mm, one of the 8 or 9 samples of its bin
  const auto by_mm = compare_runs(first, second);
  ASSERT_TRUE(by_mm) << by_mm.error().message;
  const auto& force = by_mm->strokes[0].channels[0];
  EXPECT_NEAR(force.largest, 5 / 8.5, 0.05);
  EXPECT_NEAR(force.largest_at, 15, 0.6);
  EXPECT_EQ(by_mm->strokes[0].channels[1].rms, 0);
  const auto by_time = compare_runs(first, second, {.by_time = true});
  EXPECT_NEAR(by_time->strokes[0].channels[0].largest_at, 0.25, 0.011);
  EXPECT_FALSE(compare_runs(first, RunSeries{}));
  EXPECT_FALSE(compare_runs(first, second, {.bin_mm = 0}));
}

}  // namespace
}  // namespace strigil::protocols
