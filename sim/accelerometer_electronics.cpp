#include "sim/accelerometer_electronics.hpp"

namespace strigil::sim {

bool AccelerometerElectronicsConfig::any() const {
  AccelerometerElectronicsConfig none;
  none.mounting_damping_ratio = mounting_damping_ratio;
  none.analog.poles = analog.poles;
  return *this != none;
}

AccelerometerElectronics::AccelerometerElectronics(const AccelerometerElectronicsConfig& config,
                                                   const TemperatureCourse& temperature, double rate_Hz,
                                                   double sample_rate_Hz, std::uint64_t seed)
    : config_(config), dt_s_(1 / rate_Hz), channels_(config.analog, temperature, rate_Hz, sample_rate_Hz, seed) {
  if (config.mounting_Hz <= 0) return;
  for (auto& m : mounting_) m = SecondOrder(config.mounting_Hz, config.mounting_damping_ratio);
}

const AccelerometerElectronics::Values& AccelerometerElectronics::feel(const Values& foot_m_s2) noexcept {
  Values x = foot_m_s2;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (config_.mounting_Hz <= 0) break;
    mounting_[i].step(dt_s_, x[i]);
    x[i] = mounting_[i].carried();
  }
  return channels_.feel(x);
}

}  // namespace strigil::sim
