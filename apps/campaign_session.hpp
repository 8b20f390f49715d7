// One session of a campaign: a suite file found and checked, and what is left of it carried out in its folder. What
// `validate` and `collect` have in common.
#pragma once

#include <functional>
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
/// Who watches a campaign and may end it; all of it may be left out.
struct CampaignWatch {
  RunWatcher run = {};           ///< of each trial
  Publication publication = {};  ///< of those in real time
  std::string bench = {};        ///< of those in real time, instead of the suite's
  HandSetting by_hand = {};      ///< instead of asking on the terminal
  /// Of each trial; `simulated`: in virtual time, on no bench.
  std::function<void(std::size_t number, std::size_t planned, const std::string& words, bool simulated)> before = {};
};
/// One thread. Writes suite.toml and summary.json into the folder. Errors: the suite, a trial that could not be run,
/// the folder.
daq::Result<std::unique_ptr<CampaignSession>> carry_out_campaign(const CampaignArguments& arguments,
                                                                 const CampaignWatch& watch = {});

}  // namespace strigil::apps
