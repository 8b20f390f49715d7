// What a bench file says of the twins' defects.
#include "sim/defect_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sim/bench_sim_config.hpp"

namespace strigil::sim {
namespace {

using ::testing::HasSubstr;

SimConfig accepted(const std::string& text) {
  auto config = parse_sim_config(text, "b.toml");
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : SimConfig{};
}

std::string refusal(const std::string& text) {
  auto config = parse_sim_config(text, "b.toml");
  return config.ok() ? "accepted" : config.error().message;
}

bool any_defect(const SimConfig& c) {
  bool any = c.force.electronics.any() || c.vibration.electronics.any() || c.temperature != TemperatureCourse{};
  for (const auto& a : c.stage.mechanics) any = any || a.any();
  return any;
}

TEST(DefectConfig, OnlyTheRealBenchAndTheOneToBeCalibratedHaveDefects) {
  EXPECT_FALSE(any_defect(accepted("")));
  std::size_t benches = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(STRIGIL_SOURCE_DIR) + "/rig/benches")) {
    const auto text = daq::read_text_file(entry.path().string());
    ASSERT_TRUE(text);
    const auto config = parse_sim_config(*text, entry.path().string());
    ASSERT_TRUE(config) << config.error().message;
    const bool hidden = entry.path().stem() == "sim_real" || entry.path().stem() == "sim_shaker";
    EXPECT_EQ(any_defect(*config), hidden) << entry.path();
    ++benches;
  }
  EXPECT_GE(benches, 4U);
}

TEST(DefectConfig, ReadsTheForceSensorsInItsUnits) {
  const auto c = accepted(R"(
[twin.force]
full_scale_N = [80, 80, 240]
full_scale_N_m = 4
hysteresis_percent = 0.1
nonlinearity_percent = -0.05
creep_percent = [0.06, 0.04]
creep_s = [10, 200]
gain_error_percent = [1, 2, 3, 4, 5, 6]
sensitivity_percent_K = -0.02
bandwidth_Hz = 350
bandwidth_poles = 4
delay_ms = 0.4
noise_density_mN_rtHz = 0.5
noise_density_mN_m_rtHz = [0.01, 0.02, 0.03]
drift_mN_rts = 2
zero_mN_K = [8, -5, 20]
resolution_mN_m = 0.5
cable_x_N_m = [-1, 0, 0.5]
cable_rest_mm = [100, 0, -30]
saturates = true
[twin.force.crosstalk_percent]
Ty = [1, 0, 0, 0, 0, 0]
)");
  const auto& f = c.force.electronics;
  EXPECT_EQ(f.full_scale, (Wrench{80, 80, 240, 4, 4, 4}));
  EXPECT_DOUBLE_EQ(f.hysteresis, 0.001);
  EXPECT_DOUBLE_EQ(f.nonlinearity, -0.0005);
  EXPECT_DOUBLE_EQ(f.creep[1], 0.0004);
  EXPECT_DOUBLE_EQ(f.creep_s[1], 200);
  EXPECT_DOUBLE_EQ(f.analog.gain_error[4], 0.05);
  EXPECT_DOUBLE_EQ(f.analog.sensitivity_per_K, -0.0002);
  EXPECT_EQ(f.analog.corner_Hz, 350);
  EXPECT_EQ(f.analog.poles, 4);
  EXPECT_DOUBLE_EQ(f.analog.delay_s, 0.4e-3);
  EXPECT_DOUBLE_EQ(f.analog.noise_density[1], 0.5e-3);
  EXPECT_DOUBLE_EQ(f.analog.noise_density[5], 0.03e-3);
  EXPECT_DOUBLE_EQ(f.analog.drift[2], 2e-3);
  EXPECT_DOUBLE_EQ(f.analog.zero_per_K[2], 20e-3);
  EXPECT_DOUBLE_EQ(f.analog.resolution[4], 0.5e-3);
  EXPECT_EQ(f.analog.resolution[0], 0);
  EXPECT_DOUBLE_EQ(f.cable_N_m[rig::kX][2], 0.5);
  EXPECT_DOUBLE_EQ(f.cable_rest_m[rig::kZ], -0.03);
  EXPECT_EQ(f.analog.range, f.full_scale);
  EXPECT_DOUBLE_EQ(f.analog.crosstalk[4][0], 0.01 * 4 / 80) << "1 % of its 4 N m at the 80 N of Fx";
}

