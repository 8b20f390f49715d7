// ReferenceLoad: the weights, pulleys and hooks that load a simulated sensor while it is calibrated: as they really
// are, and not as their certificates say (docs/decisions/0015).
#pragma once

#include <array>
#include <cstdint>

#include "sim/noise.hpp"

namespace strigil::sim {

struct ReferenceLoadConfig {
  double relative_u = 0;     ///< standard uncertainty of every force: one draw for all of them
  double direction_rad = 0;  ///< a load hangs askew by up to so much, anew each time it is put up
  std::uint64_t seed = 1;
};

/// One thread. Same seed and same calls: same loads.
class ReferenceLoad {
 public:
  explicit ReferenceLoad(const ReferenceLoadConfig& config);
  /// Put up anew with its frame turned to `azimuth_rad` about z: what hangs askew turns with it.
  void put_up(double azimuth_rad);
  /// What pulls at the edge when `nominal_N` is put on (sensor's axes, N).
  [[nodiscard]] std::array<double, 3> truth_N(const std::array<double, 3>& nominal_N) const;
  /// Factor between a force and its nominal value.
  [[nodiscard]] double factor() const { return factor_; }

 private:
  ReferenceLoadConfig config_;
  Noise noise_;
  double factor_ = 1;
  std::array<std::array<double, 2>, 3> askew_rad_{};  ///< of loads along x, y and z, in the frame
  double azimuth_rad_ = 0;
};

}  // namespace strigil::sim
