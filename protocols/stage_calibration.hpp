// What the positions of a run rest on. Pure values.
#pragma once

#include <string>
#include <vector>

namespace strigil::protocols {

/// The stage's error map that was in use, or why there was none.
struct StageCalibration {
  bool named = false;  ///< the bench names one
  bool calibrated = false;
  std::vector<std::string> reasons;  ///< why not, a sentence each
  std::string id;
  std::string hash;
  std::string grade;        ///< e.g. "ISO 230-2:2014 (method based on)"; empty: none
  std::string valid_until;  ///< date; empty: no end
  /// One calibrated axis.
  struct Axis {
    std::string name;
    double low_m = 0;
    double high_m = 0;
    double expanded_m = 0;  ///< of a position on it, the largest over its range
  };
  std::vector<Axis> axes;
  double coverage_factor = 2;  ///< of these
};

/// Expanded uncertainty of a length between two positions, taken as independent: sqrt 2 times the largest of the axes'
/// own. NaN: uncalibrated.
double length_uncertainty_m(const StageCalibration& calibration);

/// One line for people: which calibration and how well positions are known, or "UNCALIBRATED" and why.
std::string to_text(const StageCalibration& calibration);
/// {"state": "calibrated" | "uncalibrated", ...}
std::string to_json(const StageCalibration& calibration);

}  // namespace strigil::protocols
