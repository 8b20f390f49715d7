// Event: something that happened once, small enough for a ring, put into words only off the loop.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "daq/time.hpp"

namespace strigil::daq {

enum class Severity : std::uint8_t { kInfo, kWarning, kFault };

/// Every kind of event. Values are part of the file format: append, never renumber (docs/run_file.md).
enum class EventCode : std::uint16_t {
  kNone = 0,
  // links and sessions; `source` = LinkId for link_closed and the stage's, StreamId for the others
  kLinkClosed = 1,        ///< no arguments
  kDecodeError = 2,       ///< a: records rejected so far
  kSamplesLost = 3,       ///< a: samples, b: first missing sample counter
  kSamplesReordered = 4,  ///< a: sample counter
  kDeviceReset = 5,       ///< the device restarted
  kDeviceStatus = 6,      ///< a: status word as the device sent it
  kDescribed = 7,         ///< the device described its stream
  kNoAnswer = 8,          ///< a: seconds waited
  kClockJump = 9,         ///< the stream's clock fit began anew; `source` = StreamId
  // stage
  kStageGreeting = 20,  ///< detail: the greeting
  kStageAlarm = 21,     ///< a: alarm number
  kStageError = 22,     ///< a: error number
  kStageState = 23,     ///< a: new state, b: previous state
  kStageMessage = 24,   ///< detail: the text
  // rig
  kInterlockTrip = 40,  ///< a: fault bits, b: normal force N, c: x m, d: z m
  kInterlockReset = 41,
  kSupervisorState = 42,  ///< a: new state, b: previous state
  kOverrun = 43,          ///< a: tick lateness s
  kTare = 44,             ///< a..: offsets removed, N
  // protocol
  kStepBegan = 60,  ///< a: step index, b: step kind
  kStepEnded = 61,  ///< a: step index, b: outcome
  kContact = 62,    ///< a: normal force N, b: x m, c: z m
};

/// By value through Ring<Event>; trivially copyable, 96 bytes.
struct Event {
  HostTime at;
  EventCode code = EventCode::kNone;
  Severity severity = Severity::kInfo;
  std::uint8_t reserved = 0;
  std::uint16_t source = 0;           ///< LinkId or StreamId as the code says
  std::array<double, 4> arguments{};  ///< as the code says
  std::array<char, 44> detail{};      ///< short text from a device, NUL-terminated, may be empty
};

/// Copies `text` into event.detail, cut to fit. No allocation: usable in the loop.
void set_detail(Event& event, std::string_view text) noexcept;
/// The code's name as written in files, e.g. "interlock_trip".
std::string_view name_of(EventCode code) noexcept;
std::string_view name_of(Severity severity) noexcept;
/// One line for a person. Off the loop only (allocates).
std::string describe(const Event& event);

}  // namespace strigil::daq
