// InstrumentBody: how an instrument answers a force at its edge, and what the accelerometer on it feels.
//
// A stand-in with the interface of the one with bending modes: the rigid body alone, of instrument and holder, on the
// mount's spring, for each axis  M r'' + c r' + k r = F - M a_stage. Straight between steps, exact for that.
#pragma once

#include <array>
#include <cmath>
#include <numbers>

#include "rig/instrument.hpp"

namespace strigil::sim {

/// What holds the instrument.
struct BodyMount {
  double angle_rad = std::numbers::pi / 2;  ///< of the instrument to the surface (rig/frames.hpp); upright
  double stiffness_N_m = 20e3;              ///< of mount and force sensor, each axis [A]
  double holder_mass_kg = 0.1;              ///< of jaws and sensor's upper half, which move with it [A]
};

/// One thread; starts at rest, without force.
class InstrumentBody {
 public:
  explicit InstrumentBody(const rig::Instrument& instrument, const BodyMount& mount = {})
      : mass_kg_(instrument.mass_kg + mount.holder_mass_kg),
        stiffness_N_m_(mount.stiffness_N_m),
        damping_N_s_m_(instrument.grip_loss_factor * std::sqrt(mount.stiffness_N_m * mass_kg_)) {}

  void step(double dt_s, const std::array<double, 3>& edge_force_N,
            const std::array<double, 3>& stage_acceleration_m_s2) noexcept {
    if (!(dt_s > 0)) return;
    for (std::size_t i = 0; i < 3; ++i) {  // implicit midpoint: stable for every step, and loses nothing by itself
      const double drive = edge_force_N[i] - mass_kg_ * stage_acceleration_m_s2[i];
      const double mean = (2 * mass_kg_ / dt_s * rate_[i] - stiffness_N_m_ * place_[i] + drive) /
                          (2 * mass_kg_ / dt_s + stiffness_N_m_ * dt_s / 2 + damping_N_s_m_);
      const double after = 2 * mean - rate_[i];
      felt_m_s2_[i] = stage_acceleration_m_s2[i] + (after - rate_[i]) / dt_s;
      place_[i] += dt_s * mean;
      rate_[i] = after;
    }
  }
  [[nodiscard]] const std::array<double, 3>& acceleration_m_s2() const noexcept { return felt_m_s2_; }
  [[nodiscard]] std::array<double, 3> edge_deflection_m() const noexcept { return place_; }
  [[nodiscard]] std::array<double, 3> edge_deflection_m_s() const noexcept { return rate_; }

 private:
  double mass_kg_;
  double stiffness_N_m_;
  double damping_N_s_m_;
  std::array<double, 3> place_{};
  std::array<double, 3> rate_{};
  std::array<double, 3> felt_m_s2_{};
};

}  // namespace strigil::sim
