#include "protocols/calibrate/stage_procedure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/stage_record.hpp"
#include "protocols/calibrate/kinds.hpp"

namespace strigil::protocols {
namespace {

using calibration::Approach;

constexpr double kMillimetre = 1e-3;
constexpr double kMicro = 1e-6;
constexpr const char* kNames[] = {"x", "y", "z"};
/// A reading further than this from its target is a slip of the pen, or another axis.
constexpr double kBelieved_m = 5e-3;
/// Part of the spacing by which a target may be off the even one, and the golden ratio that spreads them: what comes
/// back with the spacing, or with a part of it, is met at ever other places.
constexpr double kUneven = 0.6;
constexpr double kGolden = 0.6180339887498949;
/// People read targets.
constexpr double kRoundTo_m = 1e-6;

double mm(double m) { return m / kMillimetre; }

std::vector<double> spread_targets(double from_m, double to_m, int count) {
  std::vector<double> out;
  const double spacing_m = (to_m - from_m) / (count - 1);
  for (int i = 0; i < count; ++i) {
    const double off = i == 0 || i == count - 1 ? 0 : kUneven * (std::fmod((i + 1) * kGolden, 1.0) - 0.5);
    out.push_back(std::round((from_m + (i + off) * spacing_m) / kRoundTo_m) * kRoundTo_m);
  }
  return out;
}

StageAxisPlan read_axis(daq::StrictTable& t, const rig::StageConfig& stage) {
  constexpr daq::Range kAnywhere_mm{-2000, 2000};
  StageAxisPlan a;
  const auto name = t.text("axis");
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) {
    t.refuse("axis", fmt::format("'{}' is no axis: x, y or z", name));
    return a;
  }
  const auto index = static_cast<std::size_t>(found - std::begin(kNames));
  a.axis = static_cast<rig::Axis>(index);
  const double from_m = t.number("from_mm", kAnywhere_mm) * kMillimetre;
  const double to_m = t.number("to_mm", kAnywhere_mm) * kMillimetre;
  const auto count = t.integer("targets", {5, 128}, 11);
  a.overrun_m = t.number("overrun_mm", {0.05, 50}, 1.0) * kMillimetre;
  a.speed_m_s = t.number("speed_mm_s", {0.1, 1000}, mm(stage.retract_speed_m_s)) * kMillimetre;
  a.lead_m = t.number("lead_mm", {0, 200}, 0.0) * kMillimetre;
  const auto others = t.numbers("others_mm", kAnywhere_mm, std::vector<double>{0, 0, mm(stage.clear_z_m)});
  t.finish();
  if (others.size() != rig::kAxes) {
    t.refuse("others_mm", "'others_mm' takes [x, y, z]: where the axes stand that are not tested");
    return a;
  }
  for (std::size_t k = 0; k < rig::kAxes; ++k) a.others_m[k] = others[k] * kMillimetre;
  if (!(to_m > from_m)) {
    t.refuse("to_mm", "'to_mm' must lie above 'from_mm'");
    return a;
  }
  if (from_m - a.overrun_m < stage.travel_min_m[index] || to_m + a.overrun_m > stage.travel_max_m[index]) {
    t.refuse("from_mm",
             fmt::format("{:g} to {:g} mm with {:g} mm beyond both ends leaves the travel of {}, {:g} to {:g} mm",
                         mm(from_m), mm(to_m), mm(a.overrun_m), name, mm(stage.travel_min_m[index]),
                         mm(stage.travel_max_m[index])));
  }
  if (a.speed_m_s > stage.max_speed_m_s) t.refuse("speed_mm_s", "'speed_mm_s' is more than [stage] max_speed_mm_s");
  a.target_m = spread_targets(from_m, to_m, static_cast<int>(count));
  return a;
}

/// The figures of the standard, for the record.
calibration::DataTable figures_table(const std::string& axis, const calibration::StageAssessment& a) {
  return {
      "iso230_2_" + axis,
      {"A", "A_forward", "A_backward", "E", "E_forward", "E_backward", "M", "R", "R_forward", "R_backward", "B",
       "B_mean", "U_A", "U_B"},
      std::vector<std::string>(14, "m"),
      {{a.accuracy_m, a.accuracy_forward_m, a.accuracy_backward_m, a.systematic_m, a.systematic_forward_m,
        a.systematic_backward_m, a.mean_range_m, a.repeatability_m, a.repeatability_forward_m,
        a.repeatability_backward_m, a.reversal_m, a.mean_reversal_m, a.accuracy_expanded_m, a.reversal_expanded_m}}};
}

calibration::DataTable targets_table(const std::string& axis, const calibration::StageAssessment& a) {
  calibration::DataTable t{"targets_" + axis,
                           {"target", "mean_forward", "s_forward", "mean_backward", "s_backward", "reversal"},
                           std::vector<std::string>(6, "m"),
                           {}};
  for (const auto& i : a.targets) {
    t.rows.push_back({i.target_m, i.mean_forward_m, i.s_forward_m, i.mean_backward_m, i.s_backward_m, i.reversal_m});
  }
  return t;
}

std::string words_of(const std::string& axis, const calibration::StageAssessment& a) {
  return fmt::format(
      "axis {}: A {:.2f}, E {:.2f}, M {:.2f}, R {:.2f}, B {:.2f} um; U(A) {:.2f}, U(B) {:.2f} um (k = 2)", axis,
      a.accuracy_m / kMicro, a.systematic_m / kMicro, a.mean_range_m / kMicro, a.repeatability_m / kMicro,
      a.reversal_m / kMicro, a.accuracy_expanded_m / kMicro, a.reversal_expanded_m / kMicro);
}

/// What a place may be off by: mean and two deviations, of the direction and the target where that is most.
double largest_deviation_m(const calibration::StageAssessment& a) {
  double most = 0;
  for (const auto& t : a.targets) {
    most = std::max({most, std::abs(t.mean_forward_m) + 2 * t.s_forward_m,
                     std::abs(t.mean_backward_m) + 2 * t.s_backward_m});
  }
  return most;
}

/// Of the map: budget, quantity, tables.
void add_map(const std::string& axis, const calibration::ErrorMap& map, double resolution_m,
             calibration::Record& record) {
  const auto nodes = map.table.nodes();
  calibration::CalibratedQuantity q{"position", axis, "m", {}, {}};
  // What both sides can reach: the one that is more often asked for is not known beforehand.
  q.range = {std::max(map.table.lowest_m(Approach::rising), map.table.lowest_m(Approach::falling)),
             std::min(map.table.highest_m(Approach::rising), map.table.highest_m(Approach::falling))};
  q.uncertainty.push_back({q.range.low, map.expanded_m.front()});
  for (std::size_t i = 1; i + 1 < nodes.size(); ++i) {
    if (nodes[i].command_m > q.range.low && nodes[i].command_m < q.range.high)
      q.uncertainty.push_back({nodes[i].command_m, map.expanded_m[i]});
  }
  q.uncertainty.push_back({q.range.high, map.expanded_m.back()});
  record.quantities.push_back(std::move(q));
  record.tables.push_back(calibration::error_map_table(axis, map.table, map.expanded_m));
  const auto line = [&](const char* what, const char* distribution, double u, double dof) {
    record.budget.push_back({fmt::format("{}: {}", axis, what), distribution, u, "m", 1, dof});
  };
  line("between the targets (cross-validation)", "normal", map.interpolation_m, map.interpolation_dof);
  line("one approach (pooled)", "normal", map.repeatability_m, map.repeatability_dof);
  line("reference, alignment, temperature, drift, zero", "normal", map.reference_m, 0);
  line("resolution of the counts", "rectangular", resolution_m / std::sqrt(12.0), 0);
  line("straight lines of the table", "rectangular", map.table_m / std::sqrt(3.0), 0);
  record.coverage_factor = std::max(record.coverage_factor, map.coverage_factor);
}

calibration::DataTable points_table(const std::vector<calibration::AxisStop>& stops, const calibration::ErrorMap& map,
                                    double zero_m) {
  calibration::DataTable t{
      "points", {"reference", "indication", "fitted", "expanded_uncertainty"}, {"m", "m", "m", "m"}, {}};
  for (const auto& s : stops) {
    const auto fitted = map.table.position(s.counted_m, s.approach);
    if (fitted) t.rows.push_back({s.reading_m + zero_m, s.counted_m, *fitted, map.expanded_m.back()});
  }
  return t;
}

}  // namespace

