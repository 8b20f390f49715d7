// Homing by the whole rig on the simulated benches, judged by where the stage really is.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/short_run.hpp"
#include "apps/stop_request.hpp"
#include "daq/strict_toml.hpp"
#include "rig/homing.hpp"
#include "sim/world.hpp"

namespace strigil::apps {
namespace {

constexpr std::array kEveryAxis{true, true, true};

struct Homed {
  std::string refused;  ///< by bring_up
  rig::HomingOutcome outcome = rig::HomingOutcome::kUnderWay;
  rig::Axis axis = rig::kZ;
  std::uint32_t faults = 0;
  rig::Position truth_m{};  ///< where the stage stands at the end
  rig::Position found_m{};  ///< where it says it does
  double peak_force_N = 0;  ///< that the phantom felt
  double dragged_m = 0;     ///< way along x and y while it was touched
  double after_trip_s = 0;  ///< from the trip to rest
  std::string trouble;      ///< what the stage says then
};

/// `extra` is TOML behind the bench's.
rig::BenchConfig bench_of(const std::string& name, const std::string& extra, bool known = false) {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/" + name).value();
  const auto at = text.find("keeps_position = true");
  if (at != std::string::npos) text.replace(at, 21, "keeps_position = false");
  const auto twin = text.find("[twin.stage]\n");
  const std::string place =
      fmt::format("start_known = {}\nstart_x_mm = 120\nstart_y_mm = 40\nstart_z_mm = -22\n", known);
  if (twin == std::string::npos) {
    text += "\n[twin.stage]\n" + place;
  } else {
    text.insert(twin + 13, place);
  }
  text += extra;
  return rig::parse_bench(text, name).value();
}

Homed home(const rig::BenchConfig& bench, const std::array<bool, rig::kAxes>& axes = kEveryAxis,
           const std::function<void(rig::Rig&, double now_s)>& meddle = {}) {
  Homed homed;
  rig::Position last_m{};
  double speed_m_s = 0;
  const WorldWatch watch = [&](const sim::World& world, daq::HostTime) {
    const auto& p = world.plant();
    if (p.force_N[2] > 0.05 && homed.truth_m != rig::Position{}) {
      homed.dragged_m += std::hypot(p.position_m[0] - last_m[0], p.position_m[1] - last_m[1]);
    }
    last_m = homed.truth_m = p.position_m;
    speed_m_s = std::hypot(p.velocity_m_s[0], p.velocity_m_s[1], p.velocity_m_s[2]);
    homed.peak_force_N = std::max(homed.peak_force_N, p.force_N[2]);
    return daq::Duration{};
  };
  auto run =
      ShortRun::bring_up({.bench = bench, .purpose = rig::RigPurpose::kHome, .virtual_time = true, .world = watch});
  if (!run) {
    homed.refused = run.error().message;
    return homed;
  }
  auto& rig = (*run)->rig();
  rig::Homing homing(rig.ability(), axes, std::chrono::seconds(60));
  std::optional<daq::HostTime> tripped;
  (*run)->perform(homing, [&](const rig::RigState& state, daq::HostTime now) {
    if (meddle) meddle(rig, daq::seconds(now - daq::HostTime{}));
    if (!tripped && state.readings.latched_faults != 0 && homing.outcome() == rig::HomingOutcome::kInterlock)
      tripped = now;
    if (tripped && speed_m_s > 1e-4) homed.after_trip_s = daq::seconds(now - *tripped);
  });
  homed.outcome = homing.outcome();
  homed.axis = homing.axis();
  homed.faults = rig.interlock().latched();
  homed.found_m = homing.found_m();
  homed.trouble = rig.stage_trouble();
  return homed;
}

class Homing : public testing::TestWithParam<const char*> {};

TEST_P(Homing, AStageThatKnowsNothingOfItsPlaceFindsItsReferences) {
  const auto homed = home(bench_of(GetParam(), ""));
  ASSERT_EQ(homed.refused, "");
  EXPECT_EQ(homed.outcome, rig::HomingOutcome::kDone) << rig::name_of(homed.outcome) << " at axis " << homed.axis;
  EXPECT_EQ(homed.faults, 0U);
  EXPECT_EQ(homed.trouble, "");
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    EXPECT_NEAR(homed.truth_m[a], 0, 20e-6) << a;
    EXPECT_NEAR(homed.found_m[a], homed.truth_m[a], 20e-6) << a;
  }
  EXPECT_LT(homed.dragged_m, 1e-4) << "it stood pressed upon the phantom, and z goes first";
}

TEST_P(Homing, ARunIsRefusedUntilThen) {
  ShortRunOptions o;
  o.bench = bench_of(GetParam(), "");
  o.virtual_time = true;
  const auto run = ShortRun::bring_up(o);
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.error().message, testing::HasSubstr("strigil home"));
  EXPECT_THAT(run.error().message, testing::HasSubstr("Nothing was moved"));
}