TEST(DefectConfig, ReadsAccelerometerStageAndTemperature) {
  const auto c = accepted(R"(
[twin.vibration]
noise_density_m_s2_rtHz = 0.003
bias_m_s2 = [0.4, 0, 0]
mounting_resonance_Hz = 3000
anti_alias_Hz = 2200
range_m_s2 = 157
[twin.vibration.cross_axis_percent]
z = [2, 0, 0]
[twin.stage.mechanics]
backlash_um = [12, 0, 6]
scale_error_ppm = 100
periodic_error_um = 5
lead_mm = 10
ripple_um = 0.5
full_step_um = 50
resonance_Hz = [200, 200, 400]
rumble_m_s2_rtHz = 0.01
pull_out_N = 200
[twin.temperature]
start_K = -3
swing_K = 1
)");
  const auto& v = c.vibration.electronics;
  EXPECT_EQ(v.analog.poles, 4);
  EXPECT_EQ(v.analog.noise_density[2], 0.003);
  EXPECT_EQ(v.analog.zero[0], 0.4);
  EXPECT_EQ(v.mounting_Hz, 3000);
  EXPECT_EQ(v.analog.range[1], 157);
  EXPECT_DOUBLE_EQ(v.analog.crosstalk[2][0], 0.02);
  const auto& m = c.stage.mechanics;
  EXPECT_DOUBLE_EQ(m[0].backlash_m, 12e-6);
  EXPECT_EQ(m[1].backlash_m, 0);
  EXPECT_DOUBLE_EQ(m[1].scale_error, 1e-4);
  EXPECT_DOUBLE_EQ(m[2].lead_m, 10e-3);
  EXPECT_EQ(m[2].resonance_Hz, 400);
  EXPECT_EQ(m[2].pull_out_N, 200);
  EXPECT_EQ(c.temperature.start_K, -3);
}

TEST(DefectConfig, RefusesInWordsWithThePlace) {
  EXPECT_THAT(refusal("[twin.force]\nhysteresis_percent = 0.1\n"),
              HasSubstr("b.toml:2:22: 'hysteresis_percent' needs"));
  EXPECT_THAT(refusal("[twin.force]\nsaturates = true\nfull_scale_N = 80\n"), HasSubstr("needs full_scale_N"));
  EXPECT_THAT(refusal("[twin.force]\ngain_error_percent = [1, 2]\n"), HasSubstr("one number for all, or 6"));
  EXPECT_THAT(refusal("[twin.force]\nbandwidth_Hz = 6000\n"), HasSubstr("no more than 5120 Hz"));
  EXPECT_THAT(refusal("[twin.force]\nbandwidth_poles = 3\n"), HasSubstr("must be 2 or 4"));
  EXPECT_THAT(refusal("[twin.force]\ncreep_percent = [1, 2]\ncreep_s = 3\n"), HasSubstr("as many numbers"));
  EXPECT_THAT(refusal("[twin.force]\ncreep_s = 3\n"), HasSubstr("as many numbers"));
  EXPECT_THAT(refusal("[twin.force]\ncable_x_N_m = 3\n"), HasSubstr("takes [Fx, Fy, Fz]"));
  EXPECT_THAT(refusal("[twin.force]\nzero_mN_K = nan\n"), HasSubstr("must be a number"));
  const std::string scaled = "[twin.force]\nfull_scale_N = 80\nfull_scale_N_m = 4\n[twin.force.crosstalk_percent]\n";
  EXPECT_THAT(refusal(scaled + "Fx = [1, 0, 0, 0, 0, 0]\n"), HasSubstr("gain_error_percent"));
  EXPECT_THAT(refusal(scaled + "Fx = [0, 0]\n"), HasSubstr("takes 6 numbers"));
  EXPECT_THAT(refusal(scaled + "Fw = [0, 0, 0, 0, 0, 0]\n"), HasSubstr("unknown key"));
  EXPECT_THAT(refusal("[twin.force.crosstalk_percent]\nFx = [0, 1, 0, 0, 0, 0]\n"), HasSubstr("needs full_scale_N"));
  EXPECT_THAT(refusal("[twin.vibration]\nmounting_resonance_Hz = 9000\n"), HasSubstr("no more than"));
  EXPECT_THAT(refusal("[twin.stage.mechanics]\nrumble_m_s2_rtHz = 0.1\n"), HasSubstr("resonance_Hz"));
  EXPECT_THAT(refusal("[twin.stage.mechanics]\nperiodic_error_um = 500\nlead_mm = 2\n"), HasSubstr("turn the axis"));
  EXPECT_THAT(refusal("[twin.stage.mechanics]\nbacklash_mm = 1\n"), HasSubstr("did you mean 'backlash_um'?"));
  EXPECT_THAT(refusal("[twin.temperature]\nwarm_up_s = 0\n"), HasSubstr("must lie between"));
}

}  // namespace
}  // namespace strigil::sim
