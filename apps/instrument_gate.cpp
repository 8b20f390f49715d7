#include "apps/instrument_gate.hpp"

#include <fmt/format.h>

#include "apps/calibration_gate.hpp"
#include "calibration/record/gate.hpp"

namespace strigil::apps {
namespace {

std::vector<std::string> reasons_against(const FoundRecord& found, const rig::BenchConfig& bench, daq::WallTime now) {
  const auto& record = found.kept.record;
  if (record.quantities.empty()) return {fmt::format("calibration '{}': it says nothing of an instrument", record.id)};
  // A part of the procedure may have been left out: it is asked for what it has.
  const auto& first = record.quantities.front();
  calibration::GateQuestion question;
  question.now = now;
  question.serial = bench.instrument.serial;
  question.setting = bench.instrument.setting;
  question.channel = first.channel;
  question.unit = first.unit;
  question.temperature_C = bench.calibration.temperature_C;
  auto reasons = calibration::gate(record, found.standing, question);
  for (const auto& q : record.quantities) {
    if (q.quantity != "force" && q.quantity != "position" && q.quantity != "delay") continue;
    reasons.push_back(fmt::format("calibration '{}': it is of a {} and not of an instrument", record.id, q.quantity));
    break;
  }
  return reasons;
}

}  // namespace

daq::Result<GatedInstrument> pass_instrument_gate(const rig::BenchConfig& bench, daq::WallTime now) {
  GatedInstrument out;
  const auto& named = bench.instrument.calibration;
  if (named.empty()) return out;
  const auto found = believed(
      named, bench, {"the instrument is", "with the instrument by its catalogue entry"},
      [&](const FoundRecord& f) { return reasons_against(f, bench, now); }, out.reasons);
  if (!found) {
    if (bench.calibration.policy == rig::CalibrationPolicy::kMark) return out;
    return found.error();
  }
  const auto& record = found->kept.record;
  out.text = calibration::to_text(record);
  for (const auto& q : record.quantities) {
    out.remarks.push_back(fmt::format("instrument '{}', {}: {:.5g} +- {:.2g} {}", record.instrument.serial, q.channel,
                                      q.range.low, q.uncertainty.front().expanded, q.unit));
  }
  return out;
}

}  // namespace strigil::apps
