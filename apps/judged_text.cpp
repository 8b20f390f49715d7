#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/detector_commands.hpp"
#include "daq/json_text.hpp"
#include "protocols/court/court.hpp"

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const protocols::StrokeHearing& h) {
  auto detections = Json::array();
  for (const auto& d : h.detections)
    detections.push_back({{"x_mm", d.position_mm}, {"at_s", d.at_s}, {"answered_s", d.answered_s}, {"score", d.score}});
  return {{"detector", h.detector},
          {"step", h.planned.step},
          {"began_ns", h.began.ns},
          {"direction", h.direction},
          {"before_the_data", h.before_the_data},
          {"asked_for_truth", h.asked_for_truth},
          {"detections", detections}};
}

std::string figure(const std::string& name, double value, const protocols::Interval& interval) {
  return fmt::format("  {}: {:.3f}{}\n", name, value,
                     interval.known() ? fmt::format(" ({:.3f} to {:.3f} at {:.0f} %)", interval.low, interval.high,
                                                    100 * interval.level)
                                      : std::string());
}

std::string text_of(const protocols::DetectorJudgement& d) {
  std::string out = fmt::format("{}: {} strokes over {} targets on {} phantom{}, {:.2f} m, {} marks\n", d.detector,
                                d.strokes, d.targets, d.phantoms, d.phantoms == 1 ? "" : "s", d.stroked_m, d.marks);
  if (d.roc) out += figure("AUC", d.roc->auc, d.roc->interval);
  if (d.localisation_mm) {
    out += fmt::format("  median error: {:.2f} mm\n", d.localisation_mm->median.value);
  }
  if (d.reaction) {
    out += fmt::format("  reaction: median {:.3f} s, in time {} of {}\n", d.reaction->median_s,
                       d.reaction->in_time.hits, d.reaction->in_time.trials);
  }
  for (const auto& a : d.accused) out += fmt::format("  ACCUSED, {}: {}\n", name_of(a.of), a.evidence);
  for (const auto& n : d.notes) out += fmt::format("  note: {}\n", n);
  return out;
}

}  // namespace

daq::Result<JudgedText> judged_text(const std::vector<RemoteHearing>& heard, double reaction_deadline_s) {
  JudgedText out;
  Json json;
  protocols::CourtOptions options;
  options.deadline_s = reaction_deadline_s;
  std::vector<protocols::CourtRun> runs;
  json["hearings"] = Json::array();
  json["findings"] = Json::array();
  json["lag"] = Json::array();
  for (const auto& h : heard) {
    auto strokes = Json::array();
    for (const auto& s : h.heard.strokes) strokes.push_back(json_of(s.hearing));
    json["hearings"].push_back({{"run", h.heard.run_id}, {"strokes", strokes}});
    for (const auto& f : h.desk.findings) {
      json["findings"].push_back(
          {{"run", h.heard.run_id}, {"detector", h.desk.detector}, {"of", name_of(f.of)}, {"words", f.words}});
      out.text += fmt::format("FOUND, '{}' {}: {}\n", h.desk.detector, in_a_sentence(f.of), f.words);
      out.clean = false;
    }
    if (h.desk.lag.answers > 0) {
      json["lag"].push_back({{"run", h.heard.run_id},
                             {"detector", h.desk.detector},
                             {"answers", h.desk.lag.answers},
                             {"median_s", h.desk.lag.median_s},
                             {"p95_s", h.desk.lag.p95_s},
                             {"latest_s", h.desk.lag.latest_s}});
    }
    runs.push_back({h.heard, {}, {}, h.heard.in_air ? protocols::RunGround::kAir : protocols::RunGround::kTissue});
  }
  const auto judgement = protocols::judge_detectors(runs, options);
  if (judgement) {
    json["judgement"] = daq::parse_ordered_json(protocols::to_json(*judgement));
    for (const auto& d : judgement->detectors) {
      out.text += text_of(d);
      out.clean = out.clean && d.accused.empty();
    }
  } else {
    json["judgement"] = nullptr;
    json["no_judgement"] = judgement.error().message;
    out.text += fmt::format("no judgement: {}\n", judgement.error().message);
  }
  out.json = json.dump(1, ' ', true, Json::error_handler_t::replace);
  return out;
}

}  // namespace strigil::apps
