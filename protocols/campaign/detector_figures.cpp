#include "protocols/campaign/detector_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

using calibration::SvgKind;
using calibration::SvgPlot;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

DetectorFigure unknown(const char* name, const char* unit, bool higher_is_better) {
  return {name, kUnknown, unit, {}, higher_is_better, "the data do not carry it"};
}

/// The operating point at so many false alarms a metre.
DetectorFigure found_at(const DetectorJudgement& d, const char* name, double per_m) {
  auto f = unknown(name, "", true);
  for (const auto& point : d.operating) {
    if (std::abs(point.allowed_per_m - per_m) > 1e-9 * per_m) continue;
    f.value = point.found.value;
    f.interval = point.found_over_phantoms ? point.found_over_phantoms->interval : point.found.interval;
    f.why.clear();
    for (const auto& w : point.warnings) f.why += (f.why.empty() ? "" : "; ") + w;
  }
  return f;
}

SvgPlot roc_plot(const DetectorJudgement& d) {
  SvgPlot plot{.title = "ROC", .x_label = "false positive rate", .y_label = "true positive rate"};
  SvgPlot::Series curve{.kind = SvgKind::kLine, .name = d.detector};
  for (const auto& p : d.roc_curve) curve.x.push_back(p.false_positive), curve.y.push_back(p.true_positive);
  plot.series.push_back(std::move(curve));
  plot.series.push_back({.x = {0, 1}, .y = {0, 1}, .kind = SvgKind::kLine, .name = "chance"});
  plot.x_from = plot.y_from = 0;
  plot.x_to = plot.y_to = 1;
  return plot;
}

SvgPlot froc_plot(const DetectorJudgement& d) {
  SvgPlot plot{.title = "FROC", .x_label = "false alarms per metre", .y_label = "targets found"};
  SvgPlot::Series curve{.kind = SvgKind::kSteps, .name = d.detector};
  for (const auto& p : d.froc_curve) curve.x.push_back(p.false_alarms_per_m), curve.y.push_back(p.found);
  plot.series.push_back(std::move(curve));
  plot.y_from = 0;
  plot.y_to = 1;
  return plot;
}

/// Limits and status by the suite; what is missed or undecided goes to `reasons`.
Metric metric_of(const DetectorFigure& f, const std::string& detector, const Suite& suite,
                 std::vector<ReportReason>& reasons) {
  Metric m{.name = f.name, .value = f.value, .unit = f.unit, .interval = f.interval, .words = f.why};
  for (const auto& rule : suite.accepts) {
    if (rule.detector != detector || rule.figure != f.name) continue;
    if (std::isfinite(rule.limits.low)) m.lower_limit = rule.limits.low;
    if (std::isfinite(rule.limits.high)) m.upper_limit = rule.limits.high;
    auto judged = m;
    if (!rule.by_interval) judged.interval = {};
    m.status = status_of(judged);
    const auto words = fmt::format("{}: {} is {:.4g}, {}", detector, f.name, f.value, name_of(m.status));
    if (m.status == MetricStatus::kMissed) reasons.push_back({Judgement::kFail, words});
    if (m.status == MetricStatus::kUndecided || m.status == MetricStatus::kUnknown)
      reasons.push_back({Judgement::kInvalid, words + (f.why.empty() ? "" : " (" + f.why + ")")});
  }
  return m;
}

ReportSection section_of(const DetectorJudgement& d, const Suite& suite, std::vector<ReportReason>& reasons) {
  ReportSection s{.name = d.detector};
  s.about = fmt::format("{} strokes ({:.2f} m) of {} phantoms in {} runs; {} targets, {} blank places, {} answers",
                        d.strokes, d.stroked_m, d.phantoms, d.runs, d.targets, d.blanks, d.marks);
  for (const auto& note : d.notes) s.about += "; " + note;
  std::vector<ReportReason> own;
  for (const auto& figure : figures_of(d)) s.metrics.push_back(metric_of(figure, d.detector, suite, own));
  // Where nothing was asked of it and nothing is held against it, there is no verdict.
  const bool asked = std::any_of(suite.accepts.begin(), suite.accepts.end(),
                                 [&](const AcceptRule& rule) { return rule.detector == d.detector; });
  if (asked || !d.accused.empty()) s.verdict = d.accused.empty() ? Judgement::kPass : Judgement::kFail;
  for (const auto& r : own) s.verdict = std::max(*s.verdict, r.weight);
  reasons.insert(reasons.end(), own.begin(), own.end());
  if (!d.roc_curve.empty()) s.plots.push_back(roc_plot(d));
  if (!d.froc_curve.empty()) s.plots.push_back(froc_plot(d));
  return s;
}

}  // namespace

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  for (const auto& f : figures_of({})) names.push_back(f.name);
  return names;
}

