// Measurement-system analysis: components and their intervals by simulation, refusals, capability, agreement, planning.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "protocols/court/agreement.hpp"
#include "protocols/court/capability.hpp"
#include "protocols/court/draws.hpp"
#include "protocols/court/gage_bias.hpp"
#include "protocols/court/gage_study.hpp"
#include "protocols/court/nested_study.hpp"
#include "protocols/court/trial_planner.hpp"

namespace strigil::protocols {
namespace {

int simulations(int in_ci) { return std::getenv("STRIGIL_FULL_COVERAGE") != nullptr ? 5'000 : in_ci; }

struct Truth {
  double part = 1;
  double appraiser = 0.3;
  double interaction = 0.2;
  double repeat = 0.4;  // standard deviations
};
std::vector<GageReading> simulated(Draws& draws, const Truth& t, int parts, int appraisers, int trials) {
  std::vector<double> part;
  std::vector<double> appraiser;
  for (int i = 0; i < parts; ++i) part.push_back(t.part * draws.normal());
  for (int j = 0; j < appraisers; ++j) appraiser.push_back(t.appraiser * draws.normal());
  std::vector<GageReading> out;
  for (int i = 0; i < parts; ++i) {
    for (int j = 0; j < appraisers; ++j) {
      const double both =
          part[static_cast<std::size_t>(i)] + appraiser[static_cast<std::size_t>(j)] + t.interaction * draws.normal();
      for (int k = 0; k < trials; ++k) {
        out.push_back({std::to_string(i), std::to_string(j), both + t.repeat * draws.normal()});
      }
    }
  }
  return out;
}

TEST(CourtGage, ComponentsAreUnbiasedAndTheirIntervalsCover) {
  const Truth truth;
  const int runs = simulations(250);
  GageOptions options;
  options.interaction = Interaction::kKeep;
  double part = 0;
  double appraiser = 0;
  double inter = 0;
  double repeat = 0;
  int mls_part = 0;
  int mls_repeat = 0;
  int mls_appraiser = 0;
  int mls_gage = 0;
  int share = 0;
  const double gage =
      truth.appraiser * truth.appraiser + truth.interaction * truth.interaction + truth.repeat * truth.repeat;
  const double gage_pct = 100 * std::sqrt(gage / (gage + truth.part * truth.part));
  for (int k = 0; k < runs; ++k) {
    Draws draws(201, static_cast<std::uint64_t>(k));
    const auto s = gage_anova(simulated(draws, truth, 10, 4, 3), options);
    ASSERT_TRUE(s) << s.error().message;
    part += s->parts_variation.component.estimate / runs;
    appraiser += s->appraisers_variation.component.estimate / runs;
    inter += s->interaction_variation.component.estimate / runs;
    repeat += s->equipment.component.estimate / runs;
    mls_part += s->parts_variation.component.mls.contains(1) ? 1 : 0;
    mls_repeat += s->equipment.component.mls.contains(0.16) ? 1 : 0;
    mls_appraiser += s->appraisers_variation.component.mls.contains(0.09) ? 1 : 0;
    mls_gage += s->gage.component.mls.contains(gage) ? 1 : 0;
    share += s->gage_study_pct.contains(gage_pct) ? 1 : 0;
  }
  EXPECT_NEAR(part, 1, 0.12);
  EXPECT_NEAR(appraiser, 0.09, 0.02);
  EXPECT_NEAR(inter, 0.04, 0.01);
  EXPECT_NEAR(repeat, 0.16, 0.005);
  const double error = 3.3 * std::sqrt(0.95 * 0.05 / runs);
  for (const int held : {mls_part, mls_repeat, mls_appraiser, mls_gage, share}) {
    EXPECT_NEAR(held / static_cast<double>(runs), 0.95, 0.02 + error);
  }
  RecordProperty("part_repeat_appraiser_gage_share",
                 std::to_string(mls_part) + " " + std::to_string(mls_repeat) + " " + std::to_string(mls_appraiser) +
                     " " + std::to_string(mls_gage) + " " + std::to_string(share) + " of " + std::to_string(runs));
}

TEST(CourtGage, NegativeComponentsAreFlaggedAndNotJustZero) {
  // Appraisers that agree better than chance would have it: both read the part's mean.
  std::vector<GageReading> readings;
  for (int part = 0; part < 5; ++part) {
    for (const char* who : {"A", "B", "C"}) {
      for (const double e : {-0.5, 0.5}) readings.push_back({std::to_string(part), who, 1.0 * part + e});
    }
  }
  const auto s = gage_anova(readings);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_LT(s->appraisers_variation.component.estimate, 0);
  EXPECT_TRUE(s->appraisers_variation.component.clamped);
  EXPECT_EQ(s->appraisers_variation.component.variance, 0);
  EXPECT_GE(s->appraisers_variation.component.mls.high, 0);
  EXPECT_EQ(s->appraisers_variation.component.mls.low, 0);
  EXPECT_FALSE(s->appraisers_variation.component.satterthwaite.known());
  ASSERT_FALSE(s->warnings.empty());
  EXPECT_NE(s->warnings[0].find("set to 0"), std::string::npos);
  const auto r = gage_range(readings);
  EXPECT_TRUE(r->av_clamped);
  EXPECT_EQ(r->av, 0);
}

TEST(CourtGage, NdcIsTruncatedAndNotRounded) {
  Draws draws(8);
  for (int k = 0; k < 40; ++k) {
    const Truth t{1, 0.2 * draws.uniform(), 0, 0.05 + draws.uniform()};
    const auto s = gage_anova(simulated(draws, t, 6, 2, 2));
    ASSERT_TRUE(s);
    EXPECT_EQ(s->ndc, std::max<std::uint64_t>(1, static_cast<std::uint64_t>(s->ndc_unrounded)));
  }
}

TEST(CourtGage, VerdictsAndTolerance) {
  EXPECT_EQ(gage_verdict(9.999), GageVerdict::kAccept);
  EXPECT_EQ(gage_verdict(10), GageVerdict::kMarginal);
  EXPECT_EQ(gage_verdict(30), GageVerdict::kMarginal);
  EXPECT_EQ(gage_verdict(30.001), GageVerdict::kReject);
  Draws draws(2);
  GageOptions options;
  options.tolerance = 12;
  const auto six = gage_anova(simulated(draws, {}, 10, 3, 2), options);
  EXPECT_NEAR(*six->gage.tolerance_pct, 100 * 6 * six->gage.component.sd() / 12, 1e-12);
  EXPECT_NEAR(six->gage.contribution_pct + six->parts_variation.contribution_pct, 100, 1e-9);
}

TEST(CourtGage, OneAppraiserIsAnAutomaticGage) {
  Draws draws(6);
  const auto s = gage_anova(simulated(draws, {1, 0, 0, 0.2}, 12, 1, 4));
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_FALSE(s->appraisers_variation.component.estimable);
  EXPECT_FALSE(s->interaction_variation.component.estimable);
  EXPECT_EQ(s->gage.component.variance, s->equipment.component.variance);
  EXPECT_TRUE(gage_range(simulated(draws, {1, 0, 0, 0.2}, 12, 1, 4)));
}

TEST(CourtGage, Refusals) {
  Draws draws(6);
  auto readings = simulated(draws, {}, 5, 3, 2);
  readings.pop_back();
  const auto unbalanced = gage_anova(readings);
  ASSERT_FALSE(unbalanced);
  EXPECT_NE(unbalanced.error().message.find("'4' by '2' has 1 readings where others have 2"), std::string::npos)
      << unbalanced.error().message;
  EXPECT_FALSE(gage_range(readings));
  EXPECT_FALSE(gage_anova({}));
  EXPECT_FALSE(gage_anova(simulated(draws, {}, 5, 3, 1))) << "one trial";
  EXPECT_FALSE(gage_anova(simulated(draws, {}, 1, 3, 2))) << "one part";
  EXPECT_FALSE(gage_anova(simulated(draws, {0, 0, 0, 0}, 5, 3, 2))) << "all the same";
  auto broken = simulated(draws, {}, 5, 3, 2);
  broken[3].value = std::nan("");
  EXPECT_FALSE(gage_anova(broken));
  GageOptions options;
  options.tolerance = 0;
  EXPECT_FALSE(gage_anova(simulated(draws, {}, 5, 3, 2), options));
  EXPECT_FALSE(gage_range(simulated(draws, {}, 26, 2, 2)));
}

TEST(CourtNested, ThreeLevelsAsNistHasThem) {
  // s_day^2 = s2^2 - s1^2 / J and s_run^2 = s3^2 - s2^2 / K of metrology.md 5.1, by the mean squares.
  Draws draws(77);
  std::vector<NestedReading> readings;
  double run_total = 0;
  for (int run = 0; run < 40; ++run) {
    const double r = 0.5 * draws.normal();
    for (int day = 0; day < 4; ++day) {
      const double d = 0.3 * draws.normal();
      for (int k = 0; k < 3; ++k)
        readings.push_back({{std::to_string(run), std::to_string(day)}, r + d + 0.2 * draws.normal()});
    }
    run_total += r;
  }
  const auto s = nested_components(readings);
  ASSERT_TRUE(s) << s.error().message;
  ASSERT_EQ(s->levels.size(), 3U);
  EXPECT_EQ(s->levels[0].dof, 39);
  EXPECT_EQ(s->levels[1].dof, 120);
  EXPECT_EQ(s->levels[2].dof, 320);
  EXPECT_NEAR(s->levels[2].component.estimate, s->levels[2].mean_square, 1e-15);
  EXPECT_NEAR(s->levels[1].component.estimate, (s->levels[1].mean_square - s->levels[2].mean_square) / 3, 1e-15);
  EXPECT_NEAR(s->levels[0].component.estimate, (s->levels[0].mean_square - s->levels[1].mean_square) / 12, 1e-15);
  EXPECT_TRUE(s->levels[0].component.mls.contains(0.25));
  EXPECT_TRUE(s->levels[1].component.mls.contains(0.09));
  EXPECT_TRUE(s->levels[2].component.mls.contains(0.04));
  readings.pop_back();
  EXPECT_FALSE(nested_components(readings)) << "unbalanced";
  EXPECT_FALSE(nested_components({}));
  EXPECT_FALSE(nested_components(std::vector<NestedReading>{{{"a"}, 1}, {{"a"}, 2}}))
      << "one member at the first level";
}

TEST(CourtBias, OneSampleByHand) {
  const std::vector<double> readings{5.1, 4.9, 5.2, 5.0};
  const auto b = bias_study(readings, 5);
  EXPECT_NEAR(b->bias, 0.05, 1e-12);
  EXPECT_NEAR(b->sd, 0.129099444873581, 1e-12);
  EXPECT_NEAR(b->t, 0.774596669241483, 1e-10);
  EXPECT_NEAR(b->p, 0.495025346059712, 1e-9);
  EXPECT_FALSE(b->significant);
  const auto one = type_one_study(readings, 5, 4);
  ASSERT_TRUE(one);
  EXPECT_NEAR(one->cg, 0.8 / (6 * b->sd), 1e-12);
  EXPECT_NEAR(one->cgk, (0.4 - 0.05) / (3 * b->sd), 1e-12);
  EXPECT_FALSE(one->is_capable);
  EXPECT_FALSE(one->warnings.empty());
  EXPECT_FALSE(type_one_study(std::vector<double>{5, 5, 5}, 5, 4)) << "no spread";
  EXPECT_FALSE(type_one_study(readings, 5, 0));
  EXPECT_FALSE(bias_study(std::vector<double>{5}, 5));
  EXPECT_FALSE(linearity_study(std::vector<LinearityReading>{{1, 1}, {1, 1.1}, {1, 1.2}}));
}

TEST(CourtCapability, IntervalsCoverAndOneSidedLimitsWork) {
  const int runs = simulations(1'000);
  const SpecificationLimits limits{-4, 4, std::nullopt};
  int cp = 0;
  int cpk = 0;
  int honest = 0;
  CapabilityOptions effective;
  effective.effective_dof = true;
  for (int k = 0; k < runs; ++k) {
    Draws draws(301, static_cast<std::uint64_t>(k));
    std::vector<double> values;
    for (int i = 0; i < 100; ++i) values.push_back(0.5 + draws.normal());
    const auto c = capability(values, 5, limits);
    cp += c->pp->interval.contains(8.0 / 6) ? 1 : 0;
    cpk += c->ppk.interval.contains(3.5 / 3) ? 1 : 0;
    honest += capability(values, 5, limits, effective)->cp->interval.contains(8.0 / 6) ? 1 : 0;
  }
  const double error = 3.3 * std::sqrt(0.95 * 0.05 / runs);
  RecordProperty("pp_ppk_cp", std::to_string(cp) + " " + std::to_string(cpk) + " " + std::to_string(honest) + " of " +
                                  std::to_string(runs));
  EXPECT_NEAR(cp / static_cast<double>(runs), 0.95, 0.01 + error);
  EXPECT_NEAR(cpk / static_cast<double>(runs), 0.95, 0.02 + error);
  EXPECT_NEAR(honest / static_cast<double>(runs), 0.95, 0.015 + error);
  Draws draws(1);
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) values.push_back(draws.normal());
  const auto upper = capability(values, 1, {std::nullopt, 3, std::nullopt});
  ASSERT_TRUE(upper) << upper.error().message;
  EXPECT_FALSE(upper->cp);
  EXPECT_FALSE(upper->cpl);
  EXPECT_EQ(upper->cpk.value, upper->cpu->value);
  EXPECT_LT(upper->within_dof, 59) << "moving ranges are worth less than they count";
}

TEST(CourtCapability, PercentilesForWhatIsNotNormal) {
  Draws draws(12);
  std::vector<double> values;
  for (int i = 0; i < 4'000; ++i) values.push_back(-std::log(1 - draws.uniform()));  // exponential
  const auto c = percentile_capability(values, {std::nullopt, 8, std::nullopt}, {.resamples = 200});
  ASSERT_TRUE(c) << c.error().message;
  const double truth = (8 - std::log(2.0)) / (-std::log(0.00135) - std::log(2.0));
  EXPECT_TRUE(c->ppk_interval.contains(truth)) << truth << " " << c->ppk_interval.low << " " << c->ppk_interval.high;
  EXPECT_FALSE(c->pp);
  EXPECT_TRUE(c->warnings.empty());
  EXPECT_FALSE(percentile_capability(std::vector<double>{1, 2}, {0, 1, std::nullopt}));
}

TEST(CourtCapability, Refusals) {
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  EXPECT_FALSE(capability(values, 3, {}));
  EXPECT_FALSE(capability(values, 4, {0, 1, std::nullopt})) << "a rest";
  EXPECT_FALSE(capability(values, 0, {0, 1, std::nullopt}));
  EXPECT_FALSE(capability(values, 3, {2, 1, std::nullopt}));
  EXPECT_FALSE(capability(std::vector<double>{1, 1, 1, 1}, 2, {0, 2, std::nullopt}));
  EXPECT_FALSE(capability(std::vector<double>{1, std::nan("")}, 2, {0, 2, std::nullopt}));
}

TEST(CourtAgreement, CohenByHand) {
  // 2 x 2 of 20 5 10 15: agreement 0.7, by chance 0.5, kappa 0.4.
  std::vector<std::string> a;
  std::vector<std::string> b;
  const auto add = [&](int n, const char* x, const char* y) {
    for (int i = 0; i < n; ++i) {
      a.emplace_back(x);
      b.emplace_back(y);
    }
  };
  add(20, "yes", "yes");
  add(5, "yes", "no");
  add(10, "no", "yes");
  add(15, "no", "no");
  const auto k = cohen_kappa(a, b);
  EXPECT_NEAR(k->kappa, 0.4, 1e-12);
  EXPECT_NEAR(k->agreement, 0.7, 1e-12);
  EXPECT_NEAR(k->by_chance, 0.5, 1e-12);
  // Fleiss, Cohen & Everitt: sqrt(A + B - C) / ((1 - pe) sqrt n), worked by hand.
  const double A = 0.4 * std::pow(1 - 1.1 * 0.6, 2) + 0.3 * std::pow(1 - 0.9 * 0.6, 2);
  const double B = 0.36 * (0.1 * std::pow(0.6 + 0.5, 2) + 0.2 * std::pow(0.4 + 0.5, 2));
  // cell yes/no: column of yes (0.6) + row of no (0.5); cell no/yes: column of no (0.4) + row of yes (0.5).
  const double C = std::pow(0.4 - 0.5 * 0.6, 2);
  EXPECT_NEAR(k->standard_error, std::sqrt((A + B - C) / 50) / 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(cohen_kappa(a, a)->kappa, 1);
  EXPECT_FALSE(cohen_kappa(std::vector<std::string>(5, "yes"), std::vector<std::string>(5, "yes")));
  EXPECT_FALSE(cohen_kappa(a, std::vector<std::string>{"yes"}));
}

TEST(CourtAgreement, FleissOnHisExample) {
  // Fleiss 1971 as widely reprinted: 10 subjects, 14 raters, 5 categories, kappa 0.210.
  const int counts[10][5] = {{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6}, {0, 3, 9, 2, 0}, {2, 2, 8, 1, 1},
                             {7, 7, 0, 0, 0},  {3, 2, 6, 3, 0}, {2, 5, 3, 2, 2}, {6, 5, 2, 1, 0}, {0, 2, 2, 3, 7}};
  std::vector<std::vector<std::string>> ratings;
  for (const auto& row : counts) {
    auto& item = ratings.emplace_back();
    for (int c = 0; c < 5; ++c) {
      for (int i = 0; i < row[c]; ++i) item.push_back(std::to_string(c));
    }
  }
  const auto k = fleiss_kappa(ratings);
  ASSERT_TRUE(k) << k.error().message;
  EXPECT_NEAR(k->overall.kappa, 0.2099307, 1e-6);
  EXPECT_NEAR(k->overall.agreement, 0.3780220, 1e-6);
  EXPECT_NEAR(k->overall.by_chance, 0.2127551, 1e-6);
  EXPECT_EQ(k->categories.size(), 5U);
  EXPECT_TRUE(k->overall.interval.contains(0.21));
  ratings[0].pop_back();
  EXPECT_FALSE(fleiss_kappa(ratings));
  EXPECT_FALSE(fleiss_kappa(std::vector<std::vector<std::string>>(4, {"a", "a"})));
  const std::vector<std::vector<std::string>> trials{{"go", "go"}, {"go", "no"}, {"no", "no"}};
  const std::vector<std::string> standard{"go", "go", "go"};
  EXPECT_EQ(attribute_agreement(trials, {})->share.hits, 2U);
  EXPECT_EQ(attribute_agreement(trials, standard)->disagreeing, (std::vector<std::size_t>{1, 2}));
}

TEST(CourtPlanner, SequentialLooksErrNoOftenerThanPromised) {
  // True share just below the threshold: "met" would be wrong. Ten looks of ten trials each.
  const int runs = simulations(400);
  int wrong = 0;
  int undecided = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(401, static_cast<std::uint64_t>(k));
    std::uint64_t hits = 0;
    auto decision = TrialDecision::kUndecided;
    for (std::uint64_t n = 10; n <= 100 && decision == TrialDecision::kUndecided; n += 10) {
      for (int i = 0; i < 10; ++i) hits += draws.uniform() < 0.79 ? 1 : 0;
      decision = plan_proportion(hits, n, 0.8, {.confidence = 0.95, .looks = 10, .most_trials = 100})->decision;
    }
    wrong += decision == TrialDecision::kMet ? 1 : 0;
    undecided += decision == TrialDecision::kUndecided ? 1 : 0;
  }
  EXPECT_LE(wrong / static_cast<double>(runs), 0.05);
  EXPECT_GT(undecided, runs / 2) << "0.79 is not told from 0.8 in a hundred trials";
}

TEST(CourtPlanner, SaysHowManyMoreAndKeepsItsWord) {
  const auto share = plan_proportion(19, 20, 0.9);
  EXPECT_EQ(share->decision, TrialDecision::kUndecided);
  EXPECT_TRUE(share->reachable);
  EXPECT_GT(share->more_trials, 20U);
  // As foreseen: the decision comes there, and not one trial before.
  const auto total = 20 + share->more_trials;
  const double rate = 19.5 / 21;
  const auto then = [&](std::uint64_t n) {
    return plan_proportion(19 + static_cast<std::uint64_t>(std::llround(rate * static_cast<double>(n - 20))), n, 0.9)
        ->decision;
  };
  EXPECT_EQ(then(total), TrialDecision::kMet);
  EXPECT_EQ(plan_proportion(29, 29, 0.9, {.confidence = 0.9})->decision, TrialDecision::kMet);
  EXPECT_EQ(plan_proportion(10, 29, 0.9)->decision, TrialDecision::kNotMet);
  EXPECT_FALSE(plan_proportion(900, 1'000, 0.9, {.most_trials = 2'000})->reachable) << "at the threshold itself";

  std::vector<double> values;
  Draws draws(9);
  for (int i = 0; i < 6; ++i) values.push_back(1 + draws.normal());
  const auto precise = plan_precision(values, 0.2);
  EXPECT_EQ(precise->decision, TrialDecision::kUndecided);
  for (std::uint64_t i = 0; i < 3 * precise->more_trials; ++i) values.push_back(1 + draws.normal());
  EXPECT_EQ(plan_precision(values, 0.2)->decision, TrialDecision::kMet);
  EXPECT_EQ(plan_mean(values, 0, 2)->decision, TrialDecision::kMet);
  EXPECT_EQ(plan_mean(values, 3, std::nullopt)->decision, TrialDecision::kNotMet);
  EXPECT_FALSE(plan_mean(values, std::nullopt, std::nullopt));
  EXPECT_FALSE(plan_precision(values, 0));
  EXPECT_FALSE(plan_proportion(1, 2, 1));
  EXPECT_FALSE(plan_proportion(1, 2, 0.5, {.looks = 0}));
}

TEST(CourtPlanner, GageStudiesGrowUntilTheirVerdictIsCertain) {
  Draws draws(14);
  const Truth good{1, 0.02, 0, 0.07};  // GRR about 7 %
  auto readings = simulated(draws, good, 4, 3, 2);
  const auto early = plan_gage(readings);
  ASSERT_TRUE(early) << early.error().message;
  EXPECT_EQ(early->decision, TrialDecision::kUndecided) << early->words;
  EXPECT_GT(early->more_trials, 0U);
  EXPECT_EQ(early->more_trials % 6, 0U) << "whole parts";
  const auto bad = plan_gage(simulated(draws, {0.5, 0, 0, 2}, 20, 3, 3));
  EXPECT_EQ(bad->decision, TrialDecision::kNotMet) << bad->words;
}

}  // namespace
}  // namespace strigil::protocols
