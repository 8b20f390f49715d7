#include "sim/mount.hpp"

#include <cmath>
#include <numbers>

namespace strigil::sim {

std::uint64_t split_mix(std::uint64_t& state) noexcept {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

const rig::Position& MachineMotion::step(daq::HostTime now, const rig::Position& velocity_m_s) noexcept {
  const daq::Duration since = stepped_ ? now - last_ : daq::Duration{0};
  dt_s_ = 0;
  if (since > daq::Duration{0}) {
    dt_s_ = daq::seconds(since);
    if (since != pass_for_) {  // steps are even: the exponential is worth keeping
      pass_for_ = since;
      pass_ = 1 - std::exp(-2 * std::numbers::pi * mount_.stage_corner_Hz * dt_s_);
    }
    for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
      const double felt = (velocity_m_s[axis] - last_velocity_m_s_[axis]) / dt_s_;
      acceleration_m_s2_[axis] += pass_ * (felt - acceleration_m_s2_[axis]);
    }
  }
  last_velocity_m_s_ = velocity_m_s;
  last_ = now;
  stepped_ = true;
  return acceleration_m_s2_;
}

void MachineMotion::add_noise(std::array<double, 3>& acceleration_m_s2) noexcept {
  // Uniform, three axes out of one draw: nobody looks at the shape of a noise floor this low.
  std::uint64_t bits = split_mix(noise_state_);
  const double scale = mount_.machine_noise_m_s2 * std::numbers::sqrt3 * 0x1p-20;
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    acceleration_m_s2[axis] += scale * (static_cast<double>(bits & 0x1FFFFFU) - 0x1p20);
    bits >>= 21U;
  }
}

}  // namespace strigil::sim
