#include "apps/told_detections.hpp"

#include <algorithm>

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kAtOnce = 250;  // rows of at most 250 bytes: an answer has 65536

}  // namespace

ToldDetections::ToldDetections(std::vector<const DetectorSeat*> seats, const protocols::Plan& plan)
    : seats_(std::move(seats)) {
  constexpr double kMilli = 1e3;
  double y_mm = 0;
  for (const auto& step : plan.steps) {
    if (step.kind == protocols::StepKind::kGoTo) y_mm = step.target_m[rig::kY] * kMilli;
    y_mm_.push_back(y_mm);
  }
}

std::vector<ToldDetection> ToldDetections::look() {
  std::vector<ToldDetection> out;
  seen_.resize(seats_.size());
  for (std::size_t s = 0; s < seats_.size(); ++s) {
    for (const auto& [stroke, told] : seats_[s]->desk().told()) {
      auto& seen = seen_[s][stroke];
      if (seen == told.detections.size() || !others_are_done(s, stroke)) continue;
      for (; seen < told.detections.size(); ++seen) {
        if (told_ >= kMost) {
          ++left_out_;
          continue;
        }
        const auto& d = told.detections[seen];
        const double y_mm = stroke.step < y_mm_.size() ? y_mm_[stroke.step] : 0;
        out.push_back({s, stroke.step, d.position_mm, y_mm, d.at_s, d.answered_s, d.score});
        ++told_;
      }
    }
  }
  return out;
}

bool ToldDetections::others_are_done(std::size_t seat, const protocols::StrokeId& stroke) const {
  for (std::size_t s = 0; s < seats_.size(); ++s) {
    if (s == seat || !seats_[s]->listening()) continue;
    const auto& told = seats_[s]->desk().told();
    const auto found = told.find(stroke);
    if (found == told.end() || !found->second.done) return false;
  }
  return true;
}

std::vector<ToldDetector> ToldDetections::detectors() const {
  std::vector<ToldDetector> out;
  for (const auto* seat : seats_) out.push_back({seat->desk().name(), seat->desk().version(), seat->listening()});
  return out;
}

Json detectors_json(std::span<DetectorSeat* const> seats) {
  Json out = Json::array();
  for (const auto* seat : seats) {
    Json strokes = Json::array();
    std::size_t kept = 0;
    std::size_t left_out = 0;
    for (const auto& [stroke, told] : seat->desk().told()) {
      Json detections = Json::array();
      for (const auto& d : told.detections) {
        if (kept >= ToldDetections::kMost) {
          ++left_out;
          continue;
        }
        detections.push_back(
            {{"x_mm", d.position_mm}, {"at_s", d.at_s}, {"known_s", d.answered_s}, {"score", d.score}});
        ++kept;
      }
      strokes.push_back({{"step", stroke.step},
                         {"began_ns", stroke.began_ns},
                         {"done", told.done.has_value()},
                         {"detections", std::move(detections)}});
    }
    out.push_back({{"name", seat->desk().name()},
                   {"version", seat->desk().version()},
                   {"strokes", std::move(strokes)},
                   {"left_out", left_out}});
  }
  return out;
}

Json detections_json(const std::vector<ToldDetector>& detectors, const std::vector<ToldDetection>& told,
                     std::size_t from, std::size_t left_out) {
  Json j;
  j["detectors"] = Json::array();
  for (const auto& d : detectors)
    j["detectors"].push_back({{"name", d.name}, {"version", d.version}, {"listening", d.listening}});
  j["count"] = told.size();
  j["from"] = std::min(from, told.size());
  j["detections"] = Json::array();
  for (std::size_t i = from; i < std::min(told.size(), from + kAtOnce); ++i) {
    const auto& d = told[i];
    j["detections"].push_back({{"detector", d.detector},
                               {"step", d.step},
                               {"x_mm", d.x_mm},
                               {"y_mm", d.y_mm},
                               {"at_s", d.at_s},
                               {"known_s", d.known_s},
                               {"score", d.score}});
  }
  j["left_out"] = left_out;
  return j;
}

}  // namespace strigil::apps
