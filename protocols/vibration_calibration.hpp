// What the vibrations of a run rest on, and how well each of them is known. Pure values.
#pragma once

#include <string>
#include <vector>

#include "protocols/calibration_in_use.hpp"

namespace strigil::protocols {

/// The accelerometer's calibration that was in use, or why there was none.
struct VibrationCalibration : CalibrationInUse {
  bool named = false;                 ///< the bench names one
  std::vector<std::string> channels;  ///< that it gives values of
  double low_Hz = 0;                  ///< vibrations between these are covered; others are not
  double high_Hz = 0;
  double largest_m_s2 = 0;        ///< amplitude up to which it holds
  double u_relative = 0;          ///< standard, of a vibration at the reference frequency or of any in the band
  double deviation_relative = 0;  ///< of the sensitivity in the band from the one that is used, at the most
};

/// Expanded uncertainty (k = 2) of a vibration's RMS, and its parts as standard uncertainties.
struct VibrationUncertainty {
  double expanded_m_s2 = 0;  ///< NaN: uncalibrated
  double calibration_m_s2 = 0;
  double response_m_s2 = 0;
  double statistics_m_s2 = 0;
};

/// How a stroke's vibration was taken: mean of the RMS of blocks, over its while.
struct MeanVibration {
  double rms_m_s2 = 0;
  double deviation_m_s2 = 0;
  double duration_s = 0;
  std::size_t samples = 0;
};

/// u^2 = (u_cal V)^2 + (d V)^2/3 + s^2/m, U = 2 u: of the calibration, of the response over the band (rectangular: what
/// frequencies a vibration has is not known) and of the scatter s over m independent samples, as of a force
/// (force_calibration.hpp). `expanded_m_s2` is NaN without a calibration, and where the peak of a sine of that RMS lies
/// beyond the calibrated amplitudes.
VibrationUncertainty uncertainty_of(const VibrationCalibration& calibration, const MeanVibration& vibration);

/// One line for people: which calibration and in which band, or "UNCALIBRATED" and why.
std::string to_text(const VibrationCalibration& calibration);
/// {"state": "calibrated" | "uncalibrated", ...}
std::string to_json(const VibrationCalibration& calibration);

}  // namespace strigil::protocols