StageProcedure::StageProcedure(StagePlan plan) : plan_(std::move(plan)) {
  for (std::size_t i = 0; i < plan_.axes.size(); ++i) add_axis(i);
}

std::size_t StageProcedure::add(ProcedureStep step) {
  steps_.push_back(std::move(step));
  return steps_.size() - 1;
}

void StageProcedure::go_to(const StageAxisPlan& a, double place_m) {
  auto target = a.others_m;
  target[a.axis] = place_m;
  add({.kind = ProcedureStepKind::kMove,
       .name = fmt::format("{} to {:.3f} mm", kNames[a.axis], mm(place_m)),
       .target_m = target,
       .speed_m_s = a.speed_m_s});
}

void StageProcedure::stop_at(std::size_t axis, std::size_t target, int cycle, Approach approach) {
  const auto& a = plan_.axes[axis];
  const double at_m = a.target_m[target];
  const auto* way = approach == Approach::rising ? "rising" : "falling";
  go_to(a, at_m);
  if (plan_.settle_s > 0) add({.kind = ProcedureStepKind::kWait, .name = "settle", .duration_s = plan_.settle_s});
  Stop stop{axis, at_m, approach, 0, 0};
  stop.counts = add({.kind = ProcedureStepKind::kMeasure, .name = "counts", .duration_s = plan_.read_s});
  const HandsRequest hands{
      .task = HandsTask::kReading,
      .words = fmt::format("Read the reference: axis {}, cycle {} of {}, {} to target {} of {} at {:.3f} mm",
                           kNames[a.axis], cycle + 1, plan_.cycles, way, target + 1, a.target_m.size(), mm(at_m)),
      .reference = fmt::format("position {}", kNames[a.axis]),
      .unit = "m",
      .low = at_m - kBelieved_m,
      .high = at_m + kBelieved_m};
  stop.reading = add({.kind = ProcedureStepKind::kHands, .name = "reference", .hands = hands});
  stops_.push_back(stop);
}

