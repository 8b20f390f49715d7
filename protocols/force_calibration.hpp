// What the forces of a run rest on, and how well each of them is known. Pure values.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "calibration/force_record.hpp"
#include "calibration/record/record.hpp"
#include "protocols/calibration_in_use.hpp"

namespace strigil::protocols {

/// The calibration that was in use, or why there was none; no reasons: the bench names none.
struct ForceCalibration : CalibrationInUse {
  bool refused_outside = false;  ///< a mean force outside the calibrated range makes the run INVALID, not a mark
  calibration::CalibratedQuantity quantity;        ///< of the normal channel
  double coverage_factor = 2;                      ///< of its uncertainty
  double sign = 1;                                 ///< of that channel, for a force that presses
  std::optional<calibration::ForceTravel> travel;  ///< of its zero; none: it was not looked at over the travel
};

/// Expanded uncertainty (k = 2) of a mean normal force, and its parts as standard uncertainties.
struct ForceUncertainty {
  double expanded_N = std::numeric_limits<double>::quiet_NaN();  ///< NaN: uncalibrated
  double calibration_N = 0;
  double statistics_N = 0;
  double zero_N = 0;
};

/// How a mean force was taken.
struct MeanForce {
  double mean_N = 0;
  double deviation_N = 0;
  double duration_s = 0;
  std::size_t samples = 0;
  double zero_N = 0;  ///< what the sensor read once clear of the phantom; NaN: not seen
  std::optional<calibration::TravelBox> way_m = {};  ///< where it was tared and stroked; none: anywhere in the use
};

/// u^2 = u_cal^2 + s^2/m + z^2/3, U = 2 u: of the calibration at that force, of the scatter s over m independent
/// samples (one each kIndependent_s of the stroke, at least one, at most all) and of the zero that moved by z,
/// rectangular. u_cal has the zero of the record's whole box of use; where the way is known, of that way instead.
/// GUM 5.1.2; docs/calibration_record.md says why. `expanded_N` is NaN without a calibration, and outside
/// its range.
ForceUncertainty uncertainty_of(const ForceCalibration& calibration, const MeanForce& force);
inline constexpr double kIndependent_s = 0.1;  ///< what a force keeps of itself dies out in so long [A]

/// One line for people: which calibration, or "UNCALIBRATED" and why.
std::string to_text(const ForceCalibration& calibration);
/// {"state": "calibrated" | "uncalibrated", ...}
std::string to_json(const ForceCalibration& calibration);

}  // namespace strigil::protocols
