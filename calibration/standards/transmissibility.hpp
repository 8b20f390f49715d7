// How well a tool carries vibration from the tissue to the hand: transmissibility with its uncertainty, and what a
// single resonance tells. The closed form is in signal/frequency_response.hpp. metrology.md 2.4 [M].
#pragma once

#include <complex>
#include <span>
#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One line of a measured frequency response: motion of the grip over motion of the edge.
struct ResponsePoint {
  double frequency_Hz = 0;
  std::complex<double> response;
  double coherence = 1;  // 0..1
};

/// Relative standard uncertainty of |H| where the coherence was estimated from these very averages (effective number
/// n): sqrt((1-g2)/(2 g2 (n-1))), as for a line through the origin fitted to n complex pairs, with 2 (n - 1) degrees of
/// freedom. The textbook's n in place of n - 1 lets the interval of 5 averages hold the truth in 92 % of cases only.
/// Infinite for a single average, whose coherence is always one, and at g2 = 0.
struct RandomError {
  double relative_u = 0;
  double dof = 0;
};
[[nodiscard]] RandomError estimated_random_error(double coherence, double averages);

struct TransmissibilityPoint {
  double frequency_Hz = 0;
  Estimate magnitude;
  double magnitude_dB = 0;
  Estimate phase_rad;
  double coherence = 0;
  bool usable = false;  // coherence is enough
};

/// Root-mean-square transmissibility over a band, as a hand would feel flat vibration.
struct BandTransmissibility {
  double low_Hz = 0, high_Hz = 0;
  Estimate magnitude;
  std::size_t lines = 0;
};

struct TransmissibilityReport {
  std::vector<TransmissibilityPoint> points;
  std::vector<BandTransmissibility> bands;
  std::vector<std::string> remarks;  // lines left out, bands without lines
};

struct TransmissibilityOptions {
  double averages = 1;      // effective number n_d
  double gain_ratio_u = 0;  // relative standard uncertainty of the two channels' gain ratio; common to all lines
  double phase_u_rad = 0;   // of their phase difference (delay), common to all lines
  double coherence_at_least = 0.95;
  std::vector<std::pair<double, double>> bands_Hz;
};

/// Evaluates. Refuses NaN, frequencies that do not rise or are not above zero, coherence outside 0..1, averages
/// below 1. Pure.
[[nodiscard]] daq::Result<TransmissibilityReport> assess_transmissibility(std::span<const ResponsePoint> lines,
                                                                          const TransmissibilityOptions& options);

/// Where a transducer on a mounting resonance may be used: amplitude error of an undamped resonance is within 5 % up to
/// f_res / 5 and within 12 % up to f_res / 3 (metrology.md 2.4).
struct UsableBand {
  double within_5_pct_Hz = 0;
  double within_12_pct_Hz = 0;
};
[[nodiscard]] UsableBand usable_band(double resonance_Hz);

/// Check of T(sqrt 2) = 1 on a measured response of one resonance: |T| interpolated at sqrt 2 times f_n with its
/// uncertainty. Refuses when the lines do not reach there.
struct SqrtTwoCheck {
  double frequency_Hz = 0;
  Estimate magnitude;
  bool kept = false;  // 1 lies within the 95 % interval: mounting, alignment and gains are plausible
};
[[nodiscard]] daq::Result<SqrtTwoCheck> check_sqrt_two(const TransmissibilityReport& report,
                                                       const Estimate& natural_Hz);

}  // namespace strigil::calibration
