#include "calibration/control_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "reference_data.hpp"

namespace strigil::calibration {
namespace {

using ::testing::HasSubstr;

// metrology.md 5.2 [C]
TEST(SpcConstantsTest, AreThoseOfTheTable) {
  struct Row {
    int n;
    double d2, d3, c4, A2, D3, D4, A3, B3, B4;
  };
  const Row table[] = {{2, 1.128379, .852502, .797885, 1.8800, 0, 3.2665, 2.6587, 0, 3.2665},
                       {3, 1.692569, .888368, .886227, 1.0233, 0, 2.5746, 1.9544, 0, 2.5682},
                       {4, 2.058751, .879808, .921318, .7286, 0, 2.2821, 1.6281, 0, 2.2660},
                       {5, 2.325929, .864082, .939986, .5768, 0, 2.1145, 1.4273, 0, 2.0890},
                       {6, 2.534413, .848040, .951533, .4832, 0, 2.0038, 1.2871, .0304, 1.9696},
                       {7, 2.704357, .833205, .959369, .4193, .0757, 1.9243, 1.1819, .1177, 1.8823},
                       {8, 2.847201, .819831, .965030, .3725, .1362, 1.8638, 1.0991, .1851, 1.8149},
                       {9, 2.970026, .807834, .969311, .3367, .1840, 1.8160, 1.0317, .2391, 1.7609},
                       {10, 3.077505, .797051, .972659, .3083, .2230, 1.7770, .9754, .2837, 1.7163}};
  for (const auto& row : table) {
    const auto k = spc_constants(row.n);
    EXPECT_NEAR(k.d2, row.d2, 6e-7) << row.n;
    EXPECT_NEAR(k.d3, row.d3, 6e-7) << row.n;
    EXPECT_NEAR(k.c4, row.c4, 6e-7) << row.n;
    EXPECT_NEAR(k.A2, row.A2, 6e-5) << row.n;
    EXPECT_NEAR(k.D3, row.D3, 6e-5) << row.n;
    EXPECT_NEAR(k.D4, row.D4, 6e-5) << row.n;
    EXPECT_NEAR(k.A3, row.A3, 6e-5) << row.n;
    EXPECT_NEAR(k.B3, row.B3, 6e-5) << row.n;
    EXPECT_NEAR(k.B4, row.B4, 6e-5) << row.n;
  }
  // Exact for two and three: the range of two is |x - y|.
  EXPECT_NEAR(spc_constants(2).d2, 2 / std::sqrt(M_PI), 1e-9);
  EXPECT_NEAR(spc_constants(2).d3, std::sqrt(2 - 4 / M_PI), 1e-9);
  EXPECT_NEAR(spc_constants(3).d2, 3 / std::sqrt(M_PI), 1e-9);
  EXPECT_NEAR(spc_constants(100).d2, 5.01519, 1e-4);  // Tippett 1925, by memory [M]
}

TEST(ControlChartTest, PistonRings) {
  if (tested::reference_data().empty()) GTEST_SKIP() << tested::kNoReferenceData;
  std::ifstream in(tested::reference_data() / "msa" / "qcc_pistonrings.txt");
  std::string line;
  std::getline(in, line);
  std::vector<std::vector<double>> base;
  std::vector<std::vector<double>> after;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    double diameter = 0;
    std::size_t sample = 0;
    std::string trial;
    words >> diameter >> sample >> trial;
    auto& groups = trial == "TRUE" ? base : after;
    const auto index = sample - (trial == "TRUE" ? 1 : 26);
    if (groups.size() <= index) groups.resize(index + 1);
    groups[index].push_back(diameter);
  }
  ASSERT_EQ(base.size(), 25U);
  ASSERT_EQ(after.size(), 15U);
  const auto r = limits_of(ChartKind::kXbarR, base).value();
  EXPECT_NEAR(r.centre, 74.001176, 1e-9);
  EXPECT_NEAR(r.spread_centre, .02276, 1e-12);
  // The worked case is of qcc 2.7, which has d2 = 2.326 and d3 = .8640855 typed in; exact are 2.325929 and .864082.
  const auto k = spc_constants(5);
  const double qcc_sigma = r.sigma_within * k.d2 / 2.326;
  EXPECT_NEAR(qcc_sigma, .00978503869304, 1e-12);
  EXPECT_NEAR(r.centre - 3 * qcc_sigma / std::sqrt(5), 73.988047993, 1e-9);
  EXPECT_NEAR(r.centre + 3 * qcc_sigma / std::sqrt(5), 74.014304007, 1e-9);
  EXPECT_NEAR(r.spread_centre * (1 + 3 * .8640855 / 2.326), .0481253301548, 1e-9);
  EXPECT_NEAR(r.lower(), 73.988047993, 5e-7);
  EXPECT_NEAR(r.spread_upper, .0481253301548, 1e-6);
  const auto z = ewma(points_of(ChartKind::kXbarR, base).values, r.centre, qcc_sigma / std::sqrt(5), {.2, 3});
  EXPECT_NEAR(z.back().lower, 73.9968000289, 1e-9);
  EXPECT_NEAR(z.back().upper, 74.0055519711, 1e-9);
  const auto s = limits_of(ChartKind::kXbarS, base).value();
  EXPECT_NEAR(s.spread_centre, .00924003660229, 1e-12);
  EXPECT_NEAR(s.spread_upper, .0193024167682, 1e-9);
  EXPECT_NEAR(s.sigma_within, .00982997672829, 1e-9);
  const auto points = points_of(ChartKind::kXbarR, after);
  std::vector<std::size_t> beyond;
  for (const auto& v : violations(points.values, r.centre, r.sigma, RuleSet::nelson())) {
    if (v.rule == 1) beyond.push_back(v.point + 26);
  }
  EXPECT_THAT(beyond, ::testing::ElementsAre(37U, 38U, 39U));  // Montgomery's samples 37 to 39
}

std::vector<int> rules_at(const std::vector<double>& values, std::size_t point,
                          const RuleSet& set = RuleSet::nelson()) {
  std::vector<int> rules;
  for (const auto& v : violations(values, 0, 1, set)) {
    if (v.point == point) rules.push_back(v.rule);
  }
  return rules;
}

TEST(NelsonRulesTest, EachPatternAndTheOneThatMissesItByAPoint) {
  using ::testing::Contains;
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  using ::testing::Not;
  EXPECT_THAT(rules_at({0, 3.01}, 1), ElementsAre(1));
  EXPECT_THAT(rules_at({0, 3.0}, 1), IsEmpty());
  EXPECT_THAT(rules_at({0, -3.01}, 1), ElementsAre(1));
  std::vector<double> side{.1, .5, .2, .6, .3, .1, .4, .2, .3};
  EXPECT_THAT(rules_at(side, 8), ElementsAre(2));
  EXPECT_THAT(rules_at(side, 7), IsEmpty());
  side[4] = 0;  // on the centre line is on neither side
  EXPECT_THAT(rules_at(side, 8), IsEmpty());
  EXPECT_THAT(rules_at({-.5, -.3, -.1, .1, .3, .5}, 5), ElementsAre(3));
  EXPECT_THAT(rules_at({.5, .3, .1, -.1, -.3, -.5}, 5), ElementsAre(3));
  EXPECT_THAT(rules_at({-.5, -.3, -.1, -.1, .3, .5}, 5), IsEmpty());
  std::vector<double> turns;
  for (int i = 0; i < 14; ++i) turns.push_back(i % 2 == 0 ? .9 : -.9 + .01 * i);
  EXPECT_THAT(rules_at(turns, 13), ElementsAre(4));
  EXPECT_THAT(rules_at(turns, 12), IsEmpty());
  EXPECT_THAT(rules_at({2.1, .5, 2.1}, 2), ElementsAre(5));
  EXPECT_THAT(rules_at({2.1, .5, -2.1}, 2), IsEmpty());
  EXPECT_THAT(rules_at({2.1, 2.1, .5}, 2), IsEmpty()) << "the point itself must be beyond";
  EXPECT_THAT(rules_at({-1.1, -1.1, .5, -1.1, -1.1}, 4), ElementsAre(6));
  EXPECT_THAT(rules_at({-1.1, -1.1, .5, 1.1, -1.1}, 4), IsEmpty());
  std::vector<double> quiet;
  for (int i = 0; i < 15; ++i) quiet.push_back(i % 3 == 0 ? -.5 : .4);
  EXPECT_THAT(rules_at(quiet, 14), ElementsAre(7));
  EXPECT_THAT(rules_at(quiet, 13), IsEmpty());
  const std::vector<double> outside{1.2, -1.2, 1.5, -1.5, -1.1, 1.2, 1.3, -1.4};
  EXPECT_THAT(rules_at(outside, 7), Contains(8));
  EXPECT_THAT(rules_at(outside, 6), Not(Contains(8)));
  // Western Electric: eight on a side, no trend
  EXPECT_THAT(rules_at({.1, .5, .2, .6, .3, .1, .4, .2}, 7, RuleSet::western_electric()), ElementsAre(2));
  EXPECT_THAT(rules_at({-.5, -.3, -.1, .1, .3, .5}, 5, RuleSet::western_electric()), IsEmpty());
}

TEST(ControlChartTest, IndividualsByMovingRanges) {
  const auto l = limits_of(ChartKind::kIndividuals, {{10}, {11}, {9}, {10}}).value();
  EXPECT_DOUBLE_EQ(l.centre, 10);
  EXPECT_NEAR(l.spread_centre, (1 + 2 + 1) / 3.0, 1e-12);
  EXPECT_NEAR(l.sigma, 4.0 / 3 / 1.128379167, 1e-8);
  EXPECT_NEAR(l.spread_upper, 3.2665 * 4 / 3, 1e-3);
}

TEST(ControlChartTest, EwmaKeepsItsExactLimits) {
  const auto z = ewma({1, 1, 1}, 0, 1, {.lambda = 0.2, .width = 3});
  EXPECT_NEAR(z[0].value, .2, 1e-12);
  EXPECT_NEAR(z[1].value, .36, 1e-12);
  EXPECT_NEAR(z[2].value, .488, 1e-12);
  EXPECT_NEAR(z[0].upper, 3 * .2, 1e-12);
  EXPECT_NEAR(z[1].upper, 3 * std::sqrt(.04 + .0256), 1e-12);
  EXPECT_FALSE(z[2].out());
  const std::vector<double> drift(20, 1.2);
  EXPECT_TRUE(ewma(drift, 0, 1, {}).back().out());
  EXPECT_THAT(violations({1.2}, 0, 1, RuleSet::nelson()), ::testing::IsEmpty());
}

TEST(ControlChartTest, CusumFindsAShiftOfOneSigma) {
  const auto c = cusum({1, 1, 1}, 0, 1, {});
  EXPECT_DOUBLE_EQ(c[2].high, 1.5);
  EXPECT_DOUBLE_EQ(c[2].low, 0);
  const std::vector<double> shifted(12, -1);
  const auto down = cusum(shifted, 0, 1, {});
  EXPECT_FALSE(down[9].alarm);
  EXPECT_TRUE(down[10].alarm);  // 11 steps of half a sigma are 5.5
}

TEST(ControlChartTest, RefusesInWords) {
  const auto words = [](ChartKind kind, const std::vector<std::vector<double>>& base) {
    const auto l = limits_of(kind, base);
    return l.ok() ? std::string("accepted") : l.error().message;
  };
  EXPECT_THAT(words(ChartKind::kXbarR, {}), HasSubstr("has 0 subgroups"));
  EXPECT_THAT(words(ChartKind::kXbarR, {{1, 2}, {1, 2, 3}}), HasSubstr("different sizes"));
  EXPECT_THAT(words(ChartKind::kXbarR, {{1}, {2}}), HasSubstr("do not suit it"));
  EXPECT_THAT(words(ChartKind::kXbarS, {{}, {}}), HasSubstr("do not suit it"));
  EXPECT_THAT(words(ChartKind::kIndividuals, {{1, 2}, {2, 1}}), HasSubstr("do not suit it"));
  EXPECT_THAT(words(ChartKind::kIndividuals, {{1}, {std::nan("")}}), HasSubstr("not a finite number"));
  EXPECT_THAT(words(ChartKind::kIndividuals, {{1}, {1}}), HasSubstr("do not differ"));
}

}  // namespace
}  // namespace strigil::calibration
