#include "protocols/campaign/campaign.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <unordered_map>

#include "calibration/record/digest.hpp"
#include "daq/time.hpp"
#include "protocols/campaign/gage_section.hpp"
#include "protocols/court/trial_planner.hpp"

namespace strigil::protocols {
namespace {

namespace fs = std::filesystem;

/// What is known of a trial while the campaign goes on: little, for there may be many.
struct TrialState {
  int begun = 0;  ///< attempt that was begun last; 0: none
  int ended = 0;  ///< likewise
  bool finished = false;
  Judgement judgement = Judgement::kInvalid;
};

/// The test hook's death.
struct Died {};

daq::Error disk_error(const std::string& path, const char* what) {
  return daq::Error{fmt::format("'{}' cannot be {}: {}", path, what, std::strerror(errno))};
}

/// Sees a file, or a folder's names, on the disk.
daq::Result<void> sync(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return disk_error(path, "opened");
  const bool synced = ::fsync(fd) == 0;
  const auto result = synced ? daq::Result<void>{} : daq::Result<void>{disk_error(path, "seen on the disk")};
  (void)::close(fd);
  return result;
}

/// A reason without its numbers, so that the same one is counted as the same.
std::string kind_of(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) out += c;
    if (digit && (out.empty() || out.back() != '#')) out += '#';
  }
  return out;
}

class CampaignRun {
 public:
  CampaignRun(const Suite& suite, const std::vector<Trial>& trials, TrialExecutor& executor,
              const CampaignOptions& options)
      : suite_(suite), trials_(trials), executor_(executor), o_(options), states_(trials.size()) {
    summary_.planned = trials.size();
    if (suite.until) values_.assign(trials.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < trials.size(); ++i) numbers_.emplace(trials[i].id, i);
  }

  daq::Result<CampaignSummary> go() {
    std::string stranger;
    auto journal = Journal::open(o_.dir,
                                 {.suite = suite_.name,
                                  .suite_sha256 = calibration::sha256_hex(suite_.text),
                                  .inputs = executor_.fingerprint(),
                                  .trials = trials_.size()},
                                 o_.resume, [&](const JournalEntry& e) {
                                   if (!remember(e)) stranger = e.trial;
                                 });
    if (!journal) return journal.error();
    journal_ = &*journal;
    if (!stranger.empty())
      return daq::Error{
          fmt::format("the journal in '{}' tells of a trial '{}' that the suite has not", o_.dir, stranger)};
    if (auto ok = make_folders(); !ok) return ok.error();
    if (auto ok = note_stray_files(); !ok) return ok.error();
    decide(finished_in_a_row());
    if (summary_.torn_down && nothing_to_do()) {  // nothing is left to do
      count_states();
      return summary_;
    }
    if (auto ok = note({.kind = JournalKind::kSession, .software = o_.software}); !ok) return ok.error();
    ++summary_.sessions;
    point("session");
    summary_.torn_down = false;
    auto carried_out = daq::Result<void>{};
    try {
      carried_out = carry_out_all();
    } catch (const Died&) {
      throw;
    } catch (...) {
      (void)executor_.tear_down();  // what was thrown says more
      throw;
    }
    // Also when the disk said no: what the rig is left in does not depend on that.
    const auto torn_down = executor_.tear_down();
    summary_.teardown = torn_down ? std::string() : torn_down.error().message;
    summary_.torn_down = true;
    auto noted = note({.kind = JournalKind::kTornDown, .words = summary_.teardown});
    if (!carried_out) return carried_out.error();
    if (!noted) return noted.error();
    count_states();
    return summary_;
  }

 private:
  void point(std::string_view name) const {
    if (o_.dies && o_.dies(name)) throw Died{};
  }

  [[nodiscard]] std::size_t finished_in_a_row() const {
    const auto end = std::find_if(states_.begin(), states_.end(), [](const TrialState& s) { return !s.finished; });
    return static_cast<std::size_t>(end - states_.begin());
  }
  [[nodiscard]] bool nothing_to_do() const {
    return !summary_.decided.empty() || finished_in_a_row() == states_.size();
  }

