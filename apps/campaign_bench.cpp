#include "apps/campaign_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "apps/home_command.hpp"
#include "apps/places.hpp"
#include "apps/specimen.hpp"
#include "apps/stop_request.hpp"
#include "apps/stop_test_command.hpp"
#include "calibration/record/digest.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/campaign/during.hpp"
#include "protocols/campaign/run_end.hpp"
#include "protocols/campaign/trial_texts.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;
using protocols::AttemptOutcome;
using protocols::Judgement;

/// Another attempt at a trial is another run, and the same one whenever it is made.
std::uint64_t seed_of(const protocols::Trial& trial, int attempt) {
  return protocols::Draws(trial.seed, static_cast<std::uint64_t>(attempt)).next() >> 1U;
}

Judgement weight_of(const protocols::MeasureResult& m) {
  if (m.finding == protocols::Finding::kUnjudged) return Judgement::kInvalid;
  return m.finding == protocols::Finding::kBad && m.fails ? Judgement::kFail : Judgement::kPass;
}

/// SHA-256 of each text that a trial is made of.
std::vector<std::string> digests_of(const Prepared& p) {
  std::vector<std::string> out{calibration::sha256_hex(p.bench.text), calibration::sha256_hex(p.protocol_text)};
  if (p.bench.phantom_there) out.push_back(calibration::sha256_hex(p.bench.phantom_there->text));
  if (p.bench.instrument_there) out.push_back(calibration::sha256_hex(p.bench.instrument_there->text));
  return out;
}

/// What a person must have set before a trial can be run: nothing of it is in the stage's power.
std::string set_by_hand_for(const protocols::Suite& suite, const protocols::Trial& trial) {
  std::string words;
  for (const char* name : {"phantom", "condition", "targets", "instrument", "emollient", "angle_deg", "operator"}) {
    if (const auto* level = protocols::level_of(suite.design, trial, name))
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", name, protocols::text_of(*level));
  }
  return words;
}

}  // namespace

CampaignBench::CampaignBench(const protocols::Suite& suite, std::string dir, HandSetting by_hand)
    : suite_(suite), dir_(std::move(dir)), by_hand_(std::move(by_hand)) {
  watch({}, {});
}

void CampaignBench::watch(const RunWatcher& watcher, const Publication& publication) {
  watcher_ = watcher;
  if (watcher_.request == nullptr) watcher_.request = &stop_request();
  if (watcher_.suspend == nullptr) watcher_.suspend = &suspend_request();
  publication_ = publication;
}

daq::Result<std::string> CampaignBench::text(const std::string& name, const std::string& folder,
                                             const std::string& what, std::string& path) {
  auto& kept = texts_[folder + '\n' + name];
  if (kept.first.empty()) {
    auto found = find_toml(name, folder, what);
    if (!found) return found.error();
    auto read = daq::read_text_file(*found);
    if (!read) return read.error();
    kept = {std::move(*found), std::move(*read)};
  }
  path = kept.first;
  return kept.second;
}

daq::Result<std::string> CampaignBench::phantom_with(const std::string& condition) {
  if (phantom_of_.empty()) {
    for (const auto& dir : home_dirs()) {
      std::error_code failure;
      for (const auto& entry : fs::directory_iterator(fs::path(dir) / "rig/phantoms", failure)) {
        if (entry.path().extension() != ".toml") continue;
        const auto phantom = find_phantom(entry.path().string());
        if (!phantom) return phantom.error();
        phantom_of_.emplace(phantom->condition, entry.path().stem().string());
      }
      if (!phantom_of_.empty()) break;
    }
  }
  const auto found = phantom_of_.find(condition);
  if (found == phantom_of_.end())
    return daq::Error{
        fmt::format("no phantom of the catalogue has the condition '{}'; see `strigil phantom list`", condition)};
  return found->second;
}

