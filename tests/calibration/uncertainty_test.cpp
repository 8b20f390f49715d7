// Uncertainty: distributions and draws, the GUM's formulas, Monte Carlo, intervals, budgets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "calibration/uncertainty/budget.hpp"
#include "calibration/uncertainty/differences.hpp"
#include "calibration/uncertainty/input_sampler.hpp"
#include "calibration/uncertainty/random.hpp"
#include "daq/json_text.hpp"
#include "tests/calibration/uncertainty_cases.hpp"

namespace strigil::calibration::tested {
namespace {

using ::testing::HasSubstr;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<Distribution> one_of_each() {
  return {Normal{3, 2},
          StudentT{1, 0.5, 7},
          Rectangular{-1, 4},
          Triangular{-2, 1},
          Trapezoidal{0, 10, 0.3},
          CurvilinearTrapezoid{-3, 5, 1.5},
          ArcSine{2, 6},
          Exponential{1, 3},
          Samples{std::make_shared<std::vector<double>>(std::vector<double>{1, 2, 2, 7, 11})}};
}

TEST(Distributions, DrawsHaveTheMeanAndSpreadThatAreStated) {
  constexpr std::size_t kDraws = 400'000;
  std::vector<double> x(kDraws);
  for (const auto& d : one_of_each()) {
    Random random(17);
    draw(d, random, x);
    auto s = summarize(x);
    ASSERT_TRUE(s.ok());
    const double u = standard_uncertainty_of(d);
    // Five standard errors; that of s from the kurtosis of the draws themselves.
    double fourth = 0;
    for (const double v : x) fourth += std::pow((v - s->mean) / s->sd, 4) / kDraws;
    EXPECT_NEAR(s->mean, mean_of(d), 5 * u / std::sqrt(kDraws)) << name_of(d);
    EXPECT_NEAR(s->sd / u, 1, 2.5 * std::sqrt((fourth - 1) / kDraws)) << name_of(d);
  }
}

TEST(Distributions, ParametersWithoutSenseAreRefused) {
  const std::vector<Distribution> bad{Normal{0, -1},
                                      Normal{kNaN, 1},
                                      StudentT{0, 1, 0},
                                      Rectangular{1, 1},
                                      Rectangular{0, kInf},
                                      Triangular{2, 1},
                                      Trapezoidal{0, 1, 1.5},
                                      CurvilinearTrapezoid{0, 1, 0.6},
                                      ArcSine{0, -1},
                                      Exponential{3, 3},
                                      Samples{},
                                      Samples{std::make_shared<std::vector<double>>(1, 2.0)}};
  for (const auto& d : bad) EXPECT_FALSE(check(d).ok()) << name_of(d);
  for (const auto& d : one_of_each()) EXPECT_TRUE(check(d).ok()) << name_of(d);
}

TEST(RandomNumbers, NormalsFollowTheNormalEvenInTheTail) {
  constexpr std::size_t kDraws = 4'000'000;
  Random random(5);
  const double edges[] = {-4, -3.6541528853610088, -3, -2, -1, -0.2, 0, 0.2, 1, 2, 3, 3.6541528853610088, 4};
  std::vector<double> below(std::size(edges), 0);
  for (std::size_t i = 0; i < kDraws; ++i) {
    const double z = random.normal();
    for (std::size_t e = 0; e < below.size(); ++e) below[e] += z < edges[e];
  }
  for (std::size_t e = 0; e < below.size(); ++e) {
    const double p = boost::math::cdf(boost::math::normal(), edges[e]);
    EXPECT_NEAR(below[e] / kDraws, p, 5 * std::sqrt(p * (1 - p) / kDraws)) << edges[e];
  }
}

TEST(RandomNumbers, TheSameBitsForASeedAndOtherStreamsDiffer) {
  Random a(1, 2), b(1, 2), c(1, 3), d(2, 2);
  const auto first = a.bits();
  EXPECT_EQ(first, b.bits());
  EXPECT_NE(first, c.bits());
  EXPECT_NE(first, d.bits());
  // Written down so that no change of the generator goes unseen: a recorded seed must give the recorded result.
  Random golden(42);
  EXPECT_EQ(golden.bits(), 0x4ba2080f284625ffULL) << std::hex << Random(42).bits();
}

TEST(Sensitivities, MatchCalculus) {
  const auto f = [](std::span<const double> x, std::span<double> y) {
    y[0] = std::exp(x[0]) * std::sin(x[1]) / x[2];
    y[1] = 1e9 + x[2] * x[2];
  };
  const std::vector<double> at{1.3, 0.4, 2.5}, u{0.01, 1e-9, 0};
  auto d = differentiate(f, 2, at, u);
  ASSERT_TRUE(d.ok());
  EXPECT_NEAR(d->value(0, 0), std::exp(1.3) * std::sin(0.4) / 2.5, 1e-11);
  EXPECT_NEAR(d->value(0, 1), std::exp(1.3) * std::cos(0.4) / 2.5, 1e-10);
  EXPECT_NEAR(d->value(0, 2), -std::exp(1.3) * std::sin(0.4) / 6.25, 1e-10);
  EXPECT_NEAR(d->value(1, 2), 5, 1e-2);                         // 1e9 beside it: the digits that are left
  EXPECT_LT(std::abs(d->value(1, 2) - 5), 2 * d->error(1, 2));  // and the error estimate knows that
  // Where the model is not finite on one side, however near.
  auto cliff =
      differentiate([](auto x, auto y) { y[0] = std::sqrt(x[0]); }, 1, std::vector<double>{0}, std::vector<double>{1});
  EXPECT_FALSE(cliff.ok());
}

TEST(Gum, WelchSatterthwaiteIsRefusedForCorrelatedInputsUnlessOfOneEnsemble) {
  std::vector<Input> in{{"a", "", Normal{1, 0.1}, 9}, {"b", "", Normal{2, 0.2}, 9}};
  const auto sum = [](std::span<const double> x) { return x[0] + x[1]; };
  auto refused = propagate(sum, in, {{0, 1, 0.5}});
  ASSERT_TRUE(refused.ok());
  EXPECT_FALSE(refused->effective_dof.has_value());
  EXPECT_FALSE(refused->expanded.has_value());
  EXPECT_THAT(refused->dof_refused, HasSubstr("Monte Carlo"));
  EXPECT_NEAR(refused->standard_uncertainty, std::sqrt(0.01 + 0.04 + 2 * 0.5 * 0.02), 1e-12);

  in[0].ensemble = in[1].ensemble = "same observations";
  auto shared = propagate(sum, in, {{0, 1, 0.5}});
  ASSERT_TRUE(shared.ok());
  ASSERT_TRUE(shared->effective_dof.has_value());
  EXPECT_NEAR(*shared->effective_dof, 9, 1e-9);  // x + y of 10 pairs is the mean of 10 sums

  // (x + x) and 2 x: the same quantity, the same dof (metrology.md 4.1).
  std::vector<Input> twice{{"x", "", Normal{1, 0.1}, 9, "x"}, {"x", "", Normal{1, 0.1}, 9, "x"}};
  auto two = propagate(sum, twice, {{0, 1, 1}});
  ASSERT_TRUE(two.ok() && two->effective_dof);
  EXPECT_NEAR(*two->effective_dof, 9, 1e-9);
  EXPECT_NEAR(two->standard_uncertainty, 0.2, 1e-12);

  // Correlated inputs of infinite dof stop nobody.
  std::vector<Input> known{{"a", "", Normal{1, 0.1}}, {"b", "", Normal{2, 0.2}}, {"c", "", Normal{0, 0.3}, 5}};
  auto fine = propagate([](auto x) { return x[0] + x[1] + x[2]; }, known, {{0, 1, -0.5}});
  ASSERT_TRUE(fine.ok() && fine->effective_dof);
  EXPECT_NEAR(*fine->effective_dof, std::pow(0.03 + 0.09, 2) / (0.0081 / 5), 1e-6);
}

TEST(Gum, DofIsTruncatedBeforeT) {
  std::vector<Input> in{{"a", "", Normal{0, 1}, 4}, {"b", "", Normal{0, 1}, 5}};
  auto r = propagate([](auto x) { return x[0] + x[1]; }, in);
  ASSERT_TRUE(r.ok() && r->effective_dof);
  EXPECT_NEAR(*r->effective_dof, 4 / (0.25 + 0.2), 1e-9);     // 8.89
  EXPECT_NEAR(*r->coverage_factor, 2.306004135033371, 1e-9);  // t of 8
}

TEST(Gum, ANonlinearModelIsFlagged) {
  auto flat = propagate(loss_model, loss_inputs(0));
  ASSERT_TRUE(flat.ok());
  EXPECT_NEAR(flat->standard_uncertainty, 0, 1e-12);
  EXPECT_TRUE(flat->nonlinear);
  GumOptions second;
  second.include_second_order = true;
  auto better = propagate(loss_model, loss_inputs(0), {}, second);
  ASSERT_TRUE(better.ok());
  EXPECT_NEAR(better->standard_uncertainty, 50e-6, 1e-9);  // exact for squares of normals
  auto straight = propagate([](auto x) { return x[0] + x[1]; }, loss_inputs(1));
  ASSERT_TRUE(straight.ok());
  EXPECT_FALSE(straight->nonlinear);
}

TEST(Gum, RefusesInWords) {
  const std::vector<Input> in{{"a", "", Normal{1, 0.1}}, {"b", "", Normal{2, 0.2}}};
  const Model sum = [](std::span<const double> x) { return x[0] + x[1]; };
  EXPECT_THAT(propagate(sum, {}).error().message, HasSubstr("no inputs"));
  EXPECT_THAT(propagate(sum, in, {{0, 1, 1.2}}).error().message, HasSubstr("-1..1"));
  EXPECT_THAT(propagate(sum, in, {{0, 2, 0.2}}).error().message, HasSubstr("counted from 0"));
  EXPECT_THAT(propagate(sum, in, {{0, 1, 0.2}, {1, 0, 0.2}}).error().message, HasSubstr("twice"));
  EXPECT_THAT(propagate([](auto) { return kNaN; }, in).error().message, HasSubstr("not finite"));
  GumOptions bad;
  bad.probability = 1;
  EXPECT_FALSE(propagate(sum, in, {}, bad).ok());
  bad.probability = 0.95;
  bad.sensitivities = {1};
  EXPECT_FALSE(propagate(sum, in, {}, bad).ok());
  bad.sensitivities = {};
  bad.include_second_order = true;
  EXPECT_FALSE(propagate(sum, in, {{0, 1, 0.2}}, bad).ok());
  const std::vector<Input> three{{"a", "", Normal{0, 1}}, {"b", "", Normal{0, 1}}, {"c", "", Normal{0, 1}}};
  EXPECT_THAT(propagate([](auto x) { return x[0]; }, three, {{0, 1, 0.9}, {1, 2, 0.9}, {0, 2, -0.9}}).error().message,
              HasSubstr("contradict"));
  EXPECT_FALSE(propagate(sum, {{"a", "", Normal{1, 0.1}, -3}, in[1]}).ok());
  EXPECT_FALSE(propagate(sum, {{"a", "", Rectangular{2, 1}}, in[1]}).ok());
}

TEST(Gum, LinearModelsAgreeWithMatrixAlgebra) {
  Random random(3);
  for (int trial = 0; trial < 50; ++trial) {
    constexpr Eigen::Index kInputs = 6;
    Eigen::MatrixXd a(2, kInputs), root(kInputs, kInputs);
    for (double& v : a.reshaped()) v = random.normal();
    for (double& v : root.reshaped()) v = random.normal();
    const Eigen::MatrixXd v = root * root.transpose();
    std::vector<Input> in;
    std::vector<Correlation> r;
    for (Eigen::Index i = 0; i < kInputs; ++i) {
      in.push_back({"x", "", Normal{random.normal(), std::sqrt(v(i, i))}});
      for (Eigen::Index j = 0; j < i; ++j) {
        r.push_back({static_cast<std::size_t>(i), static_cast<std::size_t>(j), v(i, j) / std::sqrt(v(i, i) * v(j, j))});
      }
    }
    auto found = propagate_many(
        [&](auto x, auto y) {
          const Eigen::Map<const Eigen::VectorXd> at(x.data(), kInputs);
          Eigen::Map<Eigen::VectorXd>(y.data(), 2) = a * at;
        },
        2, in, r);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_LT((found->covariance - a * v * a.transpose()).norm(), 1e-9 * (a * v * a.transpose()).norm());
    auto single =
        propagate([&](auto x) { return a.row(0) * Eigen::Map<const Eigen::VectorXd>(x.data(), kInputs); }, in, r);
    ASSERT_TRUE(single.ok());
    double shares = 0;
    for (const auto& line : single->lines) shares += line.share;
    EXPECT_NEAR(shares, 1, 1e-9);
  }
}

TEST(MonteCarlo, TheSameBitsForAnyNumberOfThreads) {
  MonteCarloOptions options;
  options.trials = 123'456;
  auto one = run_monte_carlo(trial_by_trial(Model(mass_model)), 1, mass_inputs(), {}, options);
  ASSERT_TRUE(one.ok());
  for (const unsigned threads : {2U, 3U, 8U}) {
    options.threads = threads;
    auto more = run_monte_carlo(trial_by_trial(Model(mass_model)), 1, mass_inputs(), {}, options);
    ASSERT_TRUE(more.ok());
    EXPECT_EQ(one->outputs[0].mean, more->outputs[0].mean);
    EXPECT_EQ(one->outputs[0].standard_uncertainty, more->outputs[0].standard_uncertainty);
    EXPECT_EQ(one->outputs[0].skewness, more->outputs[0].skewness);
    EXPECT_EQ(one->outputs[0].symmetric.low, more->outputs[0].symmetric.low);
    EXPECT_EQ(one->outputs[0].shortest.high, more->outputs[0].shortest.high);
  }
  options.seed = 2;
  auto other = run_monte_carlo(trial_by_trial(Model(mass_model)), 1, mass_inputs(), {}, options);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(one->outputs[0].mean, other->outputs[0].mean);
}

TEST(MonteCarlo, CorrelatedNormalsHaveTheirCovariance) {
  const std::vector<Input> in{{"a", "", Normal{1, 0.5}}, {"b", "", Rectangular{0, 1}}, {"c", "", Normal{-2, 3}}};
  MonteCarloOptions options;
  options.trials = 400'000;
  auto found = run_monte_carlo(trial_by_trial(
                                   [](auto x, auto y) {
                                     y[0] = x[0];
                                     y[1] = x[1];
                                     y[2] = x[2];
                                   },
                                   3),
                               3, in, {{0, 2, -0.8}}, options);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_NEAR(found->covariance(0, 2), -0.8 * 0.5 * 3, 0.02);
  EXPECT_NEAR(found->covariance(0, 0), 0.25, 0.005);
  EXPECT_NEAR(found->covariance(2, 2), 9, 0.1);
  EXPECT_NEAR(found->covariance(0, 1), 0, 0.002);
  EXPECT_NEAR(found->outputs[2].mean, -2, 0.03);
  EXPECT_NEAR(found->outputs[0].skewness, 0, 0.03);
  // Wholly correlated inputs are semi-definite, and no error.
  auto together =
      run_monte_carlo(trial_by_trial(Model([](auto x) { return x[0] / 0.5 - x[2] / 3; })), 1, in, {{0, 2, 1}}, options);
  ASSERT_TRUE(together.ok()) << together.error().message;
  EXPECT_NEAR(together->outputs[0].standard_uncertainty, 0, 1e-7);
}

TEST(MonteCarlo, StopsWhenTheDigitsAskedForAreThere) {
  MonteCarloOptions options;
  options.significant_digits = 2;
  auto two = run_monte_carlo(sum_of_four(), 1, four_inputs(Normal{0, 1}), {}, options);
  ASSERT_TRUE(two.ok());
  EXPECT_TRUE(two->converged);
  EXPECT_NEAR(two->outputs[0].standard_uncertainty, 2, 0.05);
  EXPECT_NEAR(two->outputs[0].symmetric.high, 3.92, 0.05);
  options.significant_digits = 3;
  options.max_trials = 60'000;
  auto three = run_monte_carlo(sum_of_four(), 1, four_inputs(Normal{0, 1}), {}, options);
  ASSERT_TRUE(three.ok());
  EXPECT_FALSE(three->converged);
  EXPECT_EQ(three->trials, 60'000U);
  EXPECT_EQ(three->batches, 6U);
  // A model that does not vary converges at once.
  auto still =
      run_monte_carlo(trial_by_trial(Model([](auto) { return 7.0; })), 1, four_inputs(Normal{0, 1}), {}, options);
  ASSERT_TRUE(still.ok());
  EXPECT_TRUE(still->converged);
  EXPECT_EQ(still->outputs[0].symmetric.low, 7);
}

TEST(MonteCarlo, RefusesInWords) {
  MonteCarloOptions options;
  const auto in = four_inputs(Rectangular{0, 1});
  const auto says = [&](const BlockModel& model, const std::vector<Correlation>& r = {}) {
    auto found = run_monte_carlo(model, 1, in, r, options);
    return found.ok() ? std::string("accepted") : found.error().message;
  };
  EXPECT_THAT(says(sum_of_four(), {{0, 1, 0.5}}), HasSubstr("only normal inputs"));
  EXPECT_THAT(says(trial_by_trial(Model([](auto x) { return x[0] > 0.999 ? kNaN : 1; }))),
              HasSubstr("not finite in trial"));
  options.threads = 0;
  EXPECT_THAT(says(sum_of_four()), HasSubstr("threads"));
  options.threads = 1;
  options.trials = 100;
  EXPECT_THAT(says(sum_of_four()), HasSubstr("at least 400"));
  options.trials = 2'000'000'000;
  EXPECT_THAT(says(sum_of_four()), HasSubstr("1e8"));
  options.trials = 1000;
  options.probability = 1.5;
  EXPECT_THAT(says(sum_of_four()), HasSubstr("probability"));
}

TEST(MonteCarlo, ValidatesTheGumWhereItHoldsAndRejectsItWhereItDoesNot) {
  MonteCarloOptions options;
  options.trials = 1'000'000;
  auto gum = propagate([](auto x) { return x[0] + x[1] + x[2] + x[3]; }, four_inputs(Normal{0, 1}));
  auto mc = run_monte_carlo(sum_of_four(), 1, four_inputs(Normal{0, 1}), {}, options);
  ASSERT_TRUE(gum.ok() && mc.ok());
  auto holds = validate_gum(*gum, *mc, 2);
  ASSERT_TRUE(holds.ok());
  EXPECT_TRUE(holds->valid) << holds->d_low << " " << holds->d_high << " " << holds->delta;
  EXPECT_DOUBLE_EQ(holds->delta, 0.05);

  auto loss_gum = propagate(loss_model, loss_inputs(0.01));
  auto loss_mc = run_monte_carlo(trial_by_trial(Model(loss_model)), 1, loss_inputs(0.01), {}, options);
  ASSERT_TRUE(loss_gum.ok() && loss_mc.ok());
  auto fails = validate_gum(*loss_gum, *loss_mc, 2);
  ASSERT_TRUE(fails.ok());
  EXPECT_FALSE(fails->valid);
}

TEST(MonteCarlo, ToleranceIsHalfTheLastDigit) {
  EXPECT_DOUBLE_EQ(numerical_tolerance(0.0035, 1), 0.0005);
  EXPECT_DOUBLE_EQ(numerical_tolerance(36, 2), 0.5);
  EXPECT_DOUBLE_EQ(numerical_tolerance(0.0754, 2), 0.0005);
  EXPECT_DOUBLE_EQ(numerical_tolerance(0.0998, 2), 0.005);  // rounds to 0.10
  EXPECT_DOUBLE_EQ(numerical_tolerance(1, 1), 0.5);
}

TEST(CoverageInterval, TailsGiveWhatSortingAllGives) {
  Random random(8);
  for (const std::size_t n : {40UL, 1000UL, 199'999UL, 400'001UL}) {
    for (const double p : {0.5, 0.9, 0.95}) {
      std::vector<double> values(n);
      draw(Exponential{0, 1}, random, values);
      if (n == 400'001UL && p == 0.9) std::fill(values.begin(), values.begin() + 300'000, 2.0);  // ties
      if (n == 400'001UL && p == 0.95) std::sort(values.begin(), values.end());                  // an unlucky order
      auto sorted = values;
      std::sort(sorted.begin(), sorted.end());
      const auto found = coverage_intervals(values, p);
      const auto q = std::min(n - 1, static_cast<std::size_t>(p * static_cast<double>(n) + 0.5));
      double least = kInf;
      for (std::size_t r = 0; r + q < n; ++r) least = std::min(least, sorted[r + q] - sorted[r]);
      EXPECT_EQ(found.shortest.width(), least);
      const std::size_t r = (n - q + 1) / 2 - 1;
      EXPECT_EQ(found.symmetric.low, sorted[r]);
      EXPECT_EQ(found.symmetric.high, sorted[r + q]);
      EXPECT_LE(found.shortest.width(), found.symmetric.width());
    }
  }
}

TEST(Budget, IsATextAndAJson) {
  const auto h1 = gum_h1();
  const auto text = budget_text(h1, "l", "nm");
  EXPECT_THAT(text, HasSubstr("standard [nm]"));
  EXPECT_LT(text.find("standard [nm]"), text.find("repeats [nm]"));  // the largest first
  EXPECT_THAT(text, HasSubstr("l = (50000838 +- 92) nm, k = 2.921, 99 %"));
  EXPECT_THAT(text, HasSubstr("not linear"));
  const auto json = daq::parse_json(budget_json(h1, "l", "nm"));
  EXPECT_EQ(json["inputs"].size(), 9U);
  EXPECT_TRUE(json["inputs"][4]["dof"].is_null());  // infinite
  EXPECT_NEAR(json["effective_dof"].get<double>(), 16.75, 0.01);
}

TEST(Budget, RoundsForPrintOnly) {
  const auto r = [](double v, double u, int digits = 2) {
    const auto out = round_for_report(v, u, digits);
    return out.value + " " + out.uncertainty;
  };
  EXPECT_EQ(r(1.23456, 0.0321), "1.235 0.032");
  EXPECT_EQ(r(1.23456, 0.0996), "1.23 0.10");
  EXPECT_EQ(r(50000838.2, 92.48), "50000838 92");
  EXPECT_EQ(r(123456, 4321), "123500 4300");
  EXPECT_EQ(r(2.5, 1.45, 1), "2 2");  // 1 would be 31 % too little: up; the value's half to even
  EXPECT_EQ(r(-0.5, 0.125), "-0.50 0.12");
}

}  // namespace
}  // namespace strigil::calibration::tested
