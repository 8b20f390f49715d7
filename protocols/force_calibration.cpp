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
  u.statistics_N = f.deviation_N / std::sqrt(independent);
  u.zero_N = std::isfinite(f.zero_N) ? std::abs(f.zero_N) / std::sqrt(3.0) : 0;
  u.expanded_N =
      2 * std::sqrt(u.calibration_N * u.calibration_N + u.statistics_N * u.statistics_N + u.zero_N * u.zero_N);
  return u;
}

std::string outside_travel(const ForceCalibration& c, const rig::Position& at_m) {
  if (!c.travel_m) return {};
  constexpr double kMilli = 1e3;
  std::vector<std::string> out;
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    const auto& use = (*c.travel_m)[a];
    if (!calibration::leaves_travel(use, at_m[a], at_m[a])) continue;
    out.push_back(
        fmt::format("{} {:.1f} mm ({:g} to {:g} mm)", "xyz"[a], at_m[a] * kMilli, use.low * kMilli, use.high * kMilli));
  }
  return fmt::format("{}", fmt::join(out, ", "));
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
