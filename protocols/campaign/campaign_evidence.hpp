// Campaign evidence: what each number of a campaign's report rests on, run by run, and the machine's own noise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/campaign.hpp"
#include "protocols/campaign/machine_noise.hpp"
#include "protocols/campaign/stroke_rows.hpp"
#include "protocols/report/court_report.hpp"

namespace strigil::protocols {

struct CampaignEvidence {
  std::vector<std::optional<RunRows>> rows;  ///< by trial; nothing: it has no run that can be read
  std::optional<MachineNoise> noise;         ///< of a campaign with strokes in the air
};

/// Reads the run files of the trials that are finished. Errors: one of a valid trial that cannot be read. Off the loop;
/// the thread that owns HDF5.
daq::Result<CampaignEvidence> read_campaign_evidence(const std::string& dir, const Suite& suite,
                                                     const std::vector<Trial>& trials,
                                                     const std::vector<TrialRecord>& records);

/// Gives each measure of the report's trials, which are in the order of `evidence.rows`, a set of samples of its own:
/// those of the trial's strokes (of the measure's phase) in the channel that it is made of. Trials without rows keep
/// what they have.
void link_measures(const CampaignEvidence& evidence, const Suite& suite, CourtReport& report);

/// A set of all strokes' samples in force and vibration, of the runs of `records` that are valid: `air` chooses those
/// in the air, else those on tissue. Its index; kNoEvidence where there are none.
std::size_t link_strokes(const CampaignEvidence& evidence, const std::vector<TrialRecord>& records, bool air,
                         CourtReport& report);

/// The machine's noise at each speed and what strokes on tissue have above it, as a study of the report. Nothing
/// where there are no strokes in the air, or no accelerometer.
void add_machine_noise(const CampaignEvidence& evidence, std::size_t air_evidence, std::size_t tissue_evidence,
                       CourtReport& report);

}  // namespace strigil::protocols
