#include "protocols/evidence_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::ordered_json;

/// One list of fields for both ways. `S` is the struct, constant for writing.
template <typename V, typename S>
void step_fields(V& v, S& s) {
  v("step", s.step), v("kind", s.kind), v("condition", s.condition), v("outcome", s.outcome);
  v("began_ns", s.began), v("ended_ns", s.ended), v("from_m", s.from_m), v("to_m", s.to_m);
  v("force_samples", s.force_samples), v("normal_force_N", s.normal_force_N);
  v("tangential_force_N", s.tangential_force_N), v("vibration_m_s2", s.vibration_m_s2);
  v("in_contact", s.in_contact), v("longest_same", s.longest_same);
  v("moving_normal_force_N", s.moving_normal_force_N), v("moving_tangential_force_N", s.moving_tangential_force_N);
  v("moving_vibration_m_s2", s.moving_vibration_m_s2), v("moving_in_contact", s.moving_in_contact);
  v("middle_reports", s.middle_reports), v("middle_speed_m_s", s.middle_speed_m_s);
  v("moving_force_error_N", s.moving_force_error_N), v("planned_middle_speed_m_s", s.planned_middle_speed_m_s);
  v("wished_N", s.wished_N), v("stiffness_N_m", s.stiffness_N_m), v("expected_error_N", s.expected_error_N);
  v("repeated", s.repeated), v("suspended_s", s.suspended_s), v("while_suspended", s.while_suspended);
  v("zero_N", s.zero_N);
}
/// Runs from before a record told the plane of its zeros have none of these.
template <typename V, typename S>
void reach_fields(V& v, S& s) {
  v("low_m", s.low_m), v("high_m", s.high_m);
}
template <typename V, typename S>
void stream_fields(V& v, S& s) {
  v("name", s.name), v("samples", s.samples), v("duration_s", s.duration_s), v("rate_Hz", s.rate_Hz);
  v("unlocked", s.unlocked);
}
template <typename V, typename S>
void rejected_fields(V& v, S& s) {
  v("stream", s.stream), v("pieces", s.pieces);
}
template <typename V, typename S>
void run_fields(V& v, S& e) {
  v("plan_finished", e.plan_finished), v("aborted", e.aborted), v("emergency_stopped", e.emergency_stopped);
  v("reached_clear", e.reached_clear), v("faults", e.faults), v("fault_advice", e.fault_advice);
  v("recorder_failure", e.recorder_failure), v("suspensions", e.suspensions), v("suspended_s", e.suspended_s);
  v("dose_reason", e.dose_reason);
  v("calibrated", e.calibration.calibrated), v("not_calibrated_because", e.calibration.reasons);
  v("stage_calibration_named", e.stage_calibration.named), v("stage_calibrated", e.stage_calibration.calibrated);
  v("stage_not_calibrated_because", e.stage_calibration.reasons);
}

/// Runs from before the accelerometer could be calibrated have none of these.
template <typename V, typename S>
void vibration_fields(V& v, S& e) {
  auto& c = e.vibration_calibration;
  v("vibration_calibration_named", c.named), v("vibration_calibrated", c.calibrated);
  v("vibration_not_calibrated_because", c.reasons);
}

/// What is as it was made is left out: a step without force samples has no statistics of them.
class Writer {
 public:
  Json json = Json::object();
  void operator()(const char* key, double x) {
    json[key] = std::isfinite(x) ? Json(x) : Json(std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
  }
  void operator()(const char* key, daq::HostTime t) { json[key] = t.ns; }
  void operator()(const char* key, const rig::Position& p) { json[key] = p; }
  void operator()(const char* key, const RunningStatistics& r) {
    if (r.count() == 0) return;
    const auto s = r.state();
    json[key] = {s.count, s.mean, s.squares, s.min, s.max};
  }
  template <typename T>
  void operator()(const char* key, const T& x) {
    if constexpr (std::is_enum_v<T>) {
      json[key] = static_cast<unsigned>(x);
    } else {
      json[key] = x;
    }
  }
};

/// The first thing that is not as it should be is kept in `wrong`.
class Reader {
 public:
  Reader(const Json& json, std::string& wrong) : json_(json), wrong_(wrong) {}
  [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }
  void operator()(const char* key, double& x) {
    const auto* j = find(key);
    if (j == nullptr) return;
    if (j->is_number()) {
      x = j->get<double>();
    } else if (*j == "nan") {
      x = std::numeric_limits<double>::quiet_NaN();
    } else if (*j == "inf" || *j == "-inf") {
      x = std::numeric_limits<double>::infinity() * (*j == "inf" ? 1 : -1);
    } else {
      say(key);
    }
  }
  void operator()(const char* key, daq::HostTime& t) {
    if (const auto* j = find(key); j != nullptr)
      j->is_number_integer() ? void(t.ns = j->get<std::int64_t>()) : say(key);
  }
  void operator()(const char* key, rig::Position& p) {
    const auto* j = find(key);
    if (j == nullptr) return;
    if (!numbers(*j, p.size())) return say(key);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = (*j)[i].get<double>();
  }
  void operator()(const char* key, RunningStatistics& r) {
    if (!has(key)) return;
    const auto& j = json_[key];
    if (!numbers(j, 5) || !j[0].is_number_unsigned()) return say(key);
    r = RunningStatistics::restored(
        {j[0].get<std::uint64_t>(), j[1].get<double>(), j[2].get<double>(), j[3].get<double>(), j[4].get<double>()});
  }
  void operator()(const char* key, bool& x) {
    if (const auto* j = find(key); j != nullptr) j->is_boolean() ? void(x = j->get<bool>()) : say(key);
  }
  void operator()(const char* key, std::string& x) {
    if (const auto* j = find(key); j != nullptr) j->is_string() ? void(x = j->get<std::string>()) : say(key);
  }
  void operator()(const char* key, std::vector<std::string>& x) {
    const auto* j = find(key);
    if (j == nullptr) return;
    if (!j->is_array()) return say(key);
    for (const auto& text : *j) {
      if (!text.is_string()) return say(key);
      x.push_back(text.get<std::string>());
    }
  }
  /// Counts and enumerations.
  template <typename T>
  void operator()(const char* key, T& x) {
    const auto* j = find(key);
    if (j == nullptr) return;
    if (!j->is_number_unsigned()) return say(key);
    const auto n = j->get<std::uint64_t>();
    if constexpr (std::is_same_v<T, StepKind>) {
      if (n > static_cast<unsigned>(StepKind::kSurvey)) return say(key);
    } else if constexpr (std::is_same_v<T, StepOutcome>) {
      if (n > static_cast<unsigned>(StepOutcome::kSuspendedTooLong)) return say(key);
    }
    x = static_cast<T>(n);
  }

