// The stage's error map as the rig applies it: undone exactly, followed through the play, and put before the interlock.
#include "rig/stage_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

#include "calibration/stage_record.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::rig {
namespace {

using calibration::Approach;
using calibration::PitchNode;
using ::testing::HasSubstr;

static_assert(std::is_trivially_copyable_v<AxisMap>, "fit for the tick");
static_assert(noexcept(std::declval<StageCorrection&>().apply(std::declval<const StageMap&>(), {}, {}, {}, false)));
static_assert(noexcept(std::declval<StageFollower&>().follow(std::declval<const StageMap&>(), {})));

BenchConfig bench() {
  BenchConfig b;
  b.stage.travel_max_m = {0.2, 0.1, 0};
  b.stage.travel_min_m = {0, 0, -0.08};
  return b;
}

calibration::Record record_of(const std::string& axis, const std::vector<PitchNode>& nodes) {
  calibration::Record r;
  r.id = "ST-1";
  r.quantities = {{"position", axis, "m", {nodes.front().command_m, nodes.back().command_m}, {}}};
  r.fit.kind = calibration::FitKind::kTable;
  calibration::DataTable t{
      "error_map_" + axis, {"command", "rising", "falling", "expanded_uncertainty"}, {"m", "m", "m", "m"}, {}};
  for (const auto& n : nodes) t.rows.push_back({n.command_m, n.rising_m, n.falling_m, 1e-6});
  r.tables = {t};
  return r;
}

std::vector<PitchNode> random_nodes(calibration::Random& random, double backlash_m) {
  std::vector<PitchNode> nodes;
  for (double at = 0.01; at < 0.19; at += 0.002 + 0.01 * random.uniform()) {
    const double d = 40e-6 * (random.uniform() - 0.5);
    nodes.push_back({at, d - backlash_m / 2, d + backlash_m / 2});
  }
  return nodes;
}

/// A stage as the map has it: a play that the nut goes through.
struct Play {
  double counted_m = 0.1;
  double true_m = 0.1;
  void go(const AxisMap& map, double to_m) {
    const double steps = std::ceil(std::abs(to_m - counted_m) / 50e-6);
    const double from_m = counted_m;
    for (double i = 1; i <= steps; ++i) {
      counted_m = from_m + (to_m - from_m) * i / steps;
      true_m =
          std::clamp(true_m, map.position(counted_m, Approach::rising), map.position(counted_m, Approach::falling));
    }
  }
};

TEST(StageMap, AMoveArrivesWhereItWasWishedFromEitherSideAndIsReadBackThere) {
  calibration::Random random(61);
  for (int i = 0; i < 40; ++i) {
    const double backlash_m = 30e-6 * random.uniform();
    const auto map = StageMap::make(record_of("x", random_nodes(random, backlash_m)), bench());
    ASSERT_TRUE(map.ok()) << map.error().message;
    StageFollower follower;
    StageCorrection correction;
    Play stage;
    stage.true_m = map->axis(kX).position(0.1, Approach::rising);
    Readings r;
    const auto see = [&] {
      r.position_m = follower.follow(*map, {stage.counted_m, 0, 0});
      r.correction_m = {r.position_m[kX] - stage.counted_m, 0, 0};
    };
    see();
    for (std::uint32_t move = 1; move <= 30; ++move) {
      // Also targets nearer than the backlash, and beyond the table.
      const double to_m = move % 3 == 0 ? r.position_m[kX] + 40e-6 * (random.uniform() - 0.5) : 0.2 * random.uniform();
      const auto wire = correction.apply(
          *map, {.kind = DemandKind::kMove, .move_id = move, .target_m = {to_m, 0, 0}, .speed_m_s = 0.01}, r, {},
          false);
      ASSERT_GE(wire.target_m[kX], 0);
      ASSERT_LE(wire.target_m[kX], 0.2);
      const double from_m = stage.counted_m;
      for (int part = 1; part <= 20; ++part) {
        stage.go(map->axis(kX), from_m + (wire.target_m[kX] - from_m) * part / 20);
        see();
        const auto same = correction.apply(
            *map, {.kind = DemandKind::kMove, .move_id = move, .target_m = {to_m, 0, 0}, .speed_m_s = 0.01}, r, {},
            false);
        ASSERT_EQ(same.target_m, wire.target_m) << "one aim for one move";
      }
      if (move == 1) continue;  // where in its play it stood nobody knew
      ASSERT_NEAR(r.position_m[kX], stage.true_m, 1e-12) << "move " << move;
      if (wire.target_m[kX] > 0 && wire.target_m[kX] < 0.2) {
        ASSERT_NEAR(stage.true_m, to_m, 1e-9) << "move " << move;
      }
    }
  }
}

TEST(StageMap, AVelocityThereAndBackEndsWhereItBegan) {
  calibration::Random random(62);
  for (int i = 0; i < 20; ++i) {
    const double backlash_m = 5e-6 + 30e-6 * random.uniform();
    const auto map = StageMap::make(record_of("x", random_nodes(random, backlash_m)), bench());
    ASSERT_TRUE(map.ok());
    const auto& axis = map->axis(kX);
    StageFollower follower;
    StageCorrection correction;
    Play stage;
    stage.true_m = axis.position(0.1, Approach::rising);
    Readings r;
    (void)follower.follow(*map, {0.0999, 0, 0});
    daq::HostTime now{1};
    const auto drive = [&](double v_m_s, int ticks) {
      for (int t = 0; t < ticks; ++t) {
        r.position_m = follower.follow(*map, {stage.counted_m, 0, 0});
        r.correction_m = {r.position_m[kX] - stage.counted_m, 0, 0};
        const auto wire =
            correction.apply(*map, {.kind = DemandKind::kVelocity, .velocity_m_s = {v_m_s, 0, 0}}, r, now, false);
        ASSERT_LE(std::abs(wire.velocity_m_s[kX]), 2.1 * std::abs(v_m_s)) << "no faster than twice";
        stage.go(axis, stage.counted_m + wire.velocity_m_s[kX] * 1e-3);
        now = now + std::chrono::milliseconds(1);
      }
    };
    drive(0.01, 1000);
    const double began_m = stage.true_m;
    drive(0.02, 500);
    EXPECT_NEAR(stage.true_m - began_m, 10e-3, 0.3e-6);
    drive(-0.02, 500);
    EXPECT_NEAR(stage.true_m, began_m, 0.5e-6) << "a backlash of " << backlash_m << " was gone through";
    drive(0.005, 1000);
    EXPECT_NEAR(stage.true_m - began_m, 5e-3, 0.5e-6);
  }
}

TEST(StageMap, UnderAHeldForceZHasItsSlopeAlone) {
  const auto map = StageMap::make(record_of("z", {{-0.08, 0, 50e-6}, {0, 100e-6, 150e-6}}), bench());
  ASSERT_TRUE(map.ok()) << map.error().message;
  Readings r;
  r.position_m[kZ] = -0.04;
  const Demand down{.kind = DemandKind::kVelocity, .velocity_m_s = {0.01, 0, -0.01}};
  for (const bool pressed : {true, false}) {
    StageCorrection correction;
    (void)correction.apply(*map, {.kind = DemandKind::kVelocity, .velocity_m_s = {0, 0, 0.01}}, r, daq::HostTime{1},
                           pressed);
    const auto wire = correction.apply(*map, down, r, daq::HostTime{1'000'001}, pressed);
    EXPECT_EQ(wire.velocity_m_s[kX], 0.01) << "an axis without a map is left alone";
    if (pressed) {
      EXPECT_NEAR(wire.velocity_m_s[kZ], -0.01 / (1 + 100e-6 / 0.08), 1e-9);
    } else {
      EXPECT_LT(wire.velocity_m_s[kZ], -0.011);
    }
  }
}

TEST(StageMap, WhatHasNoPlaceAndNoVelocityPassesAsItIs) {
  const auto map = StageMap::make(record_of("x", {{0, 10e-6, 20e-6}, {0.2, 10e-6, 20e-6}}), bench());
  ASSERT_TRUE(map.ok());
  StageCorrection correction;
  for (const auto kind : {DemandKind::kHold, DemandKind::kStop, DemandKind::kRetract, DemandKind::kHome}) {
    const auto wire = correction.apply(*map, {.kind = kind, .target_m = {0.1, 0, 0}}, {}, {}, false);
    EXPECT_EQ(wire.target_m[kX], 0.1);
  }
  const auto nan =
      correction.apply(*map, {.kind = DemandKind::kVelocity, .velocity_m_s = {std::nan(""), 0, 0}}, {}, {}, false);
  EXPECT_TRUE(std::isnan(nan.velocity_m_s[kX])) << "for the interlock to refuse";
  const auto beyond = correction.apply(
      *map, {.kind = DemandKind::kMove, .move_id = 7, .target_m = {0.3, 0, 0}, .speed_m_s = 1}, {}, {}, false);
  EXPECT_GT(beyond.target_m[kX], 0.25) << "for the interlock to refuse";
}

// At power-on nobody knows where in its play an axis stands; one that is to stay is not moved, least of all out of the
// travel.
TEST(StageMap, AnAxisAtTheEndOfItsTravelMayStayThereAndComeBack) {
  for (const double backlash_m : {-10e-6, 12e-6}) {
    const auto map = StageMap::make(
        record_of("z", {{-0.07, 30e-6, 30e-6 + backlash_m}, {-0.003, -50e-6, -50e-6 + backlash_m}}), bench());
    ASSERT_TRUE(map.ok()) << map.error().message;
    for (const double counted_m : {0.0, -0.08}) {
      StageFollower follower;
      StageCorrection correction;
      Readings r;
      r.position_m = follower.follow(*map, {0.05, 0, counted_m});
      r.correction_m = {0, 0, r.position_m[kZ] - counted_m};
      const Demand stay{.kind = DemandKind::kMove, .move_id = 1, .target_m = r.position_m, .speed_m_s = 0.01};
      EXPECT_NEAR(correction.apply(*map, stay, r, {}, false).target_m[kZ], counted_m, 1e-15);
      for (std::uint32_t move = 2; move < 20; ++move) {
        const double at_m = counted_m + (move - 11.0) * 1e-6;
        if (at_m > 0 || at_m < -0.08) continue;
        const Demand to{.kind = DemandKind::kMove, .move_id = move, .target_m = {0.05, 0, at_m}, .speed_m_s = 0.01};
        const double z_m = correction.apply(*map, to, r, {}, false).target_m[kZ];
        EXPECT_LE(z_m, 0) << at_m;
        EXPECT_GE(z_m, -0.08) << at_m;
      }
    }
  }
}

TEST(StageMap, RecordsThatMakeNoMapAreRefusedInWords) {
  const auto message = [](const calibration::Record& r) {
    const auto map = StageMap::make(r, bench());
    return map ? std::string("accepted") : map.error().message;
  };
  EXPECT_EQ(message(record_of("y", {{0, 0, 0}, {0.1, 1e-6, 2e-6}})), "accepted");
  EXPECT_THAT(message(record_of("Fz", {{0, 0, 0}, {0.1, 0, 0}})), HasSubstr("no error map of an axis"));
  EXPECT_THAT(message(record_of("x", {{0, 0, 0}, {1e-4, -2e-4, 0}})),
              HasSubstr("no axis that moves forward does that"));
  EXPECT_THAT(message(record_of("x", {{0, 0, 0}, {0.1, 0.9e-3, 0}})), HasSubstr("travel_margin_mm"));
  EXPECT_THAT(message(record_of("x", {{0.1, 0, 0}, {0.05, 0, 0}})), HasSubstr("not beyond the node before it"));
  auto r = record_of("x", {{0, 0, 0}, {0.1, 0, 0}});
  r.fit.kind = calibration::FitKind::kConstants;
  EXPECT_THAT(message(r), HasSubstr("its fit is a constants"));
  r = record_of("x", {{0, 0, 0}, {0.1, 0, 0}});
  r.tables[0].name = "other";
  EXPECT_THAT(message(r), HasSubstr("no table 'error_map_x'"));
  r = record_of("x", {{0, 0, 0}, {0.1, 0, 0}});
  r.tables[0].units[1] = "mm";
  EXPECT_THAT(message(r), HasSubstr("in m"));
  r = record_of("x", {{0, 0, 0}, {0.1, 0, 0}});
  r.tables[0].rows[1].resize(2);
  EXPECT_THAT(message(r), HasSubstr("too short"));
}

}  // namespace
}  // namespace strigil::rig
