// Drive: a device that moves. It takes nothing but permitted setpoints (DESIGN.md, sentence 4).
#pragma once

#include <array>

#include "daq/session.hpp"
#include "rig/interlock.hpp"
#include "rig/readings.hpp"

namespace strigil::rig {

/// What a drive can do. Known once its stage has answered.
struct DriveAbility {
  bool streams_velocity = false;  ///< takes SetpointKind::kVelocity; without: point-to-point moves only
  double period_s = 0;            ///< a new velocity so often
  double delay_s = 0;             ///< from setpoint to motion, its ramp not included
  double max_speed_m_s = 0;
  double max_acceleration_m_s2 = 0;
  std::array<bool, kAxes> axes{true, true, true};  ///< those that the stage has
  bool homes_at_once = false;                      ///< one SetpointKind::kHome is for all of them
};

/// Loop thread only; noexcept, no allocation.
class Drive {
 public:
  virtual ~Drive() = default;
  [[nodiscard]] virtual DriveAbility ability() const noexcept = 0;
  /// Acts on a setpoint. Called every tick: a move is begun once for each new move_id and then carried on; a velocity
  /// stands for one tick, and a drive that is not given another comes to rest. A search for a reference is begun once
  /// for each new move_id, clears what faults the device lets one clear, and is broken off by a stop.
  virtual void write(const PermittedSetpoint& setpoint, const Readings& readings, daq::HostTime now,
                     daq::SessionOutput& out) noexcept = 0;
  /// Fills the stage part of the readings: state, finished and refused moves.
  virtual void report(Readings& readings) const noexcept = 0;
};

}  // namespace strigil::rig
