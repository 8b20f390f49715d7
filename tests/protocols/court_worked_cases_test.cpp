// The court's statistics against worked_cases.json, id by id, and against the printed figures of metrology.md 5 and 6.
#include <gtest/gtest.h>

#include <cmath>

#include "protocols/court/binomial.hpp"
#include "protocols/court/capability.hpp"
#include "protocols/court/gage_bias.hpp"
#include "protocols/court/gage_study.hpp"
#include "protocols/court/pod_hit_miss.hpp"
#include "protocols/court/range_distribution.hpp"
#include "protocols/court/roc.hpp"
#include "tests/protocols/reference_data.hpp"

namespace strigil::protocols {
namespace {

using nlohmann::json;

void near(const std::string& what, double found, double expected, double relative) {
  EXPECT_NEAR(found, expected, relative * std::max(std::abs(expected), 1e-3)) << what;
}

class WorkedCase : public testing::Test {
 protected:
  void SetUp() override { STRIGIL_NEEDS_REFERENCE("worked_cases.json"); }
  static json load(const std::string& id) {
    SCOPED_TRACE(id);
    auto one = worked_case(id);
    EXPECT_FALSE(one.is_null()) << "no case " << id;
    return one;
  }
};

std::vector<GageReading> aiag() {
  std::vector<GageReading> out;
  for (const auto& row : reference_rows("msa/aiag_msa4_grr.csv")) {
    out.push_back({row.at("part"), row.at("appraiser"), std::stod(row.at("value"))});
  }
  return out;
}

LabelledScores asah(const std::string& column) {
  LabelledScores out;
  for (const auto& row : reference_rows("pod/aSAH.csv")) {
    (row.at("outcome") == "Poor" ? out.targets : out.others).push_back(std::stod(row.at(column)));
  }
  return out;
}

std::vector<HitMiss> example_3(const std::string& column) {
  std::vector<HitMiss> out;
  for (const auto& row : reference_rows("pod/mh1823_example3_hm.csv")) {
    const auto& size = row.at(column);
    out.push_back({size == "NA" ? std::nan("") : std::stod(size), row.at("hit.miss") == "1", out.size()});
  }
  return out;
}

TEST_F(WorkedCase, AiagRange) {
  const auto printed = load("aiag-grr-range")["expected"];
  const auto found = gage_range(aiag());
  ASSERT_TRUE(found) << found.error().message;
  constexpr double kPrinted = 5e-4;  // the manual rounds intermediates
  EXPECT_EQ(found->appraiser, (std::vector<std::string>{"A", "B", "C"}));
  for (std::size_t j = 0; j < 3; ++j) near("R", found->mean_range[j], printed["Rbar"][found->appraiser[j]], kPrinted);
  near("R of all", found->grand_mean_range, printed["Rbarbar"], kPrinted);
  near("X diff", found->difference_of_means, printed["Xdiff"], kPrinted);
  near("Rp", found->range_of_parts, printed["Rp"], kPrinted);
  near("EV", found->ev, printed["EV"], kPrinted);
  near("AV", found->av, printed["AV"], kPrinted);
  near("GRR", found->grr, printed["GRR"], kPrinted);
  near("PV", found->pv, printed["PV"], kPrinted);
  near("TV", found->tv, printed["TV"], kPrinted);
  near("EV %", found->ev_pct, printed["pct"]["EV"], kPrinted);
  near("AV %", found->av_pct, printed["pct"]["AV"], kPrinted);
  near("GRR %", found->grr_pct, printed["pct"]["GRR"], kPrinted);
  near("PV %", found->pv_pct, printed["pct"]["PV"], kPrinted);
  EXPECT_EQ(found->ndc, printed["ndc"].get<std::uint64_t>());
  near("UCL R", found->range_limit, printed["UCL_R"], 1e-3);
  ASSERT_EQ(found->out_of_control.size(), 1U);
  EXPECT_EQ(found->out_of_control[0].appraiser, "B");
  EXPECT_EQ(found->out_of_control[0].part, "4");
  EXPECT_EQ(found->verdict, GageVerdict::kMarginal);

  const auto exact = load("aiag-grr-range-exact");
  const double tight = exact["tolerance"];
  const auto& e = exact["expected"];
  near("EV", found->ev, e["EV"], tight);
  near("AV", found->av, e["AV"], tight);
  near("GRR", found->grr, e["GRR"], tight);
  near("PV", found->pv, e["PV"], tight);
  near("TV", found->tv, e["TV"], tight);
  near("EV %", found->ev_pct, e["pct"]["EV"], tight);
  near("AV %", found->av_pct, e["pct"]["AV"], tight);
  near("GRR %", found->grr_pct, e["pct"]["GRR"], tight);
  near("PV %", found->pv_pct, e["pct"]["PV"], tight);
  near("ndc", found->ndc_unrounded, e["ndc_unrounded"], tight);
}

TEST_F(WorkedCase, AiagAnova) {
  const auto pooled = load("aiag-grr-anova-pooled");
  const auto& e = pooled["expected"];
  const double tolerance = pooled["tolerance"];
  const auto found = gage_anova(aiag());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->pooled) << "p of the interaction exceeds 0.25";
  near("SS part", found->part.sum_of_squares, e["SS"]["part"], 1e-12);
  near("SS appraiser", found->appraiser.sum_of_squares, e["SS"]["appraiser"], 1e-12);
  near("SS interaction", found->interaction.sum_of_squares, e["SS"]["inter"], 1e-12);
  near("SS equipment", found->repeatability.sum_of_squares, e["SS"]["equip"], 1e-12);
  near("SS total", found->total.sum_of_squares, e["SS"]["total"], 1e-12);
  near("F", found->interaction.f, e["F_inter"], 1e-10);
  near("p", found->interaction.p, e["p_inter"], 1e-10);
  EXPECT_NEAR(found->equipment.component.sd(), e["EV"], tolerance);
  EXPECT_NEAR(found->appraisers_variation.component.sd(), e["AV"], tolerance);
  EXPECT_NEAR(found->gage.component.sd(), e["GRR"], tolerance);
  EXPECT_NEAR(found->parts_variation.component.sd(), e["PV"], tolerance);
  EXPECT_NEAR(found->total_variation.component.sd(), e["TV"], 5e-4);  // printed as 1.085
  EXPECT_NEAR(found->equipment.contribution_pct, e["contrib"]["EV"], 0.05);
  EXPECT_NEAR(found->appraisers_variation.contribution_pct, e["contrib"]["AV"], 0.05);
  EXPECT_NEAR(found->gage.contribution_pct, e["contrib"]["GRR"], 0.05);
  EXPECT_NEAR(found->parts_variation.contribution_pct, e["contrib"]["PV"], 0.05);
  EXPECT_NEAR(found->gage.study_pct, e["pct_GRR"], 0.05);
  EXPECT_EQ(found->ndc, e["ndc"].get<std::uint64_t>());

