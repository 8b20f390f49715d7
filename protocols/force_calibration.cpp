#include "protocols/force_calibration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::protocols {

ForceUncertainty uncertainty_of(const ForceCalibration& c, const MeanForce& f) {
  ForceUncertainty u;
  if (!c.calibrated || f.samples == 0) return u;
  const auto expanded = calibration::expanded_at(c.quantity, c.sign * f.mean_N);
  if (!expanded) return u;
  const double independent = std::clamp(std::floor(f.duration_s / kIndependent_s), 1.0, static_cast<double>(f.samples));
  u.calibration_N = *expanded / c.coverage_factor;
  if (c.travel && f.way_m) {
    const double own_N = calibration::zero_apart_N(*c.travel, *f.way_m);
    const double less_N2 = (c.travel->span_N * c.travel->span_N - own_N * own_N) / 3;  // rectangular, both
    u.calibration_N = std::sqrt(std::max(0.0, u.calibration_N * u.calibration_N - less_N2));
  }
  u.statistics_N = f.deviation_N / std::sqrt(independent);
  u.zero_N = std::isfinite(f.zero_N) ? std::abs(f.zero_N) / std::sqrt(3.0) : 0;
  u.expanded_N =
      2 * std::sqrt(u.calibration_N * u.calibration_N + u.statistics_N * u.statistics_N + u.zero_N * u.zero_N);
  return u;
}

std::string to_text(const ForceCalibration& c) {
  if (c.calibrated) {
    return fmt::format("forces: {}; +- is the expanded uncertainty (k = 2)", record_words(c));
  }
  if (c.reasons.empty()) return "forces: uncalibrated: nominal scale (the bench names no calibration)";
  return fmt::format("forces: UNCALIBRATED: nominal scale, since {}", fmt::join(c.reasons, "; and "));
}

std::string to_json(const ForceCalibration& c) {
  nlohmann::ordered_json j{{"state", c.calibrated ? "calibrated" : "uncalibrated"},
                           {"scale", c.calibrated ? "record" : "nominal"}};
  if (c.calibrated) {
    put_record(c, j);
    j["channel"] = c.quantity.channel;
    j["range_N"] = {c.quantity.range.low, c.quantity.range.high};
    j["coverage_factor"] = 2;
  } else {
    j["reasons"] = c.reasons.empty() ? std::vector<std::string>{"the bench names no calibration"} : c.reasons;
  }
  return daq::json_text(j, 1);
}

}  // namespace strigil::protocols
