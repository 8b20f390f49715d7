// One session of a campaign: a suite file found and checked, and what is left of it carried out in its folder. What
// `validate` and `collect` have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/campaign_bench.hpp"
#include "daq/result.hpp"
#include "protocols/campaign/campaign.hpp"
#include "protocols/campaign/suite_file.hpp"

namespace strigil::apps {

struct CampaignSession {
  protocols::Suite suite;
  std::vector<protocols::Trial> trials;
  protocols::CampaignSummary summary;
};
struct CampaignArguments {
  std::string suite;  ///< a name from protocols/suites, or a file
  std::string out;    ///< folder
  bool resume = false;
  bool quiet = false;
};
/// Main thread. Writes suite.toml and summary.json into the folder. Errors: the suite, a trial that could not be run,
/// the folder.
daq::Result<std::unique_ptr<CampaignSession>> carry_out_campaign(const CampaignArguments& arguments);

}  // namespace strigil::apps
