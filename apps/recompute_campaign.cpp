#include "apps/recompute_campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/run_command.hpp"
#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"
#include "daq/temporary_folder.hpp"
#include "protocols/campaign/campaign_report.hpp"
#include "protocols/campaign/during.hpp"
#include "protocols/campaign/run_end.hpp"
#include "protocols/report/court_report_files.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using protocols::Judgement;

constexpr std::size_t kLongest = 256U << 20U;

/// Carries out nothing: a journal that is complete asks for nothing.
class Nobody final : public protocols::TrialExecutor {
 public:
  explicit Nobody(std::string fingerprint) : fingerprint_(std::move(fingerprint)) {}
  [[nodiscard]] std::string fingerprint() const override { return fingerprint_; }
  daq::Result<protocols::AttemptOutcome> carry_out(const protocols::Trial&, int, const std::string&) override {
    return no();
  }
  daq::Result<protocols::AttemptOutcome> judge_again(const protocols::Trial&, int, const std::string&) override {
    return no();
  }
  daq::Result<void> set_up() override { return no(); }
  daq::Result<void> tear_down() override { return no(); }
  [[nodiscard]] bool stop_asked() const override { return true; }

 private:
  static daq::Error no() { return daq::Error{"the campaign is not complete"}; }
  std::string fingerprint_;
};

/// What the journal comes to. Nothing: the campaign is not complete.
daq::Result<std::optional<protocols::CampaignSummary>> summary_of(const std::string& folder,
                                                                  const protocols::Suite& suite,
                                                                  const std::vector<protocols::Trial>& trials) {
  bool torn_down = false;
  const auto head = protocols::read_journal(
      folder, [&](const protocols::JournalEntry& e) { torn_down = e.kind == protocols::JournalKind::kTornDown; });
  if (!head) return head.error();
  const auto scratch = daq::TemporaryFolder::make("verify");
  if (!scratch) return scratch.error();
  std::error_code failure;
  fs::copy_file(fs::path(folder) / "journal.jsonl", fs::path(scratch->path()) / "journal.jsonl", failure);
  if (failure) return daq::Error{"the journal cannot be copied: " + failure.message()};
  Nobody nobody(head->inputs);
  protocols::CampaignOptions options;
  options.dir = scratch->path();
  options.resume = true;
  auto summary = protocols::run_campaign(suite, trials, nobody, options);
  if (!summary) return summary.error();
  if (!torn_down || summary->left > 0) return std::optional<protocols::CampaignSummary>();
  return std::optional(std::move(*summary));
}

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Measures of a trial's run, evaluated anew as a campaign does.
daq::Result<std::vector<protocols::MeasureResult>> measures_of(const std::string& run_file,
                                                               const protocols::Suite& suite) {
  std::vector<protocols::MeasureResult> out;
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  const auto& config = (*reader)->header().config;
  if (!config.contains("bench.toml") || !config.contains("protocol.toml"))
    return daq::Error{"it holds no bench.toml or no protocol.toml"};
  auto bench = rig::parse_bench(config.at("bench.toml"), "bench.toml");
  if (!bench) return bench.error();
  const auto protocol = protocols::parse_protocol(config.at("protocol.toml"), "protocol.toml");
  if (!protocol) return protocol.error();
  const auto plan = protocols::expand(*protocol, limits_of(*bench));
  if (!plan) return plan.error();
  reader->reset();
  const auto end = protocols::read_run_end(run_file, *plan);
  if (!end) return end.error();
  if (end->verdict.judgement == Judgement::kInvalid || plan->protocol.in_air) return out;
  for (const auto& rule : suite.measures) out.push_back(protocols::evaluate(rule, *plan, end->verdict));
  auto during = protocols::evaluate_during(suite.durings, run_file);
  if (!during) return during.error();
  out.insert(out.end(), during->begin(), during->end());
  return out;
}

/// What the journal says of every run, against the run.
void check_measures(const std::string& folder, const protocols::Suite& suite,
                    const std::vector<protocols::TrialRecord>& records, RecomputedCampaign& out) {
  std::size_t runs = 0;
  std::size_t measures = 0;
  for (const auto& r : records) {
    if (!r.finished || r.last.run.empty()) continue;
    const auto& said = r.last.outcome;
    auto again = measures_of((fs::path(folder) / r.last.run).string(), suite);
    if (!again && said.judgement == Judgement::kInvalid && said.measures.empty()) continue;
    if (!again) {
      out.problems.push_back(
          fmt::format("{}: its measures cannot be made again: {}", r.last.run, again.error().message));
      continue;
    }
    bool same = again->size() == said.measures.size();
    for (std::size_t m = 0; same && m < again->size(); ++m) {
      const auto& a = (*again)[m];
      const auto& b = said.measures[m];
      same = a.name == b.name && same_number(a.value, b.value) && a.finding == b.finding && a.words == b.words;
      if (!same)
        out.problems.push_back(fmt::format("journal.jsonl: {}: recomputed, '{}' is {}", r.last.run, a.name, a.value));
    }
    if (again->size() != said.measures.size())
      out.problems.push_back(fmt::format("journal.jsonl: {}: it has {} measures, recomputed {}", r.last.run,
                                         said.measures.size(), again->size()));
    ++runs;
    measures += again->size();
  }
  if (out.problems.empty()) out.same.push_back(fmt::format("journal.jsonl: {} measures of {} runs", measures, runs));
}

