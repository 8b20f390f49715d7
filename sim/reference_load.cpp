#include "sim/reference_load.hpp"

#include <cmath>

namespace strigil::sim {

ReferenceLoad::ReferenceLoad(const ReferenceLoadConfig& config) : config_(config), noise_(config.seed) {
  factor_ = 1 + config_.relative_u * noise_.normal();
  // The frame leans for good; what is put up on it adds as much again, each time anew.
  put_up(0);
}

void ReferenceLoad::put_up(double azimuth_rad) {
  azimuth_rad_ = azimuth_rad;
  // Of normal draws one in twenty lies beyond two standard deviations: the bound is cut there.
  const auto askew = [&] { return std::fmin(std::fmax(noise_.normal() / 2, -1), 1) * config_.direction_rad; };
  for (auto& axis : askew_rad_) axis = {askew(), askew()};
}

std::array<double, 3> ReferenceLoad::truth_N(const std::array<double, 3>& nominal_N) const {
  std::array<double, 3> out{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double along = nominal_N[axis] * factor_;
    const std::size_t second = (axis + 1) % 3;
    const std::size_t third = (axis + 2) % 3;
    const auto& askew = askew_rad_[axis];
    out[axis] += along * std::cos(std::hypot(askew[0], askew[1]));
    // Only what hangs along z turns with the frame's azimuth; x and y are directions of the sensor.
    const double turn = axis == 2 ? azimuth_rad_ : 0;
    out[second] += along * (askew[0] * std::cos(turn) - askew[1] * std::sin(turn));
    out[third] += along * (askew[0] * std::sin(turn) + askew[1] * std::cos(turn));
  }
  return out;
}

}  // namespace strigil::sim
