#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/report/court_report_files.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::ordered_json;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json number(const std::optional<double>& v) { return v ? number(*v) : Json(nullptr); }
Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double v : values) out.push_back(number(v));
  return out;
}
Json evidence_index(std::size_t index) { return index == kNoEvidence ? Json(nullptr) : Json(index); }
/// A bound may be infinite, which JSON has no number for.
Json bound(double v) { return std::isinf(v) ? Json(v > 0 ? "+inf" : "-inf") : number(v); }
Json interval_json(const Interval& i) {
  if (!i.known()) return nullptr;
  return {{"low", bound(i.low)}, {"high", bound(i.high)}, {"level", i.level}};
}

template <typename Items, typename Convert>
Json list(const Items& items, Convert&& convert) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(convert(item));
  return out;
}

Json metric_json(const Metric& m) {
  return {{"name", m.name},
          {"value", bound(m.value)},
          {"unit", m.unit},
          {"interval", interval_json(m.interval)},
          {"lower_limit", number(m.lower_limit)},
          {"upper_limit", number(m.upper_limit)},
          {"marginal", m.marginal},
          {"status", name_of(m.status)},
          {"words", m.words},
          {"evidence", evidence_index(m.evidence)}};
}

const char* kind_name(calibration::SvgKind kind) {
  constexpr const char* kNames[] = {"points", "line", "steps", "bars"};
  return kNames[static_cast<std::size_t>(kind)];
}

Json plot_json(const calibration::SvgPlot& p) {
  Json out{{"title", p.title}, {"x", p.x_label}, {"y", p.y_label}};
  out["series"] = list(p.series, [](const auto& s) {
    Json series{{"name", s.name}, {"kind", kind_name(s.kind)}, {"x", numbers(s.x)}, {"y", numbers(s.y)}};
    if (!s.low.empty()) series["low"] = numbers(s.low);
    if (!s.high.empty()) series["high"] = numbers(s.high);
    return series;
  });
  out["marks"] = list(p.marks, [](const auto& m) {
    return Json{{"at", number(m.at)}, {"on", m.vertical ? "x" : "y"}, {"label", m.label}};
  });
  return out;
}

Json section_json(const ReportSection& s) {
  return {{"name", s.name},
          {"about", s.about},
          {"verdict", s.verdict ? Json(name_of(*s.verdict)) : Json(nullptr)},
          {"metrics", list(s.metrics, metric_json)},
          {"plots", list(s.plots, plot_json)}};
}

Json trial_json(const TrialReport& t) {
  Json factors = Json::object();
  for (const auto& [factor, level] : t.factors) factors[factor] = level;
  return {{"id", t.id},
          {"group", t.group},
          {"factors", factors},
          {"state", name_of(t.state)},
          {"verdict", t.state == TrialState::kLeft ? Json(nullptr) : Json(name_of(t.verdict))},
          {"reasons", t.reasons},
          {"run", t.run},
          {"run_sha256", t.run_sha256},
          {"attempts", t.attempts},
          {"duration_s", number(t.duration_s)},
          {"measures", list(t.measures, metric_json)},
          {"evidence", evidence_index(t.evidence)}};
}

Json evidence_json(const EvidenceSet& e) {
  return {{"name", e.name}, {"ranges", list(e.ranges, [](const SampleRange& r) {
                               return Json{{"run", r.run},     {"stream", r.stream}, {"channel", r.channel},
                                           {"first", r.first}, {"last", r.last},     {"what", r.what}};
                             })}};
}

Json baseline_json(const CourtReport& report) {
  if (!report.baseline) return nullptr;
  return {{"origin", report.baseline_origin},
          {"failed", report.baseline->failed},
          {"changes", list(report.baseline->changes, [](const MetricChange& c) {
             return Json{{"name", c.name},
                         {"before", number(c.before)},
                         {"now", number(c.now)},
                         {"difference", number(c.difference)},
                         {"interval", interval_json(c.interval)},
                         {"change", name_of(c.change)},
                         {"words", c.words}};
           })}};
}

}  // namespace

std::string to_json(const CourtReport& report) {
  const auto counts = count_trials(report);
  Json out{
      {"format", "strigil-court-report"},  {"version", 1},          {"title", report.title}, {"suite", report.suite},
      {"software", report.software},       {"began", report.began}, {"ended", report.ended}, {"seed", report.seed},
      {"verdict", name_of(report.verdict)}};
  out["reasons"] = list(report.reasons, [](const ReportReason& r) {
    return Json{{"weight", name_of(r.weight)}, {"text", r.text}, {"evidence", evidence_index(r.evidence)}};
  });
  out["counts"] = {{"planned", counts.planned}, {"done", counts.done},       {"passed", counts.passed},
                   {"failed", counts.failed},   {"invalid", counts.invalid}, {"left", counts.left}};
  out["trials"] = list(report.trials, trial_json);
  out["detectors"] = list(report.detectors, section_json);
  out["comparisons"] = list(report.comparisons, section_json);
  out["studies"] = list(report.studies, section_json);
  out["flags"] = list(report.flags, [](const Flag& f) {
    return Json{{"name", f.name},
                {"who", f.who},
                {"words", f.evidence_words},
                {"weight", name_of(f.weight)},
                {"evidence", evidence_index(f.evidence)}};
  });
  out["baseline"] = baseline_json(report);
  out["plots"] = list(report.plots, plot_json);
  out["evidence"] = list(report.evidence, evidence_json);
  return daq::json_text(out, 1) + '\n';
}

}  // namespace strigil::protocols
