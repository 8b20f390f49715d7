// ForceElectronics: from the wrench that is to what a six-axis force sensor says: all its defects, each by a formula.
//
// Order: cable -> element (hysteresis, nonlinearity, creep) -> sim/analog_channels.hpp (crosstalk, gain, temperature,
// drift, noise, filter, delay; at the sample: range, resolution). docs/physics_devices.md has every equation.
#pragma once

#include <array>
#include <cstdint>

#include "rig/readings.hpp"
#include "sim/analog_channels.hpp"

namespace strigil::sim {

/// Fx Fy Fz (N), Tx Ty Tz (N m).
using Wrench = std::array<double, 6>;

/// Play operators in parallel (Prandtl and Ishlinskii): y = w0 x + sum w_j p_j, each p_j dragged behind x at +-r_j.
/// w0 is such that the first load to full scale reads true. Value; one thread.
class ElementHysteresis {
 public:
  static constexpr std::size_t kPlays = 4;
  /// `width` (relative to `full_scale` > 0): largest difference between falling and rising at half of full scale, on
  /// cycles 0 - full scale - 0.
  ElementHysteresis(double width, double full_scale) noexcept;
  ElementHysteresis() : ElementHysteresis(0, 1) {}
  double follow(double x) noexcept;

 private:
  double direct_ = 1;
  std::array<double, kPlays> weight_{};
  std::array<double, kPlays> threshold_{};
  std::array<double, kPlays> play_{};
};

struct ForceElectronicsConfig {
  static constexpr std::size_t kCreeps = 2;
  Wrench full_scale{};      ///< of the sensor: what the relative figures below are of; 0: not known, and they are 0
  double hysteresis = 0;    ///< of full scale; see ElementHysteresis
  double nonlinearity = 0;  ///< of full scale, at its half: x + 4 n x (1 - |x| / FS), 0 at both ends
  std::array<double, kCreeps> creep{};           ///< relative to the load, after ever so long ...
  std::array<double, kCreeps> creep_s{30, 300};  ///< ... with these time constants: x sum a_k (1 - exp(-t / tau_k))
  std::array<rig::Position, rig::kAxes>
      cable_N_m{};               ///< [axis]: force on the sensor per metre of the stage along it ...
  rig::Position cable_rest_m{};  ///< ... from here
  AnalogConfig<6> analog;

  bool operator==(const ForceElectronicsConfig&) const = default;
  /// Some defect is on (full scale alone is none).
  [[nodiscard]] bool any() const;
};

/// One sensor. One thread; no allocation after construction. Same seed, same bits. With everything on about 0.3 us a
/// step; noise and drift are most of it.
class ForceElectronics {
 public:
  /// Stepped `rate_Hz` times a second, asked for samples `sample_rate_Hz` times.
  ForceElectronics(const ForceElectronicsConfig& config, const TemperatureCourse& temperature, double rate_Hz,
                   double sample_rate_Hz, std::uint64_t seed);
  /// A step passed: the wrench on the sensor, and where the stage stands.
  const Wrench& feel(const Wrench& wrench, const rig::Position& stage_m) noexcept;
  /// What the converter makes of a value that may lie between two steps.
  [[nodiscard]] Wrench convert(const Wrench& value) noexcept { return channels_.convert(value); }

 private:
  ForceElectronicsConfig config_;
  std::array<ElementHysteresis, 6> hysteresis_;
  std::array<Wrench, ForceElectronicsConfig::kCreeps> crept_{};
  std::array<double, ForceElectronicsConfig::kCreeps> creeps_{};  // part of the way in a step
  AnalogChannels<6> channels_;
};

}  // namespace strigil::sim
