#include "apps/calibration_gate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "calibration/check_standard.hpp"
#include "calibration/conversion.hpp"
#include "calibration/record/calendar.hpp"
#include "calibration/record/gate.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

/// "+Fz" is channel "Fz".
std::string channel_of(const std::string& axis) { return axis.substr(1); }
double sign_of(const std::string& axis) { return axis.front() == '-' ? -1 : 1; }

std::string grade_of(const calibration::Classification& c) {
  if (c.standard.empty()) return "";
  return fmt::format("{}{}{}{}", c.standard, c.edition.empty() ? "" : ":" + c.edition,
                     c.result.empty() ? "" : " class " + c.result,
                     c.basis.empty() ? "" : fmt::format(" ({})", c.basis));
}

/// Values of the normal axis that a plan will report.
calibration::Interval range_of(const rig::BenchConfig& bench, const protocols::Plan& plan) {
  const double sign = sign_of(bench.force.normal_axis);
  const auto wished = wished_forces(plan);
  const double ends[] = {sign * wished.low, sign * wished.high};
  return {std::min(ends[0], ends[1]), std::max(ends[0], ends[1])};
}

std::vector<std::string> reasons_against(const FoundRecord& found, const rig::BenchConfig& bench,
                                         const std::optional<calibration::Interval>& range, daq::WallTime now) {
  const auto& force = bench.force;
  auto reasons = calibration::gate(found.kept.record, found.standing,
                                   {.now = now,
                                    .serial = force.serial,
                                    .setting = force.setting,
                                    .channel = channel_of(force.normal_axis),
                                    .unit = "N",
                                    .range = range,
                                    .temperature_C = bench.calibration.temperature_C});
  if (!bench.calibration.check_standard.empty()) {
    const auto history = calibration::read_checks(check_history_of(bench));
    auto why = history ? calibration::check_gate(*history, bench.calibration.check_standard, found.kept.hash,
                                                 bench.calibration.check_valid_s, now)
                       : history.error().message;
    if (!why.empty()) reasons.push_back(std::move(why));
  }
  return reasons;
}

}  // namespace

std::string check_history_of(const rig::BenchConfig& bench) {
  if (!bench.calibration.check_history.empty()) return bench.calibration.check_history;
  return fmt::format("runs/check_standards/{}.jsonl", bench.name);
}

calibration::Interval wished_forces(const protocols::Plan& plan) {
  calibration::Interval out{std::numeric_limits<double>::infinity(), 0};
  const auto add = [&](double low_N, double high_N) {
    out.low = std::min(out.low, low_N);
    out.high = std::max(out.high, high_N);
  };
  for (const auto& c : plan.conditions) add(c.normal_force_N, c.normal_force_N);
  for (const auto& w : plan.ways) add(w.force.min_force_N(), w.force.max_force_N());
  if (out.low > out.high) out.low = out.high;
  return out;
}

CalibrationStanding calibration_standing(const rig::BenchConfig& bench, daq::WallTime now) {
  CalibrationStanding s;
  if (bench.force.calibration.empty()) {
    s.reasons = {"the bench names no calibration: forces are by the sensor's nominal scale"};
    return s;
  }
  const auto found = find_record(bench.force.calibration, bench.calibration.store);
  if (!found) {
    s.reasons = {found.error().message};
    return s;
  }
  const auto& record = found->kept.record;
  s.id = record.id;
  s.serial = record.instrument.serial;
  if (record.valid_until) s.valid_until = calibration::date_of(*record.valid_until);
  s.reasons = reasons_against(*found, bench, std::nullopt, now);
  return s;
}

daq::Result<FoundRecord> find_record(const std::string& name, const std::string& folder) {
  const auto store = calibration::RecordStore::read(folder);
  if (!store) return store.error();
  if (!store->broken().empty()) {
    return daq::Error{
        fmt::format("the calibration store '{}' is broken: {}. Nothing in it can be believed; see `strigil "
                    "calibrations check --store {}`",
                    folder, store->broken(), folder)};
  }
  auto found = store->find(name);
  if (found) return FoundRecord{*found, store->standing(found->record.id)};
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(name, ignored)) return found.error();
  const auto text = daq::read_text_file(name, calibration::kLongestRecord);
  if (!text) return text.error();
  const auto read = calibration::parse_record(*text);
  if (!read) return daq::Error{fmt::format("'{}': {}", name, read.error().message)};
  // A copy of a record of the store is that record, with all that is said of it there.
  found = store->find(read->hash);
  if (found) return FoundRecord{*found, store->standing(found->record.id)};
  return FoundRecord{{name, read->hash, read->record}, {}};
}

daq::Result<GatedCalibration> pass_calibration_gate(const rig::BenchConfig& bench, const protocols::Plan& plan,
                                                    daq::WallTime now) {
  GatedCalibration out;
  if (bench.force.calibration.empty()) return out;
  const bool refuse = bench.calibration.policy == rig::CalibrationPolicy::kRefuse;
  const auto found = find_record(bench.force.calibration, bench.calibration.store);
  if (found) {
    out.force.reasons = reasons_against(*found, bench, range_of(bench, plan), now);
  } else {
    out.force.reasons = {found.error().message};
  }
  if (!out.force.reasons.empty()) {
    if (!refuse) return out;
    return daq::Error{
        fmt::format("the force is not calibrated for this run: {}. Nothing was moved. ([calibration] policy = "
                    "\"mark\" makes the run and marks its numbers; bench file {})",
                    fmt::join(out.force.reasons, "; and "), bench.file)};
  }
  const auto& record = found->kept.record;
  out.record = std::make_shared<const calibration::Record>(record);
  out.text = calibration::to_text(record);
  const auto channel = channel_of(bench.force.normal_axis);
  out.force.calibrated = true;
  out.force.refused_outside = refuse;
  out.force.id = record.id;
  out.force.hash = found->kept.hash;
  out.force.grade = grade_of(record.classification);
  if (record.valid_until) out.force.valid_until = calibration::date_of(*record.valid_until);
  out.force.quantity = *calibration::find_quantity(record, channel);
  out.force.coverage_factor = record.coverage_factor;
  out.force.sign = sign_of(bench.force.normal_axis);
  return out;
}

}  // namespace strigil::apps
