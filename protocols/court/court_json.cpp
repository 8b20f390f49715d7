#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/court/court.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::ordered_json;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json of(const Interval& i) {
  if (!i.known()) return nullptr;
  return {{"low", number(i.low)}, {"high", number(i.high)}, {"level", number(i.level)}};
}
Json of(const BootstrapInterval& b) {
  Json out{{"value", number(b.value)}, {"interval", of(b.interval)}, {"phantoms", b.phantoms}};
  if (!b.warnings.empty()) out["warnings"] = b.warnings;
  return out;
}
Json of(const CourtFigure& f) {
  Json out{{"value", number(f.value)}, {"interval", of(f.interval)}};
  if (!f.why.empty()) out["why"] = f.why;
  return out;
}
Json of(const Proportion& p) {
  return {{"hits", p.hits}, {"trials", p.trials}, {"value", number(p.value)}, {"interval", of(p.interval)}};
}
Json of(const RocArea& a) {
  return {{"auc", number(a.auc)},
          {"variance", number(a.variance)},
          {"interval", of(a.interval)},
          {"targets", a.targets},
          {"others", a.others}};
}
Json of(const OperatingPoint& p) {
  Json out{{"allowed_per_m", number(p.allowed_per_m)},
           {"threshold", number(p.threshold)},
           {"found", of(p.found)},
           {"false_alarms_per_m", number(p.false_alarms.value)},
           {"false_alarms_interval", of(p.false_alarms.interval)},
           {"found_over_phantoms", nullptr}};
  if (p.found_over_phantoms) out["found_over_phantoms"] = of(*p.found_over_phantoms);
  if (!p.warnings.empty()) out["warnings"] = p.warnings;
  return out;
}
Json of(const SpreadOfErrors& s) {
  return {
      {"count", s.count}, {"median_mm", of(s.median)}, {"p95_mm", of(s.p95)}, {"mean_signed_mm", of(s.mean_signed)}};
}
Json of(const Reaction& r) {
  return {{"count", r.count},
          {"unknown", r.unknown},
          {"median_s", number(r.median_s)},
          {"p95_s", number(r.p95_s)},
          {"latest_s", number(r.latest_s)},
          {"earliest_s", number(r.earliest_s)},
          {"before_entering", r.before_the_data},
          {"in_time", of(r.in_time)}};
}
Json of(const PodFit& p) {
  Json out{
      {"a50", number(p.a50)}, {"a90", number(p.a90)}, {"a90_95", number(p.a90_95)}, {"bound", name_of(p.options.bound)},
      {"rows", p.rows},       {"hits", p.hits},       {"targets", p.targets},       {"excluded", p.excluded.size()}};
  if (!p.warnings.empty()) out["warnings"] = p.warnings;
  return out;
}
Json of(const PsychometricFit& p) {
  return {{"threshold_ln_contrast", number(p.threshold)},
          {"threshold_contrast", number(std::exp(p.threshold))},
          {"threshold_interval_ln_contrast", of(p.threshold_interval)},
          {"slope", number(p.slope)},
          {"lapse", number(p.lapse)},
          {"deviance_p", number(p.deviance_p)}};
}
Json of(const Reliability& r) {
  Json bins = Json::array();
  for (const auto& b : r.bins)
    bins.push_back({{"mean_probability", number(b.mean_probability)}, {"observed", of(b.observed)}});
  return {{"brier", number(r.brier)},
          {"brier_skill", number(r.brier_skill)},
          {"log_loss", number(r.log_loss)},
          {"expected_calibration_error", number(r.expected_calibration_error)},
          {"bins", bins}};
}
template <typename T>
Json of(const std::optional<T>& v) {
  return v ? of(*v) : Json(nullptr);
}

Json curves(const DetectorJudgement& j) {
  Json roc = Json::array();
  for (const auto& p : j.roc_curve)
    roc.push_back({number(p.threshold), number(p.false_positive), number(p.true_positive)});
  Json froc = Json::array();
  for (const auto& p : j.froc_curve)
    froc.push_back({number(p.threshold), number(p.false_alarms_per_m), number(p.found)});
  Json pr = Json::array();
  if (j.precision_recall) {
    for (const auto& p : j.precision_recall->curve)
      pr.push_back({number(p.threshold), number(p.recall), number(p.precision)});
  }
  return {{"roc", {{"columns", {"threshold", "false_positive", "true_positive"}}, {"rows", roc}}},
          {"froc", {{"columns", {"threshold", "false_alarms_per_m", "found"}}, {"rows", froc}}},
          {"precision_recall", {{"columns", {"threshold", "recall", "precision"}}, {"rows", pr}}}};
}