daq::Result<Prepared> CampaignBench::prepare_trial(const protocols::Trial& trial) {
  auto specimen = protocols::specimen_of(suite_, trial);
  if (!specimen.condition.empty()) {
    auto phantom = phantom_with(specimen.condition);
    if (!phantom) return phantom.error();
    specimen.phantom = std::move(*phantom);
  }
  if ((specimen.blank || specimen.in_air) && specimen.phantom.empty())
    return daq::Error{"targets = \"none\" or \"air\" needs a phantom: as a factor, or in [specimen]"};
  auto protocol = specimen.protocol;
  if (protocol == protocols::kProtocolOfPhantom) {
    auto& known = protocol_of_[specimen.phantom];
    if (known.empty()) {
      if (specimen.phantom.empty())
        return daq::Error{"protocol = \"of_phantom\" needs a phantom: as a factor, or in [specimen]"};
      const auto phantom = find_phantom(specimen.phantom);
      if (!phantom) return phantom.error();
      if (phantom->protocol.empty())
        return daq::Error{fmt::format("no protocol goes with the phantom '{}': name one in [suite]", specimen.phantom)};
      known = phantom->protocol;
    }
    protocol = known;
  }
  std::string bench_path;
  std::string protocol_path;
  const auto bench_base = text(suite_.bench, "rig/benches", "bench", bench_path);
  if (!bench_base) return bench_base.error();
  const auto protocol_base = text(protocol, "protocols/library", "protocol", protocol_path);
  if (!protocol_base) return protocol_base.error();
  const auto bench = protocols::bench_text(suite_, trial, *bench_base, bench_path);
  if (!bench) return bench.error();
  const auto changed = protocols::protocol_text(suite_, trial, *protocol_base, protocol_path);
  if (!changed) return changed.error();
  return prepare_texts(*bench, bench_path,
                       {.phantom = specimen.blank ? specimen.phantom + std::string(kBlankSuffix) : specimen.phantom,
                        .instrument = specimen.instrument,
                        .emollient = specimen.emollient},
                       *changed, protocol_path);
}

daq::Result<void> CampaignBench::check(const std::vector<protocols::Trial>& trials) {
  std::set<std::string> seen;
  for (const auto& trial : trials) {
    // Repeats and operators differ in nothing that is read.
    std::string settings;
    for (std::size_t f = 0; f < trial.levels.size(); ++f) {
      const auto& name = suite_.design.factors[f].name;
      if (name != "repeat" && name != "operator") settings += protocols::text_of(trial.levels[f]) + '\n';
    }
    if (!seen.insert(std::move(settings)).second) continue;
    const auto prepared = prepare_trial(trial);
    if (!prepared)
      return daq::Error{fmt::format("trial {} ({}): {}", trial.id, protocols::words_of(suite_.design, trial),
                                    prepared.error().message)};
    if (!suite_.virtual_time) {
      std::string last;
      if (auto gate = pass_stop_test_gate(prepared->bench, last); !gate) return gate;
    }
    for (auto& digest : digests_of(*prepared)) inputs_.insert(std::move(digest));
  }
  std::string whole;
  for (const auto& digest : inputs_) whole += digest + '\n';
  fingerprint_ = calibration::sha256_hex(whole);
  return {};
}

daq::Result<RunOutcome> CampaignBench::run_one(const Prepared& prepared, std::uint64_t seed,
                                               const std::string& run_file) {
  RunOptions options;
  options.bench = prepared.bench;
  options.plan = prepared.plan;
  options.protocol_text = prepared.protocol_text;
  options.virtual_time = suite_.virtual_time;
  options.seed = seed;
  options.out = run_file;
  if (!suite_.virtual_time) {
    if (auto gate = pass_stop_test_gate(prepared.bench, options.stop_test); !gate) return gate.error();
  }
  if (!suite_.virtual_time) options.publication = publication_;
  return run(options, watcher_);
}

daq::Result<AttemptOutcome> CampaignBench::carry_out(const protocols::Trial& trial, int attempt,
                                                     const std::string& run_file) {
  const auto prepared = prepare_trial(trial);
  if (!prepared) return prepared.error();
  for (const auto& digest : digests_of(*prepared)) {
    if (!inputs_.contains(digest))
      return daq::Error{
          "a bench, protocol, phantom or instrument file was changed while the campaign went on; put it back"};
  }
  if (auto ready = set_by_hand(trial); !ready) return ready.error();
  const auto outcome = run_one(*prepared, seed_of(trial, attempt), run_file);
  if (!outcome) return outcome.error();
  if (stop_asked() && outcome->verdict.judgement == Judgement::kInvalid) return AttemptOutcome{.interrupted = true};
  auto judged = judge(*prepared, run_file);
  // A verdict that did not come to the disk is the run's all the same.
  if (!judged) return AttemptOutcome{.reasons = {{Judgement::kInvalid, judged.error().message}}};
  return judged;
}

