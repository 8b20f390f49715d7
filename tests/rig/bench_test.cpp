#include "rig/bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daq/strict_toml.hpp"

namespace strigil::rig {
namespace {

using testing::HasSubstr;

std::string sim_bench() { return daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value(); }

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(BenchTest, TheSimulatedBenchReads) {
  const auto bench = parse_bench(sim_bench(), "sim.toml");
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  EXPECT_DOUBLE_EQ(bench->stage.travel_min_m[kZ], -0.08);
  EXPECT_DOUBLE_EQ(bench->interlock.max_force_N, 25);
  EXPECT_EQ(bench->interlock.stage_stale, daq::from_seconds(0.4));
}

TEST(BenchTest, BadInputIsRefusedWithLineAndColumnAndWhatWouldBeRight) {
  struct Case {
    const char* from;
    const char* to;
    const char* message;
  };
  const Case cases[] = {
      {"max_force_N = 25", "max_force_kg = 2.5", "unknown key 'interlock.max_force_kg'; did you mean 'max_force_N'?"},
      {"max_force_N = 25", "max_force_N = \"25\"", "must be a number"},
      {"max_force_N = 25", "max_force_N = 2500", "must lie between 0.5 and 200"},
      {"max_force_N = 25", "", "required and missing"},
      {"codec = \"grbl\"", "codec = \"marlin\"", "codec 'marlin' is not known"},
      {"travel_x_mm = [0, 200]", "travel_x_mm = [200, 0]", "[lowest, highest]"},
      {"clear_z_mm = -5", "clear_z_mm = 5", "outside travel_z_mm"},
      {"[stage]", "[stage", "sim.toml:"},
      {"normal_axis = \"+Fz\"", "normal_axis = \"Fz\"", "signed channel"},
  };
  for (const auto& c : cases) {
    const auto bench = parse_bench(with(sim_bench(), c.from, c.to), "sim.toml");
    ASSERT_FALSE(bench.ok()) << c.to;
    EXPECT_THAT(bench.error().message, HasSubstr(c.message));
    EXPECT_THAT(bench.error().message, testing::MatchesRegex("sim\\.toml:[0-9]+:[0-9]+: .*"));
  }
}

TEST(BenchTest, AGeneratorSaysWhatItMayBeToldAndHowItsLevelsAreFound) {
  EXPECT_FALSE(parse_bench(sim_bench(), "sim.toml")->generator);
  const auto parse = [](const std::string& keys) {
    return parse_bench(sim_bench() + "\n[generator]\ncodec = \"scpi\"\nlink = \"memory:generator\"\n" + keys, "b.toml");
  };
  const auto bench = parse("max_V = 0.001\nchannel = 2\ntolerance_percent = 5\n");
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  EXPECT_DOUBLE_EQ(bench->generator->max_V, 1e-3);
  EXPECT_DOUBLE_EQ(bench->generator->min_V, 1e-3) << "never more than the most";
  EXPECT_DOUBLE_EQ(bench->generator->tolerance, 0.05);
  EXPECT_TRUE(bench->generator->levels);
  const std::pair<const char*, const char*> cases[] = {
      {"", "required and missing"},
      {"max_V = nan\n", "must"},
      {"max_V = 100\n", "must lie between 0.001 and 20"},
      {"max_V = 1\nmin_V = 2e0\n", "must lie between"},
      {"max_V = 0.1\nmin_V = 0.2\n", "'min_V' is more than 'max_V'"},
      {"max_V = 1\nlevel = \"sensitivity\"\n", "needs 'sensitivity_V_m_s2'"},
      {"max_V = 1\nlevel = \"loud\"\n", "\"reference\" or \"sensitivity\""},
      {"max_V = 1\nvolts = 1\n", "unknown key 'generator.volts'"},
  };
  for (const auto& [keys, words] : cases) {
    const auto refused = parse(keys);
    ASSERT_FALSE(refused.ok()) << keys;
    EXPECT_THAT(refused.error().message, HasSubstr(words));
  }
}

TEST(BenchTest, AMissingFileIsNamed) {
  const auto bench = load_bench("/nowhere/bench.toml");
  ASSERT_FALSE(bench.ok());
  EXPECT_THAT(bench.error().message, HasSubstr("/nowhere/bench.toml"));
}

}  // namespace
}  // namespace strigil::rig
