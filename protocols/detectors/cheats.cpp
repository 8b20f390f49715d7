#include "protocols/detectors/cheats.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::protocols {

void ConstantAnswer::begin(const StrokeStart& start, std::vector<Detection>&) { cells_.begin(start.direction); }
void ConstantAnswer::feed(std::span<const ContactSample> contact, std::span<const VibrationSample>,
                          std::vector<Detection>& out) {
  for (const auto& s : contact) {
    cells_.add(s.x_mm, s.at_s, 1, [&](const Cell& c) { out.push_back({c.centre_mm, c.at_s, c.closed_s, 1}); });
  }
}
void ConstantAnswer::end(std::vector<Detection>& out) {
  cells_.finish([&](const Cell& c) { out.push_back({c.centre_mm, c.at_s, c.closed_s, 1}); });
}

void Clairvoyant::begin(const StrokeStart&, std::vector<Detection>& out) {
  // No sample has been seen: an answer with any time at all is a lie, and this one says so itself.
  for (const double x : places_mm_) out.push_back({x, 0, -std::numeric_limits<double>::infinity(), 1});
}
void Clairvoyant::feed(std::span<const ContactSample>, std::span<const VibrationSample>, std::vector<Detection>&) {}
void Clairvoyant::end(std::vector<Detection>&) {}

void TruthPeeker::begin(const StrokeStart& start, std::vector<Detection>&) {
  told_ = start.truth != nullptr ? start.truth->ask(name()) : std::vector<TruthTarget>{};
}
void TruthPeeker::feed(std::span<const ContactSample>, std::span<const VibrationSample>, std::vector<Detection>&) {}
void TruthPeeker::end(std::vector<Detection>& out) {
  for (const auto& t : told_) out.push_back({t.centre_mm(), t.entered_s, t.entered_s, 1});
}

void StageNoiseLearner::begin(const StrokeStart& start, std::vector<Detection>&) {
  direction_ = start.direction;
  std::sort(places_mm_.begin(), places_mm_.end(), [&](double a, double b) { return direction_ * a < direction_ * b; });
  next_ = 0;
  loudness_ = 0;
}
void StageNoiseLearner::feed(std::span<const ContactSample>, std::span<const VibrationSample> vibration,
                             std::vector<Detection>& out) {
  constexpr double kFading = 0.01;
  for (const auto& s : vibration) {
    loudness_ += kFading * (s.acceleration_m_s2 * s.acceleration_m_s2 - loudness_);
    while (next_ < places_mm_.size() && direction_ * s.x_mm >= direction_ * places_mm_[next_]) {
      out.push_back({places_mm_[next_++], s.at_s, s.at_s, 1 + loudness_});
    }
  }
}
void StageNoiseLearner::end(std::vector<Detection>&) {}

daq::Result<BlankCheck> check_on_blanks(const LabelledScores& scores, double level) {
  auto area = roc_area(scores, level);
  if (!area) return area.error();
  BlankCheck out{*area, false};
  out.works_on_nothing = out.area.interval.known() && out.area.interval.low > 0.5;
  return out;
}

}  // namespace strigil::protocols
