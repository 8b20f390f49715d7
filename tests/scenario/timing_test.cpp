// The timeline proves itself: delays that nobody told the rig about are found by the taps, and make the run INVALID;
// told, they are gone and it passes. Whole runs in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>

#include "apps/file_commands.hpp"
#include "apps/places.hpp"
#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

using protocols::Judgement;

/// What is put in, in ms.
struct Delays {
  double force = 0;
  double vibration = 0;
  double position = 0;  ///< how old a reported position is
};

class Timing : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-timing-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  RunOutcome run_with(const Delays& real, const Delays& told, std::uint64_t seed) {
    auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
    text = std::regex_replace(text, std::regex("latency_ms = [^\n]*\n"), "");
    const auto put = [&](const std::string& table, double ms) {
      const auto at = text.find(table);
      EXPECT_NE(at, std::string::npos) << table;
      text.insert(at + table.size(), "latency_ms = " + std::to_string(ms) + "\n");
    };
    put("[force]\n", told.force);
    put("[vibration]\n", told.vibration);
    put("[stage]\n", told.position);
    text += "\n[twin.force]\nlink_delay_ms = " + std::to_string(real.force) +
            "\n[twin.vibration]\nlink_delay_ms = " + std::to_string(real.vibration) +
            "\n[twin.stage]\nreport_age_ms = " + std::to_string(real.position) + "\n";
    const auto bench = dir_ + "/bench.toml";
    std::ofstream(bench) << text;
    auto prepared = prepare("smoke", bench);
    EXPECT_TRUE(prepared.ok()) << prepared.error().message;
    RunOptions o;
    o.bench = prepared->bench;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.seed = seed;
    o.out = dir_ + "/" + std::to_string(runs_++) + ".h5";
    auto outcome = run(o, {});
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return *outcome;
  }

  static const protocols::StreamTiming& of(const RunOutcome& outcome, const std::string& stream) {
    for (const auto& s : outcome.timing.streams) {
      if (s.stream == stream) return s;
    }
    throw std::runtime_error("no stream " + stream);
  }

  std::string dir_;
  int runs_ = 0;
};

TEST_F(Timing, DelaysThatNobodyToldOfAreFoundByTheTaps) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> delay_ms(0.3, 20);
  constexpr int kWorlds = 12;
  for (int world = 0; world < kWorlds; ++world) {
    const Delays real{delay_ms(random), delay_ms(random), delay_ms(random)};
    SCOPED_TRACE(testing::Message() << "force " << real.force << " vibration " << real.vibration << " position "
                                    << real.position << " ms late");
    const auto silent = run_with(real, {}, static_cast<std::uint64_t>(world));
    const auto& vibration = of(silent, "vibration");
    const auto& position = of(silent, "position");
    for (const auto& o : {vibration.before, vibration.after}) {
      EXPECT_NEAR(o.offset_s, (real.vibration - real.force) * 1e-3, vibration.allowed_s);
      EXPECT_LT(o.uncertainty_s, 0.2e-3);
    }
    for (const auto& o : {position.before, position.after}) {
      EXPECT_NEAR(o.offset_s, (real.position - real.force) * 1e-3, position.allowed_s);
    }
    EXPECT_LT(vibration.allowed_s, 0.4e-3) << "a bound that allows anything proves nothing";
    EXPECT_EQ(silent.verdict.judgement == Judgement::kPass, vibration.problems.empty() && position.problems.empty());
    if (std::abs(real.vibration - real.force) > 0.5) {
      EXPECT_EQ(silent.verdict.judgement, Judgement::kInvalid);
    }

    const auto told = run_with(real, real, static_cast<std::uint64_t>(world));
    EXPECT_EQ(told.verdict.judgement, Judgement::kPass)
        << (told.verdict.reasons.empty() ? "" : told.verdict.reasons.front().text);
  }
}

TEST_F(Timing, EveryRunSaysHowFarItsTimesCanBeTrusted) {
  const auto outcome = run_with({0.2, 1, 0}, {0.2, 1, 0}, 1);
  EXPECT_TRUE(outcome.timing.tapped);
  EXPECT_EQ(outcome.timing.reference, "force");
  for (const char* stream : {"force", "vibration"}) {
    const auto& s = of(outcome, stream);
    EXPECT_GT(s.bound_p95_s, 1e-6);
    EXPECT_LT(s.bound_p95_s, 50e-6);
    EXPECT_GE(s.bound_max_s, s.bound_p50_s);
    EXPECT_EQ(s.unlocked_samples, 0U);
    EXPECT_EQ(s.breaks, 0U);
  }
  EXPECT_NEAR(of(outcome, "vibration").drift_ppm, 35, 1) << "what the twin's crystal is wrong by";
  EXPECT_NEAR(of(outcome, "force").drift_ppm, 0, 1);
}

TEST_F(Timing, ARunCanBeTimedAgain) {
  const auto outcome = run_with({0.2, 1, 0}, {0.2, 1, 0}, 1);
  const auto again = dir_ + "/again.h5";
  ASSERT_EQ(retime_command(outcome.run_file, again), kPass);
  const auto report = daq::verify(again);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  auto before = daq::RunReader::open(outcome.run_file);
  auto after = daq::RunReader::open(again);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_TRUE((*after)->header().config.contains("retimed.json"));
  std::uint64_t moved = 0;
  for (std::size_t s = 0; s < (*before)->header().streams.size(); ++s) {
    ASSERT_EQ((*before)->row_count(s), (*after)->row_count(s));
    const bool ticked = (*before)->header().streams[s].tick_rate_Hz > 0;
    for (std::uint64_t i = 0; i < (*before)->block_count(s); ++i) {
      const auto a = (*before)->block(s, i).value();
      const auto b = (*after)->block(s, i).value();
      ASSERT_EQ(a.received, b.received);
      ASSERT_LE(std::abs((a.t0 - b.t0).count()), (a.bound + b.bound).count()) << "both fits claim to be right";
      if (a.t0 != b.t0) ++moved;
      if (!ticked) {
        ASSERT_EQ(a.t0, b.t0);
      }
    }
  }
  EXPECT_GT(moved, 0U);
  EXPECT_EQ(retime_command(outcome.run_file, again), kUsage) << "it never writes over a file";
}

}  // namespace
}  // namespace strigil::apps
