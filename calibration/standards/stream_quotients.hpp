// From recorded streams to what the standards' evaluations read: quotients of two channels by sines or by a broad band.
#pragma once

#include <complex>
#include <span>
#include <vector>

#include "calibration/signal/frequency_response.hpp"
#include "calibration/standards/channel_delay.hpp"
#include "calibration/standards/transmissibility.hpp"
#include "calibration/standards/vibration_comparison.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Complex quotient dut/reference at one frequency, from sine fits of both records, which were sampled together.
/// Refuses what fit_sine refuses, and records of different lengths.
[[nodiscard]] daq::Result<std::complex<double>> sine_quotient(std::span<const double> reference,
                                                              std::span<const double> dut, double rate_Hz,
                                                              double frequency_Hz);

/// Lines of a response between two frequencies (H1: noise is the second channel's), as transmissibility and resonance
/// read them. Refuses a band without lines.
[[nodiscard]] daq::Result<std::vector<ResponsePoint>> response_points(const FrequencyResponse& response, double low_Hz,
                                                                      double high_Hz);

/// Readings of a chirp for a comparison: the line nearest to each frequency. Refuses frequencies beyond the lines, and
/// two that fall on one line.
[[nodiscard]] daq::Result<std::vector<ComparisonReadings>> chirp_readings(const FrequencyResponse& response,
                                                                          std::span<const double> frequencies_Hz);

/// Delay of the second of two channels that were sampled together, from their cross spectrum between two frequencies. A
/// segment must be many times longer than search_s (asked for: eight times), or coherence is lost by the delay itself.
[[nodiscard]] daq::Result<DelayResult> delay_between(std::span<const double> first, std::span<const double> second,
                                                     double rate_Hz, double search_s, double low_Hz, double high_Hz,
                                                     const SpectrumOptions& options = {});

}  // namespace strigil::calibration
