// What the positions of a run rest on. Pure values.
#pragma once

#include <string>
#include <vector>

#include "protocols/calibration_in_use.hpp"

namespace strigil::protocols {

/// The stage's error map that was in use, or why there was none.
struct StageCalibration : CalibrationInUse {
  bool named = false;  ///< the bench names one
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
