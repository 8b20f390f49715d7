// Status: what a bench says of itself over the control channel (docs/control.md), as a screen needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::ui {

struct RunStatus {
  std::string protocol;
  std::string file;
  std::string judgement;
  std::vector<std::string> reasons;
};

/// A value. What the bench did not say is empty or NaN.
struct Status {
  std::string bench;
  std::string use;
  std::string words;
  bool armed = false;
  bool emergency = false;
  std::string fault_before;
  std::string holder;
  std::string publication_endpoint;
  std::string publication_key;
  std::string run;
  std::string supervisor;
  std::string faults_now;
  std::string faults_latched;
  std::string advice;
  std::string stage;
  double normal_force_N;
  double tangential_force_N;
  double vibration_m_s2;
  double x_mm;
  double y_mm;
  double z_mm;
  std::string protocol;
  std::string step_kind;
  std::string suspended;  ///< "no", "holding", "lifting", "clear"
  double step = 0;
  double steps = 0;
  double elapsed_s = 0;
  double left_s = 0;
  std::string suite;        ///< that goes on; empty: none
  std::string suite_words;  ///< its trial
  double suite_trial = 0;
  double suite_trials = 0;
  double suite_elapsed_s = 0;
  double suite_left_s = 0;  ///< NaN: nobody knows yet
  std::optional<RunStatus> last_run;
  std::string stop_test;
  std::string prompt;  ///< what somebody is to do by hand; empty: nothing
  std::string prompt_by;
  std::string prompt_confirmed_by;  ///< empty: not done yet
  std::uint64_t prompt_number = 0;
  double ticks = 0;
  double overruns = 0;
  double disk_free_bytes = 0;
};

/// Pure. Members of another type than docs/control.md says are as if they were not there. Errors: no JSON object.
daq::Result<Status> parse_status(std::string_view json);
/// The member `protocols` or `suites` of a hello.
std::vector<std::string> parse_library(std::string_view hello_json, const char* of);

}  // namespace strigil::ui
