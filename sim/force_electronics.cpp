#include "sim/force_electronics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::sim {

ElementHysteresis::ElementHysteresis(double width, double full_scale) noexcept {
  assert(full_scale > 0);
  // Below a quarter of full scale each, so that at its half all of them have turned: each then gives 2 w_j r_j.
  constexpr std::array<double, kPlays> kThresholds{0.025, 0.05, 0.1, 0.2};
  for (std::size_t j = 0; j < kPlays; ++j) {
    threshold_[j] = kThresholds[j] * full_scale;
    weight_[j] = width / kPlays / (2 * kThresholds[j]);
    direct_ -= weight_[j] * (1 - kThresholds[j]);
  }
}

double ElementHysteresis::follow(double x) noexcept {
  double y = direct_ * x;
  for (std::size_t j = 0; j < kPlays; ++j) {
    play_[j] = std::max(x - threshold_[j], std::min(x + threshold_[j], play_[j]));
    y += weight_[j] * play_[j];
  }
  return y;
}

bool ForceElectronicsConfig::any() const {
  ForceElectronicsConfig none;
  none.full_scale = full_scale;
  none.creep_s = creep_s;
  none.cable_rest_m = cable_rest_m;
  none.analog.poles = analog.poles;
  return *this != none;
}

ForceElectronics::ForceElectronics(const ForceElectronicsConfig& config, const TemperatureCourse& temperature,
                                   double rate_Hz, double sample_rate_Hz, std::uint64_t seed)
    : config_(config), channels_(config.analog, temperature, rate_Hz, sample_rate_Hz, seed) {
  for (std::size_t i = 0; i < 6; ++i) {
    assert(config.full_scale[i] > 0 || (config.hysteresis == 0 && config.nonlinearity == 0));
    if (config.hysteresis != 0) hysteresis_[i] = ElementHysteresis(config.hysteresis, config.full_scale[i]);
  }
  for (std::size_t k = 0; k < config.creep.size(); ++k) creeps_[k] = 1 - std::exp(-1 / (rate_Hz * config.creep_s[k]));
}

const Wrench& ForceElectronics::feel(const Wrench& wrench, const rig::Position& stage_m) noexcept {
  Wrench x = wrench;
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    const double away_m = stage_m[axis] - config_.cable_rest_m[axis];
    for (std::size_t i = 0; i < 3; ++i) x[i] += config_.cable_N_m[axis][i] * away_m;
  }
  for (std::size_t i = 0; i < 6; ++i) {
    if (config_.hysteresis != 0) x[i] = hysteresis_[i].follow(x[i]);
    if (config_.nonlinearity != 0)
      x[i] += 4 * config_.nonlinearity * x[i] * (1 - std::abs(x[i]) / config_.full_scale[i]);
    const double load = x[i];
    for (std::size_t k = 0; k < config_.creep.size(); ++k) {
      if (config_.creep[k] == 0) continue;
      crept_[k][i] += creeps_[k] * (config_.creep[k] * load - crept_[k][i]);
      x[i] += crept_[k][i];
    }
  }
  return channels_.feel(x);
}

}  // namespace strigil::sim
