// ISO 230-2, the pitch table and displacement classes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/standards/displacement_class.hpp"
#include "calibration/standards/iso230_2.hpp"
#include "calibration/standards/pitch_table.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {
namespace {

using ::testing::HasSubstr;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

StageReadings random_stage(Random& random) {
  StageReadings r;
  const auto targets = 2 + random.below(12), cycles = 2 + random.below(6);
  double at = random.uniform() - 0.5;
  for (std::size_t i = 0; i < targets; ++i) {
    r.target_m.push_back(at += 0.001 + 0.05 * random.uniform());
    const double deviation = 1e-5 * random.normal(), backlash = 1e-5 * random.normal(),
                 scatter = 1e-5 * random.uniform();
    std::vector<double> up, down;
    for (std::size_t j = 0; j < cycles; ++j) {
      up.push_back(at + deviation + scatter * random.normal());
      down.push_back(at + deviation - backlash + scatter * random.normal());
    }
    r.forward_m.push_back(up);
    r.backward_m.push_back(down);
  }
  return r;
}

TEST(Iso230, InvariantsHoldForWhateverIsMeasured) {
  Random random(230);
  for (int i = 0; i < 2000; ++i) {
    const auto a = assess_stage(random_stage(random));
    ASSERT_TRUE(a) << a.error().message;
    const auto broken = broken_invariants(*a);
    ASSERT_TRUE(broken.empty()) << "stage " << i << ": " << broken.front();
  }
}

TEST(Iso230, ShiftAndReversalOfTheAxisChangeNoFigure) {
  Random random(231);
  for (int i = 0; i < 200; ++i) {
    const auto r = random_stage(random);
    const auto a = assess_stage(r);
    StageReadings turned;  // the axis looked at from its other end
    for (std::size_t k = r.target_m.size(); k-- > 0;) {
      turned.target_m.push_back(0.1 - r.target_m[k]);
      std::vector<double> up, down;
      for (const double v : r.backward_m[k]) up.push_back(0.1 - v);
      for (const double v : r.forward_m[k]) down.push_back(0.1 - v);
      turned.forward_m.push_back(up);
      turned.backward_m.push_back(down);
    }
    const auto b = assess_stage(turned);
    ASSERT_TRUE(a && b);
    EXPECT_NEAR(a->accuracy_m, b->accuracy_m, 1e-14);
    EXPECT_NEAR(a->accuracy_forward_m, b->accuracy_backward_m, 1e-14);
    EXPECT_NEAR(a->repeatability_m, b->repeatability_m, 1e-14);
    EXPECT_NEAR(a->systematic_m, b->systematic_m, 1e-14);
    EXPECT_NEAR(a->reversal_m, b->reversal_m, 1e-14);
    EXPECT_NEAR(a->mean_range_m, b->mean_range_m, 1e-14);
  }
}

TEST(Iso230, OneDirectionAloneHasNoBidirectionalFigure) {
  Random random(3);
  auto r = random_stage(random);
  r.backward_m.clear();
  const auto a = assess_stage(r);
  ASSERT_TRUE(a);
  EXPECT_FALSE(a->bidirectional);
  EXPECT_TRUE(std::isnan(a->accuracy_m));
  EXPECT_TRUE(std::isnan(a->reversal_m));
  EXPECT_GT(a->accuracy_forward_m, 0);
  EXPECT_FALSE(a->nonconformities.empty());
  EXPECT_FALSE(PitchTable::from(*a));
}

TEST(Iso230, HostileReadingsAreRefusedInWords) {
  Random random(4);
  const auto good = random_stage(random);
  const auto message = [](const StageReadings& r, const StageConditions& c = {}) {
    const auto a = assess_stage(r, c);
    return a ? std::string("accepted") : a.error().message;
  };
  auto r = good;
  r.forward_m[1][0] = kNaN;
  EXPECT_THAT(message(r), HasSubstr("forward_m[1][0] is not a finite number"));
  r = good;
  r.backward_m[1].pop_back();
  EXPECT_THAT(message(r), HasSubstr("unfinished cycle"));
  r = good;
  std::swap(r.target_m[0], r.target_m[1]);
  EXPECT_THAT(message(r), HasSubstr("must rise"));
  r = good;
  r.backward_m.pop_back();
  EXPECT_THAT(message(r), HasSubstr("targets where"));
  for (auto* rows : {&(r = good).forward_m, &r.backward_m}) {
    for (auto& row : *rows) row.resize(1);
  }
  EXPECT_THAT(message(r), HasSubstr("two cycles"));
  EXPECT_FALSE(assess_stage({}));
  EXPECT_THAT(message(good, {.device_expanded_m = -1}), HasSubstr("device_expanded_m"));
}

TEST(Iso230, UncertaintyOfLengthsHasItsParts) {
  StageReadings r;
  for (int i = 0; i < 6; ++i) {
    r.target_m.push_back(0.1 * i);
    r.forward_m.push_back({0.1 * i, 0.1 * i, 0.1 * i, 0.1 * i, 0.1 * i});
  }
  r.backward_m = r.forward_m;
  StageConditions c;
  c.device_expanded_m = 1e-6;
  c.misalignment_rad = 2e-3;  // 0.5 m * 4e-6 / 2 = 1 um
  c.expansion_per_K = 11.5e-6;
  c.temperature_range_K = 0.5;  // 2.875 um over 0.5 m
  c.expansion_range_per_K = 1e-6;
  c.temperature_from_20_K = 3;  // 1.5 um
  c.drift_range_m = 0.8e-6;
  const auto a = assess_stage(r, c);
  ASSERT_TRUE(a);
  const double ranges = (1.0 * 1.0 + 2.875 * 2.875 + 1.5 * 1.5 + 0.8 * 0.8) / 12;
  EXPECT_NEAR(a->accuracy_expanded_m, 2e-6 * std::sqrt(0.25 + ranges), 1e-12);
  EXPECT_NEAR(a->reversal_expanded_m, 2 * 0.8e-6 / std::sqrt(12.0), 1e-12);
  EXPECT_TRUE(a->nonconformities.empty());
}

TEST(PitchTable, CommandUndoesPositionForRandomTables) {
  Random random(77);
  for (int i = 0; i < 300; ++i) {
    std::vector<PitchNode> nodes;
    double at = random.normal();
    const auto count = 2 + random.below(60);
    for (std::size_t k = 0; k < count; ++k) {
      nodes.push_back({at, 4e-4 * (random.uniform() - 0.5), 4e-4 * (random.uniform() - 0.5)});
      at += 0.0005 + 0.01 * random.uniform();
    }
    const auto table = PitchTable::make(nodes);
    ASSERT_TRUE(table) << table.error().message;
    for (const auto approach : {Approach::rising, Approach::falling}) {
      for (int k = 0; k <= 50; ++k) {
        const double low = table->lowest_m(approach), high = table->highest_m(approach);
        const double to = k == 50 ? high : low + (high - low) * k / 50;
        const auto command = table->command(to, approach);
        ASSERT_TRUE(command);
        const auto reached = table->position(*command, approach);
        ASSERT_TRUE(reached);
        EXPECT_NEAR(*reached, to, 1e-14);
      }
      EXPECT_FALSE(table->command(table->highest_m(approach) + 1e-9, approach)) << "nothing beyond what was measured";
      EXPECT_FALSE(table->command(table->lowest_m(approach) - 1e-9, approach));
      EXPECT_FALSE(table->command(kNaN, approach));
      EXPECT_FALSE(table->position(kNaN, approach));
    }
  }
}

TEST(PitchTable, AStageBecomesExactAtItsTargets) {
  Random random(78);
  for (int i = 0; i < 100; ++i) {
    const auto stage = assess_stage(random_stage(random));
    const auto table = PitchTable::from(*stage);
    ASSERT_TRUE(table) << table.error().message;
    for (const auto& t : stage->targets) {
      EXPECT_NEAR(*table->position(t.target_m, Approach::rising), t.target_m + t.mean_forward_m, 1e-15);
      EXPECT_NEAR(*table->position(t.target_m, Approach::falling), t.target_m + t.mean_backward_m, 1e-15);
      const auto command = table->command(t.target_m, Approach::falling);
      if (command) {
        EXPECT_NEAR(*table->position(*command, Approach::falling), t.target_m, 1e-14);
      }
    }
  }
}

TEST(PitchTable, HostileTablesAreRefused) {
  const auto message = [](std::vector<PitchNode> n) {
    const auto t = PitchTable::make(n);
    return t ? std::string("accepted") : t.error().message;
  };
  EXPECT_THAT(message({}), HasSubstr("2 to 256"));
  EXPECT_THAT(message(std::vector<PitchNode>(257)), HasSubstr("257"));
  EXPECT_THAT(message({{0, 0, 0}, {0, 0, 0}}), HasSubstr("not beyond"));
  EXPECT_THAT(message({{0, 0, 0}, {1, kNaN, 0}}), HasSubstr("finite"));
  EXPECT_THAT(message({{0, 0, 0}, {0.001, 0, -0.002}}), HasSubstr("no axis"));
  EXPECT_FALSE(PitchTable().command(0, Approach::rising));
  static_assert(std::is_trivially_copyable_v<PitchTable>, "a drive copies it between threads");
}

TEST(PitchTable, WritesWhatLinuxCncReads) {
  const auto table = PitchTable::make(std::vector<PitchNode>{{0, 1e-6, -2e-6}, {0.01, 0, 3e-6}});
  EXPECT_EQ(linuxcnc_file(*table), "0.000000 0.001000 -0.002000\n10.000000 10.000000 10.003000\n");
}

TEST(DisplacementClass, TheLargerOfBothLimitsApplies) {
  const auto iso = read_built_in_table("iso9513_2012", displacement_schema());
  const auto e2309 = read_built_in_table("astm_e2309", displacement_schema());
  const std::vector<double> truth = {0, 1e-4, 1e-3, 1e-2};
  std::vector<double> shown = {1.4e-6, 1e-4 + 1.4e-6, 1e-3 + 4.9e-6, 1e-2 + 49e-6};
  auto a = assess_displacement(truth, shown, iso);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->best_class, "0.5");
  shown[2] = 1e-3 - 5.1e-6;
  a = assess_displacement(truth, shown, iso);
  EXPECT_EQ(a->points[2].best_class, "1");
  EXPECT_EQ(a->best_class, "1");
  EXPECT_EQ(assess_displacement(std::vector{1e-3}, std::vector{1.0251e-3}, e2309)->best_class, "D");
  EXPECT_EQ(assess_displacement(std::vector{1e-3}, std::vector{1.04e-3}, e2309)->best_class, "");
  EXPECT_FALSE(assess_displacement({}, {}, iso));
  EXPECT_FALSE(assess_displacement(truth, std::vector{kNaN}, iso));
}

}  // namespace
}  // namespace strigil::calibration