void StageProcedure::add_axis(std::size_t axis) {
  const auto& a = plan_.axes[axis];
  add({.kind = ProcedureStepKind::kLift, .name = "lift to the clear height"});
  const double below_m = a.target_m.front() - a.overrun_m;
  const double above_m = a.target_m.back() + a.overrun_m;
  go_to(a, below_m);
  go_to(a, a.target_m.front());
  HandsRequest zero;
  zero.words = fmt::format("Set up the displacement reference along {} and let it show {:.6f} m here, or note its zero",
                           kNames[a.axis], a.target_m.front());
  add({.kind = ProcedureStepKind::kHands, .name = "set up the reference", .hands = zero});
  go_to(a, below_m);
  for (int cycle = 0; cycle < plan_.cycles; ++cycle) {
    for (std::size_t i = 0; i < a.target_m.size(); ++i) stop_at(axis, i, cycle, Approach::rising);
    go_to(a, above_m);
    for (std::size_t i = a.target_m.size(); i-- > 0;) stop_at(axis, i, cycle, Approach::falling);
    go_to(a, below_m);
  }
}

daq::Result<std::vector<calibration::AxisStop>> StageProcedure::stops_of(std::size_t axis,
                                                                         const ProcedureData& data) const {
  std::vector<calibration::AxisStop> out;
  const auto stream = data.roles.position;
  const auto channel = static_cast<std::size_t>(plan_.axes[axis].axis);
  for (const auto& s : stops_) {
    if (s.axis != axis) continue;
    const auto& window = data.windows[s.counts][stream];
    if (window.samples == 0 || channel >= window.channels.size()) {
      return daq::Error{
          fmt::format("the stage said nothing of where it stands at {:.3f} mm; lengthen 'read_s'", mm(s.target_m))};
    }
    const auto& c = data.streams[stream].channels[channel];
    out.push_back(
        {s.target_m, c.scale * window.channels[channel].mean + c.offset, data.done[s.reading].answer, s.approach});
  }
  return out;
}

