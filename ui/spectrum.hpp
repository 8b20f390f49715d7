// Spectrum: what a screen shows of a signal's frequencies. For eyes, not for certificates (those: calibration/signal).
#pragma once

#include <span>
#include <vector>

namespace strigil::ui {

/// Amplitude spectral density, unit/sqrt(Hz), of `values` sampled at `rate_Hz`: mean removed, Hann window, one-sided.
/// Row i is at i rate / n; n is the largest power of two that fits (none below 16 samples; NaN counts as 0).
struct Spectrum {
  double bin_Hz = 0;
  std::vector<float> density;
};
Spectrum spectrum_of(std::span<const float> values, double rate_Hz);

/// Decibels of the density below `top`, from 0 (60 dB below) to 1, in `rows` rows up to half the rate: a spectrogram's
/// columns, oldest first, column-major.
std::vector<float> spectrogram_of(std::span<const float> values, double rate_Hz, std::size_t columns, std::size_t rows);

}  // namespace strigil::ui
