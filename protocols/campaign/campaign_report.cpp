#include "protocols/campaign/campaign_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>

#include "protocols/campaign/detector_figures.hpp"
#include "protocols/campaign/gage_section.hpp"
#include "protocols/court/gage_study.hpp"
#include "protocols/detectors/detector_factory.hpp"

namespace strigil::protocols {
namespace {

/// Factors that make JUnit's test suites, the first that is there.
std::string group_of(const Suite& suite, const Trial& trial) {
  for (const char* name : {"phantom", "condition", "instrument", "protocol"}) {
    if (const auto* level = level_of(suite.design, trial, name)) return text_of(*level);
  }
  return suite.phantom.empty() ? suite.name : suite.phantom;
}

Metric metric_of(const MeasureResult& m, const Suite& suite) {
  Metric out{.name = m.name, .value = m.value, .unit = {}, .words = m.words};
  for (const auto& rule : suite.measures) {
    if (key_of(rule) != m.name) continue;
    if (std::isfinite(rule.limits.low)) out.lower_limit = rule.limits.low;
    if (std::isfinite(rule.limits.high)) out.upper_limit = rule.limits.high;
    out.marginal = rule.marginal;
  }
  switch (m.finding) {
    case Finding::kGood:
      out.status = MetricStatus::kMet;
      break;
    case Finding::kMarginal:
      out.status = MetricStatus::kMarginal;
      break;
    case Finding::kBad:
      out.status = MetricStatus::kMissed;
      break;
    case Finding::kUnjudged:
      out.status = MetricStatus::kUnknown;
      break;
  }
  return out;
}

TrialReport trial_of(const Suite& suite, const Trial& trial, const TrialRecord& record, CourtReport& report) {
  TrialReport t;
  t.id = trial.id;
  t.group = group_of(suite, trial);
  for (std::size_t f = 0; f < trial.levels.size(); ++f)
    t.factors.emplace_back(suite.design.factors[f].name, text_of(trial.levels[f]));
  t.attempts = static_cast<std::size_t>(record.attempts);
  if (!record.finished) return t;
  const auto& outcome = record.last.outcome;
  t.verdict = outcome.judgement;
  t.state = outcome.judgement == Judgement::kInvalid ? TrialState::kInvalid : TrialState::kDone;
  for (const auto& r : outcome.reasons) t.reasons.push_back(r.text);
  t.run = record.last.run;
  t.run_sha256 = record.last.sha256;
  t.duration_s = outcome.duration_s;
  if (!t.run.empty()) {
    t.evidence = report.evidence.size();
    report.evidence.push_back(
        {.name = trial.id, .ranges = {{.run = t.run, .stream = {}, .channel = {}, .what = "the whole run"}}});
  }
  for (const auto& m : outcome.measures) {
    t.measures.push_back(metric_of(m, suite));
    t.measures.back().evidence = t.evidence;
  }
  return t;
}

/// The suite's gage study, and what it says against the gage.
void add_gage(const CampaignFindings& f, std::size_t evidence, CourtReport& report) {
  const auto& rule = *f.suite.gage;
  std::vector<std::optional<double>> values(f.trials.size());
  std::size_t readings_there = 0;
  for (std::size_t i = 0; i < f.trials.size(); ++i) {
    if (!f.records[i].finished || f.records[i].last.outcome.judgement == Judgement::kInvalid) continue;
    for (const auto& m : f.records[i].last.outcome.measures) {
      if (m.name != rule.measure || !std::isfinite(m.value)) continue;
      values[i] = m.value;
      ++readings_there;
    }
  }
  const auto readings = gage_readings(f.suite, f.trials, values);
  const auto study = gage_anova(readings, {.tolerance = rule.tolerance, .seed = f.suite.design.seed});
  if (!study) {
    report.reasons.push_back({.weight = Judgement::kInvalid, .text = "no gage study: " + study.error().message});
    return;
  }
  auto s = gage_section(rule, *study, readings, evidence);
  if (readings_there > readings.size())
    s.about +=
        fmt::format("; {} readings are left out, so that each cell has as many", readings_there - readings.size());
  if (study->verdict != GageVerdict::kAccept)
    report.reasons.push_back({.weight = *s.verdict,
                              .text = fmt::format("gage R&R of {}: {:.1f} % of the total variation ({})", rule.measure,
                                                  study->gage.study_pct, name_of(study->verdict))});
  report.studies.push_back(std::move(s));
}

CourtRun court_run(HeardRun heard, const std::map<std::string, std::string>& factors) {
  const auto ground = heard.in_air ? RunGround::kAir : RunGround::kTissue;
  return {.heard = std::move(heard), .phantom = {}, .factors = factors, .ground = ground};
}

}  // namespace

daq::Result<std::optional<CourtJudgement>> judge_campaign(const std::string& dir, const Suite& suite,
                                                          const std::vector<Trial>& trials,
                                                          const std::vector<TrialRecord>& records,
                                                          const std::function<void(std::size_t run)>& heard,
                                                          const HearCommanded& commanded) {
  if (suite.detectors.empty() && suite.commanded.empty()) return std::optional<CourtJudgement>();
  if (!suite.commanded.empty() && !commanded) return daq::Error{"its detectors are other programs, not to be started"};
  std::vector<CourtRun> runs;
  struct Found {
    std::string first;  // its words
    std::size_t runs = 0;
  };
  std::map<std::string, std::map<std::string, Found>> findings;  // of a detector, by what they are called
  std::size_t valid = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto& r = records[i];
    if (!r.finished || r.last.outcome.judgement == Judgement::kInvalid || r.last.run.empty()) continue;
    std::vector<std::unique_ptr<Detector>> detectors;
    std::vector<Detector*> listening;
    for (const auto& name : suite.detectors) {
      auto detector = make_detector(name);
      if (!detector) return detector.error();
      detectors.push_back(std::move(*detector));
      listening.push_back(detectors.back().get());
    }
    const auto file = (std::filesystem::path(dir) / r.last.run).string();
    auto run = listening.empty() ? daq::Result<HeardRun>(HeardRun{}) : hear_run(file, listening);
    if (!run) return run.error();
    std::map<std::string, std::string> factors;
    for (std::size_t f = 0; f < trials[i].levels.size(); ++f)
      factors[suite.design.factors[f].name] = text_of(trials[i].levels[f]);
    if (!listening.empty()) runs.push_back(court_run(std::move(*run), factors));
    bool told = !listening.empty();
    for (const auto& detector : suite.commanded) {
      auto remote = commanded(file, detector);
      if (!remote) return daq::Error{fmt::format("detector '{}': {}", detector.name, remote.error().message)};
      for (auto& stroke : remote->heard.strokes) stroke.hearing.detector = detector.name;
      for (const auto& [kind, words] : remote->findings) {
        auto& found = findings[detector.name][kind];
        if (found.runs++ == 0) found.first = words;
      }
      if (told) remote->heard.warnings.clear();  // of the run, whoever hears it
      told = true;
      runs.push_back(court_run(std::move(remote->heard), factors));
    }
    ++valid;
    if (heard) heard(valid);
  }
  if (runs.empty()) return daq::Error{"no run is valid, so there is nothing to judge detectors by"};
  auto judged = judge_detectors(runs);
  if (!judged) return judged.error();
  for (auto& d : judged->detectors) {
    for (const auto& [kind, found] : findings[d.detector]) {
      d.accused.push_back({Accusation::kBrokeTheContract,
                           fmt::format("{}, in {} of {} runs: {}", kind, found.runs, valid, found.first)});
    }
  }
  return std::optional(std::move(*judged));
}

