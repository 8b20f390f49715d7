// Taps of a hammer in a record: where they are, and which of them are good. metrology.md 2.4 [M]. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

struct TapOptions {
  double before_s = 20e-3;  ///< quiet samples kept before a tap
  double after_s = 0.6;     ///< kept from its begin on: by then it has rung out
  double saturated = 0;     ///< |y| at the converter's end; 0: not known
};

struct FoundTaps {
  std::vector<std::size_t> onsets;   ///< first sample of each good tap
  double noise_sd = 0;               ///< between them
  std::vector<std::string> refused;  ///< taps left out and why
};

/// A tap begins where |y - median| first exceeds 8 deviations of the quiet half of the record after a quiet `before_s`.
/// Left out: taps cut by the record's ends, saturated ones, and double hits: the largest of a later part is above that
/// of an earlier one. Refuses numbers that are not finite, and a record with fewer than two good taps.
[[nodiscard]] daq::Result<FoundTaps> find_taps(std::span<const double> y, double rate_Hz,
                                               const TapOptions& options = {});

}  // namespace strigil::calibration
