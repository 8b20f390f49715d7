// The rig as a testing machine, after ISO 7500-1 and ASTM E4: what it indicates against the loads that were put on.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/machine_force.hpp"
#include "calibration/standards/readings_check.hpp"
#include "protocols/calibrate/force_evaluation.hpp"

namespace strigil::protocols {
namespace {

using calibration::MachineAssessment;

constexpr double kPercent = 100;

/// After ISO 376, or what stands above it; empty: not known.
std::string reference_class(const ReferenceStandard& reference) {
  constexpr std::array kIso376{"00", "0.5", "1", "2"};
  if (std::find(kIso376.begin(), kIso376.end(), reference.kind) != kIso376.end()) return reference.kind;
  return reference.kind == "primary" ? "00" : "";
}

const calibration::LimitTable& iso7500() {
  static const auto kTable = calibration::read_built_in_table("iso7500_1_2018", calibration::iso7500_schema());
  return kTable;
}
const calibration::LimitTable& astm_e4() {
  static const auto kTable = calibration::read_built_in_table("astm_e4", calibration::astm_e4_schema());
  return kTable;
}

}  // namespace

/// X1, X3 and X5 rising, a position each, and X4' falling.
calibration::MachineReadings ForceEvaluation::machine_readings() const {
  calibration::MachineReadings in;
  const auto series_of = [&](const std::vector<ForceReading>& readings) {
    calibration::MachineSeries s;
    for (const auto& one : readings) {
      s.indicated_N.push_back(pressing(one.signal_N));
      s.reference_N.push_back(pressing(one.applied_N));
    }
    return s;
  };
  for (const std::size_t i : {0U, 2U, 3U}) {
    const auto& s = r_.series[i];
    in.rising.push_back(series_of(s.rising));
    in.zero_residual_N.push_back(s.zero_after_N - s.zero_before_N);
    if (in.falling || s.falling.empty()) continue;
    in.falling = series_of(s.falling);
    // Nothing falls to the largest force.
    in.falling->indicated_N.push_back(in.rising.back().indicated_N.back());
    in.falling->reference_N.push_back(in.rising.back().reference_N.back());
  }
  in.resolution_N = r_.resolution_N;
  in.reference_class = reference_class(setup_.reference);
  return in;
}

/// Of the mean error at a force, k = 2: the reference, the mean of three series, the resolution.
double ForceEvaluation::machine_expanded_pct(const calibration::MachineForce& f) const {
  constexpr double kSeries = 3;
  const double repeated_pct = calibration::spread_of(f.q_pct).deviation / std::sqrt(kSeries);
  const double resolved_pct = f.a_pct / (2 * std::sqrt(3.0));
  return 2 * std::sqrt(std::pow(kPercent * reference_, 2) + repeated_pct * repeated_pct + resolved_pct * resolved_pct);
}

daq::Result<MachineAssessment> ForceEvaluation::judge_machine() {
  const auto in = machine_readings();
  auto found = calibration::assess_machine(in, iso7500());
  if (!found) return daq::Error{"ISO 7500-1: " + found.error().message};
  calibration::DataTable table{
      "iso7500_1", {"force", "q", "q_worst", "b", "v", "a", "U_q"}, {"N", "%", "%", "%", "%", "%", "%"}, {}};
  for (const auto& f : found->forces) {
    table.rows.push_back(
        {f.force_N, f.q_mean_pct, f.q_worst_pct, f.b_pct, f.v_pct.value_or(0), f.a_pct, machine_expanded_pct(f)});
  }
  out_.record.tables.push_back(std::move(table));
  const auto e4 = calibration::assess_machine(in, astm_e4());
  const auto or_none = [](const std::string& name) { return name.empty() ? std::string("none") : name; };
  machine_words_ =
      fmt::format("ISO 7500-1 by the figures: class {}; f0 {:.3f} %{}", or_none(found->class_by_figures), found->f0_pct,
                  e4 ? fmt::format("; ASTM E4: {}", e4->class_by_figures.empty() ? "not met" : "met") : "");
  for (const auto& f : found->forces) {
    if (f.class_by_figures == found->class_by_figures && !f.held_by.empty()) {
      machine_words_ += fmt::format("; {:g} N is held by {}", f.force_N, f.held_by);
      break;
    }
  }
  return found;
}

/// A record that says how good the rig is with the calibration in use; it gives no run a scale.
daq::Result<ProcedureResult> ForceEvaluation::verification() {
  for (const auto& l : p_.loads_) reference_ = std::max(reference_, l.u_N / l.force_N);
  const auto found = judge_machine();
  if (!found) return found.error();
  auto& record = out_.record;
  const auto& with = *setup_.bench.force.record;
  out_.remarks.push_back(fmt::format("with calibration '{}' in use: {}", with.id, machine_words_));
  for (const auto& n : found->nonconformities) out_.remarks.push_back("ISO 7500-1: " + n);
  classify(found->table,
           found->awarded_class.empty()
               ? ""
               : fmt::format("{} from {:g} to {:g} N", found->awarded_class, found->lowest_N, found->highest_N),
           "simple acceptance, nothing is rounded");
  record.fit.kind = calibration::FitKind::kConstants;
  calibration::CalibratedQuantity q{"force", kForceChannels[axes_.normal], "N", {}, {}};
  double worst_pct = 0;
  double b_pct = 0;
  double v_pct = 0;
  for (const auto& f : found->forces) {
    q.uncertainty.push_back(
        {axes_.sign * f.force_N, f.force_N / kPercent * (std::abs(f.q_mean_pct) + machine_expanded_pct(f))});
    if (std::abs(f.q_mean_pct) > std::abs(worst_pct)) worst_pct = f.q_mean_pct;
    b_pct = std::max(b_pct, f.b_pct);
    if (std::abs(f.v_pct.value_or(0)) > std::abs(v_pct)) v_pct = *f.v_pct;
  }
  std::sort(q.uncertainty.begin(), q.uncertainty.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  q.range = {q.uncertainty.front().value, q.uncertainty.back().value};
  record.quantities.push_back(std::move(q));
  record.fit.names = {"q in %, largest of the means", "b in %, largest", "v in %, largest", "f0 in %"};
  record.fit.coefficients = {worst_pct, b_pct, v_pct, found->f0_pct};
  const auto& most = found->forces.back();
  const double one_N = most.force_N / kPercent;
  record.budget = {{"reference force", "normal", reference_ * most.force_N, "N", 1, 0},
                   {"scatter of three series, of their mean", "normal",
                    calibration::spread_of(most.q_pct).deviation / std::sqrt(3.0) * one_N, "N", 1, 2},
                   {"resolution", "rectangular", most.a_pct / (2 * std::sqrt(3.0)) * one_N, "N", 1, 0}};
  record.conditions.notes = fmt::format("indicated with calibration '{}'; ", with.id);
  say_conditions();
  return std::move(out_);
}

}  // namespace strigil::protocols
