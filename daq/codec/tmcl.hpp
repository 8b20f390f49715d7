// TMCL direct mode at the wire: requests and replies of nine bytes. Pure functions; no allocation.
//
// Numbers are those of the TMCM-6212 and TMCM-6214 (motion controllers of the TMC5xxx family) and of modules like
// them, with axis parameter 255 set to pulses (microsteps) per second. Older ones (TMCM-3110, -6110: TMC429) count
// speeds in units of their own and are refused. Check the firmware manual of yours against docs/tmcl.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace strigil::daq {

inline constexpr std::size_t kTmclBytes = 9;  ///< of a request, and of a reply

enum class TmclCommand : std::uint8_t {
  kRotateRight = 1,   ///< ROR: velocity mode, value >= 0 in pulses/s, positions grow
  kRotateLeft = 2,    ///< ROL: the other way
  kMotorStop = 3,     ///< MST: to rest by deceleration
  kMoveTo = 4,        ///< MVP: type 0 ABS
  kSetAxis = 5,       ///< SAP: type = axis parameter
  kGetAxis = 6,       ///< GAP
  kSetGlobal = 9,     ///< SGP: type = parameter, motor = bank
  kGetGlobal = 10,    ///< GGP
  kReference = 13,    ///< RFS: type 0 start, 1 stop, 2 status (0: no search is under way)
  kGetVersion = 136,  ///< type 1: value = module number << 16 | major << 8 | minor
};
inline constexpr std::uint8_t kTmclAbsolute = 0;
inline constexpr std::uint8_t kTmclReferenceStart = 0;
inline constexpr std::uint8_t kTmclReferenceStop = 1;
inline constexpr std::uint8_t kTmclReferenceStatus = 2;
inline constexpr std::uint8_t kTmclVersionBinary = 1;

/// Axis parameters (type of SAP and GAP).
enum class TmclAxis : std::uint8_t {
  kTargetPosition = 0,   ///< pulses; writing it begins a move
  kActualPosition = 1,   ///< pulses
  kTargetSpeed = 2,      ///< pulses/s
  kActualSpeed = 3,      ///< pulses/s
  kMaxSpeed = 4,         ///< pulses/s, of moves to a place
  kMaxAcceleration = 5,  ///< pulses/s^2
  kPositionReached = 8,
  kRightLimit = 10,           ///< 1: the switch at the far end is active
  kLeftLimit = 11,            ///< 1: the switch at the near end is active
  kReferenceMode = 193,       ///< 1: the left limit switch is the reference
  kReferenceSpeed = 194,      ///< pulses/s towards the switch
  kReferenceSlowSpeed = 195,  ///< pulses/s for finding its edge
  kErrorFlags = 207,          ///< bit 0: stopped by stall, 1: by encoder deviation. Reading clears them
  kDriverFlags = 208,         ///< of the power stage, as TMC26x: bit 1 too hot, 3 and 4 short in coil A and B
  kUnitMode = 255,            ///< 1: speeds in pulses/s
};

// Global parameters: bank 0 is the module's own, bank 2 the user's variables. Those from 56 on begin at 0 after every
// reset.
inline constexpr std::uint8_t kTmclModuleBank = 0;
inline constexpr std::uint8_t kTmclUserBank = 2;
inline constexpr std::uint8_t kTmclSerialHeartbeat = 68;     ///< ms without a request until motors stop; 0: never
inline constexpr std::uint8_t kTmclApplicationStatus = 128;  ///< 1: the stand-alone program runs

/// Status of a reply.
enum class TmclStatus : std::uint8_t {
  kWrongChecksum = 1,
  kInvalidCommand = 2,
  kWrongType = 3,
  kInvalidValue = 4,
  kLocked = 5,
  kNotAvailable = 6,
  kOk = 100,
  kLoaded = 101,  ///< into the program memory
};

struct TmclRequest {
  std::uint8_t address = 1;  ///< the module's
  TmclCommand command = TmclCommand::kGetAxis;
  std::uint8_t type = 0;
  std::uint8_t motor = 0;  ///< or bank
  std::int32_t value = 0;
  friend bool operator==(const TmclRequest&, const TmclRequest&) = default;
};

/// A reply does not say which motor it is about: who asks must know.
struct TmclReply {
  std::uint8_t reply_address = 2;  ///< the host's
  std::uint8_t address = 1;        ///< the module's
  TmclStatus status = TmclStatus::kOk;
  TmclCommand command = TmclCommand::kGetAxis;
  std::int32_t value = 0;
  friend bool operator==(const TmclReply&, const TmclReply&) = default;
};

using TmclBytes = std::array<std::byte, kTmclBytes>;

TmclBytes encode_tmcl(const TmclRequest& request) noexcept;
TmclBytes encode_tmcl(const TmclReply& reply) noexcept;
/// Nothing when the checksum is wrong. Commands and status may be numbers that have no name here.
std::optional<TmclRequest> decode_tmcl_request(std::span<const std::byte, kTmclBytes> bytes) noexcept;
std::optional<TmclReply> decode_tmcl_reply(std::span<const std::byte, kTmclBytes> bytes) noexcept;

/// Faults of an axis, gathered from kErrorFlags and kDriverFlags.
enum TmclFault : std::uint32_t {
  kTmclStall = 1U << 0,
  kTmclDeviation = 1U << 1,
  kTmclTooHot = 1U << 8,
  kTmclShortA = 1U << 9,
  kTmclShortB = 1U << 10,
};
/// Of the error flags, and of the driver flags, those that are faults.
std::uint32_t tmcl_faults_of_errors(std::int32_t error_flags) noexcept;
std::uint32_t tmcl_faults_of_driver(std::int32_t driver_flags) noexcept;

/// What the module means, with what to check. "unknown" for others. Static storage.
std::string_view tmcl_status_words(TmclStatus status) noexcept;
/// The gravest of these faults; "no fault" for 0.
const char* tmcl_fault_words(std::uint32_t fault) noexcept;

}  // namespace strigil::daq
