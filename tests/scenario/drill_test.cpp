// Fire drills in virtual time: the whole catalogue, and that a drill can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/drill.hpp"
#include "apps/drill_command.hpp"
#include "apps/places.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string shipped() { return daq::read_text_file(STRIGIL_SOURCE_DIR "/apps/drills/catalogue.toml").value(); }

class DrillRuns : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-drills-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// The exit code; `json_` becomes what was written.
  int drill(const std::string& catalogue, const std::vector<std::string>& only = {}, int repeats = 1,
            const std::string& bench = "", const std::string& protocol = "") {
    DrillArguments a;
    a.catalogue = catalogue;
    a.bench = bench;
    a.protocol = protocol;
    a.only = only;
    a.repeats = repeats;
    a.json = dir_ + "/drill.json";
    const int code = drill_command(a);
    const auto text = daq::read_text_file(a.json);
    json_ = text ? daq::parse_json(*text) : nlohmann::json();
    return code;
  }
  /// A catalogue of one drill.
  std::string one(const std::string& fault, const std::string& expect) {
    const auto path = dir_ + "/one.toml";
    std::ofstream(path) << "[[drill]]\nname = \"one\"\nbreaks = \"something\"\nphases = \"stroke\"\nfault = " << fault
                        << "\nexpect = " << expect << "\n";
    return path;
  }

  std::string dir_;
  nlohmann::json json_;
};

TEST_F(DrillRuns, EveryFaultIsNoticedAnsweredAndRescuedAndNonePasses) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  const std::vector<std::string> only{"force_silent", "force_rail", "stage_reboot", "host_stalled",
                                      "vibration_unplugged"};  // the release suite makes them all
#else
  const std::vector<std::string> only;
#endif
  EXPECT_EQ(drill("catalogue", only), kPass);
  EXPECT_EQ(only.empty() ? json_.size() > 40 : json_.size() == only.size(), true) << json_.size();
  for (const auto& row : json_) {
    for (const auto& run : row["runs"]) {
      EXPECT_TRUE(run["made"]) << row["drill"];
      EXPECT_TRUE(run["safe"]) << row["drill"];
      EXPECT_NE(run["judgement"], "PASS") << row["drill"];
      EXPECT_THAT(run["failings"], IsEmpty()) << row["drill"] << " " << run["failings"];
    }
  }
}

// The catalogue says how fast a Grbl stage and short strokes are; with others who notices and when differs. What may
// not differ is asked here.
TEST_F(DrillRuns, WithAForceHeldByOtherStagesNothingIsSilentPassesOrPressesBeyondTheLimit) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  const std::vector<std::string> only{"force_rail", "stage_unplugged"};  // the release suite makes them all
#else
  const std::vector<std::string> only;
#endif
  for (const auto* bench : {"sim_tmcl", "sim_zaber"}) {
    (void)drill("catalogue", only, 1, bench, "force");
    EXPECT_EQ(only.empty() ? json_.size() > 40 : json_.size() == only.size(), true) << json_.size();
    for (const auto& row : json_) {
      for (const auto& run : row["runs"]) {
        EXPECT_TRUE(run["made"]) << bench << " " << row["drill"];
        EXPECT_TRUE(run["safe"]) << bench << " " << row["drill"] << " " << run["failings"];
        EXPECT_NE(run["judgement"], "PASS") << bench << " " << row["drill"];
        const auto failings = daq::json_text(run["failings"]);
        for (const auto* never : {"SILENT", "PASS", "still moves", "the force came to"}) {
          EXPECT_THAT(failings, testing::Not(HasSubstr(never))) << bench << " " << row["drill"];
        }
      }
    }
  }
}

TEST_F(DrillRuns, ADrillThatIsNotAnsweredAsExpectedFails) {
  const std::string silence = R"({ kind = "silence_force" })";
  EXPECT_EQ(drill(one(silence, R"({ by = "force_stale", response = "lift", within_ms = 55 })")), kPass);
  EXPECT_EQ(drill(one(silence, R"({ by = "force_stale", response = "lift", within_ms = 20 })")), kFail);
  EXPECT_THAT(json_[0]["runs"][0]["failings"].dump(), HasSubstr("are allowed"));
  EXPECT_EQ(drill(one(silence, R"({ by = "force_stale", response = "stop", within_ms = 55 })")), kFail);
  EXPECT_THAT(json_[0]["runs"][0]["failings"].dump(), HasSubstr("response was lift"));
  EXPECT_EQ(drill(one(silence, R"({ by = "stage_alarm", response = "lift", within_ms = 55 })")), kFail);
  EXPECT_THAT(json_[0]["runs"][0]["failings"].dump(), HasSubstr("noticed as"));
  EXPECT_EQ(drill(one(silence, R"({ by = "force_stale", response = "lift", within_ms = 55, file = "recovered" })")),
            kPass)
      << "a whole file is no failing where one that must be recovered is expected";
}

TEST_F(DrillRuns, AFaultThatNobodyNoticesIsSilentAndARunThatPassesIsBad) {
  // One sample that reads 0.5 N more is within what contact and limits bear by design: nothing trips.
  EXPECT_EQ(drill(one(R"({ kind = "spike_force", force_N = 0.5 })",
                      R"({ by = "force_limit", response = "lift", within_ms = 5 })")),
            kFail);
  const auto failings = json_[0]["runs"][0]["failings"].dump();
  EXPECT_THAT(failings, HasSubstr("SILENT"));
  EXPECT_THAT(failings, HasSubstr("the verdict is PASS"));
}

TEST(Drill, TheShippedCatalogueHasEveryKindOfFault) {
  const auto catalogue = parse_drills(shipped(), "catalogue.toml");
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  std::set<sim::FaultKind> kinds;
  for (const auto& d : catalogue->drills) kinds.insert(d.fault.kind);
  constexpr auto kLast = static_cast<int>(sim::FaultKind::kKillSubscriber);
  for (int kind = 0; kind <= kLast; ++kind) {
    EXPECT_TRUE(kinds.contains(static_cast<sim::FaultKind>(kind)))
        << name_of(static_cast<sim::FaultKind>(kind)) << " is in no drill";
  }
}

TEST(Drill, ACatalogueThatIsWrongIsRefusedWithItsLine) {
  const auto refusal = [](const std::string& from, const std::string& to) {
    auto text = shipped();
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    const auto catalogue = parse_drills(text.replace(at, from.size(), to), "c.toml");
    return catalogue.ok() ? std::string() : catalogue.error().message;
  };
  EXPECT_THAT(refusal("kind = \"silence_force\"", "kind = \"silence_farce\""), HasSubstr("\"silence_force\""));
  EXPECT_THAT(refusal("response = \"lift\"", "response = \"pray\""), HasSubstr("carry_on"));
  EXPECT_THAT(refusal("name = \"force_dropout\"", "nome = \"force_dropout\""), HasSubstr("c.toml:"));
  EXPECT_THAT(refusal("name = \"force_silent\"", "name = \"force_dropout\""), HasSubstr("two drills"));
  EXPECT_THAT(refusal("for_s = 0.03", "count = 3"), HasSubstr("does not belong"));
}

}  // namespace
}  // namespace strigil::apps
