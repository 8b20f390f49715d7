// The inside of a Controller: its state, its requests (controller_requests.cpp) and its uses of the bench
// (controller.cpp). Two threads meet here, under one lock that the loop never takes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "apps/controller.hpp"
#include "apps/controller_status.hpp"
#include "apps/operate_session.hpp"
#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "apps/told_detections.hpp"
#include "rig/authority.hpp"

namespace strigil::apps {

class Controller::Impl {
 public:
  explicit Impl(const ControllerOptions& options) : o_(options) {}
  daq::ControlReply handle(const daq::ControlRequest& request);
  void idle();
  void work();

 private:
  using Reply = daq::ControlReply;
  using Request = daq::ControlRequest;
  using Json = nlohmann::ordered_json;

  /// What the bench is to be used for next.
  struct Job {
    Use use = Use::kByHand;
    std::string protocol = {};                            ///< kRunning; of a suite its name
    bool suite = false;                                   ///< kRunning
    std::array<bool, rig::kAxes> axes{true, true, true};  ///< kHoming
  };
  struct Verb {
    bool needs_control;
    Reply (Impl::*carry_out)(const Request&, const Json&);
  };
  static const std::map<std::string, Verb, std::less<>> kVerbs;

  // Requests: control thread, with the lock.
  Reply hello(const Request& q, const Json& a);
  Reply status(const Request& q, const Json& a);
  Reply health(const Request& q, const Json& a);
  Reply detections(const Request& q, const Json& a);
  Reply prompt(const Request& q, const Json& a);
  Reply confirm(const Request& q, const Json& a);
  Reply run_list(const Request& q, const Json& a);
  Reply take(const Request& q, const Json& a);
  Reply give(const Request& q, const Json& a);
  Reply renew(const Request& q, const Json& a);
  Reply stop(const Request& q, const Json& a);
  Reply abort(const Request& q, const Json& a);
  Reply suspend(const Request& q, const Json& a);
  Reply resume(const Request& q, const Json& a);
  Reply reset(const Request& q, const Json& a);
  Reply jog(const Request& q, const Json& a);
  Reply move(const Request& q, const Json& a);
  Reply approach(const Request& q, const Json& a);
  Reply hold(const Request& q, const Json& a);
  Reply halt(const Request& q, const Json& a);
  Reply home_verb(const Request& q, const Json& a);
  Reply stop_test_verb(const Request& q, const Json& a);
  Reply run_verb(const Request& q, const Json& a);
  Reply suite_verb(const Request& q, const Json& a);
  [[nodiscard]] Json suite_json() const;
  Reply quit(const Request& q, const Json& a);
  [[nodiscard]] Reply not_by_hand(const Request& q) const;
  [[nodiscard]] bool in_use() const;
  Reply begin(const Request& q, rig::OperatorWish wish);
  Reply post(const Request& q, const Job& job);
  void release_switch();
  void say(const std::string& words);

  // Uses of the bench: working thread, without the lock.
  void enter(Use use, const std::string& words);
  bool quits();
  Job next_job();
  void by_hand();
  void wait_for_work();
  void look_at_records();
  void insist_on_reset(const rig::RigState& state);
  void home(const Job& job);
  void stop_test();
  void perform(const Job& job);
  void perform_suite(const Job& job);
  daq::Result<void> ask_by_prompt(const std::string& what);
  RunWatcher watcher_of_run();
  daq::Result<std::vector<std::unique_ptr<DetectorSeat>>> seats_for_run();
  void look_at_detectors(ToldDetections& told);
  void disarm(const std::string& why);
  void conclude(FinishedRun done, const std::string& trouble);

  const ControllerOptions o_;
  std::atomic<int> request_{0};  // of whatever runs: 1 abort, 2 emergency stop

  std::atomic<int> suspend_{0};  // of a run; see RunWatcher::suspend

  std::mutex mutex_;  // everything below
  std::condition_variable changed_;
  rig::Authority authority_;
  std::unique_ptr<OperateSession> session_;
  std::optional<Job> job_;
  Use use_ = Use::kStarting;
  std::string words_;
  std::string fault_before_;    // why it is not armed
  bool armed_ = false;          // an operator has reset it, and nothing has gone wrong since
  daq::HostTime reset_wanted_;  // since when
  daq::HostTime reset_asked_;   // of the rig, last
  bool emergency_ = false;
  bool begin_anew_ = false;
  bool quit_ = false;
  rig::OperatorWish wish_;
  std::uint64_t wishes_ = 0;
  std::string publication_endpoint_;
  std::string publication_key_;
  std::string run_id_;
  std::string protocol_;
  std::string stop_test_;
  std::string suite_;        // that goes on; empty: none
  std::string suite_words_;  // its trial
  std::size_t suite_trial_ = 0;
  std::size_t suite_trials_ = 0;
  daq::HostTime suite_began_;
  daq::HostTime suite_trial_began_;
  protocols::Progress progress_;
  rig::Readings readings_;
  RigHealth health_;                       // of the run
  std::vector<ToldDetector> detectors_;    // of the run that goes on, or was last
  std::vector<ToldDetection> detections_;  // what they have said
  std::size_t detections_left_out_ = 0;
  std::string detections_run_;
  Json calibration_;    // of health, read when the bench comes up
  Json stop_tests_;     // likewise
  Json timing_;         // of the last run
  std::string prompt_;  // what somebody is asked to do by hand; empty: nothing
  std::string prompt_by_;
  std::string prompt_confirmed_;  // by whom; empty: not yet
  std::uint64_t prompts_ = 0;     // its number
  std::deque<FinishedRun> runs_;
};

}  // namespace strigil::apps