 private:
  void say(const char* key) {
    if (wrong_.empty()) wrong_ = fmt::format("'{}' is missing or not what it should be", key);
  }
  const Json* find(const char* key) {
    if (json_.is_object() && json_.contains(key)) return &json_[key];
    say(key);
    return nullptr;
  }
  static bool numbers(const Json& j, std::size_t n) {
    if (!j.is_array() || j.size() != n) return false;
    for (const auto& x : j) {
      if (!x.is_number()) return false;
    }
    return true;
  }
  const Json& json_;
  std::string& wrong_;
};

}  // namespace

std::string evidence_to_json(const RunEvidence& e) {
  Writer run;
  run_fields(run, e);
  if (e.vibration_calibration.named) vibration_fields(run, e);
  const auto list = [&](const char* key, const auto& items, auto&& fields) {
    run.json[key] = Json::array();
    for (const auto& item : items) {
      Writer one;
      fields(one, item);
      run.json[key].push_back(std::move(one.json));
    }
  };
  list("streams", e.streams, [](auto& v, const auto& s) { stream_fields(v, s); });
  list("rejected", e.rejected, [](auto& v, const auto& s) { rejected_fields(v, s); });
  list("steps", e.steps, [](auto& v, const auto& s) { step_fields(v, s), reach_fields(v, s); });
  return daq::json_text(run.json);
}

daq::Result<RunEvidence> parse_evidence(std::string_view text, const Plan& plan) {
  const auto refused = [](const std::string& why) { return daq::Error{"the run's evidence cannot be read: " + why}; };
  if (daq::nests_too_deep(text)) return refused("it is nested too deep");
  const auto json = daq::parse_ordered_json(text);
  if (!json.is_object()) return refused("it is no JSON object");
  RunEvidence out;
  std::string wrong;
  Reader run(json, wrong);
  run_fields(run, out);
  if (run.has("vibration_calibration_named")) vibration_fields(run, out);
  const auto list = [&](const char* key, auto& items, auto&& fields) {
    if (!json.contains(key) || !json[key].is_array()) {
      wrong = fmt::format("'{}' is no list", key);
      return;
    }
    for (const auto& j : json[key]) {
      Reader one(j, wrong);
      fields(one, items.emplace_back());
      if (!wrong.empty()) {
        wrong = fmt::format("{} {}: {}", key, items.size() - 1, wrong);
        return;
      }
    }
  };
  if (wrong.empty()) list("streams", out.streams, [](auto& v, auto& s) { stream_fields(v, s); });
  if (wrong.empty()) list("rejected", out.rejected, [](auto& v, auto& s) { rejected_fields(v, s); });
  if (wrong.empty()) {
    list("steps", out.steps, [](auto& v, auto& s) {
      step_fields(v, s);
      if (v.has("low_m")) reach_fields(v, s);
    });
  }
  if (!wrong.empty()) return refused(wrong);
  for (const auto& s : out.steps) {
    const bool there = s.step < plan.steps.size() && s.condition < std::max<std::size_t>(plan.conditions.size(), 1);
    const bool stroke = s.kind == StepKind::kStroke;
    if (!there || (stroke && plan.steps[s.step].kind != StepKind::kStroke)) {
      return refused(
          fmt::format("{} as step {} of condition {}: the plan has no such", name_of(s.kind), s.step, s.condition));
    }
  }
  return out;
}

}  // namespace strigil::protocols
