// Suites, and campaigns that are killed, retried and torn down; with an executor that only writes a small
// file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "daq/temporary_folder.hpp"
#include "protocols/campaign/campaign.hpp"
#include "protocols/campaign/dataset_folder.hpp"
#include "protocols/campaign/trial_texts.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<Trial> trials_of(const Design& d) {
  auto trials = expand(d);
  EXPECT_TRUE(trials.ok()) << (trials.ok() ? "" : trials.error().message);
  return trials.ok() ? *trials : std::vector<Trial>{};
}

constexpr const char* kSuite = R"(
[suite]
name = "s"
bench = "sim"
protocol = "smoke"
time = "virtual"
attempts = 3
[[factor]]
name = "repeat"
levels = 12
)";

Suite suite_of(const std::string& text) {
  auto suite = parse_suite(text, "s.toml");
  EXPECT_TRUE(suite.ok()) << (suite.ok() ? "" : suite.error().message);
  return suite.ok() ? *suite : Suite{};
}
std::string refused(const std::string& text) {
  const auto suite = parse_suite(text, "s.toml");
  return suite.ok() ? "it was taken" : suite.error().message;
}

TEST(SuiteFile, RefusesWithLineAndColumn) {
  const std::string good = kSuite;
  EXPECT_THAT(refused(good + "[design]\nordr = \"random\""), StartsWith("s.toml:12:1: unknown key 'design.ordr'"));
  EXPECT_THAT(refused(good + "[[factor]]\nname = \"colour\""), StartsWith("s.toml:12:8: 'colour' is no factor"));
  EXPECT_THAT(refused(good + "[[factor]]\nname = \"speed_mm_s\"\nlevels = [1, \"fast\"]"), StartsWith("s.toml:13:14:"));
  EXPECT_THAT(refused(good + "[[factor]]\nname = \"speed_mm_s\"\nrange = [5, 1]"), HasSubstr("[lowest, highest]"));
  EXPECT_THAT(refused(good + "[[factor]]\nname = \"targets\"\nlevels = [\"some\"]"), HasSubstr("as_made"));
  EXPECT_THAT(refused(good + "[[measure]]\nname = \"beauty\"\nat_most = 1"), HasSubstr("'beauty' is not one of"));
  EXPECT_THAT(refused(good + "[[measure]]\nname = \"peak_force_N\""), HasSubstr("needs at_least or at_most"));
  EXPECT_THAT(refused(good + "[[measure]]\nname = \"drag_N\"\nat_least = 1\nat_most = 2\nmarginal = 0.6"),
              HasSubstr("leave nothing between"));
  EXPECT_THAT(refused(good + "[judge]\ndetectors = [\"oracle\"]"), StartsWith("s.toml:12:13: 'oracle' is no detector"));
  EXPECT_THAT(refused(good + "[[accept]]\ndetector = \"glr\"\nfigure = \"auc\"\nat_least = 0.8"),
              HasSubstr("'glr' is not one of"));
  EXPECT_THAT(refused(good + "[[during]]\nname = \"x\"\nsignal = \"mood\"\nbetween = [0, 1]"), HasSubstr("'mood'"));
  EXPECT_THAT(refused(good + "[setup]\nhome = \"xw\""), HasSubstr("axes are x, y and z"));
  EXPECT_THAT(refused("[suite]\nname = \"a b\"\nbench = \"sim\"\n[[factor]]\nname = \"repeat\"\nlevels = 1"),
              StartsWith("s.toml:2:8:"));
  EXPECT_THAT(refused("[suite]\nname = \"a\"\nbench = \"sim\""), HasSubstr("needs a [[factor]]"));
  EXPECT_THAT(refused(good + "[[factor]]\nname = \"speed_mm_s\"\nrange = [1, 5]"), HasSubstr("how many draws"));
  EXPECT_EQ(refused(good + "[[factor]]\nname = \"bench.stage.max_speed_mm_s\"\nlevels = [100, 120]"), "it was taken");
}

