// Campaign: the trials of a suite carried out one after the other, unattended, and resumable after any interruption.
//
// Folder: journal.jsonl (journal.hpp), suite.toml as read, runs/TRIAL-ATTEMPT.h5, set_aside/ for what was cut off.
// A run is made as runs/NAME.h5.part and gets its name when it is whole, on the disk and judged; so what has its name
// is never made again, and what has not is set aside and made anew. Cost of a trial does not depend on how many there
// are.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/design.hpp"
#include "protocols/campaign/journal.hpp"
#include "protocols/campaign/suite_file.hpp"

namespace strigil::protocols {

/// Who carries out trials: a bench (apps/), or a test. One thread.
class TrialExecutor {
 public:
  virtual ~TrialExecutor() = default;
  /// Of all that trials are made of beside the suite's text, so that a campaign does not go on with something else.
  [[nodiscard]] virtual std::string fingerprint() const = 0;
  /// Makes the run file and judges the run. The same trial and attempt make the same run in virtual time. An error is
  /// of the attempt: the trial could not be begun.
  virtual daq::Result<AttemptOutcome> carry_out(const Trial& trial, int attempt, const std::string& run_file) = 0;
  /// A whole run file whose outcome nobody wrote down. Error: it is not whole.
  virtual daq::Result<AttemptOutcome> judge_again(const Trial& trial, int attempt, const std::string& run_file) = 0;
  /// Before the first trial of a session, and after the last, whatever happened.
  virtual daq::Result<void> set_up() = 0;
  virtual daq::Result<void> tear_down() = 0;
  /// Somebody asked for an end.
  [[nodiscard]] virtual bool stop_asked() const = 0;
};

struct CampaignOptions {
  std::string dir;
  bool resume = false;
  std::string software;
  std::function<void(std::size_t number, const Trial& trial, int attempt)> before;  ///< what a person watches
  std::function<void(const Trial& trial, const AttemptOutcome& outcome)> after;
  /// Test hook: called at each point at which a killed process leaves something else behind. True: it dies here, with
  /// nothing done after it.
  std::function<bool(std::string_view point)> dies;
};

/// What was planned and what came of it.
struct CampaignSummary {
  std::uint64_t planned = 0;
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t invalid = 0;  ///< after all attempts
  std::uint64_t left = 0;
  std::uint64_t not_needed = 0;  ///< [until] was decided before them
  std::string decided;           ///< by [until], in words; empty: undecided, or not asked for
  std::uint64_t attempts = 0;    ///< that came to an end
  std::uint64_t retried = 0;     ///< trials with more than one
  std::uint64_t set_aside = 0;   ///< half files
  std::uint64_t sessions = 0;
  std::uint64_t strokes = 0;                         ///< of the trials that are done
  std::map<std::string, std::uint64_t> why_invalid;  ///< first reason of each, its numbers left out: how many
  std::map<std::string, std::uint64_t> why_failed;
  std::string why_left;    ///< empty: nothing is left
  std::string teardown;    ///< what went wrong with it; empty: nothing
  bool torn_down = false;  ///< the last session's
  [[nodiscard]] std::uint64_t done() const noexcept { return passed + failed; }
};

/// Carries out what is left. Errors: the folder, the journal, the disk; what trials do is in the summary.
daq::Result<CampaignSummary> run_campaign(const Suite& suite, const std::vector<Trial>& trials, TrialExecutor& executor,
                                          const CampaignOptions& options);
/// PASS, FAIL or INVALID by the suite's percentages. INVALID also where something is left or the teardown failed.
Judgement judge(const CampaignSummary& summary, const Suite& suite);
/// For people; without reasons_of().
std::string to_text(const CampaignSummary& summary, const Suite& suite);
std::string to_json(const CampaignSummary& summary, const Suite& suite);
/// In words, the weightiest first; empty: PASS.
std::vector<AttemptReason> reasons_of(const CampaignSummary& summary, const Suite& suite);

/// What has become of each trial, from the journal alone.
struct TrialRecord {
  bool finished = false;  ///< nothing is to be done any more
  int attempts = 0;       ///< that came to an end
  JournalEntry last;      ///< kEnded, of the last attempt; empty kind kSession where there is none
};
daq::Result<std::vector<TrialRecord>> read_records(const std::string& dir, const Suite& suite,
                                                   const std::vector<Trial>& trials);

}  // namespace strigil::protocols
