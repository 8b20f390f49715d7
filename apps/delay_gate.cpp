#include "apps/delay_gate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/calibration_gate.hpp"
#include "calibration/record/gate.hpp"

namespace strigil::apps {
namespace {

/// The constant of a channel; nothing: the record does not say.
std::optional<double> delay_of(const calibration::Record& record, const std::string& channel) {
  const auto* quantity = calibration::find_quantity(record, channel);
  if (quantity == nullptr || quantity->quantity != "delay") return std::nullopt;
  return quantity->range.low;
}

std::vector<std::string> reasons_against(const FoundRecord& found, const rig::BenchConfig& bench, daq::WallTime now) {
  calibration::GateQuestion question;
  question.now = now;
  question.serial = bench.name;
  question.setting = bench.force.setting;
  question.setting.rate_Hz = bench.force.rate_Hz;
  question.channel = "vibration";
  question.unit = "s";
  question.temperature_C = bench.calibration.temperature_C;
  auto reasons = calibration::gate(found.kept.record, found.standing, question);
  const auto& record = found.kept.record;
  const auto delay_s = delay_of(record, "vibration");
  if (delay_s && bench.force.latency_s + *delay_s < 0) {
    reasons.push_back(fmt::format(
        "calibration '{}': by it the vibration would arrive before it was measured: [force] latency_ms is too "
        "small",
        record.id));
  }
  return reasons;
}

}  // namespace

daq::Result<GatedDelays> pass_delay_gate(const rig::BenchConfig& bench, daq::WallTime now) {
  GatedDelays out;
  out.bench = bench;
  if (bench.timing.calibration.empty()) return out;
  const auto found = believed(
      bench.timing.calibration, bench, {"the channels' delays are", "by the bench file's latency_ms"},
      [&](const FoundRecord& f) { return reasons_against(f, bench, now); }, out.reasons);
  if (!found) {
    if (bench.calibration.policy == rig::CalibrationPolicy::kMark) return out;
    return found.error();
  }
  const auto& record = found->kept.record;
  out.text = calibration::to_text(record);
  const double force_s = bench.force.latency_s;
  if (const auto s = delay_of(record, "vibration")) out.bench.vibration.latency_s = force_s + *s;
  if (const auto s = delay_of(record, "position")) {
    out.bench.stage.latency_s = std::max(0.0, force_s + *s);
    if (force_s + *s < 0) {
      out.remarks.push_back(
          fmt::format("calibration '{}': the stage's counts go {:.2f} ms before its edge; a latency of 0 is used",
                      record.id, -(force_s + *s) * 1e3));
    }
  }
  return out;
}

}  // namespace strigil::apps