TEST(TrialTexts, ChangeTheProtocolAsIfWrittenByHand) {
  const auto suite = suite_of(std::string(kSuite) + R"(
[change.protocol.limits]
max_force_N = 9
[[factor]]
name = "normal_force_N"
levels = [3, 5.5]
[[factor]]
name = "direction"
levels = ["both"]
[[factor]]
name = "protocol.approach.speed_mm_s"
levels = [7]
)");
  const auto trials = trials_of(suite.design);
  const std::string base =
      "[press]\nnormal_force_N = 1 # once\n[stroke]\nspeed_mm_s = 60\n[limits]\nmax_force_N = 1\nx = 2\n";
  const auto text = protocol_text(suite, trials[1], base, "base.toml");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("normal_force_N = 5.5"));
  EXPECT_THAT(*text, HasSubstr("directions = "));
  EXPECT_THAT(*text, HasSubstr("max_force_N = 9"));
  EXPECT_THAT(*text, HasSubstr("x = 2"));
  EXPECT_THAT(*text, HasSubstr("speed_mm_s = 7"));
  const std::string phased =
      "[[phases]]\nname = \"scan\"\nnormal_force_N = 2\n[[phases]]\nname = \"treat\"\nnormal_force_N = 6\n";
  auto kept = suite;
  kept.keep_phases = {"treat"};
  const auto one = protocol_text(kept, trials[0], phased, "base.toml");
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->find("scan"), std::string::npos);
  EXPECT_EQ(one->find("normal_force_N = 2"), std::string::npos) << *one;
  EXPECT_THAT(*one, HasSubstr("normal_force_N = 3"));
  kept.keep_phases = {"rescan"};
  EXPECT_FALSE(protocol_text(kept, trials[0], phased, "base.toml").ok());
}

ContactSample sample(double at_s, double force_N, double speed_mm_s) {
  ContactSample s;
  s.at_s = at_s;
  s.force_normal_N = force_N;
  s.speed_mm_s = speed_mm_s;
  return s;
}

/// 2 s slow, then fast up to 5 s; the force is out of its band from `bad_from` to `bad_to`.
MeasureResult during(double for_s, double bad_from, double bad_to) {
  DuringRule rule;
  rule.name = "held";
  rule.signal = "force_error_N";
  rule.band = {-0.5, 0.5};
  rule.guard = "speed_mm_s";
  rule.guard_band = {50, 1000};
  rule.for_s = for_s;
  rule.phase = "treat";
  DuringWatch watch(rule);
  std::vector<ContactSample> samples;
  for (int i = 0; i <= 500; ++i) {
    const double t = 0.01 * i;
    samples.push_back(sample(t, t >= bad_from && t < bad_to ? 7.2 : 6.1, t < 2 ? 40 : -80));
  }
  watch.feed({.phase = "scan", .wished_force_N = 0, .samples = samples});  // of another phase: passed over
  watch.feed({.phase = "treat", .wished_force_N = 6, .samples = samples});
  return watch.result();
}

TEST(During, HoldsWhileItsGuardDoesAndForAsLongAsAsked) {
  EXPECT_EQ(during(0, 9, 9).finding, Finding::kGood);
  EXPECT_EQ(during(0, 0, 2).finding, Finding::kGood) << "the guard did not hold there";
  EXPECT_EQ(during(0, 3, 3.02).finding, Finding::kBad);
  EXPECT_EQ(during(2.9, 9, 9).finding, Finding::kGood);
  EXPECT_EQ(during(2.9, 2.5, 2.6).finding, Finding::kBad) << "broken";
  EXPECT_EQ(during(2.3, 2.5, 2.6).finding, Finding::kGood) << "2.4 s after the break";
  EXPECT_EQ(during(3.5, 9, 9).finding, Finding::kUnjudged) << "there are but 3 s";
  EXPECT_THAT(during(2.9, 2.5, 2.6).words, HasSubstr("at 2.500 s it was 0.7 outside"));
}

