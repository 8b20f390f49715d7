// The table [twin] of a bench file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daq/strict_toml.hpp"
#include "rig/bench.hpp"
#include "sim/bench_sim_config.hpp"

namespace strigil::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string shipped_bench() {
  auto text = daq::read_text_file(std::string(STRIGIL_SOURCE_DIR) + "/rig/benches/sim.toml");
  EXPECT_TRUE(text) << text.error().message;
  return *text;
}

std::string refusal(const std::string& text) {
  auto config = parse_sim_config(text, "b.toml");
  return config.ok() ? "accepted" : config.error().message;
}

TEST(SimConfig, ShippedBenchGivesTheTwinsItsOwnTravelRatesAndScales) {
  const auto text = shipped_bench();
  auto config = parse_sim_config(text, "sim.toml");
  ASSERT_TRUE(config) << config.error().message;
  auto bench = rig::parse_bench(text, "sim.toml");
  ASSERT_TRUE(bench) << bench.error().message;
  EXPECT_EQ(config->stage.travel_min_m, bench->stage.travel_min_m);
  EXPECT_EQ(config->stage.travel_max_m, bench->stage.travel_max_m);
  EXPECT_EQ(config->force.rate_Hz, bench->force.rate_Hz);
  EXPECT_EQ(config->force.counts_per_N, bench->force.counts_per_N);
  EXPECT_LT(config->phantom.surface_z_m, bench->stage.clear_z_m);  // it can be left
  EXPECT_GT(config->phantom.surface_z_m, bench->stage.travel_min_m[rig::kZ]);
}

TEST(SimConfig, ReadsEveryTableInItsUnits) {
  auto config = parse_sim_config(R"(
[twin]
seed = 42
plant_rate_Hz = 25600
[twin.phantom]
stiffness_N_mm = 1.5
damping_N_s_m = 7
surface_z_mm = -30
slope_deg = 45
friction = 0.2
absent_from_x_mm = 80
inclusions = [{x_mm = 50, half_width_mm = 4, contrast = 20}]
[twin.mount]
lever_mm = 50
[twin.stage]
start_z_mm = -5
acceleration_mm_s2 = 2000
[twin.force]
rate_Hz = 7000
noise_N = 0.05
bias_N = [1, 2, 3]
link_delay_ms = 0.5
[twin.vibration]
rate_Hz = 12800
clock_error_ppm = -50
[[twin.faults]]
kind = "freeze_force"
at_s = 3.5
[[twin.faults]]
kind = "drop_force"
at_s = 0.25
after = "contact"
count = 12
)",
                                 "b.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->seed, 42U);
  EXPECT_EQ(config->plant_rate_Hz, 25600);
  EXPECT_DOUBLE_EQ(config->phantom.stiffness_N_m, 1500);
  EXPECT_DOUBLE_EQ(config->phantom.damping_N_s_m, 7);
  EXPECT_DOUBLE_EQ(config->phantom.surface_z_m, -30e-3);
  EXPECT_NEAR(config->phantom.slope, 1, 1e-12);
  EXPECT_DOUBLE_EQ(config->phantom.friction, 0.2);
  EXPECT_DOUBLE_EQ(config->phantom.absent_from_x_m.value(), 80e-3);
  ASSERT_EQ(config->phantom.inclusions.size(), 1U);
  EXPECT_DOUBLE_EQ(config->phantom.inclusions[0].x_m, 50e-3);
  EXPECT_DOUBLE_EQ(config->phantom.inclusions[0].half_width_m, 4e-3);
  EXPECT_DOUBLE_EQ(config->phantom.inclusions[0].contrast, 20);
  EXPECT_DOUBLE_EQ(config->mount.lever_m, 50e-3);
  EXPECT_DOUBLE_EQ(config->stage.start_m[rig::kZ], -5e-3);
  EXPECT_DOUBLE_EQ(config->stage.acceleration_m_s2, 2);
  EXPECT_EQ(config->force.rate_Hz, 7000);
  EXPECT_DOUBLE_EQ(config->force.noise_N, 0.05);
  EXPECT_EQ(config->force.bias_N, (std::array<double, 3>{1, 2, 3}));
  EXPECT_EQ(config->force.link_delay.count(), 500'000);
  EXPECT_DOUBLE_EQ(config->vibration.clock_error_ppm, -50);
  ASSERT_EQ(config->faults.size(), 2U);
  EXPECT_EQ(config->faults[0].kind, FaultKind::kFreezeForce);
  EXPECT_EQ(config->faults[0].after, FaultOrigin::kHost);
  EXPECT_EQ(config->faults[0].at.count(), 3'500'000'000);
  EXPECT_EQ(config->faults[1].kind, FaultKind::kDropForce);
  EXPECT_EQ(config->faults[1].after, FaultOrigin::kContact);
  EXPECT_EQ(config->faults[1].count, 12U);
}

TEST(SimConfig, TheRigPassesTheTwinTableOver) {
  const auto text = shipped_bench() + "\npresent = false\n";  // its last table is [twin.phantom]
  EXPECT_TRUE(rig::parse_bench(text, "b.toml").ok());
  auto config = parse_sim_config(text, "b.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->phantom.present);
}

TEST(SimConfig, RefusesWithLineAndColumn) {
  EXPECT_THAT(refusal("[twin.phantom]\nstiffnes_N_mm = 1\n"), StartsWith("b.toml:2:1: unknown key"));
  EXPECT_THAT(refusal("[twin.phantom]\nstiffness_N_m = 1\n"), HasSubstr("did you mean 'stiffness_N_mm'"));
  EXPECT_THAT(refusal("[twin.phantom]\nfriction = 4\n"), HasSubstr("between 0 and 3"));
  EXPECT_THAT(refusal("[twin]\nplant_rate_Hz = 2000\n[twin.vibration]\nrate_Hz = 6400\n"), StartsWith("b.toml:4:"));
  EXPECT_THAT(refusal("[twin]\nseed = -1\n"), StartsWith("b.toml:2:"));
  EXPECT_THAT(refusal("[twin.force]\nbias_N = [1, 2]\n"), HasSubstr("[x, y, z]"));
  EXPECT_THAT(refusal("[twin.stage]\nstart_z_mm = -500\n"), HasSubstr("outside the stage's travel"));
  EXPECT_THAT(refusal("[twin.instrument]\nx = 1\n"), HasSubstr("unknown key 'twin.instrument'"));
  EXPECT_THAT(refusal("[twins]\nseed = 1\n"), HasSubstr("unknown key 'twins'"));
  EXPECT_THAT(refusal("[twin\n"), StartsWith("b.toml:1:"));
}

TEST(SimConfig, RefusesFaultsItCannotMake) {
  EXPECT_THAT(refusal("[twin]\nfaults = [{kind = \"melt\", at_s = 1}]\n"), HasSubstr("\"silence_stage\""));
  EXPECT_THAT(refusal("[twin]\nfaults = [{kind = \"freeze_force\"}]\n"), HasSubstr("at_s' is required"));
  EXPECT_THAT(refusal("[twin]\nfaults = [{kind = \"freeze_force\", at_s = 1, count = 2}]\n"),
              HasSubstr("faults that drop or damage"));
  EXPECT_THAT(refusal("[twin]\nfaults = [{kind = \"freeze_force\", at_s = 1, after = \"lunch\"}]\n"),
              HasSubstr("\"contact\""));
}

}  // namespace
}  // namespace strigil::sim
