#include "daq/event.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strigil::daq {

void set_detail(Event& event, std::string_view text) noexcept {
  const auto n = std::min(text.size(), event.detail.size() - 1);
  std::copy_n(text.begin(), n, event.detail.begin());
  event.detail[n] = '\0';
}

std::string_view name_of(EventCode code) noexcept {
  switch (code) {
    case EventCode::kNone:
      return "none";
    case EventCode::kLinkClosed:
      return "link_closed";
    case EventCode::kDecodeError:
      return "decode_error";
    case EventCode::kSamplesLost:
      return "samples_lost";
    case EventCode::kSamplesReordered:
      return "samples_reordered";
    case EventCode::kDeviceReset:
      return "device_reset";
    case EventCode::kDeviceStatus:
      return "device_status";
    case EventCode::kDescribed:
      return "described";
    case EventCode::kNoAnswer:
      return "no_answer";
    case EventCode::kClockJump:
      return "clock_jump";
    case EventCode::kStageGreeting:
      return "stage_greeting";
    case EventCode::kStageAlarm:
      return "stage_alarm";
    case EventCode::kStageError:
      return "stage_error";
    case EventCode::kStageState:
      return "stage_state";
    case EventCode::kStageMessage:
      return "stage_message";
    case EventCode::kInterlockTrip:
      return "interlock_trip";
    case EventCode::kInterlockReset:
      return "interlock_reset";
    case EventCode::kSupervisorState:
      return "supervisor_state";
    case EventCode::kOverrun:
      return "overrun";
    case EventCode::kTare:
      return "tare";
    case EventCode::kStepBegan:
      return "step_began";
    case EventCode::kStepEnded:
      return "step_ended";
    case EventCode::kContact:
      return "contact";
  }
  return "unknown";
}

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kFault:
      return "fault";
  }
  return "unknown";
}

std::string describe(const Event& event) {
  const auto& a = event.arguments;
  return fmt::format("{:.6f} s {} {} source {} ({:g}, {:g}, {:g}, {:g}) {}", static_cast<double>(event.at.ns) * 1e-9,
                     name_of(event.severity), name_of(event.code), event.source, a[0], a[1], a[2], a[3],
                     event.detail.data());
}

}  // namespace strigil::daq