  const auto unpooled = load("aiag-grr-anova-unpooled");
  const auto& u = unpooled["expected"];
  const double tight = unpooled["tolerance"];
  GageOptions keep;
  keep.interaction = Interaction::kKeep;
  const auto kept = gage_anova(aiag(), keep);
  ASSERT_TRUE(kept) << kept.error().message;
  near("EV", kept->equipment.component.sd(), u["EV"], tight);
  near("AV", kept->appraisers_variation.component.sd(), u["AV"], tight);
  near("INT", kept->interaction_variation.component.sd(), u["INT"], tight);
  EXPECT_TRUE(kept->interaction_variation.component.clamped);
  near("GRR", kept->gage.component.sd(), u["GRR"], tight);
  near("PV", kept->parts_variation.component.sd(), u["PV"], tight);
  near("TV", kept->total_variation.component.sd(), u["TV"], tight);
  near("ndc", kept->ndc_unrounded, u["ndc_unrounded"], tight);
}

TEST_F(WorkedCase, AiagLinearity) {
  const auto one = load("aiag-linearity");
  const auto& e = one["expected"];
  const double tight = one["tolerance"];
  std::vector<LinearityReading> readings;
  for (const auto& row : reference_rows("msa/jasp_msaLinearity.csv")) {
    readings.push_back({std::stod(row.at("Reference")), std::stod(row.at("Measurement"))});
  }
  const auto found = linearity_study(readings);
  ASSERT_TRUE(found) << found.error().message;
  near("slope", found->slope, e["slope"], tight);
  near("intercept", found->intercept, e["intercept"], tight);
  near("se slope", found->se_slope, e["se_slope"], tight);
  near("se intercept", found->se_intercept, e["se_intercept"], tight);
  near("t slope", found->t_slope, e["t_slope"], tight);
  near("t intercept", found->t_intercept, e["t_intercept"], tight);
  near("s", found->s, e["s"], tight);
  near("R2", found->r_squared, e["R2"], tight);
  EXPECT_EQ(found->at.size(), e["bias"].size());
  for (const auto& at : found->at)
    near("bias", at.bias.bias, e["bias"][std::to_string(std::lround(at.reference))], tight);
  EXPECT_FALSE(found->linear);
}

TEST_F(WorkedCase, RocDelong) {
  const auto one = load("roc-delong-ndka");
  const auto found = roc_area(asah("ndka"));
  ASSERT_TRUE(found) << found.error().message;
  const double tight = one["tolerance"];
  near("AUC", found->auc, one["expected"]["AUC"], tight);
  near("variance", found->variance, one["expected"]["var"], tight);
  near("low", found->plain.low, one["expected"]["ci"][0], tight);
  near("high", found->plain.high, one["expected"]["ci"][1], tight);
  EXPECT_EQ(found->targets, 41U);
  EXPECT_EQ(found->others, 72U);
  // metrology.md 6.3: with ties.
  near("s100b", roc_area(asah("s100b"))->variance, 0.00266868245717244, tight);
  near("wfns", roc_area(asah("wfns"))->auc, 0.823678861789, 1e-11);
  near("wfns", roc_area(asah("wfns"))->variance, 0.00146991470882363, tight);
}

TEST_F(WorkedCase, RocDelongPaired) {
  const auto one = load("roc-delong-paired");
  const double tight = one["tolerance"];
  const auto& pairs = one["inputs"]["pairs"];
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto found = compare_paired(asah(pairs[i][0]), asah(pairs[i][1]));
    ASSERT_TRUE(found) << found.error().message;
    near("Z", found->z, one["expected"]["Z"][i], tight);
    near("p", found->p, one["expected"]["p"][i], tight);
  }
}

