// Delay of one channel after another: from the phase of their cross spectrum, or from one event that both saw.
// Timestamps are aligned, samples never. metrology.md 2.5 [M].
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One line of a cross spectrum, second channel over first.
struct CrossLine {
  double frequency_Hz = 0;
  double phase_rad = 0;  // wrapped; a later second channel has a falling phase
  double coherence = 0;  // 0..1
};

struct DelayResult {
  Estimate delay_s;         // second channel behind the first
  double reduced_chi2 = 0;  // of what is left of the phase; far above 1: not a pure delay (a filter)
  double worst_residual_rad = 0;
  bool inverted = false;             // the second channel has the other sign; looked for only where asked
  bool ambiguous = false;            // other delays explain the data nearly as well
  std::vector<double> candidates_s;  // those others, best first
  std::vector<std::string> remarks;
};

/// Delay by the slope of phase over frequency, weighted by coherence: sigma^2 = 1/sum(2 n g2/(1-g2) w^2), made larger
/// where the phases scatter more than their coherence says. Searched within +-search_s, so that phases need no
/// unwrapping; a periodic signal shows as ambiguous. Refuses NaN, fewer than three coherent lines (0.5 and above),
/// search_s not above zero.
[[nodiscard]] daq::Result<DelayResult> delay_from_phase(std::span<const CrossLine> lines, double averages,
                                                        double search_s, bool may_be_inverted = false);

/// Times and values of one channel, at its own rate.
struct TimedSamples {
  std::span<const double> time_s;  // rising
  std::span<const double> value;
};

/// Delay of an event (a step, a tap, noise) in two channels: the shift, gain and offset with which the first,
/// interpolated between its samples, explains the second best. The slower channel should come first only if it is
/// smooth between its samples. Refuses NaN, fewer than eight samples of either, records that do not overlap by twice
/// search_s, and a second channel that the first does not explain (correlation below 0.5 in magnitude).
[[nodiscard]] daq::Result<DelayResult> delay_from_event(const TimedSamples& first, const TimedSamples& second,
                                                        double search_s, bool may_be_inverted = false);

/// Mean of repeated delays with its uncertainty; `systematic_s` (standard) is common to all, such as the clocks'.
[[nodiscard]] daq::Result<Estimate> mean_delay(std::span<const double> delays_s, double systematic_s);

}  // namespace strigil::calibration
