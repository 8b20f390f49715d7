// What a force procedure has to know of the bench's force sensor and of the weights at hand.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "daq/result.hpp"
#include "protocols/calibrate/reference_standard.hpp"
#include "rig/bench.hpp"

namespace strigil::protocols {

/// Channels of the force sensor: 0, 1, 2 for Fx, Fy, Fz.
struct ForceAxes {
  std::size_t normal = 2;
  double sign = 1;                           ///< of the normal channel, for a force that presses
  std::array<std::size_t, 2> lateral{0, 1};  ///< the one along the strokes first
};
inline constexpr std::array<const char*, 3> kForceChannels{"Fx", "Fy", "Fz"};
/// Errors: the bench's normal or tangential axis is no force.
daq::Result<ForceAxes> force_axes(const rig::BenchConfig& bench);

/// A load put together from weights.
struct LoadOfMasses {
  double force_N = 0;
  double u_N = 0;     ///< standard
  std::string words;  ///< "500 g + 200 g"
};
/// The weights whose load is nearest to the force; all of the combinations are tried, of the first 16 weights.
/// Precondition: there are masses.
LoadOfMasses load_of_masses(double force_N, const ReferenceStandard& reference);

}  // namespace strigil::protocols
