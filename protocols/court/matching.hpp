// Matching: which detection found which target of the truth map, along one stroke.
//
// One detection to one target. Detections are taken from the highest score down; each is kept if it lets one more
// target be found (by augmenting paths), so at *every* threshold as many of the kept are above it as targets can be
// found: the independent sets of a transversal matroid, which the greedy order solves at all thresholds at once. All
// kept ones are then paired with targets so that the distances to the centres add up to the least. A detection within
// reach of a target, but not kept, is a duplicate: it is counted apart, or as a false alarm if the options say so.
// Everything else is a false alarm. Pure, any thread.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "daq/result.hpp"

namespace strigil::protocols {

/// What a detector answered.
struct Detection {
  double position_mm = 0;                                        ///< along the stroke, in the frame of the truth
  double at_s = std::numeric_limits<double>::quiet_NaN();        ///< instant it speaks of; NaN: not said
  double answered_s = std::numeric_limits<double>::quiet_NaN();  ///< instant the answer came; NaN: not known
  double score = 0;
};

/// What was there. From `from_mm` to `to_mm`, from <= to.
struct TruthTarget {
  double from_mm = 0;
  double to_mm = 0;
  double weight = 1;  ///< of wAFROC: > 0; scaled to a sum of 1 within the case
  double entered_s =
      std::numeric_limits<double>::quiet_NaN();  ///< when the instrument came over from_mm; NaN: not known
  [[nodiscard]] double centre_mm() const noexcept { return 0.5 * (from_mm + to_mm); }
};

struct MatchingOptions {
  double tolerance_mm = 5;  ///< beyond the target's ends
  bool duplicates_are_false_alarms = false;
};

struct TargetMatch {
  std::optional<std::size_t> detection;  ///< index; none: missed
  /// Of the detection, -inf where there is none: what ROC, FROC and PR take as the target's score.
  double score = -std::numeric_limits<double>::infinity();
  double error_mm = std::numeric_limits<double>::quiet_NaN();    ///< detection - centre
  double reaction_s = std::numeric_limits<double>::quiet_NaN();  ///< answered - entered; below 0: before the data
};

struct Matching {
  std::vector<TargetMatch> targets;       ///< in the order given
  std::vector<std::size_t> duplicates;    ///< indices of detections
  std::vector<std::size_t> false_alarms;  ///< likewise, with the duplicates if options say so
};
/// Refused: NaN or infinite positions, NaN scores, tolerance below 0, target ends in the wrong order, more than 2,000
/// targets. O(detections x targets) at worst, plus targets^3.
daq::Result<Matching> match(std::span<const Detection> detections, std::span<const TruthTarget> targets,
                            const MatchingOptions& options = {});

}  // namespace strigil::protocols
