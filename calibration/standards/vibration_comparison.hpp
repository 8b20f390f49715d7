// Sensitivity of an accelerometer by comparison with a reference on the same shaker: method of ISO 16063-21 as recalled
// (metrology.md 2.1 [M]). The quotients come from sine fits or, for a chirp, from a frequency response.
#pragma once

#include <complex>
#include <optional>
#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One line of a budget: what it is and how much, relative standard uncertainty in %, with its degrees of freedom.
struct BudgetTerm {
  std::string name;
  double u_pct = 0;
  double dof = std::numeric_limits<double>::infinity();
};

/// Readings at one frequency.
struct ComparisonReadings {
  double frequency_Hz = 0;
  double amplitude_m_s2 = 0;
  std::vector<std::complex<double>>
      ratio;                  // voltage of the DUT over that of the reference, one for each run or mounting
  double coherence = 1;       // of the chirp; 1 for sines
  double averages = 1;        // effective number behind the coherence
  double distortion_pct = 0;  // total harmonic distortion of the motion
  double transverse_pct = 0;  // transverse motion
  std::vector<BudgetTerm> terms;  // of the magnitude at this frequency alone, beside ComparisonInput::terms
  double phase_u_deg = 0;         // the same of the phase, standard
};

/// The reference transducer and both chains, for each frequency in turn.
struct ComparisonReference {
  std::complex<double> sensitivity;                       // V per m/s^2 (or pC), with its phase
  double expanded_pct = 0;                                // of its magnitude, k = 2
  double expanded_phase_deg = 0;                          // k = 2
  std::complex<double> gain_reference = 1, gain_dut = 1;  // of the two amplifiers
};

struct ComparisonInput {
  std::vector<ComparisonReadings> readings;    // frequencies rise
  std::vector<ComparisonReference> reference;  // one, or one for each frequency
  std::vector<BudgetTerm> terms;  // what else: stability, voltmeter, gains, transverse, distortion, hum, temperature,
                                  // base strain, relative motion; of magnitude
  double phase_u_deg = 0;  // what else: of phase, standard
  double reference_frequency_Hz = 160;
  int mountings = 1;  // how many times the DUT was mounted anew among the runs
};

struct ComparisonPoint {
  double frequency_Hz = 0;
  std::complex<double> sensitivity;
  Estimate magnitude;
  Estimate phase_deg;
  double expanded_pct = 0;   // 95 %
  double deviation_pct = 0;  // from the magnitude at the reference frequency
  double deviation_dB = 0;
  std::vector<BudgetTerm> budget;
  bool usable = true;  // coherence is enough
};

struct ComparisonReport {
  TableIdentity table;
  std::vector<ComparisonPoint> points;
  std::size_t reference_point = 0;
  std::vector<std::string> nonconformities;

  /// Widest band around the reference frequency within which every point deviates by `pct` % at the most.
  [[nodiscard]] std::pair<double, double> band_within(double pct) const;
};

/// Schema of tables/iso16063_21.toml.
[[nodiscard]] LimitSchema iso16063_21_schema();
/// Evaluates. A point with a single ratio has its type A from coherence (infinite where there was one average: a single
/// sine says nothing of its scatter). Refuses NaN, frequencies that do not rise, no ratio or a ratio of zero, a
/// reference of zero, and a reference frequency that is not among the points (within 1 %). Pure.
[[nodiscard]] daq::Result<ComparisonReport> assess_comparison(const ComparisonInput& input, const LimitTable& table);
[[nodiscard]] daq::Result<ComparisonReport> assess_comparison(const ComparisonInput& input);

/// Third-octave frequencies of ISO 266 (base ten) from low to high, exact: 1000 * 10^(n/10).
[[nodiscard]] std::vector<double> third_octaves_Hz(double low_Hz, double high_Hz);

}  // namespace strigil::calibration