/// Writes a few bytes, and keeps account of what was asked of it.
class SmallExecutor : public TrialExecutor {
 public:
  std::map<std::string, int> carried_out;
  std::set<std::string> bad;  ///< trials that end INVALID ...
  int good_from = 1'000'000;  ///< ... up to this attempt
  int set_ups = 0;
  int tear_downs = 0;
  bool tear_down_fails = false;
  int stop_after = -1;  ///< runs
  bool throws = false;

  [[nodiscard]] std::string fingerprint() const override { return "small"; }
  daq::Result<AttemptOutcome> carry_out(const Trial& trial, int attempt, const std::string& run_file) override {
    EXPECT_FALSE(fs::exists(run_file)) << "a run file was written over";
    std::ofstream(run_file) << "half";
    if (throws) throw std::runtime_error("the executor");
    if (stop_after >= 0 && runs_ == stop_after) {
      stopped_ = true;
      return AttemptOutcome{.interrupted = true};
    }
    ++runs_;
    ++carried_out[trial.id + "-" + std::to_string(attempt)];
    std::ofstream(run_file) << "whole " << trial.id << ' ' << attempt;
    return outcome(trial, attempt);
  }
  daq::Result<AttemptOutcome> judge_again(const Trial& trial, int attempt, const std::string& run_file) override {
    std::ifstream in(run_file);
    std::string word;
    in >> word;
    if (word != "whole") return daq::Error{"it is half a file"};
    return outcome(trial, attempt);
  }
  daq::Result<void> set_up() override {
    ++set_ups;
    return {};
  }
  daq::Result<void> tear_down() override {
    ++tear_downs;
    if (tear_down_fails) return daq::Error{"it is stuck"};
    return {};
  }
  [[nodiscard]] bool stop_asked() const override { return stopped_; }

 private:
  AttemptOutcome outcome(const Trial& trial, int attempt) const {
    AttemptOutcome o;
    o.strokes = 2;
    // Between 0 and 1, and the same whenever it is measured.
    const double value = static_cast<double>(trial.seed % 1000) / 1000;
    o.measures = {{.name = "drag_N", .value = value, .finding = Finding::kGood, .fails = true, .words = {}}};
    o.judgement = bad.contains(trial.id) && attempt < good_from ? Judgement::kInvalid : Judgement::kPass;
    if (o.judgement == Judgement::kInvalid) o.reasons = {{Judgement::kInvalid, "stream force: 17 samples were lost"}};
    return o;
  }
  int runs_ = 0;
  bool stopped_ = false;
};

class Campaign : public ::testing::Test {
 protected:
  void SetUp() override {
    suite_ = suite_of(kSuite);
    trials_ = trials_of(suite_.design);
  }

  CampaignSummary run(SmallExecutor& executor, bool resume = false,
                      const std::function<bool(std::string_view)>& dies = {}) {
    CampaignOptions o;
    o.dir = dir_ + "/c";
    o.resume = resume;
    o.dies = dies;
    auto summary = run_campaign(suite_, trials_, executor, o);
    error_ = summary.ok() ? "" : summary.error().message;
    return summary.ok() ? *summary : CampaignSummary{};
  }
  std::vector<TrialRecord> records() {
    auto r = read_records(dir_ + "/c", suite_, trials_);
    EXPECT_TRUE(r.ok());
    return r.ok() ? *r : std::vector<TrialRecord>{};
  }

  daq::TemporaryFolder folder_ = daq::TemporaryFolder::make("campaign").value();
  std::string dir_ = folder_.path();
  std::string error_;
  Suite suite_;
  std::vector<Trial> trials_;
};

