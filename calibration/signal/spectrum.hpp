// Windows, averaged spectra of two channels, the largest line. Welch's method. FFT: Eigen's, which is KissFFT (MPL-2).
#pragma once

#include <complex>
#include <span>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

enum class Window { kRectangular, kHann, kHamming, kBlackmanHarris, kFlatTop };

/// Periodic form (for spectra), `length` values. Precondition: length >= 2.
[[nodiscard]] std::vector<double> window_of(Window window, std::size_t length);
/// Equivalent noise bandwidth in bins: n sum w^2 / (sum w)^2. Precondition: not empty.
[[nodiscard]] double noise_bandwidth_bins(std::span<const double> window);
/// Number of independent averages that `segments` with `hop` samples from one to the next are worth:
/// n / (1 + 2 sum (1 - k/n) rho_k^2), rho_k the window's correlation with itself k hops later (metrology.md 2.4).
/// Preconditions: segments >= 1, hop >= 1.
[[nodiscard]] double effective_averages(std::span<const double> window, std::size_t segments, std::size_t hop);

struct SpectrumOptions {
  Window window = Window::kHann;
  std::size_t segment = 1024;  ///< samples, even, >= 8
  double overlap = 0.5;        ///< 0..0.95 of a segment
  bool remove_mean = true;     ///< of each segment
};

/// One-sided averaged auto and cross spectra of x and y: units^2/Hz, cross = conj(X) Y. Index k is k * resolution_Hz.
struct CrossSpectrum {
  std::vector<double> xx, yy;
  std::vector<std::complex<double>> xy;
  double resolution_Hz = 0;       ///< of the lines
  double noise_bandwidth_Hz = 0;  ///< effective, of the window
  std::size_t segments = 0;
  double averages = 0;  ///< effective number
  [[nodiscard]] double frequency_Hz(std::size_t k) const { return static_cast<double>(k) * resolution_Hz; }
};
/// Refuses lengths that differ, numbers that are not finite, options out of range, and a record shorter than a segment.
[[nodiscard]] daq::Result<CrossSpectrum> cross_spectrum(std::span<const double> x, std::span<const double> y,
                                                        double rate_Hz, const SpectrumOptions& options = {});

/// Frequency of the largest line of a record, mean removed, Hann window, interpolated by a parabola of logarithms: good
/// to about a hundredth of a bin. Refuses fewer than 8 samples and a record without change.
[[nodiscard]] daq::Result<double> largest_line(std::span<const double> y, double rate_Hz);

}  // namespace strigil::calibration
