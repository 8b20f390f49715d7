// Sine fits by least squares, frequency known (3 parameters) or sought (4): IEEE Std 1057; metrology.md 2.3. Pure.
#pragma once

#include <Eigen/Core>
#include <span>

#include "daq/result.hpp"

namespace strigil::calibration {

/// y(t) = amplitude sin(2 pi f t + phase) + offset, t = 0 at the first sample.
/// Standard uncertainties and covariance are from the residual scatter, noise taken as white.
struct SineFit {
  double frequency_Hz = 0, amplitude = 0, phase_rad = 0, offset = 0;  ///< amplitude >= 0, phase in (-pi, pi]
  double u_frequency_Hz = 0, u_amplitude = 0, u_phase_rad = 0, u_offset = 0;
  /// Of (amplitude, phase, offset) or (amplitude, phase, offset, frequency in Hz).
  Eigen::MatrixXd covariance;
  double cosine = 0, sine = 0;  ///< y = cosine cos(wt) + sine sin(wt) + offset
  double rms_residual = 0;      ///< sqrt(sum r^2 / N)
  double noise_sd = 0;          ///< sqrt(sum r^2 / (N - parameters))
  int iterations = 0;           ///< 0: three parameters
};

/// Frequency known. Refuses fewer than 4 samples, numbers that are not finite, a frequency not within (0, rate/2), a
/// record so short that offset and sine cannot be told apart, an amplitude of 0.
[[nodiscard]] daq::Result<SineFit> fit_sine(std::span<const double> y, double rate_Hz, double frequency_Hz);
/// Frequency sought from `start_Hz`, which must be within about half a period over the record, or from the largest line
/// of the spectrum where it is 0. Time is counted from the middle of the record, which uncouples frequency and phase.
/// Refuses also what does not converge in 30 steps, or leaves (0, rate/2).
[[nodiscard]] daq::Result<SineFit> fit_sine_and_frequency(std::span<const double> y, double rate_Hz,
                                                          double start_Hz = 0);

/// Least standard deviations that any unbiased estimate can have from N samples in white noise (Cramer-Rao).
struct SineBounds {
  double amplitude = 0, phase_rad = 0, frequency_Hz = 0;  ///< phase at the first sample; frequency 0 where known
};
/// Preconditions: samples >= 4, rate, amplitude and noise above 0.
[[nodiscard]] SineBounds sine_bounds(std::size_t samples, double rate_Hz, double amplitude, double noise_sd,
                                     bool frequency_known);

}  // namespace strigil::calibration