// Killed at a random point 54 times: nothing is lost and nothing is run twice but what was cut off.
TEST_F(Campaign, KilledAtRandomPointsLosesNothingAndRepeatsNothing) {
  // Six kills a round. The disk is what takes the time: thousands of fsyncs in 50 rounds.
  const int rounds = std::getenv("STRIGIL_CAMPAIGN_KILLS") == nullptr ? 9 : 50;
  Draws draws(5);
  std::map<std::string, int> deaths;
  for (int round = 0; round < rounds; ++round) {
    fs::remove_all(dir_ + "/c");
    SmallExecutor executor;
    executor.bad = {trials_[3].id, trials_[8].id};
    executor.good_from = 3;
    std::map<std::string, int> cut_off;
    CampaignSummary summary;
    int killed = 0;
    for (int session = 0; session < 100; ++session) {
      std::size_t points = draws.below(9);
      std::string where;
      summary = run(executor, session > 0, [&](std::string_view point) {
        where = point;
        return killed < 6 && points-- == 0;
      });
      if (error_.empty()) break;
      ASSERT_EQ(error_, "killed by the test");
      ++killed;
      ++deaths[where];
      // Carried out, and killed before the file had its name: that one attempt must be made again.
      if (where == "carried out") {
        for (const auto& file : fs::directory_iterator(dir_ + "/c/runs")) {
          const auto name = file.path().filename().string();
          if (name.ends_with(".part")) ++cut_off[name.substr(0, name.find('.'))];
        }
      }
    }
    EXPECT_EQ(summary.planned, 12U);
    EXPECT_EQ(summary.passed, 12U);
    EXPECT_EQ(summary.left, 0U);
    EXPECT_EQ(summary.attempts, 12U + 2 * 2);
    EXPECT_EQ(summary.retried, 2U);
    std::size_t in_all = 0;
    for (const auto& [attempt, times] : executor.carried_out) {
      EXPECT_EQ(times, 1 + cut_off[attempt]) << attempt;
      in_all += static_cast<std::size_t>(times);
    }
    EXPECT_EQ(executor.carried_out.size(), 16U);
    std::size_t aside = 0;
    for ([[maybe_unused]] const auto& file : fs::directory_iterator(dir_ + "/c/set_aside")) ++aside;
    EXPECT_EQ(aside, in_all - 16);
    EXPECT_EQ(summary.set_aside, aside);
    for (const auto& r : records()) {
      EXPECT_TRUE(r.finished);
      EXPECT_FALSE(r.last.sha256.empty());
      EXPECT_TRUE(fs::exists(dir_ + "/c/" + r.last.run));
    }
  }
  for (const char* point : {"session", "began", "carried out", "named", "ended", "set aside"})
    EXPECT_GT(deaths[point], 0) << "no kill fell on the point '" << point << "'";
}

TEST_F(Campaign, RetriesWhatIsInvalidAndKeepsEveryAttempt) {
  SmallExecutor executor;
  executor.bad = {trials_[1].id, trials_[5].id};
  const auto summary = run(executor);
  EXPECT_EQ(summary.passed, 10U);
  EXPECT_EQ(summary.invalid, 2U);
  EXPECT_EQ(summary.attempts, 10U + 2 * 3);
  EXPECT_EQ(summary.why_invalid.at("stream force: # samples were lost"), 2U);
  EXPECT_EQ(judge(summary, suite_), Judgement::kInvalid);
  for (int attempt = 1; attempt <= 3; ++attempt)
    EXPECT_TRUE(fs::exists(dir_ + "/c/runs/" + trials_[1].id + "-" + std::to_string(attempt) + ".h5"));
  auto lenient = suite_;
  lenient.valid_percent = 80;
  EXPECT_EQ(judge(summary, lenient), Judgement::kPass);
  // Going on with what is done does nothing.
  const auto again = run(executor, true);
  EXPECT_EQ(executor.tear_downs, 1);
  EXPECT_EQ(again.attempts, summary.attempts);
}

