#include "protocols/detectors/cusum_detector.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::protocols {

CusumDetector::CusumDetector(CusumDetectorOptions options, std::string name)
    : options_(options),
      name_(std::move(name)),
      guard_(static_cast<std::size_t>(std::lround(options.guard_mm / options.cell_mm))),
      flank_(static_cast<std::size_t>(std::lround(options.flank_mm / options.cell_mm))),
      cells_(options.cell_mm) {
  assert(options.cell_mm > 0 && options.guard_mm >= 0 && flank_ >= 1 && options.memory_mm > options.cell_mm);
}

void CusumDetector::begin(const StrokeStart& start, std::vector<Detection>&) {
  cells_.begin(start.direction);
  window_.clear();
  seen_ = square_ = g_ = highest_ = 0;
}

void CusumDetector::feed(std::span<const ContactSample> contact, std::span<const VibrationSample>,
                         std::vector<Detection>& out) {
  for (const auto& s : contact) {
    cells_.add(s.x_mm, s.at_s, stiffness_signal(s, options_.stiffness_N_mm), [&](const Cell& c) { take(c, out); });
  }
}

void CusumDetector::end(std::vector<Detection>& out) {
  double last_s = 0;
  cells_.finish([&](const Cell& c) {
    take(c, out);
    last_s = c.closed_s;
  });
  restart(last_s, out);
}

void CusumDetector::restart(double known_s, std::vector<Detection>& out) {
  close(known_s, out);
  window_.clear();
  seen_ = square_ = 0;
}

void CusumDetector::close(double known_s, std::vector<Detection>& out) {
  if (highest_ >= options_.threshold) {
    out.push_back({0.5 * (began_.centre_mm + peak_.centre_mm), 0.5 * (began_.at_s + peak_.at_s), known_s, highest_});
  }
  g_ = highest_ = 0;
}

void CusumDetector::take(const Cell& cell, std::vector<Detection>& out) {
  if (cell.after_gap) restart(cell.closed_s, out);
  window_.push_back(cell);
  const std::size_t whole = 2 * (guard_ + flank_) + 1;
  if (window_.size() > whole) window_.pop_front();
  if (window_.size() < whole) return;
  double flanks = 0;
  for (std::size_t i = 0; i < flank_; ++i) flanks += window_[i].value + window_[whole - 1 - i].value;
  const auto& here = window_[guard_ + flank_];
  const double contrast = here.value - flanks / static_cast<double>(2 * flank_);

  // The spread is of what came before, and of this where nothing did.
  seen_ += 1;
  const double before = seen_ > 1 ? square_ : contrast * contrast;
  const double z = contrast / std::max(std::sqrt(before), options_.noise_floor_N);
  const double share = std::max(1 / seen_, options_.cell_mm / options_.memory_mm);
  square_ += share * (contrast * contrast - square_);

  const double step = z - options_.drift;
  if (g_ == 0 && step > 0) began_ = here;
  g_ = std::max(0.0, g_ + step);
  if (g_ > highest_) {
    highest_ = g_;
    peak_ = here;
  }
  const bool too_long = static_cast<double>(here.index - began_.index) * options_.cell_mm > options_.longest_mm;
  if (highest_ > 0 && (g_ == 0 || too_long)) close(cell.closed_s, out);
}

}  // namespace strigil::protocols