TEST_F(WorkedCase, RocVanDyke) {
  const auto one = load("roc-vandyke");
  LabelledScores scores[2][5];
  for (const auto& row : reference_rows("pod/roc_vandyke_dataset02.csv")) {
    auto& s = scores[std::stoul(row.at("mod")) - 1][std::stoul(row.at("reader")) - 1];
    (row.at("truth") == "1" ? s.targets : s.others).push_back(std::stod(row.at("rating")));
  }
  for (std::size_t m = 0; m < 2; ++m) {
    for (std::size_t r = 0; r < 5; ++r)
      near("AUC", roc_area(scores[m][r])->auc, one["expected"]["AUC"][m][r], one["tolerance"]);
  }
}

TEST_F(WorkedCase, PodExample3) {
  const auto one = load("pod-ex3-logit-log");
  const auto& e = one["expected"];
  const double tight = one["tolerance"];
  const auto rows = example_3("depth.inch");
  PodOptions as_printed;
  as_printed.stop = LinkStop::kAsGlm;
  const auto found = fit_hit_miss(rows, as_printed);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->rows, one["inputs"]["n"].get<std::size_t>());
  EXPECT_EQ(found->hits, one["inputs"]["hits"].get<std::size_t>());
  near("b0", found->line.b0, e["b0"], tight);
  near("b1", found->line.b1, e["b1"], tight);
  near("se", std::sqrt(found->line.var_b0), e["se"][0], tight);
  near("se", std::sqrt(found->line.var_b1), e["se"][1], tight);
  near("cov", found->line.cov_b0_b1, e["cov"], tight);
  near("log-likelihood", found->line.log_likelihood, e["logLik"], tight);
  near("mu", found->mu, e["mu"], tight);
  near("sigma", found->sigma, e["sigma"], tight);
  near("a50", found->a50, e["a50"], 1e-4);  // printed to five digits
  near("a90", found->a90, e["a90"], tight);
  near("a90/95", found->a90_95, e["a90_95_LR_chi2_1_0p90"], tight);
  near("Wald", std::log(*pod_size_bound(*found, rows, PodBound::kWald, 0.95)), e["a90_95_wald_ln"], tight);
  near("band", std::log(*pod_size_bound(*found, rows, PodBound::kFieller, 0.95)), e["a90_95_band_ln"], tight);
  // 14 rows without a depth and one whose depth 0 has no logarithm: each is accounted for.
  std::size_t zero = 0;
  for (const auto& x : found->excluded) zero += x.reason.find("no logarithm") != std::string::npos ? 1 : 0;
  EXPECT_EQ(found->excluded.size(), 15U);
  EXPECT_EQ(zero, 1U);
  EXPECT_EQ(found->rows + found->excluded.size(), rows.size());

  // The maximum itself (R's glm at epsilon 1e-15): what it prints by default is one step short of it.
  const auto converged = fit_hit_miss(rows);
  near("se", std::sqrt(converged->line.var_b0), 3.39028818191268, 1e-10);
  near("se", std::sqrt(converged->line.var_b1), 0.87096646328980, 1e-10);
  near("b0", converged->line.b0, 17.6573206978756, 1e-11);
  near("b1", converged->line.b1, 4.3900784261082, 1e-11);
}

