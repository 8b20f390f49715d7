// POD, psychometric curves, calibration of scores, binomial intervals: against R, by coverage, and refusals.
#include "protocols/court/pod_hit_miss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "protocols/court/distributions.hpp"
#include "protocols/court/draws.hpp"
#include "protocols/court/pod_signal.hpp"
#include "protocols/court/psychometric.hpp"
#include "protocols/court/score_calibration.hpp"

namespace strigil::protocols {
namespace {

int simulations(int in_ci) { return std::getenv("STRIGIL_FULL_COVERAGE") != nullptr ? 10'000 : in_ci; }

/// True curve: logit(POD) = b0 + b1 ln a, a between 1 and 10.
std::vector<HitMiss> simulated(Draws& draws, std::size_t n, double b0, double b1, double target_sd = 0,
                               int repeats = 1) {
  std::vector<HitMiss> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double a = std::exp(draws.uniform() * std::log(10.0));
    const double own = target_sd * draws.normal();
    for (int k = 0; k < repeats; ++k) {
      out.push_back({a, draws.uniform() < link_cdf(Link::kLogit, b0 + b1 * std::log(a) + own), i});
    }
  }
  return out;
}

TEST(CourtPod, BoundsCover) {
  constexpr double kB0 = -3;
  constexpr double kB1 = 3;
  const double truth = std::exp((std::log(9.0) - kB0) / kB1);
  const int runs = simulations(300);
  int fitted = 0;
  int likelihood = 0;
  int wald = 0;
  int joint = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(61, static_cast<std::uint64_t>(k));
    const auto rows = simulated(draws, 120, kB0, kB1);
    const auto fit = fit_hit_miss(rows);
    if (!fit) continue;
    ++fitted;
    likelihood += fit->a90_95 >= truth ? 1 : 0;
    wald += *pod_size_bound(*fit, rows, PodBound::kWald, 0.95) >= truth ? 1 : 0;
    joint += *pod_size_bound(*fit, rows, PodBound::kChengIles, 0.95) >= truth ? 1 : 0;
  }
  EXPECT_GT(fitted, runs * 99 / 100);
  const double error = 3.3 * std::sqrt(0.95 * 0.05 / runs);
  EXPECT_NEAR(likelihood / static_cast<double>(fitted), 0.95, 0.015 + error);
  EXPECT_GT(wald / static_cast<double>(fitted), 0.85);
  EXPECT_LE(wald, likelihood) << "Wald's is the optimist";
  EXPECT_GT(joint, likelihood) << "two degrees of freedom are wider";
  RecordProperty("likelihood_wald_joint", std::to_string(likelihood) + " " + std::to_string(wald) + " " +
                                              std::to_string(joint) + " of " + std::to_string(fitted));
}

TEST(CourtPod, RepeatedInspectionsAreNotIndependent) {
  // Targets differ by themselves; each inspected 12 times. Marginal curve by simulation of many targets.
  constexpr double kSd = 1.5;
  Draws large(5);
  const auto marginal = fit_hit_miss(simulated(large, 40'000, -3, 3, kSd));
  ASSERT_TRUE(marginal) << marginal.error().message;
  const double truth = marginal->a90;
  const int runs = simulations(150);
  int fitted = 0;
  int robust = 0;
  int naive = 0;
  double widening = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(71, static_cast<std::uint64_t>(k));
    const auto rows = simulated(draws, 70, -3, 3, kSd, 12);
    PodOptions options;
    const auto plain = fit_hit_miss(rows, options);
    options.repeated = true;
    const auto clustered = fit_hit_miss(rows, options);
    if (!plain || !clustered) continue;
    ++fitted;
    naive += plain->a90_95 >= truth ? 1 : 0;
    robust += clustered->a90_95 >= truth ? 1 : 0;
    widening += clustered->widening;
    EXPECT_EQ(clustered->targets, 70U);
  }
  RecordProperty("robust_naive_widening", std::to_string(robust) + " " + std::to_string(naive) + " of " +
                                              std::to_string(fitted) + ", " + std::to_string(widening / fitted));
  EXPECT_GT(fitted, runs * 99 / 100);
  EXPECT_GT(widening / fitted, 1.5);
  EXPECT_LT(naive / static_cast<double>(fitted), 0.88) << "as if independent: too sure";
  EXPECT_NEAR(robust / static_cast<double>(fitted), 0.95, 0.035 + 3.3 * std::sqrt(0.95 * 0.05 / runs));
}

TEST(CourtPod, WithOneInspectionEachTheSandwichIsNearTheModel) {
  Draws draws(3);
  PodOptions options;
  options.repeated = true;
  const auto fit = fit_hit_miss(simulated(draws, 3'000, -3, 3), options);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_NEAR(fit->widening, 1, 0.1);
}

TEST(CourtPod, Refusals) {
  const auto message = [](const std::vector<HitMiss>& rows, PodOptions options = {}) {
    const auto fit = fit_hit_miss(rows, options);
    EXPECT_FALSE(fit);
    return fit ? std::string() : fit.error().message;
  };
  EXPECT_NE(message({{1, false}, {2, false}, {3, true}, {4, true}}).find("do not overlap"), std::string::npos);
  EXPECT_NE(message({{1, false}, {2, false}, {2, true}, {4, true}}).find("do not overlap"), std::string::npos)
      << "a tie at the edge is a separation as well";
  EXPECT_NE(message({{1, true}, {2, true}}).find("missed"), std::string::npos);
  EXPECT_NE(message({{1, false}, {2, false}}).find("hit"), std::string::npos);
  EXPECT_NE(message({{2, true}, {2, false}}).find("one size"), std::string::npos);
  EXPECT_FALSE(fit_hit_miss({}));
  // No slope: hits and misses alike over all sizes.
  std::vector<HitMiss> flat;
  for (int i = 1; i <= 80; ++i) flat.push_back({1.0 * i, i % 2 == 0});
  EXPECT_NE(message(flat).find("not shown to rise"), std::string::npos);
  std::vector<HitMiss> falling;
  for (int i = 1; i <= 80; ++i) falling.push_back({1.0 * i, i < 40 || i % 5 == 0});
  EXPECT_NE(message(falling).find("not shown to rise"), std::string::npos);
  PodOptions odd;
  odd.pod = 1;
  EXPECT_FALSE(fit_hit_miss(flat, odd));
  odd.pod = 0.9;
  odd.confidence = 0.4;
  EXPECT_FALSE(fit_hit_miss(flat, odd));
}

TEST(CourtPod, RowsLeftOutAreNamed) {
  Draws draws(9);
  auto rows = simulated(draws, 50, -3, 3);
  rows.insert(rows.begin(),
              {{0, false}, {-1, false}, {std::nan(""), true}, {std::numeric_limits<double>::infinity(), true}});
  const auto fit = fit_hit_miss(rows);
  ASSERT_TRUE(fit) << fit.error().message;
  ASSERT_EQ(fit->excluded.size(), 4U);
  EXPECT_EQ(fit->excluded[0].row, 0U);
  EXPECT_NE(fit->excluded[0].reason.find("logarithm"), std::string::npos);
  EXPECT_NE(fit->excluded[2].reason.find("not known"), std::string::npos);
  bool below_60 = false;
  for (const auto& w : fit->warnings) below_60 = below_60 || w.find("60") != std::string::npos;
  EXPECT_TRUE(below_60);
  const auto at = pod_at(*fit, fit->a90);
  EXPECT_NEAR(at->pod, 0.9, 1e-12);
  EXPECT_TRUE(at->interval.contains(0.9));
  EXPECT_FALSE(pod_at(*fit, 0));
}

TEST(CourtPod, ScaleAndUnitDoNotMatter) {
  Draws draws(15);
  auto rows = simulated(draws, 200, -3, 3);
  const auto mm = fit_hit_miss(rows);
  for (auto& r : rows) r.size *= 1e-6;
  const auto km = fit_hit_miss(rows);
  EXPECT_NEAR(km->a90 / mm->a90, 1e-6, 1e-15);
  EXPECT_NEAR(km->a90_95 / mm->a90_95, 1e-6, 1e-14);
  PodOptions identity;
  identity.scale = SizeScale::kIdentity;
  EXPECT_NEAR(
      fit_hit_miss(rows, identity)->line.log_likelihood,
      [&] {
        for (auto& r : rows) r.size = 1e9 + 1e6 * r.size;  // shifted far: the fit centres for itself
        return fit_hit_miss(rows, identity)->line.log_likelihood;
      }(),
      1e-6);
}

TEST(CourtPod, LinksHaveTheirQuantiles) {
  EXPECT_NEAR(link_quantile(Link::kLogit, 0.9), 2.197225, 1e-6);
  EXPECT_NEAR(link_quantile(Link::kProbit, 0.9), 1.281552, 1e-6);
  for (const auto link : {Link::kLogit, Link::kProbit, Link::kCloglog}) {
    for (const double p : {1e-9, 0.1, 0.5, 0.9}) EXPECT_NEAR(link_cdf(link, link_quantile(link, p)) / p, 1, 1e-9);
  }
  const std::vector<LinkPoint> far{{1e3, 0, 1}, {-1e3, 1, 1}, {0, 1, 2}};
  for (const auto link : {Link::kLogit, Link::kProbit, Link::kCloglog}) {
    EXPECT_FALSE(std::isnan(log_likelihood(far, link, 0, 1)));
  }
}

TEST(CourtPodSignal, LeastSquaresWhereNothingIsCensored) {
  // y = 1 + 2 x exactly but for residuals +-0.1 in a pattern: by hand.
  std::vector<SignalRow> rows;
  for (int i = 0; i < 8; ++i) rows.push_back({1.0 * i, 1 + 2.0 * i + (i % 4 == 0 || i % 4 == 3 ? 0.1 : -0.1)});
  SignalOptions options;
  options.size_scale = SizeScale::kIdentity;
  options.decision = 7;
  const auto fit = fit_signal(rows, options);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_NEAR(fit->b0, 1, 1e-10);
  EXPECT_NEAR(fit->b1, 2, 1e-10);
  EXPECT_NEAR(fit->sigma, std::sqrt(0.08 / 6), 1e-10);
  EXPECT_NEAR(fit->a50, 3, 1e-10);
  EXPECT_NEAR(fit->a90, 3 + 1.2815515655446 * fit->sigma / 2, 1e-10);
  EXPECT_NEAR(std::sqrt(fit->covariance[1][1]), fit->sigma / std::sqrt(42.0), 1e-9);
  EXPECT_GT(fit->a90_95, fit->a90);
}

TEST(CourtPodSignal, CensoringDoesNotBendTheLineAndBoundsCover) {
  // Like otpod's synthetic data [S]: b0 2.52, b1 43.28, sigma 1.95; below 5 it is noise, above 35 the range ends.
  SignalOptions options;
  options.size_scale = SizeScale::kIdentity;
  options.decision = 20;
  options.noise_floor = 5;
  options.saturation = 35;
  const double truth = (20 - 2.52 + 1.2815515655446 * 1.95) / 43.28;
  const int runs = simulations(600);
  int covered = 0;
  double slope = 0;
  double sigma = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(81, static_cast<std::uint64_t>(k));
    std::vector<SignalRow> rows;
    for (int i = 0; i < 100; ++i) {
      const double a = draws.uniform();
      rows.push_back({a, 2.52 + 43.28 * a + 1.95 * draws.normal()});
    }
    const auto fit = fit_signal(rows, options);
    ASSERT_TRUE(fit) << fit.error().message;
    EXPECT_GT(fit->censored_low + fit->censored_high, 10U);
    slope += fit->b1 / runs;
    sigma += fit->sigma / runs;
    covered += fit->a90_95 >= truth ? 1 : 0;
  }
  RecordProperty("covered", std::to_string(covered) + " of " + std::to_string(runs));
  EXPECT_NEAR(slope, 43.28, 0.2);
  EXPECT_NEAR(sigma, 1.95, 0.06);
  EXPECT_NEAR(covered / static_cast<double>(runs), 0.95, 0.02 + 3.3 * std::sqrt(0.95 * 0.05 / runs));
}

TEST(CourtPodSignal, Refusals) {
  SignalOptions options;
  std::vector<SignalRow> flat;
  Draws draws(4);
  for (int i = 0; i < 40; ++i) flat.push_back({1.0 + i, draws.normal()});
  EXPECT_NE(fit_signal(flat, options).error().message.find("not shown to rise"), std::string::npos);
  EXPECT_FALSE(fit_signal({}, options));
  options.noise_floor = 10;
  EXPECT_FALSE(fit_signal(flat, options)) << "the decision lies below the noise floor";
  options.decision = 11;
  EXPECT_FALSE(fit_signal(flat, options)) << "all censored";
  const std::vector<double> noise{0, 1, 2, 3};
  EXPECT_NEAR(false_alarm_share(noise, 2.5)->counted.value, 0.25, 1e-15);
  EXPECT_NEAR(false_alarm_share(noise, 1.5)->normal, 0.5, 1e-12);
  EXPECT_FALSE(false_alarm_share(std::vector<double>{1, std::nan("")}, 0));
}

TEST(CourtPsychometric, RecoversItsCurveAndCovers) {
  PsychometricOptions options;
  options.resamples = 200;
  options.lapse = 0.02;
  const int runs = simulations(60);
  int covered = 0;
  double threshold = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(91, static_cast<std::uint64_t>(k));
    std::vector<PsychometricLevel> levels;
    for (const double x : {1.0, 2.0, 3.0, 4.0, 6.0, 9.0}) {
      const double p = 0.5 + 0.48 * -std::expm1(-std::pow(x / 4, 3));
      PsychometricLevel l{x, 0, 60};
      for (int i = 0; i < 60; ++i) l.correct += draws.uniform() < p ? 1 : 0;
      levels.push_back(l);
    }
    options.seed = static_cast<std::uint64_t>(k);
    const auto fit = fit_psychometric(levels, options);
    ASSERT_TRUE(fit) << fit.error().message;
    threshold += fit->threshold / runs;
    covered += fit->threshold_interval.contains(4) ? 1 : 0;
    EXPECT_NEAR(psychometric(*fit, options, fit->at_target), 0.5 + 0.5 * 0.48, 1e-9);
  }
  EXPECT_NEAR(threshold, 4, 0.15);
  EXPECT_GT(covered, runs * 85 / 100);
}

TEST(CourtPsychometric, ShapesAndRefusals) {
  // Probit without guess or lapse is the probit of link_line.hpp.
  std::vector<PsychometricLevel> levels{{1, 2, 20}, {2, 7, 20}, {3, 14, 20}, {4, 19, 20}};
  PsychometricOptions options;
  options.shape = PsychometricShape::kProbit;
  options.guess = 0;
  options.lapse = 0;
  options.resamples = 0;
  const auto fit = fit_psychometric(levels, options);
  ASSERT_TRUE(fit) << fit.error().message;
  std::vector<LinkPoint> points;
  for (const auto& l : levels) points.push_back({l.x, static_cast<double>(l.correct), static_cast<double>(l.trials)});
  const auto line = fit_link_line(points, Link::kProbit);
  EXPECT_NEAR(fit->threshold, -line->b0 / line->b1, 1e-4);
  EXPECT_NEAR(fit->slope, 1 / line->b1, 1e-4);
  EXPECT_NEAR(fit->log_likelihood, line->log_likelihood, 1e-8);
  EXPECT_FALSE(fit_psychometric({}, options));
  EXPECT_FALSE(fit_psychometric(std::vector<PsychometricLevel>{{1, 2, 1}}, options));
  EXPECT_FALSE(fit_psychometric(std::vector<PsychometricLevel>{{1, 0, 20}, {2, 20, 20}}, options)) << "a step";
  options.guess = 1;
  EXPECT_FALSE(fit_psychometric(levels, options));
  options.guess = 0.5;
  options.shape = PsychometricShape::kWeibull;
  levels[0].x = 0;
  EXPECT_FALSE(fit_psychometric(levels, options));
  EXPECT_NEAR(forced_choice_d_prime(0.76), 0.99885, 1e-4);
}

TEST(CourtCalibration, BrierReliabilityAndItsParts) {
  const std::vector<Judged> judged{{0.1, false}, {0.1, false}, {0.9, true}, {0.9, false}};
  const auto r = reliability(judged, 10);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_NEAR(r->brier, (0.01 + 0.01 + 0.01 + 0.81) / 4, 1e-15);
  EXPECT_EQ(r->bins.size(), 2U);
  EXPECT_NEAR(r->expected_calibration_error, 0.5 * 0.1 + 0.5 * 0.4, 1e-15);
  EXPECT_NEAR(r->greatest_calibration_error, 0.4, 1e-15);
  EXPECT_NEAR(r->miscalibration - r->resolution + r->uncertainty, r->brier, 1e-15) << "bins without spread";
  EXPECT_FALSE(reliability(std::vector<Judged>{{1.1, true}}));
  EXPECT_FALSE(reliability(std::vector<Judged>{{std::nan(""), true}}));
  EXPECT_FALSE(reliability({}));
  EXPECT_FALSE(reliability(judged, 0));
  std::size_t all = 0;
  const auto equal = reliability(judged, 3, Binning::kEqualCount);
  for (const auto& b : equal->bins) all += b.observed.trials;
  EXPECT_EQ(all, 4U);
}

TEST(CourtCalibration, MapsMakeScoresHonest) {
  // P(target | score) = logistic(2 s): Platt finds it, isotonic follows it, both leave little miscalibration.
  Draws draws(55);
  std::vector<ScoredOutcome> outcomes;
  for (int i = 0; i < 20'000; ++i) {
    const double s = draws.normal();
    outcomes.push_back({s, draws.uniform() < 1 / (1 + std::exp(-2 * s))});
  }
  const auto platt = fit_platt(outcomes);
  ASSERT_TRUE(platt) << platt.error().message;
  EXPECT_NEAR(platt->b0, 0, 0.06);
  EXPECT_NEAR(platt->b1, 2, 0.08);
  const auto isotonic = fit_isotonic(outcomes);
  double last = -1;
  std::vector<Judged> by_platt;
  std::vector<Judged> by_isotonic;
  for (const double p : isotonic->probability) {
    EXPECT_GT(p, last);
    last = p;
  }
  for (const auto& o : outcomes) {
    by_platt.push_back({platt->at(o.score), o.target});
    by_isotonic.push_back({isotonic->at(o.score), o.target});
  }
  EXPECT_LT(reliability(by_platt)->expected_calibration_error, 0.02);
  EXPECT_LT(reliability(by_isotonic)->expected_calibration_error, 1e-9) << "on its own data isotonic is exact";
  // By hand: 1+ 2- 3+ pools the first two.
  const auto pooled = fit_isotonic(std::vector<ScoredOutcome>{{1, true}, {2, false}, {3, true}});
  EXPECT_EQ(pooled->score, (std::vector<double>{1, 3}));
  EXPECT_EQ(pooled->probability, (std::vector<double>{0.5, 1}));
  EXPECT_EQ(pooled->at(-9), 0.5);
  EXPECT_FALSE(fit_platt(std::vector<ScoredOutcome>{{1, true}, {2, true}}));
  EXPECT_FALSE(fit_isotonic({}));
}

TEST(CourtBinomial, AgainstR) {
  const auto cp = proportion(9, 10);
  EXPECT_NEAR(cp->interval.low, 0.554983882971805, 1e-12);
  EXPECT_NEAR(cp->interval.high, 0.997471421455538, 1e-12);
  EXPECT_NEAR(*proportion_upper_bound(0, 20, 0.975), 0.168433, 5e-7);  // metrology.md 6.2
  const auto wilson = proportion(9, 10, 0.95, ProportionMethod::kWilson);
  EXPECT_NEAR(wilson->interval.low, 0.595849973204762, 1e-9);
  EXPECT_NEAR(wilson->interval.high, 0.982123786904927, 1e-9);
  const auto jeffreys = proportion(9, 10, 0.95, ProportionMethod::kJeffreys);
  EXPECT_NEAR(jeffreys->interval.low, 0.618685228933384, 1e-12);
  EXPECT_NEAR(jeffreys->interval.high, 0.988988326236839, 1e-12);
  EXPECT_NEAR(proportion(3, 7, 0.9)->interval.low, 0.128756392804243, 1e-12);
  EXPECT_NEAR(poisson_rate(3, 30)->interval.low, 0.0206224040965201, 1e-12);
  EXPECT_NEAR(poisson_rate(3, 30)->interval.high, 0.2922424356580774, 1e-12);
  EXPECT_NEAR(poisson_rate(0, 12)->interval.high, 0.307406621176161, 1e-12);
  for (const auto method :
       {ProportionMethod::kClopperPearson, ProportionMethod::kWilson, ProportionMethod::kJeffreys}) {
    EXPECT_EQ(proportion(0, 5, 0.95, method)->interval.low, 0);
    EXPECT_EQ(proportion(5, 5, 0.95, method)->interval.high, 1);
  }
  EXPECT_FALSE(proportion(1, 0));
  EXPECT_FALSE(proportion(2, 1));
  EXPECT_FALSE(proportion(1, 2, 0));
  EXPECT_FALSE(poisson_rate(1, 0));
  EXPECT_FALSE(poisson_rate(1, std::nan("")));
}

TEST(CourtBinomial, IntervalsCoverAsTheySay) {
  // Exact coverage: summed over all outcomes.
  for (const double p : {0.02, 0.1, 0.5, 0.87}) {
    for (const std::uint64_t n : {5U, 20U, 60U}) {
      double covered = 0;
      double wilson = 0;
      for (std::uint64_t k = 0; k <= n; ++k) {
        const double chance = binomial_cdf(static_cast<double>(k), static_cast<double>(n), p) -
                              binomial_cdf(static_cast<double>(k) - 1, static_cast<double>(n), p);
        covered += proportion(k, n)->interval.contains(p) ? chance : 0;
        wilson += proportion(k, n, 0.95, ProportionMethod::kWilson)->interval.contains(p) ? chance : 0;
      }
      EXPECT_GE(covered, 0.95 - 1e-12) << p << " " << n;
      EXPECT_GE(wilson, 0.87) << p << " " << n;
    }
  }
}

TEST(CourtBinomial, DemonstrationTables) {
  const auto table = demonstration_table(0.9, 0.95, 4);
  ASSERT_TRUE(table);
  const std::uint64_t trials[] = {29, 46, 61, 76, 89};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ((*table)[i].trials, trials[i]);
  EXPECT_NEAR(demonstration_power((*table)[0], 0.9), std::pow(0.9, 29), 1e-12);
  const auto other = demonstration_table(0.99, 0.5, 3);
  for (const auto& row : *other) {
    EXPECT_GE(row.lower_bound, 0.99);
    EXPECT_LT(*proportion_lower_bound(row.trials - 1 - row.misses, row.trials - 1, 0.5), 0.99)
        << "one fewer shows less";
  }
  EXPECT_FALSE(demonstration_table(1, 0.95, 0));
  EXPECT_FALSE(demonstration_table(0.9, 0.95, 100'000));
}

}  // namespace
}  // namespace strigil::protocols