  /// Looks at [until] as often as `finished` trials allow: the first look that decides is the one that counts, also
  /// when the campaign was interrupted behind it.
  void decide(std::size_t finished) {
    if (!suite_.until) return;
    const auto& rule = *suite_.until;
    while (summary_.decided.empty() && looks_ < rule.looks) {
      const auto upto = (trials_.size() * (looks_ + 1) + rule.looks - 1) / rule.looks;
      if (upto > finished) return;
      ++looks_;
      if (rule.gage) {
        summary_.decided = gage_decided(upto);
        continue;
      }
      std::vector<double> known;
      for (std::size_t i = 0; i < upto; ++i) {
        if (std::isfinite(values_[i])) known.push_back(values_[i]);
      }
      if (known.size() < 2) continue;
      const PlanOptions options{.confidence = rule.confidence, .looks = rule.looks};
      const auto plan = plan_precision(known, rule.half_width, options);
      if (plan && plan->decision != TrialDecision::kUndecided)
        summary_.decided = fmt::format("{}: {}", rule.measure, plan->words);
    }
  }

  /// The verdict on the gage, by the first `upto` trials; empty: it is not certain. At this look's share of the error.
  [[nodiscard]] std::string gage_decided(std::size_t upto) const {
    const auto& rule = *suite_.until;
    std::vector<std::optional<double>> values(upto);
    for (std::size_t i = 0; i < upto; ++i) {
      if (std::isfinite(values_[i])) values[i] = values_[i];
    }
    const auto readings = gage_readings(suite_, trials_, values);
    const double level = 1 - (1 - rule.confidence) / static_cast<double>(rule.looks);
    const auto study =
        gage_anova(readings, {.tolerance = suite_.gage->tolerance, .level = level, .seed = suite_.design.seed});
    if (!study || !study->decided) return {};
    return fmt::format(
        "{}: the gage is {} for certain: GRR is {:.1f} % of the total variation, {:.1f} to {:.1f} % at {:g} %, "
        "by {} readings of each of {} parts by {} appraisers",
        rule.measure, name_of(study->verdict), study->gage.study_pct, study->gage_study_pct.low,
        study->gage_study_pct.high, 100 * level, study->trials, study->parts, study->appraisers);
  }

  daq::Result<void> note(JournalEntry entry) {
    entry.at = daq::iso8601(daq::wall_now());
    return journal_->add(entry);
  }

  /// False: of a trial that is none of the suite's.
  bool remember(const JournalEntry& e) {
    if (e.kind == JournalKind::kSession) ++summary_.sessions, summary_.torn_down = false;
    if (e.kind == JournalKind::kTornDown) summary_.torn_down = true, summary_.teardown = e.words;
    if (e.trial.empty()) return true;
    const auto number = numbers_.find(e.trial);
    if (number == numbers_.end()) return false;
    auto& state = states_[number->second];
    if (e.kind == JournalKind::kBegan) state.begun = e.attempt;
    if (e.kind == JournalKind::kSetAside) aside_.insert(e.run);
    if (e.kind == JournalKind::kEnded) count(number->second, e.attempt, e.outcome);
    return true;
  }

  void count(std::size_t i, int attempt, const AttemptOutcome& outcome) {
    auto& state = states_[i];
    ++summary_.attempts;
    if (attempt == 2) ++summary_.retried;
    state.begun = attempt;
    state.ended = attempt;
    state.judgement = outcome.judgement;
    state.finished = outcome.judgement != Judgement::kInvalid || attempt >= suite_.attempts;
    if (!state.finished) return;
    summary_.strokes += outcome.strokes;
    for (const auto& m : outcome.measures) {
      if (suite_.until && m.name == suite_.until->measure) values_[i] = m.value;
    }
    if (outcome.judgement == Judgement::kPass) return;
    auto& why = outcome.judgement == Judgement::kFail ? summary_.why_failed : summary_.why_invalid;
    const auto first = std::find_if(outcome.reasons.begin(), outcome.reasons.end(),
                                    [&](const AttemptReason& r) { return r.weight == outcome.judgement; });
    ++why[first == outcome.reasons.end() ? "no reason was given" : kind_of(first->text)];
  }

