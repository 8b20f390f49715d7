// The bench that carries out a campaign's trials: each one run, in virtual or in real time.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/result.hpp"
#include "protocols/campaign/campaign.hpp"

namespace strigil::apps {

/// What is set by hand between two trials in real time; the answer says whether it is done.
using HandSetting = std::function<daq::Result<void>(const std::string& what)>;

class CampaignBench : public protocols::TrialExecutor {
 public:
  /// `suite` outlives it. `dir`: of the campaign. `by_hand` is asked in real time alone.
  CampaignBench(const protocols::Suite& suite, std::string dir, HandSetting by_hand = {});
  /// Reads all that the trials are made of and expands each plan that differs, before anything moves. Errors: the first
  /// trial that could not be run, in words.
  daq::Result<void> check(const std::vector<protocols::Trial>& trials);

  /// Of each run: who watches it and may end it (without a `request` of its own: Ctrl-C), and where those in real time
  /// are published. Before the first.
  void watch(const RunWatcher& watcher, const Publication& publication);
  [[nodiscard]] std::string fingerprint() const override { return fingerprint_; }
  daq::Result<protocols::AttemptOutcome> carry_out(const protocols::Trial& trial, int attempt,
                                                   const std::string& run_file) override;
  daq::Result<protocols::AttemptOutcome> judge_again(const protocols::Trial& trial, int attempt,
                                                     const std::string& run_file) override;
  daq::Result<void> set_up() override;
  daq::Result<void> tear_down() override;
  [[nodiscard]] bool stop_asked() const override;

  /// One trial's bench and plan.
  daq::Result<Prepared> prepare_trial(const protocols::Trial& trial);

 private:
  daq::Result<std::string> text(const std::string& name, const std::string& folder, const std::string& what,
                                std::string& path);
  daq::Result<std::string> phantom_with(const std::string& condition);
  daq::Result<protocols::AttemptOutcome> judge(const Prepared& prepared, const std::string& run_file) const;
  daq::Result<void> surround(const protocols::Surroundings& what, const std::string& name);
  daq::Result<RunOutcome> run_one(const Prepared& prepared, std::uint64_t seed, const std::string& run_file);
  daq::Result<void> set_by_hand(const protocols::Trial& trial);

  const protocols::Suite& suite_;
  std::string dir_;
  HandSetting by_hand_;
  RunWatcher watcher_;
  Publication publication_;
  bool stopped_ = false;
  std::string by_hand_now_;
  std::string fingerprint_;
  std::set<std::string> inputs_;                                      ///< digests of all texts that trials are made of
  std::map<std::string, std::pair<std::string, std::string>> texts_;  ///< by folder and name: path and text
  std::map<std::string, std::string> phantom_of_;                     ///< by condition
  std::map<std::string, std::string> protocol_of_;                    ///< by phantom
};

}  // namespace strigil::apps
