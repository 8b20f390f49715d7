// Stop tests by the whole rig on the simulated benches, judged by what the stage and the hard stop really did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/stop_test_command.hpp"
#include "daq/strict_toml.hpp"
#include "sim/world.hpp"

namespace strigil::apps {
namespace {

using rig::StopTestFigures;
using rig::StopTestKind;
using testing::HasSubstr;
using testing::IsEmpty;

struct Truth {
  double peak_N = 0;      ///< on the hard stop
  double deepest_m = 0;   ///< z
  double farthest_m = 0;  ///< x
  double over_z_m = 0;    ///< z when the sensor's force came beyond trip_N
};

/// The bench file; its stage's link with another delay, if one is given.
rig::BenchConfig bench_of(const std::string& name, const std::string& link_delay_ms = "") {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/" + name).value();
  const std::string line = "link_delay_ms = " + link_delay_ms + "\n";
  if (link_delay_ms.empty()) return rig::parse_bench(text, name).value();
  const auto at = text.find("\nlink_delay_ms");
  if (at == std::string::npos) {
    text += "\n[twin.stage]\n" + line;
  } else {
    text.replace(at + 1, text.find('\n', at + 1) - at, line);
  }
  return rig::parse_bench(text, name).value();
}

daq::Result<StopTestFigures> measure(StopTestKind kind, const rig::BenchConfig& bench, Truth& truth) {
  // The sensor's bias is part of what it trips at.
  const double touched_N = bench.stop_test->trip_N - 1.5;
  const WorldWatch watch = [&](const sim::World& world, daq::HostTime) {
    const auto& p = world.plant();
    if (truth.over_z_m == 0 && p.force_N[2] > touched_N) truth.over_z_m = p.position_m[rig::kZ];
    truth.peak_N = std::max(truth.peak_N, p.force_N[2]);
    truth.deepest_m = std::min(truth.deepest_m, p.position_m[rig::kZ]);
    truth.farthest_m = std::max(truth.farthest_m, p.position_m[rig::kX]);
    return daq::Duration{};
  };
  auto run = ShortRun::bring_up({.bench = bench_for(kind, bench), .virtual_time = true, .world = watch});
  if (!run) return run.error();
  return measure_stop(kind, **run);
}

class StopTestTest : public testing::TestWithParam<const char*> {};

TEST_P(StopTestTest, SaysWhatTheHardStopFelt) {
  const auto bench = bench_of(GetParam());
  Truth truth;
  const auto figures = measure(StopTestKind::kForceTrip, bench, truth);
  ASSERT_TRUE(figures.ok()) << figures.error().message;
  EXPECT_NEAR(figures->peak_N, truth.peak_N + 1.5, 0.1);
  const double report_m = bench.stop_test->speed_m_s / bench.stage.status_rate_Hz;
  EXPECT_NEAR(figures->travel_m, truth.over_z_m - truth.deepest_m, 2 * report_m + 10e-6);
  EXPECT_LT(figures->noticed_s, 3e-3);
  EXPECT_GT(figures->released_s, figures->stopped_s);
  EXPECT_THAT(judge_stops({*figures, {.kind = StopTestKind::kAbort}}, bench, {}), IsEmpty());
}

TEST_P(StopTestTest, SaysHowFarAnAbortWentOn) {
  const auto bench = bench_of(GetParam());
  Truth truth;
  const auto figures = measure(StopTestKind::kAbort, bench, truth);
  ASSERT_TRUE(figures.ok()) << figures.error().message;
  // Asked for when readback passes the middle, which is as old as its reports are.
  const double asked_m = (bench.stage.travel_min_m[rig::kX] + bench.stage.travel_max_m[rig::kX]) / 2;
  const double speed = bench.stop_test->abort_speed_m_s;
  EXPECT_GT(figures->travel_m, speed * speed / 2 / bench.stage.acceleration_m_s2 * 0.5);
  EXPECT_LE(figures->travel_m, truth.farthest_m - asked_m + 1e-4);
  EXPECT_LT(figures->stopped_s, 0.2);
}

TEST_P(StopTestTest, ASlowerLineIsSeenAsWorse) {
  const auto bench = bench_of(GetParam());
  // As slow as the stage's session still bears: one request at a time.
  const std::string name = GetParam();
  const auto slower = bench_of(name, name == "sim_tmcl.toml" ? "3" : name == "sim_zaber.toml" ? "5" : "8");
  rig::StopTestRecord good;
  good.setup = rig::stop_test_setup(bench);
  std::vector<StopTestFigures> now;
  for (const auto kind : {StopTestKind::kForceTrip, StopTestKind::kAbort}) {
    Truth truth;
    const auto before = measure(kind, bench, truth);
    ASSERT_TRUE(before.ok()) << before.error().message;
    good.stops.push_back(*before);
    const auto after = measure(kind, slower, truth);
    ASSERT_TRUE(after.ok()) << after.error().message;
    now.push_back(*after);
  }

  EXPECT_GT(now[1].travel_m, good.stops[1].travel_m + 0.5e-3);
  if (name == "sim_tmcl.toml") {  // the others were slow before
    EXPECT_THAT(judge_stops(now, bench, {good}), testing::Contains(HasSubstr("worsened")));
  }
}

TEST_P(StopTestTest, WithoutAHardStopItIsNoTest) {
  auto text = daq::read_text_file(std::string(STRIGIL_SOURCE_DIR "/rig/benches/") + GetParam()).value();
  const auto anvil = text.find("[twin.anvil]");
  text.erase(anvil, text.find("[twin", anvil + 1) - anvil);
  text.replace(text.find("[taps]\nx_mm = 185"), 17, "[taps]\nx_mm = 195");
  const auto phantom = text.find("[twin.phantom]\n");
  ASSERT_NE(phantom, std::string::npos);
  text.insert(phantom + 15, "absent_from_x_mm = 170\n");
  Truth truth;
  const auto figures = measure(StopTestKind::kForceTrip, rig::parse_bench(text, GetParam()).value(), truth);
  ASSERT_FALSE(figures.ok());
  EXPECT_THAT(figures.error().message, HasSubstr("nobody stopped the stage"));
}

INSTANTIATE_TEST_SUITE_P(EveryStage, StopTestTest, testing::Values("sim.toml", "sim_tmcl.toml", "sim_zaber.toml"),
                         [](const auto& test) {
                           const std::string name = test.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace strigil::apps
