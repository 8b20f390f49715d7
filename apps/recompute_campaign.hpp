// Recompute: a campaign's report once more, from its run files and its journal, off line.
#pragma once

#include <string>
#include <vector>

#include "daq/result.hpp"

namespace strigil::apps {

/// What was found, each a sentence for a person.
struct RecomputedCampaign {
  std::vector<std::string> same;      ///< made again, and it is what the folder says
  std::vector<std::string> trusted;   ///< not made again, and why
  std::vector<std::string> problems;  ///< it is not what the folder says
};

/// Each measure of each trial is evaluated anew from its run; the detectors of the folder's suite.toml hear its valid
/// runs anew; and the report that follows, with its verdict, is compared byte for byte with court.json, report.json,
/// report.junit.xml and report.html. Empty where the folder is no campaign's. Errors: it cannot be made. Only reads
/// there; the journal is gone through in a copy. The thread that owns HDF5.
daq::Result<RecomputedCampaign> recompute_campaign(const std::string& folder);

}  // namespace strigil::apps
