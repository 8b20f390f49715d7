#include "apps/vibration_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "apps/calibration_gate.hpp"
#include "calibration/record/calendar.hpp"
#include "calibration/record/gate.hpp"
#include "calibration/vibration_record.hpp"

namespace strigil::apps {
namespace {

/// A reported vibration is of all three together.
constexpr std::array kChannels{"ax", "ay", "az"};

std::vector<std::string> reasons_against(const FoundRecord& found, const rig::BenchConfig& bench, daq::WallTime now) {
  std::vector<std::string> reasons;
  const auto& record = found.kept.record;
  calibration::GateQuestion question;
  question.now = now;
  question.serial = bench.vibration.serial;
  question.setting = bench.vibration.setting;
  // What only the device can say is asked of it when it is there (rig/rig.cpp).
  question.setting.rate_Hz = record.setting.rate_Hz;
  question.setting.counts_per_unit = record.setting.counts_per_unit;
  question.unit = "m/s2";
  question.temperature_C = bench.calibration.temperature_C;
  for (const auto* channel : kChannels) {
    question.channel = channel;
    for (auto& why : calibration::gate(record, found.standing, question)) {
      if (std::find(reasons.begin(), reasons.end(), why) == reasons.end()) reasons.push_back(std::move(why));
    }
  }
  ask_check_standard(bench.calibration.vibration_check_standard, found, bench, now, reasons);
  if (!reasons.empty()) return reasons;
  if (const auto worth = vibration_calibration_of(record, found.kept.hash, bench.vibration); !worth)
    reasons.push_back(worth.error().message);
  return reasons;
}

}  // namespace

daq::Result<protocols::VibrationCalibration> vibration_calibration_of(const calibration::Record& record,
                                                                      const std::string& hash,
                                                                      const rig::VibrationConfig& bench) {
  protocols::VibrationCalibration out;
  out.named = true;
  out.calibrated = true;
  name_record(record, hash, out);
  out.low_Hz = bench.low_Hz;
  out.high_Hz = bench.high_Hz;
  out.largest_m_s2 = std::numeric_limits<double>::infinity();
  for (const auto* channel : kChannels) {
    const auto* quantity = calibration::find_quantity(record, channel);
    if (quantity == nullptr)
      return daq::Error{fmt::format("calibration '{}': it says nothing of channel '{}'", record.id, channel)};
    const auto response = calibration::response_of(record, channel);
    if (!response) return response.error();
    const double lowest_Hz = response->front().frequency_Hz;
    const double highest_Hz = response->back().frequency_Hz;
    const bool asked = bench.high_Hz > 0;
    if (!asked) {
      out.low_Hz = std::max(out.low_Hz, lowest_Hz);
      out.high_Hz = out.high_Hz > 0 ? std::min(out.high_Hz, highest_Hz) : highest_Hz;
    }
    const auto band =
        calibration::band_of(*response, asked ? bench.low_Hz : lowest_Hz, asked ? bench.high_Hz : highest_Hz);
    if (!band) {
      return daq::Error{fmt::format(
          "calibration '{}': vibrations from {:g} to {:g} Hz are wanted ([vibration] band_Hz) and '{}' is calibrated "
          "from {:g} to {:g} Hz; nothing is said outside",
          record.id, bench.low_Hz, bench.high_Hz, channel, lowest_Hz, highest_Hz)};
    }
    const double largest = quantity->range.high;
    const auto expanded = calibration::expanded_at(*quantity, largest);
    if (!(largest > 0) || !expanded)
      return daq::Error{fmt::format("calibration '{}': '{}' is calibrated for no amplitude", record.id, channel)};
    out.largest_m_s2 = std::min(out.largest_m_s2, largest);
    // Of a value in use at the reference frequency, and what the sensitivity is known less well by elsewhere in the
    // band.
    constexpr double kPercent = 1e-2;
    double there = 0;
    for (const auto& r : *response) there = r.deviation_pct == 0 ? r.expanded_pct * kPercent : there;
    const double worse = std::max(0.0, band->expanded * band->expanded - there * there);
    const double u = std::hypot(*expanded / largest / record.coverage_factor, std::sqrt(worse) / 2);
    out.u_relative = std::max(out.u_relative, u);
    out.deviation_relative = std::max(out.deviation_relative, band->deviation);
    out.channels.emplace_back(channel);
  }
  return out;
}

daq::Result<GatedVibration> pass_vibration_gate(const rig::BenchConfig& bench, daq::WallTime now) {
  GatedVibration out;
  const auto& named = bench.vibration.calibration;
  if (named.empty()) return out;
  out.vibration.named = true;
  const auto found = believed(
      named, bench, {"the vibration is"}, [&](const FoundRecord& f) { return reasons_against(f, bench, now); },
      out.vibration.reasons);
  if (!found) {
    if (bench.calibration.policy == rig::CalibrationPolicy::kMark) return out;
    return found.error();
  }
  const auto& record = found->kept.record;
  out.vibration = vibration_calibration_of(record, found->kept.hash, bench.vibration).value();
  out.record = std::make_shared<const calibration::Record>(record);
  out.text = calibration::to_text(record);
  return out;
}

}  // namespace strigil::apps