TEST_F(WorkedCase, PodExample3OtherFits) {  // metrology.md 6.1, to its printed digits
  const auto depth = example_3("depth.inch");
  const auto logit = fit_hit_miss(depth);
  ASSERT_TRUE(logit) << logit.error().message;
  EXPECT_NEAR(*pod_size_bound(*logit, depth, PodBound::kLikelihoodRatio, 0.975), 0.03733, 5e-6);  // chi-squared 3.84
  EXPECT_NEAR(*pod_size_bound(*logit, depth, PodBound::kChengIles, 0.95), 0.03834, 5e-6);
  EXPECT_NEAR(*pod_size_bound(*logit, depth, PodBound::kWald, 0.95), 0.03498, 6e-6);
  EXPECT_NEAR(*pod_size_bound(*logit, depth, PodBound::kFieller, 0.95), 0.03702, 6e-6);

  PodOptions options;
  options.link = Link::kProbit;
  const auto probit = fit_hit_miss(depth, options);
  ASSERT_TRUE(probit) << probit.error().message;
  near("b0", probit->line.b0, 8.12189754047406, 1e-8);  // R's glm at epsilon 1e-14
  near("b1", probit->line.b1, 2.01231223482737, 1e-8);
  options.stop = LinkStop::kAsGlm;
  const auto as_printed = fit_hit_miss(depth, options);
  EXPECT_NEAR(as_printed->line.b0, 8.12197521, 5e-9);
  EXPECT_NEAR(as_printed->line.b1, 2.01233150, 5e-9);
  EXPECT_NEAR(as_printed->a90, 0.03339821, 5e-9);
  EXPECT_NEAR(as_printed->a90_95, 0.04027243, 5e-9);

  const auto length = fit_hit_miss(example_3("length.inch"));
  ASSERT_TRUE(length) << length.error().message;
  EXPECT_NEAR(length->a90, 0.17336318, 5e-9);
  EXPECT_NEAR(length->a90_95, 0.20322901, 5e-9);
}

