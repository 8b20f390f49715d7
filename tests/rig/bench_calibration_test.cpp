// The keys of a bench file that name calibrations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daq/strict_toml.hpp"
#include "rig/bench.hpp"

namespace strigil::rig {
namespace {

using testing::HasSubstr;

std::string bench_with(const std::string& force, const std::string& rest) {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
  text.insert(text.find("counts_per_N = "), force + "\n");
  return text + "\n" + rest + "\n";
}

TEST(BenchCalibrationTest, ABenchWithoutKeysNamesNone) {
  const auto b = parse_bench(bench_with("", ""), "b.toml");
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_EQ(b->force.calibration, "");
  EXPECT_EQ(b->calibration.policy, CalibrationPolicy::kRefuse);
  EXPECT_FALSE(b->calibration.temperature_C.has_value());
}

TEST(BenchCalibrationTest, EveryKey) {
  const auto b = parse_bench(
      bench_with("calibration = \"FZ-1\"\nserial = \"S1\"\nconfiguration = { gain = \"2\", filter = \"none\", mounting "
                 "= \"upright\" }",
                 "[calibration]\nstore = \"cal\"\npolicy = \"mark\"\ntemperature_C = 21.5\ncheck_standard = \"w\"\n"
                 "check_valid_h = 8\ncheck_history = \"h.jsonl\""),
      "b.toml");
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_EQ(b->force.calibration, "FZ-1");
  EXPECT_EQ(b->force.serial, "S1");
  EXPECT_EQ(b->force.setting.gain, "2");
  EXPECT_EQ(b->force.setting.mounting, "upright");
  EXPECT_EQ(b->force.setting.rate_Hz, 1000);
  EXPECT_EQ(b->force.setting.counts_per_unit, 1e6);
  EXPECT_EQ(b->calibration.store, "cal");
  EXPECT_EQ(b->calibration.policy, CalibrationPolicy::kMark);
  EXPECT_EQ(b->calibration.temperature_C, 21.5);
  EXPECT_EQ(b->calibration.check_valid_s, 8 * 3600);
  EXPECT_EQ(b->calibration.check_history, "h.jsonl");
}

TEST(BenchCalibrationTest, BadOnesAreRefused) {
  const auto words = [](const std::string& force, const std::string& rest) {
    const auto b = parse_bench(bench_with(force, rest), "b.toml");
    return b.ok() ? std::string("accepted") : b.error().message;
  };
  EXPECT_THAT(words("", "[calibration]\npolicy = \"ignore\""), HasSubstr("'policy' is \"refuse\" or \"mark\""));
  EXPECT_THAT(words("", "[calibration]\ntemperature_C = 300"), HasSubstr("must lie between"));
  EXPECT_THAT(words("", "[calibration]\nstor = \"x\""), HasSubstr("did you mean 'store'"));
  EXPECT_THAT(words("configuration = { gian = \"2\" }", ""), HasSubstr("did you mean 'gain'"));
  EXPECT_THAT(words("calibration = 7", ""), HasSubstr("b.toml:"));
}

}  // namespace
}  // namespace strigil::rig
