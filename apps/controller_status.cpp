#include "apps/controller_status.hpp"

#include <cmath>

#include "protocols/plan.hpp"

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;

/// A number that JSON has, or null.
Json finite(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

std::string_view stage_word(rig::StageState state) {
  switch (state) {
    case rig::StageState::kUnknown:
      return "unknown";
    case rig::StageState::kIdle:
      return "idle";
    case rig::StageState::kMoving:
      return "moving";
    case rig::StageState::kHolding:
      return "holding";
    case rig::StageState::kAlarm:
      return "alarm";
    case rig::StageState::kOther:
      return "other";
    case rig::StageState::kHoming:
      return "homing";
  }
  return "unknown";
}

std::string_view suspension_word(protocols::Suspension suspension) {
  switch (suspension) {
    case protocols::Suspension::kNone:
      return "no";
    case protocols::Suspension::kHolding:
      return "holding";
    case protocols::Suspension::kLifting:
      return "lifting";
    case protocols::Suspension::kClear:
      return "clear";
  }
  return "no";
}

}  // namespace

std::string_view name_of(Use use) noexcept {
  switch (use) {
    case Use::kStarting:
      return "starting";
    case Use::kDown:
      return "down";
    case Use::kByHand:
      return "by_hand";
    case Use::kHoming:
      return "homing";
    case Use::kStopTest:
      return "stop_test";
    case Use::kRunning:
      return "running";
  }
  return "unknown";
}

Json readings_json(const rig::Readings& r) {
  constexpr double kMilli = 1e3;
  Json j;
  j["host_ns"] = r.now.ns;
  j["normal_force_N"] = r.force_seen ? finite(r.normal_force_N) : Json(nullptr);
  j["untared_normal_force_N"] = r.force_seen ? finite(r.untared_normal_force_N) : Json(nullptr);
  j["tangential_force_N"] = r.force_seen ? finite(r.tangential_force_N) : Json(nullptr);
  j["vibration_rms_m_s2"] = r.vibration_seen ? finite(r.vibration_rms_m_s2) : Json(nullptr);
  j["stage"] = stage_word(r.stage);
  if (r.stage_seen) {
    j["x_mm"] = finite(r.position_m[rig::kX] * kMilli);
    j["y_mm"] = finite(r.position_m[rig::kY] * kMilli);
    j["z_mm"] = finite(r.position_m[rig::kZ] * kMilli);
  }
  return j;
}

Json faults_json(std::uint32_t now, std::uint32_t latched) {
  Json j;
  j["now"] = rig::fault_names(now);
  j["latched"] = rig::fault_names(latched);
  j["advice"] = rig::fault_advice(latched & ~static_cast<std::uint32_t>(rig::kNotReset));
  return j;
}

Json progress_json(const protocols::Progress& p) {
  Json j;
  j["step"] = p.step + 1;
  j["steps"] = p.steps;
  j["kind"] = protocols::name_of(p.kind);
  j["elapsed_s"] = finite(p.elapsed_s);
  j["estimated_s"] = finite(p.estimated_s);
  j["suspended"] = suspension_word(p.suspension);
  j["left_s"] = finite(std::max(0.0, p.estimated_s - p.elapsed_s));
  return j;
}

Json finished_run_json(const FinishedRun& run) {
  return {{"protocol", run.protocol}, {"file", run.file}, {"judgement", run.judgement}, {"reasons", run.reasons}};
}

}  // namespace strigil::apps