TEST_F(Campaign, StopsWhenAskedGivesUpWhenHopelessAndTearsDownAlways) {
  SmallExecutor executor;
  executor.stop_after = 4;
  const auto stopped = run(executor);
  EXPECT_EQ(stopped.done(), 4U);
  EXPECT_EQ(stopped.left, 8U);
  EXPECT_EQ(stopped.why_left, "somebody asked for an end");
  EXPECT_EQ(executor.tear_downs, 1);
  EXPECT_EQ(judge(stopped, suite_), Judgement::kInvalid);
  SmallExecutor next;
  const auto gone_on = run(next, true);
  EXPECT_EQ(gone_on.passed, 12U);
  EXPECT_EQ(gone_on.set_aside, 1U) << "what the end fell into";
  EXPECT_EQ(next.carried_out.size(), 8U);

  fs::remove_all(dir_ + "/c");
  suite_ = suite_of(
      std::string(kSuite).replace(std::string(kSuite).find("attempts"), 12, "attempts = 1\ngive_up_after = 3"));
  SmallExecutor hopeless;
  for (const auto& t : trials_) hopeless.bad.insert(t.id);
  hopeless.tear_down_fails = true;
  const auto given_up = run(hopeless);
  EXPECT_EQ(given_up.invalid, 3U);
  EXPECT_EQ(given_up.left, 9U);
  EXPECT_THAT(given_up.why_left, HasSubstr("3 trials in a row"));
  EXPECT_EQ(given_up.teardown, "it is stuck");

  fs::remove_all(dir_ + "/c");
  SmallExecutor thrower;
  thrower.throws = true;
  EXPECT_THROW(run(thrower), std::runtime_error);
  EXPECT_EQ(thrower.tear_downs, 1);
}

TEST_F(Campaign, EndsWhenItIsDecidedAndNotBefore) {
  const auto with = [&](const std::string& until) {
    suite_ = suite_of(std::string(kSuite).replace(std::string(kSuite).find("levels = 12"), 11, "levels = 100") +
                      "[[measure]]\nname = \"drag_N\"\nat_most = 9\n[until]\nmeasure = \"drag_N\"\n" + until);
    trials_ = trials_of(suite_.design);
    fs::remove_all(dir_ + "/c");
    return SmallExecutor();
  };
  // Of an even distribution on 0 to 1 the mean's interval at 99 % is +- 0.29 x 2.86 / sqrt(20) = 0.19 at the first
  // look.
  auto executor = with("half_width = 0.25");
  const auto first = run(executor);
  EXPECT_EQ(first.passed, 20U);
  EXPECT_EQ(first.not_needed, 80U);
  EXPECT_EQ(first.left, 0U);
  EXPECT_EQ(judge(first, suite_), Judgement::kPass) << first.decided;
  const auto again = run(executor, true);
  EXPECT_EQ(again.not_needed, 80U);
  EXPECT_EQ(executor.tear_downs, 1) << "nothing was left to do";

  executor = with("half_width = 0.09");
  const auto later = run(executor);
  EXPECT_GT(later.passed, 40U);
  EXPECT_GT(later.not_needed, 0U);

  executor = with("half_width = 0.01");
  const auto never = run(executor);
  EXPECT_EQ(never.passed, 100U);
  EXPECT_EQ(judge(never, suite_), Judgement::kInvalid) << "100 trials cannot decide it";

  executor = with("half_width = 0.6\nlooks = 20");
  EXPECT_EQ(run(executor).passed, 10U) << "5 trials: +- 0.29 x 5.6 / sqrt(5) = 0.72; 10: 0.37";
}

// A gage that reads nothing but chance is rejected for certain before all is read; the same trials with a gage that
// is asked for once only are all carried out.
TEST_F(Campaign, AGageStudyEndsWhenItsVerdictIsCertain) {
  const auto with = [&](const std::string& until) {
    suite_ = suite_of(std::string(kSuite).replace(std::string(kSuite).find("levels = 12"), 11, "levels = 10") +
                      "[[factor]]\nname = \"speed_mm_s\"\nlevels = [10, 20, 30, 40, 50]\n"
                      "[[factor]]\nname = \"operator\"\nlevels = [\"A\", \"B\"]\n"
                      "[[measure]]\nname = \"drag_N\"\nat_most = 9\n"
                      "[gage]\nmeasure = \"drag_N\"\npart = \"speed_mm_s\"\nappraiser = \"operator\"\n" +
                      until);
    trials_ = trials_of(suite_.design);
    fs::remove_all(dir_ + "/c");
    return SmallExecutor();
  };
  auto executor = with("[until]\ngage = true\nlooks = 10\n");
  const auto stopped = run(executor);
  EXPECT_THAT(stopped.decided, HasSubstr("for certain"));
  EXPECT_EQ(stopped.passed % 10, 0U) << "whole rounds";
  EXPECT_GE(stopped.passed, 20U);
  EXPECT_LT(stopped.passed, 100U);
  executor = with("");
  EXPECT_EQ(run(executor).passed, 100U);
  EXPECT_THAT(refused(std::string(kSuite) + "[until]\ngage = true\n"), HasSubstr("which is not there"));
}

