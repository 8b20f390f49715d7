// Calibration of scores: does a detector that says 0.8 find a target 8 times of 10? And two ways to make it so.
//
// Brier 1950 with Murphy's parts (1973); reliability with exact intervals; expected calibration error; isotonic
// regression (pool adjacent violators) and Platt's scaling with his targets (1999). Pure, any thread. Probabilities in
// [0, 1], outcomes as bool; else refused.
#pragma once

#include <span>
#include <vector>

#include "protocols/court/binomial.hpp"
#include "protocols/court/link_line.hpp"

namespace strigil::protocols {

struct Judged {
  double probability = 0;  ///< that it is a target, as the detector says
  bool target = false;
};

enum class Binning : std::uint8_t { kEqualWidth, kEqualCount };

struct ReliabilityBin {
  double mean_probability = 0;
  Proportion observed;
};
struct Reliability {
  double brier = 0;        ///< mean squared difference: 0 at best
  double brier_skill = 0;  ///< 1 - brier / that of always saying the base rate; NaN where all outcomes are the same
  /// Murphy: brier = miscalibration - resolution + uncertainty + within, the last being the spread inside the bins.
  double miscalibration = 0;
  double resolution = 0;
  double uncertainty = 0;
  double log_loss = 0;  ///< mean -ln of what was said of the outcome; infinite where it was said to be impossible
  double expected_calibration_error = 0;
  double greatest_calibration_error = 0;
  std::vector<ReliabilityBin> bins;  ///< those with cases
};
daq::Result<Reliability> reliability(std::span<const Judged> judged, std::size_t bins = 10,
                                     Binning binning = Binning::kEqualWidth, double level = 0.95);

struct ScoredOutcome {
  double score = 0;
  bool target = false;
};
/// Step function, not falling. `probability[i]` holds from `score[i]` on; below the first it is probability[0].
struct IsotonicMap {
  std::vector<double> score;
  std::vector<double> probability;
  [[nodiscard]] double at(double score_asked) const;
};
daq::Result<IsotonicMap> fit_isotonic(std::span<const ScoredOutcome> outcomes);

/// 1 / (1 + exp(-(b0 + b1 score))), b1 >= 0 if the score is any good.
struct PlattMap {
  double b0 = 0;
  double b1 = 0;
  [[nodiscard]] double at(double score) const;
};
daq::Result<PlattMap> fit_platt(std::span<const ScoredOutcome> outcomes);

}  // namespace strigil::protocols