  void count_states() {
    summary_.set_aside = aside_.size();
    for (const auto& state : states_) {
      if (!state.finished)
        ++summary_.left;
      else if (state.judgement == Judgement::kPass)
        ++summary_.passed;
      else if (state.judgement == Judgement::kFail)
        ++summary_.failed;
      else
        ++summary_.invalid;
    }
    if (!summary_.decided.empty()) summary_.not_needed = std::exchange(summary_.left, 0);
    if (summary_.left > 0 && summary_.why_left.empty()) summary_.why_left = "the campaign was interrupted";
  }

  daq::Result<void> make_folders() {
    std::error_code failure;
    for (const auto* name : {"runs", "set_aside"}) {
      fs::create_directories(fs::path(o_.dir) / name, failure);
      if (failure) return daq::Error{fmt::format("a folder in '{}' cannot be made: {}", o_.dir, failure.message())};
    }
    return sync(o_.dir);
  }

  daq::Result<void> carry_out_all() {
    if (nothing_to_do()) return {};
    if (auto ready = executor_.set_up(); !ready) {
      summary_.why_left = "the setup failed: " + ready.error().message;
      return {};
    }
    int invalid_in_a_row = 0;
    for (std::size_t i = 0; i < trials_.size(); ++i) {
      const bool of_this_session = !states_[i].finished;
      while (!states_[i].finished) {
        if (executor_.stop_asked()) {
          summary_.why_left = "somebody asked for an end";
          return {};
        }
        if (auto ok = attempt(i); !ok) return ok;
      }
      decide(i + 1);
      if (!summary_.decided.empty()) return {};
      if (!of_this_session) continue;  // whoever goes on has mended what it was given up for
      invalid_in_a_row = states_[i].judgement == Judgement::kInvalid ? invalid_in_a_row + 1 : 0;
      if (suite_.give_up_after > 0 && invalid_in_a_row >= suite_.give_up_after && i + 1 < trials_.size()) {
        summary_.why_left = fmt::format("{} trials in a row were INVALID (give_up_after)", invalid_in_a_row);
        return {};
      }
    }
    return {};
  }

  /// One attempt at trial `i`: the one that was cut off, or the next.
  daq::Result<void> attempt(std::size_t i) {
    const auto& trial = trials_[i];
    auto& state = states_[i];
    const bool cut_off = state.begun > state.ended;
    const int number = cut_off ? state.begun : state.ended + 1;
    const auto name = fmt::format("runs/{}-{}.h5", trial.id, number);
    const auto whole = (fs::path(o_.dir) / name).string();
    const auto part = whole + ".part";
    std::error_code failure;
    if (cut_off && fs::exists(whole, failure)) return end_again(i, number, name);
    if (fs::exists(part, failure)) {
      if (auto ok = set_aside(trial, number, part); !ok) return ok;
    }
    if (o_.before) o_.before(i + 1, trial, number);
    if (auto ok = note({.kind = JournalKind::kBegan, .trial = trial.id, .attempt = number, .run = name}); !ok)
      return ok;
    state.begun = number;
    point("began");
    auto outcome = executor_.carry_out(trial, number, part);
    point("carried out");
    // What somebody's end fell into is set aside when the campaign goes on.
    if (outcome.ok() ? outcome->interrupted : executor_.stop_asked()) return {};
    const bool began = outcome.ok();
    const bool made = fs::exists(part, failure);
    if (!began) outcome = AttemptOutcome{.reasons = {{Judgement::kInvalid, outcome.error().message}}};
    if (made && !began) {  // what a run left that could not be begun
      if (auto ok = set_aside(trial, number, part); !ok) return ok;
    } else if (made) {
      if (auto ok = sync(part); !ok) return ok;
      if (::rename(part.c_str(), whole.c_str()) != 0) return disk_error(part, "renamed");
      point("named");
      if (auto ok = sync((fs::path(o_.dir) / "runs").string()); !ok) return ok;
    }
    return end(i, number, made && began ? name : std::string(), *outcome);
  }

