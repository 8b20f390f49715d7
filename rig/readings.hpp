// What the rig knows at one tick, and what it may be asked to do. Plain values; loop thread only.
//
// Frame: x along the stroke, y across, z up. Metres in the stage's own machine coordinates; z falls as the stage
// presses. Normal force is positive when the instrument presses on the phantom.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daq/event.hpp"
#include "daq/time.hpp"

namespace strigil::rig {

inline constexpr std::size_t kAxes = 3;
enum Axis : std::size_t { kX = 0, kY = 1, kZ = 2 };
using Position = std::array<double, kAxes>;  ///< m

/// What the stage says it is doing.
enum class StageState : std::uint8_t { kUnknown, kIdle, kMoving, kHolding, kAlarm, kOther };

/// Conditions the interlock judges; or-ed together. Names, causes and proofs: docs/safety.md.
enum Fault : std::uint32_t {
  kNotReset = 1U << 0,  ///< interlocks start faulted
  kForceLimit = 1U << 1,
  kForceStale = 1U << 2,
  kForceGap = 1U << 3,
  kForceSaturated = 1U << 4,
  kForceDeviceFault = 1U << 5,
  kVibrationStale = 1U << 6,
  kStageStale = 1U << 7,
  kStageAlarm = 1U << 8,
  kTravel = 1U << 9,  ///< readback outside the bench's travel
  kEmergencyStop = 1U << 10,
  kForceStuck = 1U << 11,  ///< counts that never change: no live sensor does that
  kLinkClosed = 1U << 12,
  kVibrationGap = 1U << 13,
  kVibrationStuck = 1U << 14,
  kStageRestarted = 1U << 15,  ///< its controller restarted since the reset: its position is not to be trusted
};

/// One view of the bench, made once a tick.
struct Readings {
  daq::HostTime now;

  // force: newest calibrated sample
  bool force_seen = false;        ///< at least one sample since start
  double normal_force_N = 0;      ///< tared
  double tangential_force_N = 0;  ///< along x, tared; sign of the force on the instrument
  double untared_normal_force_N = 0;
  daq::HostTime force_t0;  ///< acquisition time
  daq::HostTime force_received;
  std::uint64_t force_samples = 0;  ///< samples seen since start

  // vibration
  bool vibration_seen = false;
  double vibration_rms_m_s2 = 0;  ///< of the newest block, mean removed, all axes
  daq::HostTime vibration_received;
  std::uint64_t vibration_samples = 0;

  // stage
  bool stage_seen = false;  ///< at least one position report
  StageState stage = StageState::kUnknown;
  Position position_m{};  ///< readback
  daq::HostTime position_received;
  std::uint32_t finished_move =
      0;  ///< id of the last move that is physically complete: idle, and readback in tolerance
  std::uint64_t stage_restarts = 0;  ///< times the stage's controller restarted since we speak to it
  std::uint32_t refused_move = 0;    ///< id of the last move that the stage or the interlock refused

  std::uint32_t faults = 0;          ///< Fault bits true now
  std::uint32_t latched_faults = 0;  ///< Fault bits latched; non-zero: only retract and stop are permitted
};

enum class DemandKind : std::uint8_t {
  kHold,     ///< nothing new: what was last commanded stands
  kMove,     ///< go to target_m at speed_m_s; acted on once for each new move_id
  kStop,     ///< cancel motion now
  kRetract,  ///< lift straight up to the bench's clear height at its retract speed; permitted also when faulted
};

/// What a behaviour wishes. Only the interlock turns it into something that may reach a wire.
struct Demand {
  DemandKind kind = DemandKind::kHold;
  std::uint32_t move_id = 0;  ///< increases with each new move, 1-based
  Position target_m{};
  double speed_m_s = 0;  ///< along the path
};

}  // namespace strigil::rig
