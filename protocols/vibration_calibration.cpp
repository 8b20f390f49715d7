#include "protocols/vibration_calibration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "daq/json_text.hpp"
#include "protocols/force_calibration.hpp"

namespace strigil::protocols {

VibrationUncertainty uncertainty_of(const VibrationCalibration& c, const MeanVibration& v) {
  VibrationUncertainty u;
  u.expanded_m_s2 = std::numeric_limits<double>::quiet_NaN();
  if (!c.calibrated || v.samples == 0 || !(v.rms_m_s2 * std::numbers::sqrt2 <= c.largest_m_s2)) return u;
  const double independent = std::clamp(std::floor(v.duration_s / kIndependent_s), 1.0, static_cast<double>(v.samples));
  u.calibration_m_s2 = c.u_relative * v.rms_m_s2;
  u.response_m_s2 = c.deviation_relative * v.rms_m_s2 / std::sqrt(3.0);
  u.statistics_m_s2 = v.deviation_m_s2 / std::sqrt(independent);
  u.expanded_m_s2 = 2 * std::hypot(u.calibration_m_s2, u.response_m_s2, u.statistics_m_s2);
  return u;
}

std::string to_text(const VibrationCalibration& c) {
  if (!c.named) return "vibrations: uncalibrated: the scale that the sensor says itself";
  if (!c.calibrated) {
    return fmt::format("vibrations: UNCALIBRATED: the scale that the sensor says itself, since {}",
                       fmt::join(c.reasons, "; and "));
  }
  return fmt::format(
      "vibrations: {}; between {:g} and {:g} Hz alone, where the response is within {:.1f} % of the sensitivity that "
      "is used; +- is the expanded uncertainty (k = 2)",
      record_words(c), c.low_Hz, c.high_Hz, 100 * c.deviation_relative);
}

std::string to_json(const VibrationCalibration& c) {
  nlohmann::ordered_json j{{"state", c.calibrated ? "calibrated" : "uncalibrated"}};
  if (!c.reasons.empty()) j["reasons"] = c.reasons;
  if (!c.calibrated) return daq::json_text(j, 1);
  put_record(c, j);
  j["channels"] = c.channels;
  j["band_Hz"] = {c.low_Hz, c.high_Hz};
  j["largest_m_s2"] = c.largest_m_s2;
  j["expanded_percent"] = 200 * c.u_relative;
  j["response_percent"] = 100 * c.deviation_relative;
  j["coverage_factor"] = 2;
  return daq::json_text(j, 1);
}

}  // namespace strigil::protocols
