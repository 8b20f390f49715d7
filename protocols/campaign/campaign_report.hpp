// Campaign report: a campaign's folder judged as a whole, as the plain values that the writers of protocols/report say.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/campaign.hpp"
#include "protocols/campaign/campaign_evidence.hpp"
#include "protocols/court/court.hpp"
#include "protocols/report/court_report.hpp"

namespace strigil::protocols {

/// What a detector in another process answered to a run, and what the desk found: what it is called, and a sentence.
struct CommandedHearing {
  HeardRun heard;
  std::vector<std::pair<std::string, std::string>> findings;
};
/// Lets one hear a run file again. Errors: it cannot be started, the file cannot be read; not that it misbehaves.
using HearCommanded =
    std::function<daq::Result<CommandedHearing>(const std::string& run_file, const CommandedDetector&)>;

/// Each finished, valid run of the folder is heard by new detectors of the suite's, and they are judged; nothing where
/// the suite names none. `heard`: called after each, for who watches. Errors: a run file that cannot be read, no run at
/// all, truth that is missing, detectors of other processes and nobody to start them.
daq::Result<std::optional<CourtJudgement>> judge_campaign(const std::string& dir, const Suite& suite,
                                                          const std::vector<Trial>& trials,
                                                          const std::vector<TrialRecord>& records,
                                                          const std::function<void(std::size_t run)>& heard = {},
                                                          const HearCommanded& commanded = {});

/// What is said of it all. `comparison`: with a baseline, whose origin is given with it.
struct CampaignFindings {
  const Suite& suite;
  const std::vector<Trial>& trials;
  const std::vector<TrialRecord>& records;
  const CampaignSummary& summary;
  const std::optional<CourtJudgement>& court;
  std::string no_court;  ///< why detectors could not be judged; empty: they could, or there are none
  const std::optional<BaselineComparison>& comparison;
  std::string baseline_origin;
  std::string software;
  const CampaignEvidence& evidence;
};
CourtReport report_of(const CampaignFindings& findings);

}  // namespace strigil::protocols
