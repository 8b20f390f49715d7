#include "ui/status.hpp"

#include <limits>

#include "daq/json_text.hpp"
#include "ui/json_fields.hpp"

namespace strigil::ui {
namespace {

using Json = nlohmann::json;

}  // namespace

daq::Result<Status> parse_status(std::string_view json) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const auto j = daq::parse_json(json);
  if (!j.is_object()) return daq::Error{"the bench's status is no JSON object"};
  Status s;
  s.bench = text(j, "bench");
  s.use = text(j, "use");
  s.words = text(j, "words");
  s.armed = truth(j, "armed");
  s.emergency = truth(j, "emergency");
  s.fault_before = text(j, "fault_before");
  s.holder = text(j, "holder");
  const auto& publication = part(j, "publication");
  s.publication_endpoint = text(publication, "endpoint");
  s.publication_key = text(publication, "public_key");
  s.run = text(publication, "run");
  s.supervisor = text(j, "supervisor");
  const auto& faults = part(j, "faults");
  s.faults_now = text(faults, "now");
  s.faults_latched = text(faults, "latched");
  s.advice = text(faults, "advice");
  const auto& readings = part(j, "readings");
  s.stage = text(readings, "stage");
  s.normal_force_N = number(readings, "normal_force_N", kUnknown);
  s.tangential_force_N = number(readings, "tangential_force_N", kUnknown);
  s.vibration_m_s2 = number(readings, "vibration_rms_m_s2", kUnknown);
  s.x_mm = number(readings, "x_mm", kUnknown);
  s.y_mm = number(readings, "y_mm", kUnknown);
  s.z_mm = number(readings, "z_mm", kUnknown);
  s.protocol = text(j, "protocol");
  const auto& progress = part(j, "progress");
  s.step_kind = text(progress, "kind");
  s.suspended = text(progress, "suspended");
  s.step = number(progress, "step", 0);
  s.steps = number(progress, "steps", 0);
  s.elapsed_s = number(progress, "elapsed_s", 0);
  s.left_s = number(progress, "left_s", 0);
  const auto& suite = part(j, "suite");
  s.suite = text(suite, "name");
  s.suite_words = text(suite, "words");
  s.suite_trial = number(suite, "trial", 0);
  s.suite_trials = number(suite, "trials", 0);
  s.suite_elapsed_s = number(suite, "elapsed_s", 0);
  s.suite_left_s = number(suite, "left_s", kUnknown);
  if (const auto& run = part(j, "last_run"); !run.empty()) {
    s.last_run = RunStatus{text(run, "protocol"), text(run, "file"), text(run, "judgement"), texts(run, "reasons")};
  }
  s.stop_test = text(j, "stop_test");
  const auto& prompt = part(j, "prompt");
  s.prompt = text(prompt, "text");
  s.prompt_by = text(prompt, "by");
  s.prompt_confirmed_by = text(prompt, "confirmed_by");
  const double prompt_number = number(prompt, "number", 0);
  if (prompt_number >= 1 && prompt_number < 1e15) s.prompt_number = static_cast<std::uint64_t>(prompt_number);
  s.ticks = number(j, "ticks", 0);
  s.overruns = number(j, "overruns", 0);
  s.disk_free_bytes = number(j, "disk_free_bytes", kUnknown);
  return s;
}

std::vector<std::string> parse_library(std::string_view hello_json, const char* of) {
  return texts(daq::parse_json(hello_json), of);
}

}  // namespace strigil::ui
