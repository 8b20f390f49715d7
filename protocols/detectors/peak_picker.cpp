#include "protocols/detectors/peak_picker.hpp"

#include <algorithm>

namespace strigil::protocols {

void PeakPicker::reset() {
  window_.clear();
  judged_ = 0;
}

void PeakPicker::push(const StatisticAt& next, std::vector<Detection>& out) {
  window_.push_back(next);
  if (window_.size() > judged_ + radius_) judge(judged_++, next.known_s, out);
  if (judged_ > radius_) {
    window_.pop_front();
    --judged_;
  }
}

void PeakPicker::finish(std::vector<Detection>& out) {
  while (judged_ < window_.size()) judge(judged_++, window_.back().known_s, out);
  reset();
}

void PeakPicker::judge(std::size_t at, double known_s, std::vector<Detection>& out) const {
  const auto& here = window_[at];
  if (!(here.value >= threshold_)) return;
  const std::size_t from = at > radius_ ? at - radius_ : 0;
  const std::size_t to = std::min(window_.size() - 1, at + radius_);
  for (std::size_t i = from; i <= to; ++i) {
    if (i < at ? window_[i].value >= here.value : window_[i].value > here.value) return;
  }
  out.push_back({here.position_mm, here.at_s, known_s, here.value});
}

}  // namespace strigil::protocols
