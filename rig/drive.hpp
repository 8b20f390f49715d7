// Drive: a device that moves. It takes nothing but permitted setpoints (DESIGN.md, sentence 4).
#pragma once

#include "daq/session.hpp"
#include "rig/interlock.hpp"
#include "rig/readings.hpp"

namespace strigil::rig {

/// Loop thread only; noexcept, no allocation.
class Drive {
 public:
  virtual ~Drive() = default;
  /// Acts on a setpoint. Called every tick: a move is begun once for each new move_id and then carried on.
  virtual void write(const PermittedSetpoint& setpoint, const Readings& readings, daq::HostTime now,
                     daq::SessionOutput& out) noexcept = 0;
  /// Fills the stage part of the readings: state, finished and refused moves.
  virtual void report(Readings& readings) const noexcept = 0;
};

}  // namespace strigil::rig
