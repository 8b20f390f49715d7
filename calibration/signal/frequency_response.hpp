// Frequency response of what lies between two channels, with coherence and its random error; transmissibility of a
// single degree of freedom. ISO 7626, 10846; metrology.md 2.4. Pure.
#pragma once

#include <complex>
#include <span>
#include <vector>

#include "calibration/signal/spectrum.hpp"

namespace strigil::calibration {

/// One line of the response y/x. H1 is right where y alone is noisy, H2 where x is, Hv where both are (total least
/// squares after scaling both to equal power).
struct ResponseLine {
  double frequency_Hz = 0;
  std::complex<double> h1, h2, hv;
  double coherence = 0;  ///< gamma^2, 0..1
  /// Random standard errors: of |H| in parts of |H|, sqrt((1 - g2)/(2 g2 n)), and of the phase, asin of it. NaN where
  /// the coherence is 0; an error of 1 or more means that nothing is known (phase: pi/2).
  double relative_error = 0;
  double phase_error_rad = 0;
};
struct FrequencyResponse {
  std::vector<ResponseLine> lines;  ///< from 0 Hz to half the rate
  double averages = 0;              ///< effective number: overlap accounted for
  double resolution_Hz = 0;
  /// Bias of |H| at a resonance of half-power bandwidth B: -(Be/B)^2/3, Be = noise bandwidth. Precondition: B > 0.
  [[nodiscard]] double resolution_bias(double half_power_bandwidth_Hz) const;
  double noise_bandwidth_Hz = 0;
};

/// Refuses what cross_spectrum refuses, and fewer than 2 segments: the coherence of one is always 1.
[[nodiscard]] daq::Result<FrequencyResponse> frequency_response(std::span<const double> x, std::span<const double> y,
                                                                double rate_Hz, const SpectrumOptions& options = {});

/// |T| of a mass on spring and damper: motion of mass over motion of base at frequency_ratio = f/f_n.
/// Preconditions: frequency_ratio >= 0, damping_ratio > 0 (or frequency_ratio != 1).
[[nodiscard]] double transmissibility(double frequency_ratio, double damping_ratio);
/// T itself: (1 + 2 i z r) / (1 - r^2 + 2 i z r).
[[nodiscard]] std::complex<double> complex_transmissibility(double frequency_ratio, double damping_ratio);

}  // namespace strigil::calibration
