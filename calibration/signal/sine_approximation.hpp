// Complex sensitivity of a vibration sensor by the sine approximation: ISO 16063-11 method 3 (a laser's phase or a
// reference displacement against the sensor's voltage). metrology.md 2.2, "method based on": from memory [M]. Pure.
#pragma once

#include <span>

#include "calibration/signal/sine_fit.hpp"

namespace strigil::calibration {

/// He-Ne laser in air (metrology.md 2.2).
inline constexpr double kHeNeWavelength_m = 0.63281e-6;

struct ComplexSensitivity {
  double frequency_Hz = 0;
  double acceleration_m_s2 = 0;  ///< amplitude
  double displacement_m = 0;     ///< amplitude
  double sensitivity = 0;        ///< sensor units per m/s2
  double phase_rad = 0;          ///< of the sensor against the acceleration, (-pi, pi]
  double u_sensitivity = 0;      ///< type A, from the scatter of both fits
  double u_phase_rad = 0;
  SineFit reference, sensor;  ///< the two fits
};

/// From the modulation phase of an interferometer (rad, unwrapped), sampled together with the sensor:
/// displacement = wavelength/(4 pi) * phase amplitude; acceleration = (2 pi f)^2 displacement.
/// Refuses what fit_sine refuses, lengths that differ, and a wavelength not above 0.
[[nodiscard]] daq::Result<ComplexSensitivity> sine_approximation_laser(std::span<const double> modulation_phase_rad,
                                                                       std::span<const double> sensor, double rate_Hz,
                                                                       double frequency_Hz,
                                                                       double wavelength_m = kHeNeWavelength_m);
/// The same from a displacement in metres (a stage's encoder).
[[nodiscard]] daq::Result<ComplexSensitivity> sine_approximation(std::span<const double> displacement_m,
                                                                 std::span<const double> sensor, double rate_Hz,
                                                                 double frequency_Hz);

}  // namespace strigil::calibration