daq::Result<AttemptOutcome> CampaignBench::judge_again(const protocols::Trial& trial, int /*attempt*/,
                                                       const std::string& run_file) {
  const auto prepared = prepare_trial(trial);
  if (!prepared) return prepared.error();
  return judge(*prepared, run_file);
}

daq::Result<AttemptOutcome> CampaignBench::judge(const Prepared& prepared, const std::string& run_file) const {
  const auto end = protocols::read_run_end(run_file, prepared.plan);
  if (!end) return end.error();
  AttemptOutcome out{
      .judgement = end->verdict.judgement, .duration_s = end->duration_s, .strokes = end->verdict.strokes.size()};
  for (const auto& r : end->verdict.reasons) out.reasons.push_back({r.weight, r.text});
  // An INVALID run says nothing of the instrument, so its measures are not held against it; nor do strokes in the air,
  // whose wishes are of tissue.
  if (out.judgement != Judgement::kInvalid && !prepared.plan.protocol.in_air) {
    for (const auto& rule : suite_.measures)
      out.measures.push_back(protocols::evaluate(rule, prepared.plan, end->verdict));
    auto during = protocols::evaluate_during(suite_.durings, run_file);
    if (!during) return during.error();
    for (auto& m : *during) out.measures.push_back(std::move(m));
    for (const auto& m : out.measures) {
      const auto weight = weight_of(m);
      if (weight == Judgement::kPass && m.finding == protocols::Finding::kGood) continue;
      out.reasons.push_back({weight, m.words});
      out.judgement = std::max(out.judgement, weight);
    }
  }
  std::stable_sort(out.reasons.begin(), out.reasons.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  return out;
}

bool CampaignBench::stop_asked() const { return stopped_ || watcher_.request->load() > 0; }

daq::Result<void> CampaignBench::set_by_hand(const protocols::Trial& trial) {
  if (suite_.virtual_time) return {};
  auto wanted = set_by_hand_for(suite_, trial);
  if (wanted == by_hand_now_) return {};
  if (!by_hand_) return daq::Error{fmt::format("nobody is there to set: {}", wanted)};
  if (auto done = by_hand_(wanted); !done) return done;
  by_hand_now_ = std::move(wanted);
  return {};
}

daq::Result<void> CampaignBench::surround(const protocols::Surroundings& what, const std::string& name) {
  if (what.home.empty() && what.protocol.empty()) return {};
  const auto prepared = prepare(what.protocol.empty() ? "smoke" : what.protocol, suite_.bench,
                                {.phantom = suite_.phantom, .instrument = suite_.instrument, .emollient = {}});
  if (!prepared) return prepared.error();
  if (!what.home.empty()) {
    const auto homed =
        carry_out_homing({.bench = prepared->bench, .axes = what.home, .virtual_time = suite_.virtual_time});
    if (!homed) return homed.error();
    if (!homed->failure.empty()) return daq::Error{homed->failure};
  }
  if (what.protocol.empty()) return {};
  std::error_code failure;
  fs::create_directories(fs::path(dir_) / "around", failure);
  std::string run_file;
  for (int n = 1; run_file.empty() || fs::exists(run_file, failure); ++n)
    run_file = (fs::path(dir_) / "around" / fmt::format("{}-{}.h5", name, n)).string();
  const auto outcome = run_one(*prepared, suite_.design.seed, run_file);
  if (!outcome) return outcome.error();
  if (outcome->verdict.judgement == Judgement::kPass) return {};
  return daq::Error{fmt::format("the {} protocol '{}' ended {}: {}", name, what.protocol,
                                protocols::name_of(outcome->verdict.judgement),
                                outcome->verdict.reasons.empty() ? "" : outcome->verdict.reasons.front().text)};
}

daq::Result<void> CampaignBench::set_up() { return surround(suite_.setup, "setup"); }

daq::Result<void> CampaignBench::tear_down() {
  // Who asked for an end of the trials has it; a further request is one of the teardown.
  stopped_ = stop_request().exchange(0) > 0;
  return surround(suite_.teardown, "teardown");
}

}  // namespace strigil::apps
