// Every sample has its place: losses injected at each hop of whole runs in virtual time are found at that hop, all of
// them and nowhere else, and none of these runs passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRuns = 25;  // the release suite makes them all
#else
constexpr int kRuns = 500;
#endif

/// A place where samples can be lost, and how to lose some there.
struct Injection {
  const char* hop;
  const char* stream;  ///< "": whatever comes by
  std::function<void(RunOptions&, std::string& bench, std::mt19937_64&)> inject;
};

std::string twin_fault(const std::string& kind, std::uint64_t count, double at_s) {
  return "\n[[twin.faults]]\nkind = \"" + kind + "\"\nafter = \"contact\"\nat_s = " + std::to_string(at_s) +
         "\ncount = " + std::to_string(count) + "\n";
}

std::uint64_t between(std::mt19937_64& random, std::uint64_t low, std::uint64_t high) {
  return std::uniform_int_distribution<std::uint64_t>(low, high)(random);
}

Injection by_fault(const char* hop, const char* stream, const char* kind, std::uint64_t most) {
  return {hop, stream, [=](RunOptions&, std::string& bench, std::mt19937_64& random) {
            bench += twin_fault(kind, between(random, 1, most), 0.001 * static_cast<double>(between(random, 0, 900)));
          }};
}

const std::vector<Injection>& injections() {
  static const std::vector<Injection> all{
      by_fault(daq::hop::kWire, "force", "drop_force", 40),
      by_fault(daq::hop::kWire, "vibration", "drop_vibration", 20),
      by_fault(daq::hop::kCodec, "force", "damage_force", 40),
      by_fault(daq::hop::kCodec, "vibration", "damage_vibration", 20),
      // The loop does not turn for longer than the ring has room: about 1.3 chunks come in a millisecond.
      {daq::hop::kChunkRing, "",
       [](RunOptions& o, std::string&, std::mt19937_64& random) {
         o.busy.chunks = 16;
         o.busy.stall = std::chrono::milliseconds(between(random, 20, 45));
         o.busy.stall_at = std::chrono::milliseconds(between(random, 3000, 5000));
       }},
      // Rings that hold less than comes between two pumps of virtual time.
      {daq::hop::kRecorderRing, "",
       [](RunOptions& o, std::string&, std::mt19937_64& random) {
         o.busy.recorder_blocks = std::size_t{1} << between(random, 3, 5);
       }},
      {daq::hop::kPublisherRing, "",
       [](RunOptions& o, std::string&, std::mt19937_64& random) {
         o.publication.endpoint = "tcp://127.0.0.1:*";
         o.busy.publisher_blocks = std::size_t{1} << between(random, 3, 5);
       }},
  };
  return all;
}

class LedgerRuns : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-ledger-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    bench_text_ = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// One run; the injection done to it. Null: none.
  RunOutcome go(const Injection* injection, std::uint64_t seed, std::vector<daq::LedgerRow>& ledger) {
    std::mt19937_64 random(seed);
    RunOptions o;
    auto bench = bench_text_;
    if (injection != nullptr) injection->inject(o, bench, random);
    std::ofstream(dir_ + "/bench.toml") << bench;
    auto prepared = prepare("smoke", dir_ + "/bench.toml");
    EXPECT_TRUE(prepared.ok()) << prepared.error().message;
    o.bench = prepared->bench;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.seed = seed;
    o.out = dir_ + "/run.h5";
    std::filesystem::remove(o.out);
    auto outcome = run(o, {});
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    auto reader = daq::RunReader::open(o.out);
    EXPECT_TRUE(reader.ok()) << reader.error().message;
    ledger = (*reader)->ledger().value();
    return *outcome;
  }

  std::string dir_;
  std::string bench_text_;
};

TEST_P(LedgerRuns, EveryLossIsFoundAtItsHopAndNoneOfThemPasses) {
  const auto& injection = injections()[GetParam()];
  const int runs = kRuns / static_cast<int>(injections().size()) + 1;
  std::uint64_t found = 0;
  for (int i = 0; i < runs; ++i) {
    const auto seed = static_cast<std::uint64_t>(1000 * GetParam()) + static_cast<std::uint64_t>(i);
    std::vector<daq::LedgerRow> ledger;
    const auto outcome = go(&injection, seed, ledger);
    EXPECT_NE(outcome.verdict.judgement, protocols::Judgement::kPass) << "seed " << seed;
    EXPECT_THAT(daq::unbalanced(ledger), testing::IsEmpty()) << "seed " << seed;
    std::uint64_t here = 0;
    for (const auto& row : ledger) {
      if (row.hop.starts_with("session")) continue;  // counts from power-on, not a hop
      const bool right = row.hop == injection.hop && (*injection.stream == '\0' || row.stream == injection.stream);
      if (right) {
        here += row.lost;
      } else {
        EXPECT_EQ(row.lost, 0U) << "seed " << seed << ": " << row.hop << " of " << row.stream;
      }
    }
    EXPECT_GT(here, 0U) << "seed " << seed;
    found += here;
  }
  std::printf("%s %s: %d runs, %llu samples lost and found\n", injection.hop, injection.stream, runs,
              static_cast<unsigned long long>(found));
}

INSTANTIATE_TEST_SUITE_P(Hops, LedgerRuns, testing::Range(std::size_t{0}, injections().size()));

TEST_F(LedgerRuns, WithoutALossItBalancesToTheSample) {
  std::vector<daq::LedgerRow> ledger;
  const auto outcome = go(nullptr, 1, ledger);
  EXPECT_EQ(outcome.verdict.judgement, protocols::Judgement::kPass);
  EXPECT_THAT(daq::unbalanced(ledger), testing::IsEmpty());
  std::map<std::string, std::uint64_t> hops;
  for (const auto& row : ledger) {
    EXPECT_EQ(row.lost, 0U) << row.hop;
    if (row.stream == "force") hops[row.hop] = row.count;
  }
  EXPECT_GT(hops[daq::hop::kDevice], 1000U);
  for (const char* hop : {daq::hop::kWire, daq::hop::kChunkRing, daq::hop::kCodec, daq::hop::kIntake,
                          daq::hop::kRecorderRing, daq::hop::kRecorder}) {
    EXPECT_EQ(hops[hop], hops[daq::hop::kDevice]) << hop;
  }
}

TEST(Ledger, AnUnexplainedSampleIsNamedWhereItVanished) {
  daq::StreamLedger hops{.stream = "force", .device = 100, .lost_on_wire = 5, .intake = 95, .recorded = 95};
  EXPECT_THAT(daq::unbalanced(daq::ledger_rows(hops)), testing::IsEmpty());
  hops.intake = 94;
  hops.recorded = 94;
  EXPECT_THAT(daq::unbalanced(daq::ledger_rows(hops)),
              testing::ElementsAre(testing::HasSubstr("95 samples of 'force' left the codec, 94 entered the intake")));
  hops.intake = 95;
  EXPECT_THAT(daq::unbalanced(daq::ledger_rows(hops)), testing::ElementsAre(testing::HasSubstr("recorder ring")));
}

}  // namespace
}  // namespace strigil::apps
