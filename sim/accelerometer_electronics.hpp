// AccelerometerElectronics: from what shakes an accelerometer's foot to what it says.
//
// Order: resonance of its mounting -> sim/analog_channels.hpp (transverse sensitivity, gain, temperature, noise,
// filter, delay; at the sample: range, resolution). Where the plant has an instrument's body (sim/instrument_body.hpp),
// that has the mounting already. docs/physics_devices.md has every equation.
#pragma once

#include <array>
#include <cstdint>

#include "sim/analog_channels.hpp"

namespace strigil::sim {

struct AccelerometerElectronicsConfig {
  double mounting_Hz = 0;  ///< resonance; 0: it follows its foot
  double mounting_damping_ratio = 0.1;
  AnalogConfig<3> analog{.poles = 4};

  bool operator==(const AccelerometerElectronicsConfig&) const = default;
  [[nodiscard]] bool any() const;
};

/// One sensor. One thread; no allocation after construction. Same seed, same bits.
class AccelerometerElectronics {
 public:
  using Values = std::array<double, 3>;
  AccelerometerElectronics(const AccelerometerElectronicsConfig& config, const TemperatureCourse& temperature,
                           double rate_Hz, double sample_rate_Hz, std::uint64_t seed);
  /// A step passed: acceleration of its foot (m/s^2).
  const Values& feel(const Values& foot_m_s2) noexcept;
  [[nodiscard]] Values convert(const Values& value) noexcept { return channels_.convert(value); }

 private:
  AccelerometerElectronicsConfig config_;
  double dt_s_;
  std::array<SecondOrder, 3> mounting_;
  AnalogChannels<3> channels_;
};

}  // namespace strigil::sim
