// ROC: against definitions by brute force and pROC, coverage on detectors whose AUC is known, hostile input.
#include "protocols/court/roc.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "protocols/court/distributions.hpp"
#include "protocols/court/draws.hpp"
#include "tests/protocols/reference_data.hpp"

namespace strigil::protocols {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The full size is for a person: STRIGIL_FULL_COVERAGE=1.
int simulations(int in_ci) { return std::getenv("STRIGIL_FULL_COVERAGE") != nullptr ? 20'000 : in_ci; }

/// Binormal: AUC = Phi(d / sqrt 2). `levels` > 0: scores rounded to so many steps per unit, so that they tie.
LabelledScores binormal(Draws& draws, std::size_t m, std::size_t n, double d, double levels = 0) {
  const auto drawn = [&](double mean) {
    const double x = mean + draws.normal();
    return levels > 0 ? std::floor(x * levels) : x;
  };
  LabelledScores out;
  for (std::size_t i = 0; i < m; ++i) out.targets.push_back(drawn(d));
  for (std::size_t j = 0; j < n; ++j) out.others.push_back(drawn(0));
  return out;
}

double brute_auc(const LabelledScores& s) {
  double sum = 0;
  for (const double x : s.targets) {
    for (const double y : s.others) sum += x > y ? 1 : x == y ? 0.5 : 0;
  }
  return sum / static_cast<double>(s.targets.size() * s.others.size());
}

TEST(CourtRoc, AreaAndPlacementsAreThoseOfTheDefinition) {
  Draws draws(7);
  for (int k = 0; k < 200; ++k) {
    const auto m = 2 + draws.below(12);
    const auto n = 2 + draws.below(12);
    const auto s = binormal(draws, m, n, 0.7, k % 2 == 0 ? 1.5 : 0);
    const auto found = roc_area(s);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_NEAR(found->auc, brute_auc(s), 1e-14);
    EXPECT_NEAR(roc_auc(s), brute_auc(s), 1e-14);
    double s10 = 0;
    double s01 = 0;
    for (const double x : s.targets)
      s10 += std::pow(brute_auc({{x}, s.others}) - found->auc, 2) / static_cast<double>(m - 1);
    for (const double y : s.others)
      s01 += std::pow(brute_auc({s.targets, {y}}) - found->auc, 2) / static_cast<double>(n - 1);
    EXPECT_NEAR(found->variance, s10 / static_cast<double>(m) + s01 / static_cast<double>(n), 1e-14);
  }
}

TEST(CourtRoc, AgreesWithPRoc) {  // pROC 1.18 on aSAH
  STRIGIL_NEEDS_REFERENCE("pod/aSAH.csv");
  const auto scores = [](const std::string& column) {
    LabelledScores out;
    for (const auto& row : reference_rows("pod/aSAH.csv")) {
      (row.at("outcome") == "Poor" ? out.targets : out.others).push_back(std::stod(row.at(column)));
    }
    return out;
  };
  const auto unpaired = compare_unpaired(scores("ndka"), scores("s100b"));
  EXPECT_NEAR(unpaired->z, -1.559957433896853, 1e-12);
  EXPECT_NEAR(unpaired->dof, 222.235395951270959, 1e-9);
  EXPECT_NEAR(unpaired->p, 0.120192832430845, 1e-12);
  EXPECT_NEAR(partial_roc_area(scores("s100b"), 0.1)->area, 0.0327574525745, 1e-12);
  EXPECT_NEAR(partial_roc_area(scores("s100b"), 0.1)->standardised, 0.646091855655, 1e-11);
  EXPECT_NEAR(partial_roc_area(scores("wfns"), 0.1)->area, 0.0334417344173, 1e-12);
  EXPECT_NEAR(partial_roc_area(scores("wfns"), 0.1)->standardised, 0.649693339039, 1e-11);
  EXPECT_NEAR(partial_roc_area(scores("wfns"), 1)->area, roc_area(scores("wfns"))->auc, 1e-12);
  const LabelledScores both[] = {scores("wfns"), scores("ndka")};
  const auto covariance = roc_covariance(both);
  const auto paired = compare_paired(both[0], both[1]);
  EXPECT_NEAR(covariance->covariance[0] + covariance->covariance[3] - 2 * covariance->covariance[1],
              std::pow(paired->standard_error, 2), 1e-14);
}

/// Share of intervals that hold the truth, of the plain, the logit and the quoted one.
struct Coverage {
  double plain = 0;
  double quoted = 0;
};
Coverage coverage(std::size_t m, std::size_t n, double auc, double levels, int runs, std::uint64_t seed) {
  const double d = M_SQRT2 * normal_quantile(auc);
  double truth = auc;
  if (levels > 0) {  // of the rounded scores: sum over cells
    truth = 0;
    for (int a = -40; a <= 40; ++a) {
      const double p = normal_cdf((a + 1) / levels - d) - normal_cdf(a / levels - d);
      truth += p * (normal_cdf(a / levels) + 0.5 * (normal_cdf((a + 1) / levels) - normal_cdf(a / levels)));
    }
  }
  Coverage out;
  for (int k = 0; k < runs; ++k) {
    Draws draws(seed, static_cast<std::uint64_t>(k));
    const auto found = roc_area(binormal(draws, m, n, d, levels));
    out.plain += found->plain.contains(truth) ? 1.0 / runs : 0;
    out.quoted += found->interval.contains(truth) ? 1.0 / runs : 0;
  }
  return out;
}

TEST(CourtRoc, IntervalsCoverNominally) {
  const int runs = simulations(2'000);
  const double error = 3.3 * std::sqrt(0.95 * 0.05 / runs);
  std::uint64_t seed = 100;
  for (const double auc : {0.5, 0.8, 0.95}) {
    for (const auto& [m, n] : {std::pair{50, 50}, {30, 100}}) {
      for (const double levels : {0.0, 2.0}) {
        const auto c = coverage(static_cast<std::size_t>(m), static_cast<std::size_t>(n), auc, levels, runs, ++seed);
        RecordProperty("auc_" + std::to_string(auc) + "_" + std::to_string(m) + "_" + std::to_string(n) + "_levels_" +
                           std::to_string(levels),
                       std::to_string(c.plain) + " " + std::to_string(c.quoted));
        // The plain one is for many cases or middling areas: at 0.95 with 30 targets it covers 88.7 % only, which is
        // why it is not the one quoted (docs/court_statistics.md has the figures of 20,000 runs).
        EXPECT_GT(c.quoted, 0.95 - 0.012 - error) << auc << " " << m << " " << n << " " << levels;
        EXPECT_LT(c.quoted, 0.95 + 0.025 + error) << auc << " " << m << " " << n << " " << levels;
        if (auc < 0.9) {
          EXPECT_GT(c.plain, 0.95 - 0.02 - error) << auc << " " << m << " " << n << " " << levels;
        }
      }
    }
  }
  const auto many = coverage(400, 400, 0.95, 0, runs / 4, 999);
  EXPECT_NEAR(many.quoted, 0.95, 0.005 + 2 * error) << "with many cases it is nominal";
  EXPECT_NEAR(many.plain, 0.95, 0.012 + 2 * error);
}

TEST(CourtRoc, PairedTestKeepsItsLevelAndFindsTheBetterDetector) {
  const int runs = simulations(2'000);
  int rejected = 0;
  int found_better = 0;
  for (int k = 0; k < runs; ++k) {
    Draws draws(5, static_cast<std::uint64_t>(k));
    LabelledScores a;
    LabelledScores b;
    LabelledScores better;
    for (int i = 0; i < 120; ++i) {
      const bool target = i < 60;
      const double shared = draws.normal();
      const double x = (target ? 1.0 : 0.0) + 0.7 * shared + 0.7 * draws.normal();
      const double y = (target ? 1.0 : 0.0) + 0.7 * shared + 0.7 * draws.normal();
      (target ? a.targets : a.others).push_back(x);
      (target ? b.targets : b.others).push_back(y);
      (target ? better.targets : better.others).push_back(y + (target ? 0.9 : 0.0));
    }
    rejected += compare_paired(a, b)->p < 0.05 ? 1 : 0;
    const auto won = compare_paired(better, a);
    found_better += won->p < 0.05 && won->difference > 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(rejected) / runs, 0.05, 0.01 + 3.3 * std::sqrt(0.05 * 0.95 / runs));
  EXPECT_GT(static_cast<double>(found_better) / runs, 0.95);
}

TEST(CourtRoc, ClusteredVarianceCoversWherePhantomsShareTheirStrokes) {
  const int runs = simulations(1'500);
  int clustered = 0;
  int naive = 0;
  // Phantom effect of both classes, unlike between them: scores of one phantom move together.
  const double truth = normal_cdf(1 / std::sqrt(2 * (1 + 0.5)));
  for (int k = 0; k < runs; ++k) {
    Draws draws(11, static_cast<std::uint64_t>(k));
    LabelledScores s;
    std::vector<std::size_t> of_target;
    std::vector<std::size_t> of_other;
    for (std::size_t phantom = 0; phantom < 40; ++phantom) {
      const double effect = std::sqrt(0.5) * draws.normal();
      for (int stroke = 0; stroke < 6; ++stroke) {
        const bool target = phantom % 2 == 0;
        (target ? s.targets : s.others).push_back((target ? 1.0 : 0.0) + effect + draws.normal());
        (target ? of_target : of_other).push_back(phantom);
      }
    }
    clustered += clustered_roc_area(s, of_target, of_other)->interval.contains(truth) ? 1 : 0;
    naive += roc_area(s)->interval.contains(truth) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(clustered) / runs, 0.95, 0.02 + 3.3 * std::sqrt(0.05 * 0.95 / runs));
  EXPECT_LT(static_cast<double>(naive) / runs, 0.85) << "as if strokes were independent: too sure";
}

TEST(CourtRoc, SingletonClustersAreDelong) {
  Draws draws(3);
  const auto s = binormal(draws, 20, 30, 1);
  std::vector<std::size_t> a(20);
  std::vector<std::size_t> b(30);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = i;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = 100 + i;
  EXPECT_NEAR(clustered_roc_area(s, a, b)->variance, roc_area(s)->variance, 1e-15);
}

TEST(CourtRoc, PerfectAndConstantDetectorsHaveAnIntervalToo) {
  const LabelledScores perfect{{2, 3, 4, 5, 6}, {0, 0.5, 1, 1.5}};
  const auto found = roc_area(perfect);
  EXPECT_EQ(found->auc, 1);
  EXPECT_EQ(found->variance, 0);
  EXPECT_FALSE(found->logit.known());
  EXPECT_EQ(found->interval.high, 1);
  EXPECT_LT(found->interval.low, 0.9) << "four against five are no certainty";
  const LabelledScores constant{{1, 1, 1}, {1, 1}};
  EXPECT_EQ(roc_area(constant)->auc, 0.5);
  EXPECT_TRUE(roc_area(constant)->interval.contains(0.2));
  const LabelledScores one{{1}, {0, 2}};
  EXPECT_TRUE(std::isnan(roc_area(one)->variance));
  EXPECT_FALSE(roc_area(one)->plain.known());
  EXPECT_EQ(compare_paired(perfect, perfect)->p, 1);
  const LabelledScores inverted{{0, 0, 0, 0, 0}, {1, 1, 1, 1}};
  EXPECT_FALSE(compare_paired(perfect, inverted)) << "no variance, and not the same";
}

TEST(CourtRoc, CurveAndAreasAgree) {
  Draws draws(21);
  for (int k = 0; k < 50; ++k) {
    const auto s = binormal(draws, 15, 40, 1, k % 2 == 0 ? 1 : 0);
    const auto curve = roc_curve(s);
    double area = 0;
    for (std::size_t i = 1; i < curve->size(); ++i) {
      area += 0.5 * ((*curve)[i].true_positive + (*curve)[i - 1].true_positive) *
              ((*curve)[i].false_positive - (*curve)[i - 1].false_positive);
    }
    EXPECT_NEAR(area, roc_area(s)->auc, 1e-12);
    EXPECT_EQ(curve->back().true_positive, 1);
    EXPECT_EQ(curve->back().false_positive, 1);
  }
  // By hand: scores 4+ 3- 2+ 1-: precision 1, 1/2, 2/3, 1/2.
  const auto pr = precision_recall({{4, 2}, {3, 1}});
  EXPECT_NEAR(pr->average_precision, 0.5 * 1 + 0.5 * 2.0 / 3, 1e-15);
  EXPECT_EQ(pr->chance, 0.5);
  EXPECT_EQ(precision_recall({{4, 5}, {3, 1}})->interpolated_area, 1);
  // A blind detector: all scores tie, precision is the share of targets.
  EXPECT_NEAR(precision_recall({{1, 1}, {1, 1, 1, 1}})->interpolated_area, 1.0 / 3, 1e-15);
}

TEST(CourtRoc, HostileInputIsRefusedInWords) {
  EXPECT_FALSE(roc_area({{}, {1}}));
  EXPECT_FALSE(roc_area({{1}, {}}));
  EXPECT_NE(roc_area({{std::nan("")}, {1}}).error().message.find("NaN"), std::string::npos);
  EXPECT_FALSE(roc_area({{1}, {0}}, 1));
  EXPECT_FALSE(roc_area({{1}, {0}}, std::nan("")));
  EXPECT_FALSE(compare_paired({{1, 2}, {0, 1}}, {{1}, {0, 1}}));
  EXPECT_FALSE(partial_roc_area({{1}, {0}}, 0));
  EXPECT_FALSE(precision_recall({{}, {}}));
  EXPECT_FALSE(sensitivity_index(3, 2, 0, 1));
  const std::vector<std::size_t> same{0, 0};
  EXPECT_FALSE(clustered_roc_area({{1, 2}, {0, 1}}, same, same)) << "one cluster shows no spread";
  // -inf is a score: silence.
  EXPECT_EQ(roc_area({{1, -kInfinity}, {-kInfinity, -kInfinity}})->auc, 0.75);
  EXPECT_EQ(roc_area({{kInfinity, kInfinity}, {kInfinity, 0}})->auc, 0.75);
  // A million scores: the algorithm is not quadratic.
  Draws draws(1);
  EXPECT_NEAR(roc_area(binormal(draws, 300'000, 300'000, 1))->auc, normal_cdf(M_SQRT1_2), 0.005);
}

TEST(CourtRoc, SensitivityIndex) {
  const auto s = sensitivity_index(84, 100, 16, 100);
  EXPECT_NEAR(s->d_prime, 1.9689, 0.01);
  EXPECT_NEAR(s->criterion, 0, 1e-12);
  EXPECT_TRUE(std::isfinite(sensitivity_index(10, 10, 0, 10)->d_prime));
}

}  // namespace
}  // namespace strigil::protocols
