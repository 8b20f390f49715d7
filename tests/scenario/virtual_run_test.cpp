// Whole runs in virtual time, by the very code of the program: what must PASS, and what must never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

using protocols::Judgement;
using testing::HasSubstr;

class VirtualRun : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-scenario-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// The simulated bench with `extra` TOML behind it.
  std::string bench_with(const std::string& extra) {
    const auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
    const auto path = dir_ + "/bench.toml";
    std::ofstream(path) << text << "\n" << extra << "\n";
    return path;
  }

  daq::Result<RunOutcome> go(const std::string& bench, const std::string& protocol = "smoke", std::uint64_t seed = 1) {
    auto prepared = prepare(protocol, bench);
    if (!prepared) return prepared.error();
    RunOptions o;
    o.bench = prepared->bench;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.seed = seed;
    o.out = dir_ + "/run" + std::to_string(runs_++) + ".h5";
    return run(o, {});
  }

  static std::string reasons(const protocols::Verdict& v) {
    std::string out;
    for (const auto& r : v.reasons) out += r.text + "\n";
    return out;
  }

  /// A fault must end INVALID, say `words`, leave a whole file, and never PASS.
  void expect_invalid(const std::string& extra, const std::string& words) {
    const auto outcome = go(bench_with(extra));
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_EQ(outcome->verdict.judgement, Judgement::kInvalid) << extra;
    EXPECT_THAT(reasons(outcome->verdict), HasSubstr(words)) << extra;
    const auto report = daq::verify(outcome->run_file);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  }

  std::string dir_;
  int runs_ = 0;
};

std::string fault(const std::string& kind) {
  return "[[twin.faults]]\nkind = \"" + kind + "\"\nafter = \"contact\"\nat_s = 0.2\n";
}

TEST_F(VirtualRun, AHealthyBenchPasses) {
  const auto outcome = go("sim", "demo");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->verdict.judgement, Judgement::kPass) << reasons(outcome->verdict);
  ASSERT_EQ(outcome->verdict.strokes.size(), 4U);
  for (const auto& s : outcome->verdict.strokes) EXPECT_NEAR(s.mean_normal_force_N, 6, 0.6);
  const auto report = daq::verify(outcome->run_file);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->problems.empty());
}

TEST_F(VirtualRun, TheSecondsBeforeATripAreKeptWithTheirCause) {
  const auto outcome = go(bench_with(fault("freeze_force")));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  auto reader = daq::RunReader::open(outcome->run_file);
  ASSERT_TRUE(reader.ok());
  const auto end = daq::parse_json((*reader)->end()->value());
  EXPECT_EQ(end["interlock"]["first_cause"], "force_stuck");
  const auto& evidence = end["interlock"]["evidence"];
  ASSERT_EQ(evidence["at_ns"].size(), 2048U);
  for (const char* column : {"normal_force_N", "x_m", "z_m", "faults"}) EXPECT_EQ(evidence[column].size(), 2048U);
  EXPECT_NE(evidence["faults"].back(), 0) << "the last row is the trip";
  EXPECT_EQ(evidence["faults"].front(), 0) << "two seconds before, all was well";
  EXPECT_GT(evidence["normal_force_N"].back().get<double>(), 0.1) << "it had touched";
}

TEST_F(VirtualRun, SameSeedSameBytesOtherSeedOtherBytes) {
  std::string hashes[3];
  for (int i = 0; i < 3; ++i) {
    const auto outcome = go("sim", "smoke", i < 2 ? 7 : 8);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    hashes[i] = daq::verify(outcome->run_file)->dataset_hash;
  }
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
}

TEST_F(VirtualRun, AnInstrumentThatNeverMeetsThePhantomIsInvalid) {
  // sim.toml ends in [twin.phantom]
  expect_invalid("present = false", "never met the phantom");
}

TEST_F(VirtualRun, ContactLostInMidStrokeIsInvalid) { expect_invalid("absent_from_x_mm = 55", "touched the phantom"); }

TEST_F(VirtualRun, AStageThatNeverMovesIsInvalid) {
  expect_invalid("[[twin.faults]]\nkind = \"stall_stage\"\nat_s = 0.0\n", "stage");
}

TEST_F(VirtualRun, AStageThatStopsMovingUnderThePressIsInvalid) { expect_invalid(fault("stall_stage"), "stage"); }
TEST_F(VirtualRun, AFrozenForceSensorIsInvalid) { expect_invalid(fault("freeze_force"), "force_stuck"); }
TEST_F(VirtualRun, AFrozenAccelerometerIsInvalid) { expect_invalid(fault("freeze_vibration"), "vibration_stuck"); }
TEST_F(VirtualRun, ASilentForceSensorIsInvalid) { expect_invalid(fault("silence_force"), "force_stale"); }
TEST_F(VirtualRun, ASilentAccelerometerIsInvalid) { expect_invalid(fault("silence_vibration"), "vibration_stale"); }
TEST_F(VirtualRun, ASilentStageIsInvalid) { expect_invalid(fault("silence_stage"), "stage_stale"); }
TEST_F(VirtualRun, AnAlarmOfTheStageIsInvalid) { expect_invalid(fault("stage_alarm"), "stage_alarm"); }
TEST_F(VirtualRun, LostForceSamplesAreInvalid) { expect_invalid(fault("drop_force"), "lost"); }

TEST_F(VirtualRun, AForceThatWouldExceedTheLimitIsRefusedBeforeMotion) {
  const auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/smoke.toml").value();
  const auto path = dir_ + "/heavy.toml";
  auto heavy = text;
  heavy.replace(heavy.find("normal_force_N = 4"), 18, "normal_force_N = 40");
  std::ofstream(path) << heavy;
  const auto outcome = go("sim", path);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message, HasSubstr("exceed"));
}

TEST_F(VirtualRun, AnExistingRunFileIsNeverOverwritten) {
  const auto first = go("sim");
  ASSERT_TRUE(first.ok());
  runs_ = 0;
  const auto second = go("sim");
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("File exists"));
}

TEST_F(VirtualRun, AnOperatorsAbortRetractsAndIsInvalid) {
  std::atomic<int> request{0};
  auto prepared = prepare("demo", "sim");
  ASSERT_TRUE(prepared.ok());
  RunOptions o;
  o.bench = prepared->bench;
  o.plan = prepared->plan;
  o.virtual_time = true;
  o.out = dir_ + "/aborted.h5";
  RunWatcher watcher;
  watcher.request = &request;
  watcher.progress = [&](const protocols::Progress& p, const rig::Readings&) {
    if (p.kind == protocols::StepKind::kStroke) request = 1;
  };
  const auto outcome = run(o, watcher);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(reasons(outcome->verdict), HasSubstr("operator aborted"));
  EXPECT_THAT(reasons(outcome->verdict), testing::Not(HasSubstr("not seen to come clear")));
}

}  // namespace
}  // namespace strigil::apps