daq::Result<ProcedureResult> StageProcedure::evaluate(const ProcedureData& data, const ProcedureSetup& setup) const {
  const bool verifies = plan_.verifies;
  if (verifies != (setup.bench.stage.record != nullptr)) {
    return daq::Error{verifies ? "a verification is of an error map in use, and none was"
                               : "an error map was in use: a new one is made without it"};
  }
  ProcedureResult out;
  auto& record = out.record;
  record.fit.kind = verifies ? calibration::FitKind::kConstants : calibration::FitKind::kTable;
  if (setup.temperature_C)
    record.conditions.temperature_C = calibration::Interval{*setup.temperature_C, *setup.temperature_C};
  for (std::size_t i = 0; i < plan_.axes.size(); ++i) {
    const auto& a = plan_.axes[i];
    const std::string axis = kNames[a.axis];
    const auto stops = stops_of(i, data);
    if (!stops) return stops.error();
    auto conditions = plan_.conditions;
    const double length_m = a.target_m.back() - a.target_m.front();
    conditions.device_expanded_m = std::hypot(setup.reference.expanded, setup.reference.expanded_relative * length_m);
    const auto readings = calibration::readings_of(*stops, calibration::ReadingZero::target);
    if (!readings) return readings.error();
    const auto assessed = calibration::assess_stage(*readings, conditions);
    if (!assessed) return assessed.error();
    out.remarks.push_back(words_of(axis, *assessed));
    for (const auto& n : assessed->nonconformities) out.remarks.push_back(fmt::format("axis {}: {}", axis, n));
    record.classification.standard = assessed->table.standard;
    record.classification.edition = assessed->table.edition;
    record.classification.basis = assessed->table.status;
    record.classification.limit_table = assessed->table.id;
    record.classification.limit_table_sha256 = assessed->table.sha256;
    if (verifies) {
      const double left_m = largest_deviation_m(*assessed) / std::sqrt(3.0);
      const double reference_m = assessed->accuracy_expanded_m / 2;
      const double u = 2 * std::hypot(left_m, reference_m);
      record.budget.push_back(
          {fmt::format("{}: largest deviation at a target, with its scatter", axis), "rectangular", left_m, "m", 1, 0});
      record.budget.push_back(
          {fmt::format("{}: reference, alignment, temperature, drift", axis), "normal", reference_m, "m", 1, 0});
      record.quantities.push_back({"position",
                                   axis,
                                   "m",
                                   {a.target_m.front(), a.target_m.back()},
                                   {{a.target_m.front(), u}, {a.target_m.back(), u}}});
      for (const auto& [name, value] :
           {std::pair{"A", assessed->accuracy_m}, std::pair{"E", assessed->systematic_m},
            std::pair{"M", assessed->mean_range_m}, std::pair{"R", assessed->repeatability_m},
            std::pair{"B", assessed->reversal_m}}) {
        record.fit.names.push_back(fmt::format("{} {}", name, axis));
        record.fit.coefficients.push_back(value);
      }
    } else {
      const double steps = setup.bench.stage.steps_per_m[a.axis];
      const bool counts = setup.bench.stage.codec != "grbl" && steps != 0;
      const auto& channel = data.streams[data.roles.position].channels[a.axis];
      const double resolution_m =
          counts ? std::max(1 / std::abs(steps), std::abs(channel.scale)) : std::abs(channel.scale);
      // Between the first target and a place the reference is off by its share of that length, not of the whole.
      calibration::ErrorMapOptions options{a.lead_m, resolution_m, conditions, setup.reference.expanded_relative};
      options.conditions.device_expanded_m = setup.reference.expanded;
      const auto map = calibration::fit_error_map(*stops, options);
      if (!map) return daq::Error{fmt::format("axis {}: {}", axis, map.error().message)};
      add_map(axis, *map, resolution_m, record);
      record.fit.residual_sd = std::max(record.fit.residual_sd, map->interpolation_m);
      record.fit.degrees_of_freedom = map->interpolation_dof;
      out.remarks.push_back(fmt::format(
          "axis {}: map of {} nodes, long waves on {} knots{}, backlash {:.2f} um; U {:.2f} um (k = {:.2f})", axis,
          map->table.nodes().size(), map->knots,
          map->periodic
              ? fmt::format(", {:.2f} um with the screw's turn of {:g} mm", map->amplitude_m / kMicro, mm(a.lead_m))
              : std::string(),
          map->backlash_m / kMicro, map->expanded_m.back() / kMicro, map->coverage_factor));
      if (i == 0) {
        const auto from_zero = calibration::readings_of(*stops, calibration::ReadingZero::counted);
        const double zero_m = from_zero->forward_m.front().front() - stops->front().reading_m;
        record.tables.push_back(points_table(*stops, *map, zero_m));
      }
    }
    record.tables.push_back(figures_table(axis, *assessed));
    record.tables.push_back(targets_table(axis, *assessed));
  }
  return out;
}