CourtReport report_of(const CampaignFindings& f) {
  CourtReport report;
  report.title = f.suite.title.empty() ? f.suite.name : f.suite.title;
  report.suite = f.suite.name;
  report.software = f.software;
  report.seed = f.suite.design.seed;
  for (const auto& r : reasons_of(f.summary, f.suite)) report.reasons.push_back({.weight = r.weight, .text = r.text});
  for (std::size_t i = 0; i < f.trials.size(); ++i) {
    report.trials.push_back(trial_of(f.suite, f.trials[i], f.records[i], report));
    const auto& at = f.records[i].last.at;
    if (at.empty()) continue;
    if (report.began.empty() || at < report.began) report.began = at;
    report.ended = std::max(report.ended, at);
  }
  link_measures(f.evidence, f.suite, report);
  const auto on_tissue = link_strokes(f.evidence, f.records, false, report);
  const auto in_air = link_strokes(f.evidence, f.records, true, report);
  if (f.court) {
    auto parts = court_parts(*f.court, f.suite);
    // Figures rest on tissue alone; what is held against a detector, on the air too.
    const auto evidence = on_tissue;
    for (auto* sections : {&parts.detectors, &parts.comparisons}) {
      for (auto& s : *sections) {
        for (auto& m : s.metrics) m.evidence = evidence;
      }
    }
    for (auto& flag : parts.flags)
      flag.evidence = flag.name == name_of(Accusation::kWorksOnNothing) && in_air != kNoEvidence ? in_air : on_tissue;
    report.detectors = std::move(parts.detectors);
    report.comparisons = std::move(parts.comparisons);
    report.flags = std::move(parts.flags);
    for (auto& r : parts.reasons) report.reasons.push_back(std::move(r));
    for (const auto& note : f.court->notes) report.reasons.push_back({.weight = Judgement::kPass, .text = note});
  }
  if (f.suite.gage) add_gage(f, on_tissue, report);
  add_machine_noise(f.evidence, in_air, on_tissue, report);
  if (!f.no_court.empty())
    report.reasons.push_back({.weight = Judgement::kInvalid, .text = "detectors were not judged: " + f.no_court});
  if (f.comparison) {
    report.baseline = f.comparison;
    report.baseline_origin = f.baseline_origin;
    for (const auto& change : f.comparison->changes) {
      if (change.change == Change::kWorse || change.change == Change::kMissing)
        report.reasons.push_back({.weight = Judgement::kFail, .text = "worse than the baseline: " + change.words});
    }
  }
  std::stable_sort(report.reasons.begin(), report.reasons.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  report.verdict = report.reasons.empty() ? Judgement::kPass : report.reasons.front().weight;
  return report;
}

}  // namespace strigil::protocols
