// The worked cases of the standards, each within its own tolerance. Figures come from the file; nothing is copied here.
#include <fmt/format.h>

#include <set>

#include "calibration/standards/astm_e74.hpp"
#include "calibration/standards/conformity.hpp"
#include "calibration/standards/decision_risk.hpp"
#include "calibration/standards/iso230_2.hpp"
#include "calibration/standards/iso376.hpp"
#include "standards_data.hpp"

namespace strigil::calibration {
namespace {

#define CASE_OR_SKIP(name, id)       \
  const auto name = worked_case(id); \
  if (name.is_null()) GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA"

Iso376Readings iso376_readings(const nlohmann::json& in) {
  Iso376Readings r;
  r.force_N = list(in.at("F_N"));
  r.x1.rising = list(in.at("X1"));
  r.x2.rising = list(in.at("X2"));
  r.x3.rising = list(in.at("X3"));
  r.x3.falling = list(in.at("X4_desc"));
  r.x5.rising = list(in.at("X5"));
  r.x5.falling = list(in.at("X6_desc"));
  r.x3.position_deg = 120;
  r.x5.position_deg = 240;
  const auto zeros = list(in.at("i0"));
  const auto finals = list(in.at("i_f"));
  std::size_t at = 0;
  for (auto* s : {&r.x1, &r.x2, &r.x3, &r.x5}) {
    s->zero_before = zeros.at(at);
    s->zero_after = finals.at(at++);
  }
  r.zero_is_subtracted = true;
  r.creep_30s = in.at("i_30s").get<double>();
  r.creep_300s = in.at("i_300s").get<double>();
  r.calibration_force_pct = {in.at("W_cal_pct").get<double>()};
  r.resolution = in.at("resolution_mV_V").get<double>();
  r.temperature_coefficient_pct_K = in.at("temp_coeff_pct_per_K").get<double>();
  r.temperature_range_K = in.at("temp_range_K").get<double>();
  return r;
}

TEST(StandardsWorkedCases, Iso376) {
  CASE_OR_SKIP(one, "iso376-synthetic");
  const auto& in = one.at("inputs");
  const auto& want = one.at("expected");
  CaseTable table("iso376-synthetic", one.at("tolerance"));
  Iso376Options options;
  options.degree = in.at("poly_degree").get<int>();
  options.through_zero = in.at("through_zero").get<bool>();
  const auto found = assess_iso376(iso376_readings(in), options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->nonconformities.empty()) << found->nonconformities.front();
  for (std::size_t i = 0; i < found->forces.size(); ++i) {
    const auto& f = found->forces[i];
    const auto check = [&](double value, const char* key) {
      table.check(value, want.at(key).at(i), fmt::format("{} at {:g} N", key, f.force_N));
    };
    check(f.deflection, "Xr");
    check(f.b_pct, "b_pct");
    check(f.b_prime_pct, "b_prime_pct");
    check(f.fc_pct, "fc_pct");
    check(*f.v_pct, "v_pct");
    check(f.w2, "w2_pct");
    check(f.w3, "w3_pct");
    check(f.w4, "w4_pct");
    check(f.w8, "w8_pct");
    check(f.W_pct, "W_k2_pct");
    if (i == 0) table.check(f.w5, want.at("w5_pct"), "w5_pct");
    if (i == 0) table.check(f.w6, want.at("w6_pct"), "w6_pct");
    if (i == 0) table.check(f.w7, want.at("w7_pct"), "w7_pct");
    EXPECT_GE(found->expanded_uncertainty.at(f.force_N), f.W_pct);
  }
  for (int k = 1; k <= 3; ++k) {
    const auto& coefficient = want.at("coeff_F_to_X").at(static_cast<std::size_t>(k) - 1);
    const double size = std::abs(coefficient.get<double>());
    table.check(found->deflection_of_force.coefficient(k), coefficient, fmt::format("coefficient of F^{}", k),
                1e3 * size / std::max(size, 1e-3));  // in parts of itself: the last digits of a cubic term are rounding
  }
  table.check(found->f0_pct, want.at("f0_pct"), "f0_pct");
  table.check(*found->creep_pct, want.at("creep_pct"), "creep_pct");
  for (const auto& [which, key] :
       {std::pair{Iso376Case::A, "A"}, {Iso376Case::B, "B"}, {Iso376Case::C, "C"}, {Iso376Case::D, "D"}}) {
    const auto& classes = found->classes(which);
    EXPECT_EQ(classes.per_force, want.at("class_per_force").at(key).get<std::vector<std::string>>()) << key;
    // The calibration force is known to 0.02 %, class 00 asks for 0.01 %: the figures alone do not give it.
    ASSERT_EQ(classes.ranges.size(), 2U) << key;
    EXPECT_EQ(classes.ranges[0].class_name, "0.5");
    EXPECT_EQ(classes.ranges[0].lowest_N, 20);
    EXPECT_EQ(classes.ranges[1].class_name, "1");
    EXPECT_EQ(classes.ranges[1].lowest_N, 10);
  }
}

/// Columns y and x of a StRD file.
std::vector<std::pair<double, double>> strd_columns(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::pair<double, double>> out;
  std::string line;
  for (int n = 1; std::getline(in, line); ++n) {
    std::istringstream words(line);
    double y = 0, x = 0;
    if (n > 60 && words >> y >> x) out.emplace_back(y, x);
  }
  return out;
}

TEST(StandardsWorkedCases, PontiusThroughTheE74Rule) {
  CASE_OR_SKIP(one, "pontius-e74");
  const auto& want = one.at("expected");
  CaseTable table("pontius-e74", one.at("tolerance"));
  E74Readings r;
  std::map<double, int> seen;
  for (const auto& [y, x] : strd_columns(reference_file("strd/linear/Pontius.dat"))) {
    r.observations.push_back({x, y, ++seen[x], 0});
  }
  ASSERT_EQ(r.observations.size(), 40U);
  r.resolution = 1e-6;
  r.reference = E74Reference::primary;
  const auto found = assess_e74(r);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->distinct_forces, one.at("inputs").at("n1").get<std::size_t>());
  for (const auto& step : found->degrees.steps) {
    const auto k = std::to_string(step.degree);
    table.check(step.residual_sd, want.at("s_m_of_averages").at(k), "s" + k);
    if (step.degree < 2) continue;
    const auto name = "s" + std::to_string(step.degree - 1) + "/s" + k;
    table.check(step.ratio, want.at("ratios").at(name), name);
    table.check(step.critical, want.at("C").at(k), "C" + k);
  }
  EXPECT_EQ(found->degrees.steps.size(), 5U);
  EXPECT_EQ(found->degrees.degree, want.at("degree_selected").get<int>());
  table.check(found->deflection_of_force.fit().residual_sd, want.at("s_defl_deg2_all40"), "s of all 40");
  table.check(found->llf_deflection, want.at("LLF_defl"), "LLF, deflection");
  table.check(found->degrees.degree, want.at("degree_selected"), "degree");
  // metrology.md 1.2: the same as force, by the slope at zero and by its own fit.
  EXPECT_NEAR(found->llf_slope_N, 672.66, 0.01);
  EXPECT_NEAR(found->force_of_deflection.fit().residual_sd, 281.2969, 1e-4);
  EXPECT_NEAR(found->llf_N, 675.1126, 1e-4);
  EXPECT_NEAR(found->limit_A_N, 270045, 0.5);
  EXPECT_NEAR(found->limit_AA_N, 1350225, 0.5);
  EXPECT_TRUE(found->ranges.empty()) << "two runs without rotation are no E74 calibration";
}

TEST(StandardsWorkedCases, Iso230OfAPublicStage) {
  CASE_OR_SKIP(one, "iso230-2-psi-stage");
  const auto& in = one.at("inputs");
  const auto& want = one.at("expected");
  CaseTable table("iso230-2-psi-stage", one.at("tolerance"));
  const auto metres = [](const nlohmann::json& j) {
    auto v = list(j);
    for (double& x : v) x *= 1e-3;
    return v;
  };
  StageReadings r;
  r.target_m = metres(in.at("target_mm"));
  for (const auto& row : in.at("fwd_mm")) r.forward_m.push_back(metres(row));
  for (const auto& row : in.at("bwd_mm")) r.backward_m.push_back(metres(row));
  const auto found = assess_stage(r);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->nonconformities.empty());
  EXPECT_TRUE(broken_invariants(*found).empty());
  const auto check = [&](double m, const nlohmann::json& mm, const std::string& what) {
    table.check(m * 1e3, mm, what + ", mm");
  };
  for (std::size_t i = 0; i < found->targets.size(); ++i) {
    check(found->targets[i].reversal_m, want.at("B_i").at(i), fmt::format("B_i of target {}", i + 1));
    check(found->targets[i].s_forward_m, want.at("s_f").at(i), fmt::format("s_f of target {}", i + 1));
    check(found->targets[i].s_backward_m, want.at("s_b").at(i), fmt::format("s_b of target {}", i + 1));
    check(found->targets[i].repeatability_m, want.at("R_i").at(i), fmt::format("R_i of target {}", i + 1));
  }
  check(found->reversal_m, want.at("B"), "B");
  check(found->mean_reversal_m, want.at("Bbar"), "mean B");
  check(found->repeatability_forward_m, want.at("R_f"), "R up");
  check(found->repeatability_backward_m, want.at("R_b"), "R down");
  check(found->repeatability_m, want.at("R"), "R");
  check(found->systematic_forward_m, want.at("E_f"), "E up");
  check(found->systematic_backward_m, want.at("E_b"), "E down");
  check(found->systematic_m, want.at("E"), "E");
  check(found->mean_range_m, want.at("M"), "M");
  check(found->accuracy_forward_m, want.at("A_f"), "A up");
  check(found->accuracy_backward_m, want.at("A_b"), "A down");
  check(found->accuracy_m, want.at("A"), "A");
  // The report that came with the data prints E = 0.06514 mm: the invariants find it out.
  auto peer = *found;
  peer.systematic_m = 0.06514e-3;
  EXPECT_FALSE(broken_invariants(peer).empty());
}

