#include "calibration/signal/sine_approximation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

namespace strigil::calibration {
namespace {

using daq::Error;

/// `metres` of displacement for one unit of `reference`.
daq::Result<ComplexSensitivity> compare(std::span<const double> reference, std::span<const double> sensor,
                                        double rate_Hz, double frequency_Hz, double metres) {
  if (reference.size() != sensor.size()) {
    return Error{fmt::format("reference and sensor were not sampled together: {} and {} samples", reference.size(),
                             sensor.size())};
  }
  auto moved = fit_sine(reference, rate_Hz, frequency_Hz);
  if (!moved) return Error{"reference: " + moved.error().message};
  auto said = fit_sine(sensor, rate_Hz, frequency_Hz);
  if (!said) return Error{"sensor: " + said.error().message};
  ComplexSensitivity out;
  const double w = 2 * std::numbers::pi * frequency_Hz;
  out.frequency_Hz = frequency_Hz;
  out.displacement_m = metres * moved->amplitude;
  out.acceleration_m_s2 = w * w * out.displacement_m;
  out.sensitivity = said->amplitude / out.acceleration_m_s2;
  // Acceleration is half a turn ahead of displacement.
  out.phase_rad = std::remainder(said->phase_rad - (moved->phase_rad + std::numbers::pi), 2 * std::numbers::pi);
  if (out.phase_rad == -std::numbers::pi) out.phase_rad = std::numbers::pi;
  out.u_sensitivity =
      out.sensitivity * std::hypot(said->u_amplitude / said->amplitude, moved->u_amplitude / moved->amplitude);
  out.u_phase_rad = std::hypot(said->u_phase_rad, moved->u_phase_rad);
  out.reference = std::move(*moved);
  out.sensor = std::move(*said);
  return out;
}

}  // namespace

daq::Result<ComplexSensitivity> sine_approximation_laser(std::span<const double> modulation_phase_rad,
                                                         std::span<const double> sensor, double rate_Hz,
                                                         double frequency_Hz, double wavelength_m) {
  if (!(wavelength_m > 0 && std::isfinite(wavelength_m))) {
    return Error{fmt::format("a wavelength of {} m: it must be above 0", wavelength_m)};
  }
  return compare(modulation_phase_rad, sensor, rate_Hz, frequency_Hz, wavelength_m / (4 * std::numbers::pi));
}

daq::Result<ComplexSensitivity> sine_approximation(std::span<const double> displacement_m,
                                                   std::span<const double> sensor, double rate_Hz,
                                                   double frequency_Hz) {
  return compare(displacement_m, sensor, rate_Hz, frequency_Hz, 1);
}

}  // namespace strigil::calibration
