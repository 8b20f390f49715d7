#include "apps/calibration_gate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <limits>

#include "calibration/check_standard.hpp"
#include "calibration/conversion.hpp"
#include "calibration/record/calendar.hpp"
#include "calibration/record/gate.hpp"
#include "daq/strict_toml.hpp"
#include "rig/stage_map.hpp"

namespace strigil::apps {
namespace {

/// "+Fz" is channel "Fz".
std::string channel_of(const std::string& axis) { return axis.substr(1); }
double sign_of(const std::string& axis) { return axis.front() == '-' ? -1 : 1; }

constexpr std::array kAxisNames{"x", "y", "z"};

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
  ask_check_standard(bench.calibration.check_standard, found, bench, now, reasons);
  return reasons;
}

/// Every axis that the record has; and what is said of all of them is said once.
std::vector<std::string> reasons_against_stage(const FoundRecord& found, const rig::BenchConfig& bench,
                                               const protocols::Plan& plan, daq::WallTime now) {
  std::vector<std::string> reasons;
  const auto& record = found.kept.record;
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    if (calibration::find_quantity(record, kAxisNames[a]) == nullptr) continue;
    for (auto& why : calibration::gate(record, found.standing,
                                       {.now = now,
                                       .serial = bench.stage.serial,
                                       .setting = bench.stage.setting,
                                       .channel = kAxisNames[a],
                                       .unit = "m",
                                       .range = wished_positions(plan, a),
                                       .temperature_C = bench.calibration.temperature_C})) {
      if (std::find(reasons.begin(), reasons.end(), why) == reasons.end()) reasons.push_back(std::move(why));
    }
  }
  if (const auto map = rig::StageMap::make(record, bench); !map) reasons.push_back(map.error().message);
  ask_check_standard(bench.calibration.stage_check_standard, found, bench, now, reasons);
  return reasons;
}

/// Across the table a plan says where it goes; how deep it gets is seen by its verdict.
void ask_travel(const calibration::Record& record, const protocols::Plan& plan, std::vector<std::string>& reasons) {
  const auto travel = calibration::travel_of(record);
  if (!travel) return;
  constexpr double kMilli = 1e3;
  for (const auto axis : {rig::kX, rig::kY}) {
    const auto wished = wished_positions(plan, axis);
    const auto& use = travel->use[axis];
    if (!wished || !calibration::leaves_travel(use, wished->low, wished->high)) continue;
    reasons.push_back(fmt::format(
        "its zero was looked at from {} {:g} to {:g} mm, and the run strokes from {:g} to {:g} mm", kAxisNames[axis],
        use.low * kMilli, use.high * kMilli, wished->low * kMilli, wished->high * kMilli));
  }
}

/// Standard, edition, class and basis in a few words; empty: none is claimed.
std::string grade_of(const calibration::Classification& c) {
  if (c.standard.empty()) return "";
  return fmt::format("{}{}{}{}", c.standard, c.edition.empty() ? "" : ":" + c.edition,
                     c.result.empty() ? "" : " class " + c.result,
                     c.basis.empty() ? "" : fmt::format(" ({})", c.basis));
}

daq::Result<void> pass_stage(const rig::BenchConfig& bench, const protocols::Plan& plan, daq::WallTime now,
                             GatedCalibration& out) {
  if (bench.stage.calibration.empty()) return {};
  out.stage.named = true;
  const auto found = believed(
      bench.stage.calibration, bench, {"the stage is"},
      [&](const FoundRecord& f) { return reasons_against_stage(f, bench, plan, now); }, out.stage.reasons);
  if (!found) {
    if (bench.calibration.policy == rig::CalibrationPolicy::kMark) return {};
    return found.error();
  }
  const auto& record = found->kept.record;
  out.stage_record = std::make_shared<const calibration::Record>(record);
  out.stage_text = calibration::to_text(record);
  out.stage = stage_calibration_of(record, found->kept.hash);
  return {};
}

}  // namespace

daq::Result<FoundRecord> believed(const std::string& named, const rig::BenchConfig& bench, const GateWords& words,
                                  const std::function<std::vector<std::string>(const FoundRecord&)>& against,
                                  std::vector<std::string>& reasons) {
  auto found = find_record(named, bench.calibration.store);
  reasons = found ? against(*found) : std::vector<std::string>{found.error().message};
  if (reasons.empty()) return found;
  return daq::Error{fmt::format(
      "{} not calibrated for this run: {}. Nothing was moved. ([calibration] policy = \"mark\" makes the run {}; bench "
      "file {})",
      words.subject, fmt::join(reasons, "; and "), words.otherwise, bench.file)};
}

void ask_check_standard(const std::string& standard, const FoundRecord& found, const rig::BenchConfig& bench,
                        daq::WallTime now, std::vector<std::string>& reasons) {
  if (standard.empty()) return;
  const auto history = calibration::read_checks(check_history_of(bench));
  auto why = history
                 ? calibration::check_gate(*history, standard, found.kept.hash, bench.calibration.check_valid_s, now)
                 : history.error().message;
  if (!why.empty()) reasons.push_back(std::move(why));
}

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