std::unique_ptr<Procedure> read_stage_procedure(daq::StrictTable t, const ProcedureSetup& setup) {
  constexpr double kPerMillion = 1e-6;
  StagePlan plan;
  plan.verifies = t.boolean("verifies", plan.verifies);
  plan.cycles = static_cast<int>(t.integer("cycles", {2, 50}, plan.cycles));
  plan.settle_s = t.number("settle_s", {0, 600}, plan.settle_s);
  plan.read_s = t.number("read_s", {0.02, 60}, std::max(plan.read_s, 3 / setup.bench.stage.status_rate_Hz));
  auto& c = plan.conditions;
  c.misalignment_rad = t.number("misalignment_mrad", {0, 100}, 0.0) * kMillimetre;
  c.expansion_per_K = t.number("expansion_um_m_K", {-100, 100}, 0.0) * kPerMillion;
  c.temperature_range_K = t.number("temperature_range_K", {0, 50}, 0.0);
  c.expansion_range_per_K = t.number("expansion_range_um_m_K", {0, 100}, 0.0) * kPerMillion;
  c.drift_range_m = t.number("drift_range_um", {0, 1000}, 0.0) * kMicro;
  constexpr double kStandard_C = 20;
  if (setup.temperature_C) c.temperature_from_20_K = *setup.temperature_C - kStandard_C;
  bool seen[rig::kAxes] = {};
  for (auto& axis : t.tables("axes")) {
    auto read = read_axis(axis, setup.bench.stage);
    if (seen[read.axis]) axis.refuse("axis", fmt::format("axis {} stands twice", kNames[read.axis]));
    seen[read.axis] = true;
    plan.axes.push_back(std::move(read));
  }
  if (t.present() && plan.axes.empty()) t.refuse("axes", "a stage procedure needs at least one [[stage.axes]]");
  t.finish();
  for (const auto& a : plan.axes) {
    if (a.target_m.empty()) return nullptr;
  }
  if (plan.axes.empty()) return nullptr;
  return std::make_unique<StageProcedure>(std::move(plan));
}

}  // namespace strigil::protocols