std::vector<DetectorFigure> figures_of(const DetectorJudgement& d) {
  std::vector<DetectorFigure> out;
  out.push_back(unknown("auc", "", true));
  if (d.roc) {
    out.back() = {"auc", d.roc->auc, "", d.roc->interval, true, ""};
    if (d.auc_bootstrap.interval.known()) out.back().interval = d.auc_bootstrap.interval;
  }
  out.push_back(unknown("average_precision", "", true));
  if (d.precision_recall) out.back() = {"average_precision", d.precision_recall->average_precision, "", {}, true, ""};
  out.push_back(unknown("wafroc", "", true));
  if (d.wafroc) out.back() = {"wafroc", d.wafroc->theta, "", d.wafroc->interval, true, ""};
  out.push_back(found_at(d, "found_at_0.1_per_m", 0.1));
  out.push_back(found_at(d, "found_at_1_per_m", 1));
  out.push_back(found_at(d, "found_at_10_per_m", 10));
  out.push_back(unknown("localisation_median_mm", "mm", false));
  if (d.localisation_mm)
    out.back() = {
        "localisation_median_mm", d.localisation_mm->median.value, "mm", d.localisation_mm->median.interval, false, ""};
  out.push_back(unknown("reaction_p95_s", "s", false));
  if (d.reaction && d.reaction->count > 0) out.back() = {"reaction_p95_s", d.reaction->p95_s, "s", {}, false, ""};
  out.push_back(unknown("size_a90_95_mm", "mm", false));
  if (d.pod_size) out.back() = {"size_a90_95_mm", d.pod_size->a90_95, "mm", {}, false, ""};
  for (auto& f : out) {
    if (!std::isfinite(f.value)) f.interval = {};
    // An interval over phantoms need not hold the value itself where there are few.
    if (f.interval.known())
      f.interval.low = std::min(f.interval.low, f.value), f.interval.high = std::max(f.interval.high, f.value);
  }
  return out;
}

std::vector<BaselineMetric> baseline_metrics(const CourtJudgement& court) {
  std::vector<BaselineMetric> out;
  for (const auto& d : court.detectors) {
    for (const auto& f : figures_of(d)) {
      if (!std::isfinite(f.value)) continue;
      BaselineMetric m{.name = d.detector + "/" + f.name,
                       .value = f.value,
                       .interval = f.interval,
                       .higher_is_better = f.higher_is_better};
      if (!m.interval.known()) m.interval = {f.value, f.value, court.options.level};
      out.push_back(std::move(m));
    }
  }
  return out;
}

CourtParts court_parts(const CourtJudgement& court, const Suite& suite) {
  CourtParts parts;
  for (const auto& d : court.detectors) {
    parts.detectors.push_back(section_of(d, suite, parts.reasons));
    for (const auto& a : d.accused) {
      parts.flags.push_back({.name = std::string(name_of(a.of)), .who = d.detector, .evidence_words = a.evidence});
      parts.reasons.push_back({Judgement::kFail, fmt::format("{}: {}: {}", d.detector, name_of(a.of), a.evidence)});
    }
  }
  for (const auto& c : court.comparisons) {
    ReportSection s{.name = fmt::format("{} against {}", c.first, c.second)};
    s.about = c.why.empty() ? fmt::format("{} cases", c.cases) : c.why;
    s.metrics.push_back({.name = "difference of AUC, over phantoms",
                         .value = c.difference.value,
                         .unit = {},
                         .interval = c.difference.interval,
                         .words = c.difference.why});
    if (c.delong)
      s.metrics.push_back({.name = "DeLong's p, as if cases were independent", .value = c.delong->p, .unit = {}});
    parts.comparisons.push_back(std::move(s));
  }
  return parts;
}

}  // namespace strigil::protocols
