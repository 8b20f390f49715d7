// What the rig knows at one tick, and what it may be asked to do. Plain values; loop thread only. Positions are in the
// stage frame, forces in the edge frame (rig/frames.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daq/event.hpp"
#include "daq/time.hpp"

namespace strigil::rig {

inline constexpr std::size_t kAxes = 3;
enum Axis : std::size_t { kX = 0, kY = 1, kZ = 2 };
using Position = std::array<double, kAxes>;  ///< m, stage frame

/// What the stage says it is doing.
enum class StageState : std::uint8_t { kUnknown, kIdle, kMoving, kHolding, kAlarm, kOther, kHoming };

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
  kStageStalled = 1U << 16,    ///< told to move, and its readback does not change
  kHostStalled = 1U << 17,     ///< nobody looked for longer than a force may be old
  kVibrationSaturated = 1U << 18,
  kVibrationDeviceFault = 1U << 19,
};

/// How far a force-controlled press has come.
enum class ContactPhase : std::uint8_t {
  kFree,      ///< on its way down, nothing felt yet
  kTouching,  ///< slowly into it, to learn its stiffness
  kPressing,  ///< the force is ramped to what is wanted, or held
  kLost,      ///< pressed, and now feels nothing: down again as at first
};

/// What force control knows of its contact; of the tick before.
struct ContactReading {
  bool active = false;  ///< a force is wanted
  ContactPhase phase = ContactPhase::kFree;
  double reference_N = 0;    ///< what the ramp has come to
  double stiffness_N_m = 0;  ///< learned; before, what is assumed
  double damping_N_s_m = 0;
  bool learned = false;
  std::uint32_t losses = 0;      ///< times contact was lost since it was first made
  std::uint64_t tank_empty = 0;  ///< samples in which the energy tank kept feed-forward off
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
  Position position_m{};  ///< readback: where the stage truly is, as far as its error map knows (rig/stage_map.hpp)
  Position correction_m{};  ///< of the error map: position_m less what the stage counts; 0 without one
  daq::HostTime position_t0;
  daq::HostTime position_received;
  std::uint32_t finished_move =
      0;  ///< id of the last move that is physically complete: idle, and readback in tolerance
  std::uint64_t stage_restarts = 0;  ///< times the stage's controller restarted since we speak to it
  std::uint32_t refused_move = 0;    ///< id of the last move that the stage or the interlock refused

  /// What the stage counts: its own machine coordinates, in which interlock and drive think.
  [[nodiscard]] Position counted_m() const noexcept {
    return {position_m[kX] - correction_m[kX], position_m[kY] - correction_m[kY], position_m[kZ] - correction_m[kZ]};
  }

  ContactReading contact;

  std::uint32_t faults = 0;          ///< Fault bits true now
  std::uint32_t latched_faults = 0;  ///< Fault bits latched; non-zero: only retract and stop are permitted
};

enum class DemandKind : std::uint8_t {
  kHold,      ///< nothing new: what was last commanded stands
  kMove,      ///< go to target_m at speed_m_s; acted on once for each new move_id
  kStop,      ///< cancel motion now
  kRetract,   ///< lift straight up to the bench's clear height at its retract speed; permitted also when faulted
  kForce,     ///< hold force_N against the phantom while it moves at velocity_m_s in x and y; made anew every tick
  kVelocity,  ///< move at velocity_m_s; stands for this tick only
  kHome,      ///< look for the reference of `axis`; acted on once for each new move_id
};

/// What a behaviour wishes. Only the interlock turns it into something that may reach a wire.
struct Demand {
  DemandKind kind = DemandKind::kHold;
  std::uint32_t move_id = 0;  ///< increases with each new move, 1-based
  Position target_m{};
  double speed_m_s = 0;  ///< along the path; kForce: the fastest way down to the first touch
  Axis axis = kZ;        ///< kHome

  // kForce and kVelocity
  std::array<double, kAxes> velocity_m_s{};
  double force_N = 0;
  double force_rate_N_s = 0;
  double along_m_s = 0;       ///< kForce: speed along the stroke's path, signed
  double place_m = 0;         ///< kForce: readback's place along the path
  bool new_contact = false;   ///< kForce: what was learned of the phantom is of another place
  bool same_surface = false;  ///< with new_contact: but its surface along the path is known from the passes before
  std::uint32_t passes = 0;   ///< kForce: passes along the path that are over; what they felt is used from then on
};

}  // namespace strigil::rig
