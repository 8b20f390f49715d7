// Decision rules, their risks, reference forces, and the limit tables themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "calibration/record/digest.hpp"
#include "calibration/standards/astm_e74.hpp"
#include "calibration/standards/conformity.hpp"
#include "calibration/standards/decision_risk.hpp"
#include "calibration/standards/displacement_class.hpp"
#include "calibration/standards/iso230_2.hpp"
#include "calibration/standards/iso376.hpp"
#include "calibration/standards/load_cell.hpp"
#include "calibration/standards/machine_force.hpp"
#include "calibration/standards/reference_force.hpp"
#include "calibration/standards/vibration_comparison.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using ::testing::HasSubstr;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(LimitTable, EveryTableOfTheProgramIsReadByItsStandard) {
  const std::map<std::string, LimitSchema> readers = {
      {"iso376_2011", iso376_schema()},        {"astm_e74", e74_schema()},
      {"iso7500_1_2018", iso7500_schema()},    {"astm_e4", astm_e4_schema()},
      {"iso9513_2012", displacement_schema()}, {"astm_e2309", displacement_schema()},
      {"iso230_2_2014", iso230_2_schema()},    {"iso16063_21", iso16063_21_schema()},
      {"oiml_r60", oiml_r60_schema()},         {"oiml_r111", oiml_r111_schema()},
  };
  const auto names = built_in_table_names();
  EXPECT_EQ(names.size(), readers.size());
  for (const auto& name : names) {
    ASSERT_TRUE(readers.contains(name)) << name << " is read by no standard";
    const auto table = LimitTable::read(built_in_table(name), name, readers.at(name));
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(table->identity.status, "method based on") << "no standard's own text was at hand";
  }
}

