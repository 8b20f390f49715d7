#include "calibration/vibration_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::calibration {
namespace {

const std::vector<std::string> kColumns{"frequency", "sensitivity",          "phase",
                                        "deviation", "expanded_uncertainty", "expanded_phase",
                                        "amplitude", "distortion",           "transverse"};
const std::vector<std::string> kUnits{"Hz", "1", "deg", "%", "%", "deg", "m/s2", "%", "%"};
constexpr double kPercent = 1e-2;

std::string name_of_response(std::string_view channel) { return fmt::format("response_{}", channel); }

}  // namespace

DataTable response_table(std::string_view channel, std::span<const VibrationResponse> response) {
  DataTable out{name_of_response(channel), kColumns, kUnits, {}};
  for (const auto& r : response) {
    out.rows.push_back({r.frequency_Hz, r.sensitivity, r.phase_deg, r.deviation_pct, r.expanded_pct,
                        r.expanded_phase_deg, r.amplitude_m_s2, r.distortion_pct, r.transverse_pct});
  }
  return out;
}

daq::Result<std::vector<VibrationResponse>> response_of(const Record& record, std::string_view channel) {
  const auto refuse = [&](const std::string& why) {
    return daq::Error{fmt::format("calibration '{}': {}", record.id, why)};
  };
  const auto name = name_of_response(channel);
  const auto* table = find_table(record, name);
  if (table == nullptr) return refuse(fmt::format("it has no table '{}'", name));
  if (table->columns != kColumns || table->units != kUnits)
    return refuse(fmt::format("table '{}' has other columns or units than a frequency response", name));
  std::vector<VibrationResponse> out;
  double last_Hz = 0;
  for (const auto& row : table->rows) {
    if (row.size() != kColumns.size()) return refuse(fmt::format("a row of table '{}' is too short", name));
    if (!(row[0] > last_Hz)) return refuse(fmt::format("the frequencies of table '{}' do not rise from above 0", name));
    last_Hz = row[0];
    out.push_back({row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8]});
  }
  if (out.empty()) return refuse(fmt::format("table '{}' is empty", name));
  return out;
}

std::optional<VibrationBand> band_of(std::span<const VibrationResponse> response, double low_Hz, double high_Hz) {
  if (response.empty() || !(low_Hz <= high_Hz) || !(low_Hz >= response.front().frequency_Hz) ||
      !(high_Hz <= response.back().frequency_Hz)) {
    return std::nullopt;
  }
  VibrationBand out;
  const auto see = [&](double deviation_pct, double expanded_pct) {
    out.deviation = std::max(out.deviation, std::abs(deviation_pct) * kPercent);
    out.expanded = std::max(out.expanded, expanded_pct * kPercent);
  };
  const auto see_end = [&](double at_Hz) {
    const auto above =
        std::find_if(response.begin(), response.end(), [&](const auto& r) { return r.frequency_Hz >= at_Hz; });
    const auto below = above == response.begin() ? above : above - 1;
    const double whole = above->frequency_Hz - below->frequency_Hz;
    const double part = whole > 0 ? (at_Hz - below->frequency_Hz) / whole : 1;
    see(std::lerp(below->deviation_pct, above->deviation_pct, part),
        std::max(below->expanded_pct, above->expanded_pct));
  };
  see_end(low_Hz);
  see_end(high_Hz);
  for (const auto& r : response) {
    if (r.frequency_Hz >= low_Hz && r.frequency_Hz <= high_Hz) see(r.deviation_pct, r.expanded_pct);
  }
  return out;
}

}  // namespace strigil::calibration