std::optional<calibration::Interval> wished_positions(const protocols::Plan& plan, std::size_t axis) {
  if (axis == rig::kZ) return std::nullopt;
  calibration::Interval out{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const auto add = [&](double low_m, double high_m) {
    out.low = std::min(out.low, low_m);
    out.high = std::max(out.high, high_m);
  };
  for (const auto& w : plan.ways) {
    const auto& box = w.path.box();
    if (axis == rig::kX) add(box.min_x_m, box.max_x_m);
    if (axis == rig::kY) add(box.min_y_m, box.max_y_m);
  }
  for (const auto& s : plan.steps) {
    const bool goes =
        s.kind == protocols::StepKind::kGoTo || (s.kind == protocols::StepKind::kStroke && !s.held && axis == rig::kX);
    if (goes && !s.timing) add(s.target_m[axis], s.target_m[axis]);
  }
  if (out.low > out.high) return std::nullopt;
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

void name_record(const calibration::Record& record, const std::string& hash, protocols::CalibrationInUse& out) {
  out.id = record.id;
  out.hash = hash;
  out.grade = grade_of(record.classification);
  if (record.valid_until) out.valid_until = calibration::date_of(*record.valid_until);
}

protocols::ForceCalibration force_calibration_of(const calibration::Record& record, const std::string& hash,
                                                 const rig::BenchConfig& bench) {
  protocols::ForceCalibration out;
  const auto* quantity = calibration::find_quantity(record, channel_of(bench.force.normal_axis));
  out.calibrated = quantity != nullptr;
  out.refused_outside = bench.calibration.policy == rig::CalibrationPolicy::kRefuse;
  name_record(record, hash, out);
  if (quantity != nullptr) out.quantity = *quantity;
  out.coverage_factor = record.coverage_factor;
  out.sign = sign_of(bench.force.normal_axis);
  out.travel = calibration::travel_of(record);
  return out;
}

protocols::StageCalibration stage_calibration_of(const calibration::Record& record, const std::string& hash) {
  protocols::StageCalibration out;
  out.named = true;
  out.calibrated = true;
  name_record(record, hash, out);
  out.coverage_factor = record.coverage_factor;
  for (const auto& q : record.quantities) {
    if (std::find(kAxisNames.begin(), kAxisNames.end(), q.channel) == kAxisNames.end()) continue;
    double largest_m = 0;
    for (const auto& u : q.uncertainty) largest_m = std::max(largest_m, u.expanded);
    out.axes.push_back({q.channel, q.range.low, q.range.high, largest_m});
  }
  return out;
}

daq::Result<GatedCalibration> pass_calibration_gate(const rig::BenchConfig& bench, const protocols::Plan& plan,
                                                    daq::WallTime now) {
  GatedCalibration out;
  if (auto stage = pass_stage(bench, plan, now, out); !stage) return stage.error();
  if (bench.force.calibration.empty()) return out;
  const bool refuse = bench.calibration.policy == rig::CalibrationPolicy::kRefuse;
  const auto found = believed(
      bench.force.calibration, bench, {"the force is"},
      [&](const FoundRecord& f) {
        auto reasons = reasons_against(f, bench, range_of(bench, plan), now);
        ask_travel(f.kept.record, plan, reasons);
        return reasons;
      },
      out.force.reasons);
  if (!found) {
    if (!refuse) return out;
    return found.error();
  }
  const auto& record = found->kept.record;
  out.record = std::make_shared<const calibration::Record>(record);
  out.text = calibration::to_text(record);
  out.force = force_calibration_of(record, found->kept.hash, bench);
  return out;
}

daq::Result<std::shared_ptr<const calibration::Record>> stage_map_in_use(const rig::BenchConfig& bench,
                                                                         daq::WallTime now) {
  if (bench.stage.calibration.empty())
    return daq::Error{fmt::format("the bench file {} names no error map: [stage] calibration", bench.file)};
  auto strict = bench;
  strict.calibration.policy = rig::CalibrationPolicy::kRefuse;
  GatedCalibration out;
  if (auto passed = pass_stage(strict, {}, now, out); !passed) return passed.error();
  return out.stage_record;
}

daq::Result<std::shared_ptr<const calibration::Record>> force_record_in_use(const rig::BenchConfig& bench,
                                                                            daq::WallTime now) {
  if (bench.force.calibration.empty()) return std::shared_ptr<const calibration::Record>();
  std::vector<std::string> reasons;
  const auto found = believed(
      bench.force.calibration, bench, {"the force is"},
      [&](const FoundRecord& f) { return reasons_against(f, bench, std::nullopt, now); }, reasons);
  if (!found) return found.error();
  return std::make_shared<const calibration::Record>(found->kept.record);
}

}  // namespace strigil::apps