TEST(StandardsWorkedCases, Iso230OfTheRawFile) {
  const auto path = reference_file("stage/ecmc_mcu1025_ISO230.dat");
  if (path.empty()) GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA";
  StageReadings r;
  r.target_m.resize(5);
  r.forward_m.assign(5, std::vector<double>(5));
  r.backward_m = r.forward_m;
  std::ifstream in(path);
  int read = 0;
  for (std::string line; std::getline(in, line);) {
    std::size_t i = 0, j = 0;
    double mm = 0;
    if (std::sscanf(line.c_str(), "TGT_DATA[%zu]=%lf", &i, &mm) == 2) {
      r.target_m.at(i - 1) = mm * 1e-3;
    } else if (std::sscanf(line.c_str(), "REF_DATA_FWD[%zu,%zu]=%lf", &i, &j, &mm) == 3) {
      r.forward_m.at(i - 1).at(j - 1) = mm * 1e-3;
    } else if (std::sscanf(line.c_str(), "REF_DATA_BWD[%zu,%zu]=%lf", &i, &j, &mm) == 3) {
      r.backward_m.at(i - 1).at(j - 1) = mm * 1e-3;
    } else {
      continue;
    }
    ++read;
  }
  ASSERT_EQ(read, 55);
  const auto found = assess_stage(r);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(broken_invariants(*found).empty());
  const auto one = worked_case("iso230-2-psi-stage");
  const auto& want = one.at("expected");
  // The worked case has this data rounded to 10 nm, and calls forward what the file calls backward.
  const auto near = [&](double m, const char* key) { EXPECT_NEAR(m * 1e3, want.at(key).get<double>(), 2e-5) << key; };
  near(found->reversal_m, "B");
  near(-found->mean_reversal_m, "Bbar");
  near(found->repeatability_m, "R");
  near(found->systematic_m, "E");
  near(found->systematic_backward_m, "E_f");
  near(found->mean_range_m, "M");
  near(found->accuracy_m, "A");
}