Json of(const DetectorJudgement& j) {
  Json operating = Json::array();
  for (const auto& p : j.operating) operating.push_back(of(p));
  Json levels = Json::array();
  for (const auto& l : j.contrast_levels)
    levels.push_back({{"contrast", number(l.x)}, {"found", l.correct}, {"of", l.trials}});
  Json blanks = Json::array();
  for (const auto& b : j.on_blanks) {
    Json one{{"against", b.against}, {"area", of(b.area)}};
    if (!b.why.empty()) one["why"] = b.why;
    blanks.push_back(one);
  }
  Json accused = Json::array();
  for (const auto& a : j.accused) accused.push_back({{"of", name_of(a.of)}, {"evidence", a.evidence}});
  Json pr = nullptr;
  if (j.precision_recall) {
    pr = {{"average_precision", number(j.precision_recall->average_precision)},
          {"interpolated_area", number(j.precision_recall->interpolated_area)},
          {"chance", number(j.precision_recall->chance)}};
  }
  Json wafroc = nullptr;
  if (j.wafroc) wafroc = {{"theta", number(j.wafroc->theta)}, {"interval", of(j.wafroc->interval)}};
  return {{"detector", j.detector},
          {"runs", j.runs},
          {"phantoms", j.phantoms},
          {"strokes", j.strokes},
          {"targets", j.targets},
          {"blanks", j.blanks},
          {"stroked_m", number(j.stroked_m)},
          {"marks", j.marks},
          {"accused", accused},
          {"roc", of(j.roc)},
          {"auc_over_phantoms", of(j.auc_bootstrap)},
          {"precision_recall", pr},
          {"wafroc", wafroc},
          {"operating", operating},
          {"localisation", of(j.localisation_mm)},
          {"reaction", of(j.reaction)},
          {"pod_size_mm", of(j.pod_size)},
          {"pod_contrast", of(j.pod_contrast)},
          {"contrast_levels", levels},
          {"psychometric_contrast", of(j.psychometric_contrast)},
          {"calibration", of(j.calibration)},
          {"on_blanks", blanks},
          {"curves", curves(j)},
          {"notes", j.notes}};
}

Json of(const CourtComparison& c) {
  Json delong = nullptr;
  if (c.delong) {
    delong = {{"difference", number(c.delong->difference)},
              {"z", number(c.delong->z)},
              {"p", number(c.delong->p)},
              {"interval", of(c.delong->interval)}};
  }
  Json out{{"first", c.first},
           {"second", c.second},
           {"cases", c.cases},
           {"difference_of_auc", of(c.difference)},
           {"delong_as_if_independent", delong}};
  if (!c.why.empty()) out["why"] = c.why;
  return out;
}

}  // namespace

std::string to_json(const CourtJudgement& judgement) {
  Json detectors = Json::array();
  for (const auto& d : judgement.detectors) detectors.push_back(of(d));
  Json comparisons = Json::array();
  for (const auto& c : judgement.comparisons) comparisons.push_back(of(c));
  const auto& o = judgement.options;
  return daq::json_text(Json{{"format", "strigil-court"},
                             {"format_version", "1.0"},
                             {"options",
                              {{"tolerance_mm", number(o.matching.tolerance_mm)},
                               {"duplicates_are_false_alarms", o.matching.duplicates_are_false_alarms},
                               {"deadline_s", number(o.deadline_s)},
                               {"level", number(o.level)},
                               {"blank_level", number(o.blank_level)},
                               {"blanks_of_target", o.blanks_of_target},
                               {"resamples", o.bootstrap.resamples},
                               {"seed", o.bootstrap.seed}}},
                             {"detectors", detectors},
                             {"comparisons", comparisons},
                             {"notes", judgement.notes}},
                        1);
}

}  // namespace strigil::protocols
