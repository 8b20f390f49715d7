// ISO 230-2, the pitch table and displacement classes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "calibration/standards/displacement_class.hpp"
#include "calibration/standards/error_map.hpp"
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

/// An axis with a slope, a long wave, the screw's turn, and a play; a reference with noise and a scale of its own.
struct HiddenAxis {
  double slope = 0, wave_m = 0, wave_length_m = 0.15, turn_m = 0, lead_m = 0.01, phase = 0, backlash_m = 0;
  [[nodiscard]] double at(double counted_m, Approach approach) const {
    return slope * counted_m + wave_m * std::sin(2 * M_PI * counted_m / wave_length_m) +
           turn_m * std::sin(2 * M_PI * counted_m / lead_m + phase) +
           (approach == Approach::rising ? -0.5 : 0.5) * backlash_m;
  }
};
HiddenAxis random_axis(Random& random) {
  return {4e-4 * (random.uniform() - 0.5), 15e-6 * random.uniform(), 0.09 + 0.15 * random.uniform(),
          8e-6 * random.uniform(), random.uniform() < 0.5 ? 0.005 : 0.01, 6.28 * random.uniform(), 30e-6 * random.uniform()};
}
std::vector<AxisStop> series(const HiddenAxis& axis, Random& random, double noise_m, double scale, int targets = 21, int cycles = 5) {
  std::vector<AxisStop> stops;
  for (int c = 0; c < cycles; ++c) {
    for (const auto approach : {Approach::rising, Approach::falling}) {
      for (int i = 0; i < targets; ++i) {
        const double off = i == 0 || i == targets - 1 ? 0 : 0.6 * (std::fmod((i + 1) * 0.6180339887498949, 1.0) - 0.5);
        const double target = 0.01 + 0.18 * (i + off) / (targets - 1);
        const double place = target + axis.at(target, approach);
        stops.push_back({target, target, 0.3e-3 + place * (1 + scale) + noise_m * random.normal(), approach});
      }
    }
  }
  return stops;
}

TEST(ErrorMap, FindsWhatIsHidden) {
  Random random(81);
  const HiddenAxis axis{1.2e-4, 8e-6, 0.15, 6e-6, 0.01, 0.7, 12e-6};
  const auto map = fit_error_map(series(axis, random, 0.05e-6, 0), {.lead_m = 0.01});
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_TRUE(map->periodic);
  EXPECT_NEAR(map->amplitude_m, 6e-6, 0.3e-6);
  EXPECT_NEAR(map->backlash_m, 12e-6, 0.1e-6);
  EXPECT_NEAR(map->repeatability_m, 0.05e-6, 0.01e-6);
  // Without the lead the turn stays hidden between the targets; then the map says that it knows less.
  const auto blind = fit_error_map(series(axis, random, 0.05e-6, 0), {.lead_m = 0});
  ASSERT_TRUE(blind);
  EXPECT_FALSE(blind->periodic);
  EXPECT_GT(blind->expanded_m.back(), 3 * map->expanded_m.back());
}

TEST(ErrorMap, APositionReadFromItIsWithinItsUncertainty) {
  Random random(82);
  constexpr double kExpanded = 0.4e-6;
  int within = 0;
  const char* wanted = std::getenv("STRIGIL_COVERAGE_CALIBRATIONS");
  const int axes = wanted != nullptr ? std::atoi(wanted) : 300;
  for (int i = 0; i < axes; ++i) {
    const auto axis = random_axis(random);
    const auto stops = series(axis, random, 0.1e-6, kExpanded / 2 / 0.18 * random.normal());
    ErrorMapOptions options;
    options.lead_m = axis.lead_m;
    options.device_relative = kExpanded / 0.18;
    const auto map = fit_error_map(stops, options);
    ASSERT_TRUE(map) << map.error().message;
    const double first = stops.front().target_m;
    const double at = 0.012 + 0.176 * random.uniform();
    const auto approach = random.uniform() < 0.5 ? Approach::rising : Approach::falling;
    const double truth = at + axis.at(at, approach) - axis.at(first, Approach::rising);
    const double off = *map->table.position(at, approach) - truth;
    const auto nodes = map->table.nodes();
    std::size_t next = 1;
    while (next + 1 < nodes.size() && nodes[next].command_m < at) ++next;
    within += std::abs(off) <= map->expanded_m[next] ? 1 : 0;
  }
  std::printf("error map: %.2f %% of %d within U\n", 100.0 * within / axes, axes);
  EXPECT_GE(within, axes * (0.95 - 2.5 * std::sqrt(0.05 * 0.95 / axes))) << "95 % less what chance may do";
}

TEST(ErrorMap, HostileSeriesAreRefusedInWords) {
  Random random(83);
  const auto good = series({}, random, 0.1e-6, 0);
  const auto message = [](std::vector<AxisStop> stops, double lead_m = 0) {
    const auto map = fit_error_map(stops, {.lead_m = lead_m});
    return map ? std::string("accepted") : map.error().message;
  };
  EXPECT_EQ(message(good), "accepted");
  auto bad = good;
  bad[7].reading_m = kNaN;
  EXPECT_THAT(message(bad), HasSubstr("stop 7 has a number that is not finite"));
  bad = good;
  bad.pop_back();
  EXPECT_THAT(message(bad), HasSubstr("unfinished cycle"));
  EXPECT_THAT(message({}), HasSubstr("no stops"));
  EXPECT_THAT(message(series({}, random, 1e-7, 0, 4)), HasSubstr("5 targets"));
  EXPECT_THAT(message(series({}, random, 1e-7, 0, 9, 1)), HasSubstr("two cycles"));
  EXPECT_THAT(message(good, -1), HasSubstr("lead_m"));
  bad = good;
  for (auto& s : bad) s.approach = Approach::rising;
  EXPECT_THAT(message(bad), HasSubstr("one side only"));
  bad = good;
  for (auto& s : bad) s.counted_m = -s.counted_m;
  EXPECT_THAT(message(bad), HasSubstr("does not count upwards"));
  bad = good;
  for (auto& s : bad) s.reading_m = -s.counted_m;  // the reference counts the other way: that cannot be undone
  EXPECT_THAT(message(bad), HasSubstr("no axis that moves forward does that"));
  bad = series({}, random, 0, 0);
  EXPECT_THAT(message(bad), HasSubstr("no measurement is that good"));
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