TEST(StandardsWorkedCases, FalseAcceptAtTurFour) {
  CASE_OR_SKIP(one, "fair-risk-TUR4");
  const auto& in = one.at("inputs");
  const auto& want = one.at("expected");
  CaseTable table("fair-risk-TUR4", one.at("tolerance"));
  const double ratio = in.at("TUR").get<double>();
  for (std::size_t i = 0; i < in.at("itp").size(); ++i) {
    const auto sd = process_sd_for(in.at("itp")[i].get<double>(), 1.0);
    ASSERT_TRUE(sd);
    const Tolerance t{-1.0, 1.0};
    const auto risk = decision_risk({0, *sd, *sd / ratio, t, t});
    ASSERT_TRUE(risk) << risk.error().message;
    // The tolerance is in % points: the published integral for 0.95 is off by 9.4e-7 of them (Simpson's rule with
    // 20 000 panels gives 0.871010188139, as here).
    // Tolerance in % points, as the published figures are: the one for 0.95 is off by 9.4e-7 of them (Simpson's rule
    // with 20 000 panels gives 0.871010188139, as here).
    const auto in_points = [&](double found, const nlohmann::json& expected, const char* what) {
      table.check(found, expected, fmt::format("{} at {:g} in tolerance, %", what, in.at("itp")[i].get<double>()),
                  1 / std::max(expected.get<double>(), 1e-3));
    };
    in_points(100 * risk->false_accept, want.at("PFA_pct")[i], "PFA");
    in_points(100 * risk->false_accept_of_accepted, want.at("cPFA_pct")[i], "conditional PFA");
  }
}

/// Text of all test sources, to see which cases they name.
std::string test_sources() {
  std::string all;
  namespace fs = std::filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(STRIGIL_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    all += text.str();
  }
  return all;
}

TEST(StandardsWorkedCases, WhichCasesNoTestNames) {
  const auto all = worked_cases();
  if (all.is_null()) GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA";
  const auto sources = test_sources();
  std::set<std::string> mine = {"iso376-synthetic", "pontius-e74", "iso230-2-psi-stage", "fair-risk-TUR4"};
  std::string missing;
  for (const auto& one : all) {
    const auto id = one.at("id").get<std::string>();
    mine.erase(id);
    if (sources.find('"' + id + '"') == std::string::npos) missing += "\n  " + id;
  }
  EXPECT_TRUE(mine.empty()) << "cases that this file covers are gone from the data: " << *mine.begin();
  // Cases of other subjects are their own tests' business; here they are told, so that a gap is seen.
  if (!missing.empty()) std::cout << "worked cases that no test names:" << missing << "\n";
  RecordProperty("cases_without_a_test", missing);
}

}  // namespace
}  // namespace strigil::calibration