TEST_F(WorkedCase, ClopperPearson) {
  const auto one = load("clopper-pearson-90-95");
  const auto& pairs =
      one["inputs"].contains("pairs_hits_n") ? one["inputs"]["pairs_hits_n"] : one["expected"]["pairs_hits_n"];
  const auto table = demonstration_table(0.90, 0.95, pairs.size() - 1);
  ASSERT_TRUE(table) << table.error().message;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    near("bound", *proportion_lower_bound(pairs[i][0], pairs[i][1], 0.95), one["expected"]["lower95"][i],
         one["tolerance"]);
    EXPECT_EQ((*table)[i].trials, pairs[i][1].get<std::uint64_t>());
    EXPECT_EQ((*table)[i].trials - (*table)[i].misses, pairs[i][0].get<std::uint64_t>());
    near("bound", (*table)[i].lower_bound, one["expected"]["lower95"][i], one["tolerance"]);
  }
}

TEST_F(WorkedCase, PistonRings) {
  const auto one = load("qcc-pistonrings-25");
  const auto& e = one["expected"];
  std::vector<double> values;
  for (const auto& row : reference_rows("msa/qcc_pistonrings.txt", true)) {
    if (row.at("trial") == "TRUE") values.push_back(std::stod(row.at("diameter")));
  }
  ASSERT_EQ(values.size(), 125U);
  const SpecificationLimits limits{e["spec"][0], e["spec"][1], std::nullopt};
  CapabilityOptions options;
  options.table_d2 = true;
  const auto found = capability(values, 5, limits, options);
  ASSERT_TRUE(found) << found.error().message;
  const double tight = one["tolerance"];
  near("Cp by the exact d2", capability(values, 5, limits)->cp->value, 0.1 / (6 * 0.02276 / 2.3259289472810), 1e-9);
  near("centre", found->mean, e["center"], tight);
  near("sd R", found->sd_within, e["sd_R"], tight);
  near("Cp", found->cp->value, e["Cp"], tight);
  near("Cpk", found->cpk.value, e["Cpk"], tight);
  near("Cpm", found->cpm->value, e["Cpm"], tight);
  EXPECT_NEAR(found->cp->interval.low, 1.491411, 5e-7);  // metrology.md 5.2
  EXPECT_NEAR(found->cp->interval.high, 1.914826, 5e-7);
  CapabilityOptions by_deviation;
  by_deviation.within = WithinSpread::kMeanDeviation;
  near("sd S", capability(values, 5, limits, by_deviation)->sd_within, e["sd_S"], tight);
}

TEST(CourtConstants, RangeFactorsAreThoseOfTheTables) {  // metrology.md 5.2, six digits
  const double d2[] = {1.128379, 1.692569, 2.058751, 2.325929, 2.534413, 2.704357, 2.847201, 2.970026, 3.077505};
  const double d3[] = {.852502, .888368, .879808, .864082, .848040, .833205, .819831, .807834, .797051};
  const double c4[] = {.797885, .886227, .921318, .939986, .951533, .959369, .965030, .969311, .972659};
  for (std::size_t n = 2; n <= 10; ++n) {
    EXPECT_NEAR(range_factors(n).d2, d2[n - 2], 6e-7) << n;
    EXPECT_NEAR(range_factors(n).d3, d3[n - 2], 6e-7) << n;
    EXPECT_NEAR(c4_factor(n), c4[n - 2], 6e-7) << n;
  }
  EXPECT_NEAR(range_factors(2).d2, 2 / std::sqrt(M_PI), 1e-9);
  EXPECT_NEAR(range_factors(3).d2, 3 / std::sqrt(M_PI), 1e-9);
  EXPECT_NEAR(range_factors(2).d3, std::sqrt(2 - 4 / M_PI), 1e-9);
  for (const auto& [n, expected] : {std::pair{2, 1.41421}, {3, 1.91154}, {5, 2.48125}, {10, 3.17905}}) {
    EXPECT_NEAR(d2_star(static_cast<std::size_t>(n), 1), expected, 6e-6) << n;
  }
}

}  // namespace
}  // namespace strigil::protocols