class ReportAgain {
 public:
  ReportAgain(const std::string& folder, RecomputedCampaign& out) : folder_(folder), out_(out) {}

  daq::Result<void> go() {
    const auto suite_path = (folder_ / "suite.toml").string();
    const auto text = daq::read_text_file(suite_path);
    if (!text) return text.error();
    auto suite = protocols::parse_suite(*text, suite_path);
    if (!suite) return suite.error();
    const auto trials = protocols::expand(suite->design);
    if (!trials) return trials.error();
    const auto records = protocols::read_records(folder_.string(), *suite, *trials);
    if (!records) return records.error();
    check_measures(folder_.string(), *suite, *records, out_);
    const bool there = [&] {
      std::error_code failure;
      return fs::exists(folder_ / "report.json", failure);
    }();
    if (!there) return {};
    const auto recorded = daq::read_text_file((folder_ / "report.json").string(), kLongest);
    if (!recorded) return recorded.error();
    said_ = daq::nests_too_deep(*recorded) ? Json() : daq::parse_ordered_json(*recorded);
    if (!said_.is_object()) {
      out_.problems.emplace_back("report.json: it is no report");
      return {};
    }
    const auto summary = summary_of(folder_.string(), *suite, *trials);
    if (!summary) return summary.error();
    if (!*summary) out_.trusted.emplace_back("report.json: its verdict, for the campaign is not complete");
    std::optional<protocols::CourtJudgement> court;
    std::string no_court;
    if (!suite->commanded.empty()) {
      out_.trusted.push_back(
          fmt::format("court.json, and what report.json says of detectors: {} of them are other programs, which are "
                      "not started here",
                      suite->commanded.size()));
    } else {
      judge(*suite, *trials, *records, court, no_court);
    }
    const bool baseline = said_.contains("baseline") && !said_["baseline"].is_null();
    if (baseline) out_.trusted.emplace_back("report.json: its verdict, for it rests on a baseline that is not here");
    const auto evidence = protocols::read_campaign_evidence(folder_.string(), *suite, *trials, *records);
    if (!evidence) return evidence.error();
    const std::optional<protocols::BaselineComparison> no_comparison;
    const auto report = protocols::report_of({.suite = *suite,
                                              .trials = *trials,
                                              .records = *records,
                                              .summary = summary->value_or(protocols::CampaignSummary{}),
                                              .court = court,
                                              .no_court = no_court,
                                              .comparison = no_comparison,
                                              .baseline_origin = {},
                                              .software = said_.value("software", std::string()),
                                              .evidence = *evidence});
    if (*summary && suite->commanded.empty() && !baseline) {
      compare("report.json", to_json(report));
      compare("report.junit.xml", to_junit(report));
      compare("report.html", to_html(report));
    } else {
      compare_parts(daq::parse_ordered_json(to_json(report)), suite->commanded.empty());
    }
    return {};
  }

 private:
  void judge(const protocols::Suite& suite, const std::vector<protocols::Trial>& trials,
             const std::vector<protocols::TrialRecord>& records, std::optional<protocols::CourtJudgement>& court,
             std::string& no_court) {
    const bool any = std::any_of(records.begin(), records.end(), [](const auto& r) {
      return r.finished && r.last.outcome.judgement != Judgement::kInvalid;
    });
    if (!any) return;
    auto judged = protocols::judge_campaign(folder_.string(), suite, trials, records);
    if (!judged) no_court = judged.error().message;
    if (judged) court = std::move(*judged);
    if (court) compare("court.json", to_json(*court));
  }

  void compare(const char* name, const std::string& again) {
    const auto recorded = daq::read_text_file((folder_ / name).string(), kLongest);
    if (!recorded) {
      out_.problems.push_back(fmt::format("{}: {}", name, recorded.error().message));
    } else if (*recorded == again) {
      out_.same.push_back(fmt::format("{}, to the byte", name));
    } else {
      out_.problems.push_back(fmt::format("{}: recomputed from the run files, it is not what it says", name));
    }
  }

  /// Where something cannot be made again: the rest, member by member.
  void compare_parts(const Json& again, bool with_detectors) {
    std::vector<const char*> members{"title",  "suite",  "began",   "ended",   "seed",
                                     "counts", "trials", "studies", "evidence"};
    if (with_detectors) members.insert(members.end(), {"detectors", "comparisons", "flags"});
    for (const char* member : members) {
      if (said_.value(member, Json()).dump() != again.value(member, Json()).dump())
        out_.problems.push_back(
            fmt::format("report.json: its {}, recomputed from the run files, are not what it says", member));
    }
    if (out_.problems.empty())
      out_.same.push_back(fmt::format("report.json: its trials, measures, studies{} and evidence",
                                      with_detectors ? ", detectors" : ""));
  }

  fs::path folder_;
  RecomputedCampaign& out_;
  Json said_;
};

}  // namespace

daq::Result<RecomputedCampaign> recompute_campaign(const std::string& folder) {
  RecomputedCampaign out;
  std::error_code ignored;
  if (!fs::exists(fs::path(folder) / "suite.toml", ignored) || !fs::exists(fs::path(folder) / "journal.jsonl", ignored))
    return out;
  if (auto done = ReportAgain(folder, out).go(); !done) return done.error();
  return out;
}

}  // namespace strigil::apps
