#include "protocols/detectors/fusion.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::protocols {

std::vector<Detection> fuse(std::span<const std::vector<Detection>> strokes, const FusionOptions& options) {
  struct Mark {
    Detection detection;
    std::size_t stroke;
    bool used = false;
  };
  std::vector<Mark> marks;
  for (std::size_t s = 0; s < strokes.size(); ++s) {
    for (const auto& d : strokes[s]) marks.push_back({d, s});
  }
  // From the surest on: it gathers the best of every other stroke within reach.
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) {
    if (a.detection.score != b.detection.score) return a.detection.score > b.detection.score;
    if (a.detection.position_mm != b.detection.position_mm) return a.detection.position_mm < b.detection.position_mm;
    return a.stroke < b.stroke;
  });
  std::vector<Detection> out;
  std::vector<bool> has(strokes.size());
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].used) continue;
    std::fill(has.begin(), has.end(), false);
    Detection fused{0, marks[i].detection.at_s, marks[i].detection.answered_s, 0};
    double count = 0;
    for (std::size_t k = i; k < marks.size(); ++k) {
      auto& m = marks[k];
      if (m.used || std::abs(m.detection.position_mm - marks[i].detection.position_mm) > options.tolerance_mm) continue;
      m.used = true;
      if (has[m.stroke]) continue;  // its better one is in already
      has[m.stroke] = true;
      count += 1;
      fused.position_mm += m.detection.position_mm;
      fused.score += m.detection.score;
      fused.at_s = std::max(fused.at_s, m.detection.at_s);
      fused.answered_s = std::max(fused.answered_s, m.detection.answered_s);
    }
    if (count < static_cast<double>(options.least)) continue;
    fused.position_mm /= count;
    fused.score /= std::sqrt(static_cast<double>(strokes.size()));
    out.push_back(fused);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.position_mm < b.position_mm; });
  return out;
}

FusedDetector::FusedDetector(std::unique_ptr<Detector> inner, FusionOptions options)
    : inner_(std::move(inner)), options_(options) {}

void FusedDetector::begin(const StrokeStart& start, std::vector<Detection>&) {
  start_ = start;
  // A stroke that was broken off is done again under its number.
  if (start.number < strokes_.size()) strokes_.resize(start.number);
  strokes_.emplace_back();
  inner_->begin(start, strokes_.back());
}

void FusedDetector::feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
                         std::vector<Detection>&) {
  inner_->feed(contact, vibration, strokes_.back());
}

void FusedDetector::end(std::vector<Detection>& out) {
  inner_->end(strokes_.back());
  if (start_.number + 1 < start_.of) return;
  const auto fused = fuse(strokes_, options_);
  double now = -std::numeric_limits<double>::infinity();
  for (const auto& s : strokes_) {
    for (const auto& d : s) now = std::max(now, d.answered_s);
  }
  for (auto d : fused) {
    d.answered_s = now;
    out.push_back(d);
  }
  strokes_.clear();
}

}  // namespace strigil::protocols