TEST(LimitTable, AHashIsThatOfTheFile) {
  const auto file = std::string(STRIGIL_SOURCE_DIR) + "/calibration/tables/astm_e4.toml";
  std::FILE* pipe = ::popen(("sha256sum '" + file + "'").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char digest[65] = {};
  ASSERT_EQ(std::fread(digest, 1, 64, pipe), 64U);
  ::pclose(pipe);
  EXPECT_EQ(read_built_in_table("astm_e4", astm_e4_schema()).identity.sha256, digest);
  EXPECT_TRUE(built_in_table("no_such").empty());
}

TEST(LimitTable, WhatIsNotATableIsRefusedWithItsLine) {
  const std::string text(built_in_table("astm_e4"));
  const auto message = [](const std::string& t) {
    const auto table = LimitTable::read(t, "mine.toml", astm_e4_schema());
    return table ? std::string("accepted") : table.error().message;
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    auto t = text;
    return t.replace(t.find(from), from.size(), to);
  };
  EXPECT_EQ(message(text), "accepted");
  EXPECT_THAT(message(with("q_pct", "q_ppm")), HasSubstr("q_ppm"));
  EXPECT_THAT(message(with("b_pct = 1.0", "b_pct = -1.0")), HasSubstr("mine.toml:"));
  EXPECT_THAT(message(with("method based on", "I think")), HasSubstr("status"));
  EXPECT_THAT(message(with("[[class]]",
                           "[[class]]\nname = \"x\"\nq_pct = 1\nb_pct = 1\n[[class]]\nname = \"x\"\nq_pct = 1\n"
                           "b_pct = 1\n[[class]]")),
              HasSubstr("twice"));
  EXPECT_NE(message(text.substr(0, text.find("[[class]]"))), "accepted");
  EXPECT_NE(message("\x01\x02"), "accepted");
  EXPECT_NE(message(""), "accepted");
}

TEST(Conformity, EveryRuleOnBothSidesOfEveryLimit) {
  const Tolerance t{-1.0, 1.0};
  const double u = 0.1;  // w = 0.2
  const auto word = [&](double v, RuleKind kind) {
    const auto s = judge_conformity(v, u, t, {kind, 1, 2});
    return s ? std::string(dcc_word(s->outcome)) : s.error().message;
  };
  const double places[] = {0.79, 0.81, 0.99, 1.01, 1.19, 1.21};
  const auto all = [&](RuleKind kind) {
    std::string out;
    for (const double p : places) {
      EXPECT_EQ(word(p, kind), word(-p, kind));
      out += word(p, kind) + " ";
    }
    return out;
  };
  EXPECT_EQ(all(RuleKind::simple), "pass pass pass fail fail fail ");
  EXPECT_EQ(all(RuleKind::guarded), "pass fail fail fail fail fail ");
  EXPECT_EQ(all(RuleKind::guarded_graded),
            "pass conditionalPass conditionalPass conditionalFail conditionalFail fail ");
  EXPECT_EQ(all(RuleKind::prove_conformity), "pass noPass noPass noPass noPass fail ");
  EXPECT_EQ(all(RuleKind::prove_nonconformity), "pass noFail noFail noFail noFail fail ");
  EXPECT_EQ(word(1.0, RuleKind::simple), "pass") << "a limit belongs to the tolerance";
}

TEST(Conformity, RiskIsThatOfTheStatement) {
  const auto at_guard = judge_conformity(0.8, 0.1, {-1.0, 1.0}, {RuleKind::guarded, 1, 2});
  EXPECT_EQ(at_guard->outcome, Conformity::pass);
  EXPECT_NEAR(at_guard->specific_risk, 0.022750, 1e-6) << "w = U keeps the risk below 2.5 %";
  const auto at_limit = judge_conformity(1.0, 0.1, {std::nullopt, 1.0}, {RuleKind::simple, 1, 2});
  EXPECT_NEAR(at_limit->specific_risk, 0.5, 1e-12);
  EXPECT_EQ(conformance_probability(0.5, 0, {0.0, 1.0}), 1);
  EXPECT_EQ(conformance_probability(1.5, 0, {0.0, 1.0}), 0);
  EXPECT_NEAR(conformance_probability(10, 1, {std::nullopt, 0.0}), 7.61985302416053e-24, 1e-34)
      << "tails keep their digits";
  EXPECT_THAT(at_guard->rule, HasSubstr("w = 1 U"));
}

TEST(Conformity, WhatCannotBeJudgedIsRefused) {
  const DecisionRule rule;
  EXPECT_FALSE(judge_conformity(kNaN, 1, {0.0, 1.0}, rule));
  EXPECT_FALSE(judge_conformity(0, -1, {0.0, 1.0}, rule));
  EXPECT_FALSE(judge_conformity(0, 1, {}, rule));
  EXPECT_FALSE(judge_conformity(0, 1, {1.0, 0.0}, rule));
  EXPECT_FALSE(judge_conformity(0, 1, {0.0, std::numeric_limits<double>::infinity()}, rule));
  EXPECT_THAT(judge_conformity(0.5, 0.3, {0.0, 1.0}, rule).error().message, HasSubstr("nothing could pass"));
}

TEST(Conformity, GuardFactorsOfTheBooks) {
  EXPECT_NEAR(*guard_factor(GuardMethod::rss, 4), 0.9682458, 1e-7);
  EXPECT_NEAR(*guard_factor(GuardMethod::ninety_five, 4), 0.75, 1e-12);
  EXPECT_NEAR(*guard_factor(GuardMethod::rp10, 3), 1.25 - 1.0 / 3, 1e-12);
  EXPECT_EQ(*guard_factor(GuardMethod::rp10, 5), 1) << "never wider than the tolerance";
  EXPECT_NEAR(*guard_factor(GuardMethod::dobbert, 3), 1 - (1.04 - std::exp(0.38 * std::log(3.0) - 0.54)) / 3, 1e-12);
  EXPECT_FALSE(guard_factor(GuardMethod::rss, 1));
  EXPECT_FALSE(guard_factor(GuardMethod::ninety_five, 0.5));
  EXPECT_FALSE(guard_factor(GuardMethod::rss, kNaN));
  EXPECT_NEAR(test_uncertainty_ratio({-1.0, 1.0}, 0.25), 4, 1e-12);
}

TEST(DecisionRisk, DeaversFigures) {
  // metrology.md 4.6: limits at two process deviations, TUR 4: 0.8 % and 1.5 %.
  const Tolerance t{-2.0, 2.0};
  const auto r = decision_risk({0, 1, 0.25, t, t});
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->false_accept, 0.008, 5e-4);
  EXPECT_NEAR(r->false_reject, 0.015, 5e-4);
}

TEST(DecisionRisk, AccountsBalanceForRandomModels) {
  Random random(106);
  for (int i = 0; i < 300; ++i) {
    RiskModel m;
    m.process_mean = random.normal();
    m.process_sd = std::exp(random.normal());
    m.measurement_u = i % 10 == 0 ? 0 : std::exp(2 * random.normal() - 2);
    const double half = std::exp(random.normal());
    const auto side = random.below(3);
    if (side != 0) m.tolerance.lower = -half;
    if (side != 1) m.tolerance.upper = half;
    const double guard = 0.3 * half * (random.uniform() - 0.3);
    m.acceptance = m.tolerance;
    if (m.acceptance.lower) *m.acceptance.lower += guard;
    if (m.acceptance.upper) *m.acceptance.upper -= guard;
    const auto r = decision_risk(m);
    ASSERT_TRUE(r);
    // accepted = good and accepted + bad and accepted.
    EXPECT_NEAR(r->accepted, r->in_tolerance - r->false_reject + r->false_accept, 1e-9) << i;
    EXPECT_GE(r->false_accept, 0);
    EXPECT_LE(r->false_accept, 1 - r->in_tolerance + 1e-12);
  }
}

