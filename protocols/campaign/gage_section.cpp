#include "protocols/campaign/gage_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace strigil::protocols {
namespace {

using calibration::SvgKind;
using calibration::SvgPlot;

void add_line(const char* source, const AnovaLine& line, ReportSection& s) {
  const bool tested = std::isfinite(line.f);
  auto words = fmt::format("sum of squares {:.6g}, {:g} degrees of freedom, mean square {:.6g}", line.sum_of_squares,
                           line.dof, line.mean_square);
  if (tested) words += fmt::format(", p = {:.3g}", line.p);
  s.metrics.push_back({.name = fmt::format("ANOVA, {}{}", source, tested ? ", F" : ", mean square"),
                       .value = tested ? line.f : line.mean_square,
                       .unit = {},
                       .words = words});
}

void add_component(const char* name, const GageLine& line, const Interval& interval, ReportSection& s) {
  auto words =
      fmt::format("variance {:.6g}, {:.2f} % of the total variance", line.component.variance, line.contribution_pct);
  if (line.component.clamped) words += ", which came out below 0 and is taken as 0";
  if (line.tolerance_pct) words += fmt::format(", {:.1f} % of the tolerance", *line.tolerance_pct);
  s.metrics.push_back({.name = name, .value = line.study_pct, .unit = "%", .interval = interval, .words = words});
}

/// Readings by part, each appraiser a series; the mean of each cell as a line.
SvgPlot readings_plot(const GageRule& rule, std::span<const GageReading> readings) {
  SvgPlot plot{.title = "Readings", .x_label = rule.part + ", in the order of their names", .y_label = rule.measure};
  std::map<std::string, double> places;
  for (const auto& r : readings) places.emplace(r.part, 0);
  double next = 1;
  for (auto& [part, place] : places) place = next++;
  std::map<std::string, SvgPlot::Series> points;
  for (const auto& r : readings) {
    auto& series = points[r.appraiser];
    series.name = r.appraiser;
    series.x.push_back(places[r.part]);
    series.y.push_back(r.value);
  }
  for (auto& [appraiser, series] : points) plot.series.push_back(std::move(series));
  plot.x_from = 0.5;
  plot.x_to = next - 0.5;
  return plot;
}

}  // namespace

std::vector<GageReading> gage_readings(const Suite& suite, const std::vector<Trial>& trials,
                                       std::span<const std::optional<double>> values) {
  const auto& rule = *suite.gage;
  using Cell = std::pair<std::string, std::string>;
  std::map<Cell, std::vector<double>> cells;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    auto& cell = cells[{text_of(*level_of(suite.design, trials[i], rule.part)),
                        text_of(*level_of(suite.design, trials[i], rule.appraiser))}];
    if (i < values.size() && values[i]) cell.push_back(*values[i]);
  }
  std::size_t fewest = trials.size();
  for (const auto& [cell, of] : cells) fewest = std::min(fewest, of.size());
  std::vector<GageReading> out;
  for (const auto& [cell, of] : cells) {
    for (std::size_t k = 0; k < fewest; ++k) out.push_back({cell.first, cell.second, of[k]});
  }
  return out;
}

ReportSection gage_section(const GageRule& rule, const GageStudy& study, std::span<const GageReading> readings,
                           std::size_t evidence) {
  ReportSection s{.name = "gage R&R of " + rule.measure};
  s.about = fmt::format("{} parts ({}), {} appraisers ({}), {} readings of each; by ANOVA{}: {}, {}", study.parts,
                        rule.part, study.appraisers, rule.appraiser, study.trials,
                        study.pooled ? ", interaction pooled" : "", name_of(study.verdict),
                        study.decided ? "for certain" : "not for certain: the interval reaches into another class");
  for (const auto& w : study.warnings) s.about += "; " + w;
  s.verdict = study.verdict == GageVerdict::kReject ? Judgement::kFail : Judgement::kPass;
  add_component("GRR of total variation", study.gage, study.gage_study_pct, s);
  add_component("repeatability", study.equipment, {}, s);
  add_component("appraisers", study.appraisers_variation, {}, s);
  if (study.interaction_variation.component.estimable) add_component("interaction", study.interaction_variation, {}, s);
  add_component("parts", study.parts_variation, {}, s);
  s.metrics.push_back({.name = "distinct categories",
                       .value = static_cast<double>(study.ndc),
                       .unit = {},
                       .words = fmt::format("1.41 parts / GRR = {:.2f}", study.ndc_unrounded)});
  add_line("part", study.part, s);
  if (study.appraisers > 1) {
    add_line("appraiser", study.appraiser, s);
    add_line("part x appraiser", study.interaction, s);
  }
  add_line("repeatability", study.repeatability, s);
  for (auto& m : s.metrics) m.evidence = evidence;
  s.plots.push_back(readings_plot(rule, readings));
  return s;
}

}  // namespace strigil::protocols
