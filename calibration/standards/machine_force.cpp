#include "calibration/standards/machine_force.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

std::optional<daq::Error> refuse_series(const std::string& name, const MachineSeries& s, std::size_t forces) {
  if (auto error = wrong_length(name + ".indicated_N", s.indicated_N.size(), forces)) return error;
  if (auto error = wrong_length(name + ".reference_N", s.reference_N.size(), forces)) return error;
  if (auto error = not_finite(name + ".indicated_N", s.indicated_N)) return error;
  if (auto error = not_finite(name + ".reference_N", s.reference_N)) return error;
  return not_rising(name + ".reference_N", s.reference_N, 0);
}

std::optional<daq::Error> refuse(const MachineReadings& r) {
  if (r.rising.empty()) return daq::Error{"no rising series: nothing to judge"};
  const auto forces = r.rising.front().reference_N.size();
  for (std::size_t s = 0; s < r.rising.size(); ++s) {
    if (auto error = refuse_series(fmt::format("series {}", s), r.rising[s], forces)) return error;
  }
  if (r.falling) {
    if (auto error = refuse_series("falling series", *r.falling, forces)) return error;
  }
  if (auto error = not_finite("zero_residual_N", r.zero_residual_N)) return error;
  return out_of_bounds("resolution_N", r.resolution_N, 0, r.rising.front().reference_N.back());
}

MachineForce figures_at(const MachineReadings& r, std::size_t i) {
  MachineForce f;
  for (const auto& s : r.rising) {
    f.force_N += s.reference_N[i] / static_cast<double>(r.rising.size());
    f.q_pct.push_back(100 * (s.indicated_N[i] - s.reference_N[i]) / s.reference_N[i]);
  }
  f.q_mean_pct = spread_of(f.q_pct).mean;
  f.q_worst_pct =
      *std::max_element(f.q_pct.begin(), f.q_pct.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  const auto [low, high] = std::minmax_element(f.q_pct.begin(), f.q_pct.end());
  f.b_pct = *high - *low;
  f.a_pct = 100 * r.resolution_N / f.force_N;
  if (r.falling) {
    // Each direction's error is taken at its own reference force, so that the two need not have met the same force.
    const double q_falling = 100 * (r.falling->indicated_N[i] - r.falling->reference_N[i]) / r.falling->reference_N[i];
    f.v_pct = q_falling - f.q_mean_pct;
  }
  return f;
}

/// What keeps these figures out of a class; empty when nothing does.
std::string held_out(const MachineForce& f, double f0_pct, const LimitClass& limits, bool each) {
  const auto over = [&](std::string_view key, double value) {
    const auto found = limits.limits.find(key);
    return found != limits.limits.end() && !(std::abs(value) <= found->second);
  };
  if (over("q_pct", each ? f.q_worst_pct : f.q_mean_pct)) return "q";
  if (over("b_pct", f.b_pct)) return "b";
  if (f.v_pct && over("v_pct", *f.v_pct)) return "v";
  if (over("f0_pct", f0_pct)) return "f0";
  if (over("a_pct", f.a_pct)) return "a";
  return "";
}

std::vector<std::string> shortfalls(const MachineReadings& r, const LimitTable& table, const MachineAssessment& a) {
  std::vector<std::string> out;
  const auto& p = table.procedure;
  const auto& who = table.identity.standard;
  if (static_cast<double>(a.forces.size()) < p.limit("forces_at_least")) {
    out.push_back(fmt::format("{} forces; {} wants {:.0f}", a.forces.size(), who, p.limit("forces_at_least")));
  }
  if (static_cast<double>(r.rising.size()) < p.limit("series_at_least")) {
    out.push_back(fmt::format("{} series; {} wants {:.0f}", r.rising.size(), who, p.limit("series_at_least")));
  }
  if (a.lowest_N > p.limit("lowest_force_pct") / 100 * a.highest_N) {
    out.push_back(fmt::format("the lowest force is {:.4g} % of the highest; {} wants {:g} % or less",
                              100 * a.lowest_N / a.highest_N, who, p.limit("lowest_force_pct")));
  }
  if (r.zero_residual_N.empty() && table.classes.front().limits.contains("f0_pct")) {
    out.emplace_back("no zero residual was read: f0 is not judged");
  }
  return out;
}

}  // namespace

LimitSchema iso7500_schema() {
  return {{"forces_at_least", "series_at_least", "lowest_force_pct"},
          {"errors_judged"},
          {"q_pct", "b_pct", "v_pct", "f0_pct", "a_pct"},
          {"reference_class"}};
}

LimitSchema astm_e4_schema() {
  return {{"forces_at_least", "series_at_least", "lowest_force_pct"}, {"errors_judged"}, {"q_pct", "b_pct"}, {}};
}

daq::Result<MachineAssessment> assess_machine(const MachineReadings& readings, const LimitTable& table) {
  if (auto error = refuse(readings)) return *error;
  const auto& judged = table.procedure.word("errors_judged");
  if (judged != "mean" && judged != "each") {
    return daq::Error{
        fmt::format("table '{}': errors_judged must be \"mean\" or \"each\", not \"{}\"", table.identity.id, judged)};
  }
  MachineAssessment out;
  out.table = table.identity;
  for (std::size_t i = 0; i < readings.rising.front().reference_N.size(); ++i) {
    out.forces.push_back(figures_at(readings, i));
  }
  out.lowest_N = out.forces.front().force_N;
  out.highest_N = out.forces.back().force_N;
  for (const double zero : readings.zero_residual_N) {
    out.f0_pct = std::max(out.f0_pct, 100 * std::abs(zero) / out.highest_N);
  }
  std::size_t overall = 0;
  for (auto& f : out.forces) {
    std::size_t c = 0;
    for (; c < table.classes.size(); ++c) {
      const auto why = held_out(f, out.f0_pct, table.classes[c], judged == "each");
      if (why.empty()) break;
      f.held_by = why;
    }
    if (c < table.classes.size()) f.class_by_figures = table.classes[c].name;
    overall = std::max(overall, c);
  }
  if (overall < table.classes.size()) out.class_by_figures = table.classes[overall].name;
  // A reference worse than a class asks for cannot give it.
  static const std::vector<std::string> kReferenceOrder = {"00", "0.5", "1", "2"};
  const auto rank = [](const std::string& name) {
    return std::find(kReferenceOrder.begin(), kReferenceOrder.end(), name) - kReferenceOrder.begin();
  };
  const bool reference_matters = table.classes.front().words.contains("reference_class");
  if (reference_matters) {
    while (overall < table.classes.size() &&
           rank(readings.reference_class) > rank(table.classes[overall].word("reference_class"))) {
      ++overall;
    }
  }
  out.nonconformities = shortfalls(readings, table, out);
  if (reference_matters && rank(readings.reference_class) >= static_cast<std::ptrdiff_t>(kReferenceOrder.size())) {
    out.nonconformities.push_back(
        readings.reference_class.empty()
            ? std::string("the ISO 376 class of the reference is not known: no class can be given")
            : fmt::format("'{}' is no ISO 376 class of a reference (00, 0.5, 1, 2): no class can be given",
                          readings.reference_class));
  }
  if (overall < table.classes.size() && out.nonconformities.empty()) out.awarded_class = table.classes[overall].name;
  return out;
}

}  // namespace strigil::calibration
