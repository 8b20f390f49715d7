// Run comparison: two runs laid over each other, stroke by stroke, by time or by millimetre. Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibration/certificate/svg_plot.hpp"
#include "daq/result.hpp"
#include "protocols/stroke_series.hpp"

namespace strigil::protocols {

struct ComparisonOptions {
  bool by_time = false;  ///< since the stroke began; else by mm of the stage's way
  double bin_mm = 1;
  double bin_s = 0.02;
};

/// One channel of one stroke. The second minus the first.
struct ChannelDifference {
  std::string channel;  ///< "normal force", "tangential force", "vibration RMS"
  std::string unit;
  double first_mean = 0;  ///< over the bins that both have; NaN: none
  double second_mean = 0;
  double rms = 0;         ///< of the differences, bin by bin
  double largest = 0;     ///< by size, with its sign
  double largest_at = 0;  ///< mm or s
};
struct StrokeDifference {
  std::size_t stroke = 0;  ///< from 0
  double first_duration_s = 0;
  double second_duration_s = 0;
  std::vector<ChannelDifference> channels;
};
struct RunComparison {
  std::vector<StrokeDifference> strokes;
  std::vector<std::string> notes;  ///< "the runs are of different plans", "stroke 3 is in one of them only"
  std::vector<calibration::SvgPlot> plots;
};
/// Strokes are paired in the order in which they were done. Refused: a run without strokes, a bin out of range (0.1 to
/// 100 mm, 1 ms to 100 s), no stroke that both have a bin of.
daq::Result<RunComparison> compare_runs(const RunSeries& first, const RunSeries& second,
                                        const ComparisonOptions& options = {});

}  // namespace strigil::protocols
