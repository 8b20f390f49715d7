// Plant: the physics behind the twins. The stage prescribes where the instrument is; the plant says what it feels.
#pragma once

#include "daq/time.hpp"
#include "rig/readings.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// One specimen under one instrument. Called from one thread with `now` never going back. Same constructor arguments
/// and same calls give the same states to the last bit.
class Plant {
 public:
  virtual ~Plant() = default;
  /// The instrument's edge stands at `position_m` (rig frame, m) and moves at `velocity_m_s`; time has come to `now`.
  /// Never fails; no allocation.
  virtual const PlantState& step(daq::HostTime now, const rig::Position& position_m,
                                 const rig::Position& velocity_m_s) noexcept = 0;
  /// The state of the last step (all zero before the first).
  [[nodiscard]] virtual const PlantState& state() const noexcept = 0;
  /// Height of the specimen's surface (m, rig frame), whether or not it is there.
  [[nodiscard]] virtual double surface_m(double x_m, double y_m) const noexcept = 0;
  /// Compression of the specimen at the last step (m); 0 when not in contact with it.
  [[nodiscard]] virtual double compression_m() const noexcept = 0;
};

}  // namespace strigil::sim