  daq::Result<void> end(std::size_t i, int number, const std::string& name, const AttemptOutcome& outcome) {
    std::string sha256;
    if (!name.empty()) {
      auto digest = calibration::sha256_of_file((fs::path(o_.dir) / name).string());
      if (!digest) return digest.error();
      sha256 = std::move(*digest);
    }
    auto ok = note({.kind = JournalKind::kEnded,
                    .trial = trials_[i].id,
                    .attempt = number,
                    .run = name,
                    .sha256 = sha256,
                    .outcome = outcome});
    if (!ok) return ok;
    count(i, number, outcome);
    point("ended");
    if (o_.after) o_.after(trials_[i], outcome);
    return {};
  }

  /// The run has its name, and so was whole and judged: nobody came to write that down.
  daq::Result<void> end_again(std::size_t i, int number, const std::string& name) {
    auto outcome = executor_.judge_again(trials_[i], number, (fs::path(o_.dir) / name).string());
    if (!outcome) return daq::Error{fmt::format("'{}' has been changed: {}", name, outcome.error().message)};
    return end(i, number, name, *outcome);
  }

  daq::Result<void> set_aside(const Trial& trial, int number, const std::string& part) {
    std::error_code failure;
    std::string name;
    for (std::size_t n = 1; name.empty() || aside_.contains(name); ++n)
      name = fmt::format("set_aside/{}-{}-{}.h5.part", trial.id, number, n);
    fs::rename(part, fs::path(o_.dir) / name, failure);
    if (failure) return daq::Error{fmt::format("'{}' cannot be set aside: {}", part, failure.message())};
    point("set aside");
    return note_aside(trial.id, number, name);
  }

  daq::Result<void> note_aside(const std::string& trial, int number, const std::string& name) {
    aside_.insert(name);
    return note({.kind = JournalKind::kSetAside, .trial = trial, .attempt = number, .run = name});
  }

  /// Whoever set a file aside may have died before the journal said so.
  daq::Result<void> note_stray_files() {
    std::error_code failure;
    for (const auto& file : fs::directory_iterator(fs::path(o_.dir) / "set_aside", failure)) {
      const auto name = "set_aside/" + file.path().filename().string();
      const auto stem = file.path().filename().string();
      const auto trial = stem.substr(0, stem.find('-'));
      const auto number = numbers_.find(trial);
      if (aside_.contains(name) || number == numbers_.end()) continue;
      if (auto ok = note_aside(trial, states_[number->second].begun, name); !ok) return ok;
    }
    if (failure) return daq::Error{fmt::format("'{}' cannot be listed: {}", o_.dir, failure.message())};
    return {};
  }

  const Suite& suite_;
  const std::vector<Trial>& trials_;
  TrialExecutor& executor_;
  const CampaignOptions& o_;
  std::vector<TrialState> states_;
  std::unordered_map<std::string, std::size_t> numbers_;
  Journal* journal_ = nullptr;
  CampaignSummary summary_;
  std::vector<double> values_;  ///< of the measure of [until], by trial; NaN: none
  std::uint64_t looks_ = 0;
  std::set<std::string> aside_;  ///< names of half files
};

}  // namespace

daq::Result<CampaignSummary> run_campaign(const Suite& suite, const std::vector<Trial>& trials, TrialExecutor& executor,
                                          const CampaignOptions& options) {
  try {
    return CampaignRun(suite, trials, executor, options).go();
  } catch (const Died&) {
    return daq::Error{"killed by the test"};
  }
}

daq::Result<std::vector<TrialRecord>> read_records(const std::string& dir, const Suite& suite,
                                                   const std::vector<Trial>& trials) {
  std::unordered_map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < trials.size(); ++i) numbers.emplace(trials[i].id, i);
  std::vector<TrialRecord> records(trials.size());
  const auto head = read_journal(dir, [&](const JournalEntry& e) {
    const auto at = numbers.find(e.trial);
    if (e.kind != JournalKind::kEnded || at == numbers.end()) return;
    auto& record = records[at->second];
    record.attempts = e.attempt;
    record.finished = e.outcome.judgement != Judgement::kInvalid || e.attempt >= suite.attempts;
    record.last = e;
  });
  if (!head) return head.error();
  if (head->suite_sha256 != calibration::sha256_hex(suite.text))
    return daq::Error{fmt::format("the campaign in '{}' is of another suite", dir)};
  return records;
}

}  // namespace strigil::protocols