TEST(DecisionRisk, AGuardFactorReachesTheRiskItPromises) {
  const Tolerance t{-1.0, 1.0};
  RiskModel m{0, *process_sd_for(0.9, 1.0), 0.2, t, t};
  const auto factor = guard_factor_for_risk(m, 0.005);
  ASSERT_TRUE(factor);
  EXPECT_LT(*factor, 1);
  m.acceptance = {-*factor, *factor};
  EXPECT_NEAR(decision_risk(m)->false_accept, 0.005, 1e-9);
  EXPECT_EQ(*guard_factor_for_risk(m, 0.5), 1);
  EXPECT_FALSE(guard_factor_for_risk(m, 0));
  EXPECT_FALSE(process_sd_for(1, 1));
  m.process_sd = kNaN;
  EXPECT_FALSE(decision_risk(m));
}

TEST(ReferenceForce, GravityAndBuoyancy) {
  // WGS 84: equator, pole, and the free-air gradient.
  EXPECT_NEAR(*normal_gravity_m_s2(0, 0), 9.7803253359, 1e-10);
  EXPECT_NEAR(*normal_gravity_m_s2(90, 0), 9.8321849378, 1e-8);
  EXPECT_NEAR(*normal_gravity_m_s2(45, 1000) - *normal_gravity_m_s2(45, 0), -3.086e-3, 1e-9);
  EXPECT_FALSE(normal_gravity_m_s2(91, 0));
  EXPECT_FALSE(normal_gravity_m_s2(kNaN, 0));
  EXPECT_NEAR(*air_density_kg_m3(20, 1013.25, 50), 1.199, 2e-3);
  LoadPlace place{9.81, 0, 1.2, 0};
  // In the air of its definition a conventional mass weighs 0.99985 of m g, whatever it is made of.
  for (const double density : {8000.0, 7000.0, 2700.0}) {
    const auto f = reference_force({{"weight", 1, 0, true, density, 0, false}}, place);
    ASSERT_TRUE(f);
    EXPECT_NEAR(f->force_N.value, 9.81 * 0.99985, 1e-12);
  }
  const auto true_mass = reference_force({{"jig", 1, 0, false, 2700, 0, false}}, place);
  EXPECT_NEAR(true_mass->force_N.value, 9.81 * (1 - 1.2 / 2700), 1e-12);
}

TEST(ReferenceForce, UncertaintyAgreesWithTheFormulaAndWithDifferences) {
  const LoadMass mass{"jig", 2, 1e-5, false, 2700, 30, false};
  const LoadPlace place{9.81, 2e-5, 1.19, 0.02};
  const auto f = reference_force({mass}, place);
  ASSERT_TRUE(f);
  // metrology.md 1.6, for a true mass.
  const double relative = std::sqrt(std::pow(1e-5 / 2, 2) + std::pow(2e-5 / 9.81, 2) + std::pow(0.02 / 2700, 2) +
                                    std::pow(1.19 * 30 / (2700.0 * 2700.0), 2));
  EXPECT_NEAR(f->relative_u, relative, 1e-3 * relative) << "the formula neglects the buoyancy itself in its factors";
  for (const bool conventional : {false, true}) {
    auto m = mass;
    m.conventional = conventional;
    const auto at = [&](double density, double air) {
      auto moved = m;
      moved.density_kg_m3 = density;
      auto there = place;
      there.air_kg_m3 = air;
      return reference_force({moved}, there)->force_N.value;
    };
    const double by_density = (at(2701, 1.19) - at(2699, 1.19)) / 2, by_air = (at(2700, 1.2) - at(2700, 1.18)) / 0.02;
    const double g = 9.81 * at(2700, 1.19) / (2 * 9.81);
    const double u = std::sqrt(std::pow(g * 1e-5, 2) + std::pow(at(2700, 1.19) / 9.81 * 2e-5, 2) +
                               std::pow(by_density * 30, 2) + std::pow(by_air * 0.02, 2));
    EXPECT_NEAR(reference_force({m}, place)->force_N.u, u, 1e-5 * u);
  }
}

TEST(ReferenceForce, WeightsOfOneStandardAddLinearly) {
  const LoadPlace place;
  std::vector<LoadMass> apart(4, {"w", 1, 1e-6, true, 8000, 0, false}),
      together(4, {"w", 1, 1e-6, true, 8000, 0, true});
  EXPECT_NEAR(reference_force(together, place)->force_N.u, 2 * reference_force(apart, place)->force_N.u, 1e-12);
  EXPECT_FALSE(reference_force({}, place));
  EXPECT_FALSE(reference_force({{"w", -1}}, place));
  EXPECT_FALSE(reference_force({{"w", 1, kNaN}}, place));
  const auto table = read_built_in_table("oiml_r111", oiml_r111_schema());
  EXPECT_NEAR(*weight_mpe_kg("F1", 0.1, table), 0.5e-6, 1e-15);
  EXPECT_NEAR(*weight_mpe_kg("M2", 1, table), 160e-6, 1e-15);
  EXPECT_THAT(weight_mpe_kg("F1", 0.2, table).error().message, HasSubstr("certificate"));
  EXPECT_FALSE(weight_mpe_kg("F9", 1, table));
}

}  // namespace
}  // namespace strigil::calibration
