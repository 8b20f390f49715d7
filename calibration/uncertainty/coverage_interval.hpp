// Coverage intervals of many drawn values: probabilistically symmetric and shortest. JCGM 101 7.7.
#pragma once

#include <span>

namespace strigil::calibration {

struct Interval {
  double low = 0, high = 0;
  [[nodiscard]] double width() const { return high - low; }
};

struct CoverageIntervals {
  Interval symmetric;  ///< as much probability below as above
  Interval shortest;
};

/// Of `values`, whose order changes (only what the tails need is sorted). Precondition: probability in (0, 1), at least
/// 2/(1 - probability) values, none of them NaN.
[[nodiscard]] CoverageIntervals coverage_intervals(std::span<double> values, double probability);

}  // namespace strigil::calibration
