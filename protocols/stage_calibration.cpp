#include "protocols/stage_calibration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::protocols {

double length_uncertainty_m(const StageCalibration& c) {
  double largest_m = 0;
  for (const auto& a : c.axes) largest_m = std::max(largest_m, a.expanded_m);
  return c.calibrated && largest_m > 0 ? std::sqrt(2.0) * largest_m : std::numeric_limits<double>::quiet_NaN();
}

std::string to_text(const StageCalibration& c) {
  if (!c.named) return "positions as the stage counts them, uncalibrated";
  if (!c.calibrated)
    return fmt::format("positions UNCALIBRATED, as the stage counts them: {}", fmt::join(c.reasons, "; and "));
  auto out = "positions: " + record_words(c);
  for (const auto& a : c.axes) {
    out += fmt::format("; {} {:g} to {:g} mm to {:.2g} um (k = {:.2f})", a.name, a.low_m * 1e3, a.high_m * 1e3,
                       a.expanded_m * 1e6, c.coverage_factor);
  }
  return out;
}

std::string to_json(const StageCalibration& c) {
  nlohmann::ordered_json j{{"state", c.calibrated ? "calibrated" : "uncalibrated"}};
  if (!c.reasons.empty()) j["reasons"] = c.reasons;
  if (!c.calibrated) return daq::json_text(j, 1);
  put_record(c, j);
  j["coverage_factor"] = c.coverage_factor;
  for (const auto& a : c.axes) {
    j["axes"].push_back({{"axis", a.name},
                         {"range_mm", {a.low_m * 1e3, a.high_m * 1e3}},
                         {"expanded_uncertainty_mm", a.expanded_m * 1e3}});
  }
  return daq::json_text(j, 1);
}

}  // namespace strigil::protocols
