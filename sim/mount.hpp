// What both plants share and no specimen has a part in: the stage's own acceleration, the machine's noise, the hard
// stop beside the phantom.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "daq/time.hpp"
#include "rig/readings.hpp"

namespace strigil::sim {

/// A hard stop beside the phantom, where the stage taps: elastic, and nothing else.
struct Anvil {
  double from_x_m = 170e-3;
  double surface_z_m = -30e-3;  ///< at from_x_m
  double slope = 0;             ///< dz/dx: a wedge shows by its height where along x it is met
  double stiffness_N_m = 20e3;  ///< of instrument, mount and force sensor in series [A]

  [[nodiscard]] bool under(double x_m) const noexcept { return x_m >= from_x_m; }
  /// The force along z with the edge at x, z; along x it is that times -slope.
  [[nodiscard]] double normal_N(double x_m, double z_m) const noexcept {
    return stiffness_N_m * std::max(0.0, surface_z_m + slope * (x_m - from_x_m) - z_m);
  }
};

/// What lies between the stage and the sensors.
struct MountConfig {
  double lever_m = 0.10;             ///< from the instrument's edge up to the force sensor's origin [A]
  double machine_noise_m_s2 = 0.02;  ///< RMS of each axis, always there [A]
  double stage_corner_Hz = 4000;     ///< the mount passes the stage's own acceleration below this, 40 us late [A]
};

/// SplitMix64: the next draw of `state`.
std::uint64_t split_mix(std::uint64_t& state) noexcept;

/// How the machine shakes what it carries. One thread, time never going back.
class MachineMotion {
 public:
  MachineMotion(const MountConfig& mount, std::uint64_t seed) noexcept
      : mount_(mount), noise_state_(seed ^ 0x6D61636869ULL) {}
  /// Time since the last step and the stage's acceleration as the mount passes it on (m/s2). 0 at the first step.
  const rig::Position& step(daq::HostTime now, const rig::Position& velocity_m_s) noexcept;
  [[nodiscard]] double dt_s() const noexcept { return dt_s_; }
  /// Adds the machine's own noise.
  void add_noise(std::array<double, 3>& acceleration_m_s2) noexcept;

 private:
  MountConfig mount_;
  std::uint64_t noise_state_;
  rig::Position acceleration_m_s2_{};
  rig::Position last_velocity_m_s_{};
  daq::HostTime last_;
  daq::Duration pass_for_{0};
  double pass_ = 0;
  double dt_s_ = 0;
  bool stepped_ = false;
};

}  // namespace strigil::sim
