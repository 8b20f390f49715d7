#include "ui/event_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "daq/codec/grbl.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"
#include "rig/interlock.hpp"
#include "rig/supervisor.hpp"
#include "ui/words.hpp"

namespace strigil::ui {
namespace {

constexpr double kMilli = 1e3;

/// The argument as a number of an enumeration's value, or nothing where it is none of its `count`.
std::optional<std::uint8_t> ordinal(double argument, int count) {
  if (!(argument >= 0 && argument < count) || argument != std::floor(argument)) return std::nullopt;
  return static_cast<std::uint8_t>(argument);
}

/// Its name, with blanks for underscores; a number that has none stays a number.
template <class Enum>
std::string named(double argument, Enum last) {
  const auto value = ordinal(argument, static_cast<int>(last) + 1);
  if (!value) return fmt::format("{:g}", argument);
  std::string words(name_of(static_cast<Enum>(*value)));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

/// 0 stage, 1 force, 2 accelerometer: docs/run_file.md, /events.
std::string link_name(std::uint16_t source) {
  constexpr std::array kNames{"stage", "force sensor", "accelerometer"};
  return source < kNames.size() ? kNames[source] : fmt::format("link {}", source);
}

std::string with_words(std::string number, std::string_view words) {
  if (!words.empty()) number.append(": ").append(words);
  return number;
}

int whole(double v) { return v > -1e6 && v < 1e6 ? static_cast<int>(v) : -1; }

std::string trip_words(const std::array<double, 4>& a) {
  const bool bits = a[0] >= 0 && a[0] <= 4294967295.0;
  return fmt::format("interlock tripped: {}, at {} N, x {} mm, z {} mm",
                     bits ? rig::fault_names(static_cast<std::uint32_t>(a[0])) : "unknown", figure(a[1], 2),
                     figure(a[2] * kMilli, 1), figure(a[3] * kMilli, 2));
}

std::string words_without_detail(const daq::Event& e) {
  using daq::EventCode;
  const auto& a = e.arguments;
  constexpr auto kLastStage = daq::GrblState::kSleep;
  constexpr auto kLastSupervisor = static_cast<rig::SupervisorState>(rig::kSupervisorStates - 1);
  switch (e.code) {
    case EventCode::kNone:
      return "nothing";
    case EventCode::kLinkClosed:
      return link_name(e.source) + ": its link has closed";
    case EventCode::kDecodeError:
      return fmt::format("{}: what makes no sense came, {:g} records so far", link_name(e.source), a[0]);
    case EventCode::kSamplesLost:
      return fmt::format("stream {}: {:g} samples lost, from number {:.0f} on", e.source, a[0], a[1]);
    case EventCode::kSamplesReordered:
      return fmt::format("stream {}: sample {:.0f} came late or twice, and was dropped", e.source, a[0]);
    case EventCode::kDeviceReset:
      return fmt::format("stream {}: its device restarted", e.source);
    case EventCode::kDeviceStatus:
      return fmt::format("device {}: status {:#x}", e.source,
                         a[0] >= 0 && a[0] < 1e15 ? static_cast<std::uint64_t>(a[0]) : 0);
    case EventCode::kDescribed:
      return link_name(e.source) + ": has described itself";
    case EventCode::kNoAnswer:
      return fmt::format("{}: no answer for {} s", link_name(e.source), figure(a[0], 1));
    case EventCode::kClockJump:
      return fmt::format("stream {}: a clock has jumped", e.source);
    case EventCode::kStageGreeting:
      return "stage: greets";
    case EventCode::kStageAlarm:
      return with_words(fmt::format("stage: alarm {:g}", a[0]), daq::grbl_alarm_words(whole(a[0])));
    case EventCode::kStageError:
      return with_words(fmt::format("stage: error {:g}", a[0]), daq::grbl_error_words(whole(a[0])));
    case EventCode::kStageState:
      return fmt::format("stage: {}, was {}", named(a[0], kLastStage), named(a[1], kLastStage));
    case EventCode::kStageMessage:
      return "stage says";
    case EventCode::kInterlockTrip:
      return trip_words(a);
    case EventCode::kInterlockReset:
      return "interlock reset";
    case EventCode::kSupervisorState:
      return fmt::format("rig: {}, was {}", named(a[0], kLastSupervisor), named(a[1], kLastSupervisor));
    case EventCode::kOverrun:
      return fmt::format("tick late by {} ms", figure(a[0] * kMilli, 2));
    case EventCode::kTare:
      return fmt::format("tare: zero is now {} N normal, {} N tangential ({:g} samples)", figure(a[0], 3),
                         figure(a[1], 3), a[2]);
    case EventCode::kStepBegan:
      return fmt::format("step {:g} begins: {}", a[0] + 1, named(a[1], protocols::StepKind::kSurvey));
    case EventCode::kStepEnded:
      return fmt::format("step {:g} ends: {}", a[0] + 1, named(a[1], protocols::StepOutcome::kSuspendedTooLong));
    case EventCode::kContact:
      return fmt::format("contact at {} N, x {} mm, z {} mm", figure(a[0], 2), figure(a[1] * kMilli, 1),
                         figure(a[2] * kMilli, 2));
  }
  return fmt::format("event {}: {:g}, {:g}, {:g}, {:g}", static_cast<int>(e.code), a[0], a[1], a[2], a[3]);
}

}  // namespace

std::string words_of(const daq::Event& event) {
  auto words = words_without_detail(event);
  const std::string_view detail(event.detail.data());
  if (!detail.empty()) words.append(": ").append(detail);
  return words;
}

}  // namespace strigil::ui