TEST_F(Campaign, RefusesAnotherSuiteADamagedJournalAndASecondRunner) {
  SmallExecutor executor;
  run(executor);
  run(executor);
  EXPECT_THAT(error_, HasSubstr("--resume"));
  const auto journal = dir_ + "/c/journal.jsonl";
  std::ofstream(journal, std::ios::app) << "{\"kind\":\"began\",\"at\":\"2026";  // half a line: whoever wrote it died
  run(executor, true);
  EXPECT_EQ(error_, "");
  suite_.text += "# changed";
  run(executor, true);
  EXPECT_THAT(error_, HasSubstr("another suite"));
  suite_ = suite_of(kSuite);
  std::ofstream(journal, std::ios::app) << "{\"kind\":\"ended\"}\n";
  run(executor, true);
  EXPECT_THAT(error_, HasSubstr("damaged"));
  fs::remove_all(dir_ + "/c");
  SmallExecutor second;
  std::string inner;
  run(executor, false, [&](std::string_view) {
    CampaignOptions o;
    o.dir = dir_ + "/c";
    o.resume = true;
    const auto other = run_campaign(suite_, trials_, second, o);
    inner = other.ok() ? "" : other.error().message;
    return true;
  });
  EXPECT_THAT(inner, HasSubstr("lock is held"));
  EXPECT_TRUE(second.carried_out.empty());
}

/// Cost of a trial beside its run: design, journal with its fsyncs, naming, digest. Of 10 to 10,000 trials; a report
/// and no test, so only where it is asked for.
TEST_F(Campaign, CostOfATrialDoesNotDependOnHowManyThereAre) {
  if (std::getenv("STRIGIL_CAMPAIGN_COST") == nullptr) GTEST_SKIP() << "set STRIGIL_CAMPAIGN_COST to have the figures";
  for (const int trials : {10, 100, 1000, 10000}) {
    fs::remove_all(dir_ + "/c");
    auto text = std::string(kSuite);
    text.replace(text.find("levels = 12"), 11, "levels = " + std::to_string(trials));
    suite_ = suite_of(text);
    const auto began = std::chrono::steady_clock::now();
    trials_ = trials_of(suite_.design);
    SmallExecutor executor;
    const auto summary = run(executor);
    const std::chrono::duration<double, std::milli> first = std::chrono::steady_clock::now() - began;
    EXPECT_EQ(summary.passed, static_cast<std::uint64_t>(trials));
    const auto again = std::chrono::steady_clock::now();
    run(executor, true);
    const std::chrono::duration<double, std::milli> resumed = std::chrono::steady_clock::now() - again;
    std::printf("%6d trials: %.3f ms each; going on with it when all is done: %.4f ms each\n", trials,
                first.count() / trials, resumed.count() / trials);
  }
}

TEST(DatasetSplits, NoPhantomIsInTwo) {
  for (std::size_t n = 1; n <= 25; ++n) {
    std::vector<std::string> phantoms;
    for (std::size_t i = 0; i < 3 * n; ++i) phantoms.push_back("p" + std::to_string(i % n));  // three runs on each
    const auto s = split_phantoms(phantoms, 60, 20, 3);
    std::set<std::string> all;
    for (const auto* part : {&s.train, &s.validation, &s.test}) all.insert(part->begin(), part->end());
    EXPECT_EQ(all.size(), n);
    EXPECT_EQ(s.train.size() + s.validation.size() + s.test.size(), n) << "a phantom is in two splits";
    if (n < 3) continue;
    EXPECT_TRUE(!s.train.empty() && !s.validation.empty() && !s.test.empty()) << n;
  }
}

}  // namespace
}  // namespace strigil::protocols