TEST_P(Homing, AForceBeyondTheLimitEndsTheSearch) {
  const auto homed = home(bench_of(GetParam(), R"(
[[twin.faults]]
kind = "bias_force"
force_N = 40
after = "host"
at_s = 2.5
)"));
  ASSERT_EQ(homed.refused, "");
  EXPECT_EQ(homed.outcome, rig::HomingOutcome::kInterlock) << rig::name_of(homed.outcome);
  EXPECT_NE(homed.faults & rig::kForceLimit, 0U) << rig::fault_names(homed.faults);
  EXPECT_LT(homed.after_trip_s, 0.2);
  EXPECT_NE(homed.trouble, "") << "it still does not know where it stands";
}

TEST_P(Homing, AStageThatIsStuckHasNoReference) {
  const auto homed = home(bench_of(GetParam(), R"(
[[twin.faults]]
kind = "stall_stage"
after = "host"
at_s = 2.0
)"));
  ASSERT_EQ(homed.refused, "");
  EXPECT_TRUE(homed.outcome == rig::HomingOutcome::kRefused || homed.outcome == rig::HomingOutcome::kTimeout)
      << rig::name_of(homed.outcome);
  EXPECT_NE(homed.trouble, "");
}

TEST_P(Homing, AnEmergencyStopEndsIt) {
  const auto homed = home(bench_of(GetParam(), ""), kEveryAxis, [](rig::Rig& rig, double now_s) {
    if (now_s > 2.5) rig.supervisor().emergency_stop();
  });
  ASSERT_EQ(homed.refused, "");
  EXPECT_NE(homed.outcome, rig::HomingOutcome::kDone);
  EXPECT_NE(homed.trouble, "");
}

TEST_P(Homing, OneThatIsInAlarmIsFreed) {
  const auto homed = home(bench_of(GetParam(), R"(
[[twin.faults]]
kind = "stage_alarm"
after = "host"
at_s = 0.0
)",
                                   true));
  ASSERT_EQ(homed.refused, "");
  EXPECT_EQ(homed.outcome, rig::HomingOutcome::kDone) << rig::name_of(homed.outcome);
  EXPECT_NEAR(homed.truth_m[rig::kX], 0, 20e-6);
}

INSTANTIATE_TEST_SUITE_P(EveryStage, Homing, testing::Values("sim.toml", "sim_tmcl.toml", "sim_zaber.toml"),
                         [](const auto& test) {
                           const std::string name = test.param;
                           return name.substr(0, name.find('.'));
                         });

TEST(HomingOfSomeAxes, LeavesTheOthersWhereTheyAre) {
  const auto homed = home(bench_of("sim_tmcl.toml", "", true), {false, false, true});
  EXPECT_EQ(homed.outcome, rig::HomingOutcome::kDone);
  EXPECT_NEAR(homed.truth_m[rig::kX], 0.12, 1e-6);
  EXPECT_NEAR(homed.truth_m[rig::kZ], 0, 20e-6);
}

}  // namespace
}  // namespace strigil::apps
