#include "protocols/detectors/cusum_detector.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::protocols {

CusumDetector::CusumDetector(CusumDetectorOptions options, std::string name)
    : options_(options), name_(std::move(name)), cells_(options.cell_mm) {
  assert(options.cell_mm > 0 && options.memory_mm > options.cell_mm && options.learn_mm >= options.cell_mm);
}

void CusumDetector::begin(const StrokeStart& start, std::vector<Detection>&) {
  cells_.begin(start.direction);
  seen_ = mean_ = square_ = g_ = highest_ = 0;
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
  close(last_s, out);
}

void CusumDetector::close(double known_s, std::vector<Detection>& out) {
  if (highest_ >= options_.threshold) {
    out.push_back({0.5 * (began_.centre_mm + peak_.centre_mm), 0.5 * (began_.at_s + peak_.at_s), known_s, highest_});
  }
  g_ = highest_ = 0;
}

void CusumDetector::take(const Cell& cell, std::vector<Detection>& out) {
  if (cell.after_gap) {
    close(cell.closed_s, out);
    seen_ = mean_ = square_ = 0;
  }
  const bool learning = seen_ * options_.cell_mm < options_.learn_mm;
  if (!learning) {
    const double spread = std::max(std::sqrt(square_), options_.noise_floor_N);
    const double step = (cell.value - mean_) / spread - options_.drift;
    if (g_ == 0 && step > 0) began_ = cell;
    g_ = std::max(0.0, g_ + step);
    if (g_ > highest_) {
      highest_ = g_;
      peak_ = cell;
    }
    const bool too_long = static_cast<double>(cell.index - began_.index) * options_.cell_mm > options_.longest_mm;
    if (highest_ > 0 && (g_ == 0 || too_long)) close(cell.closed_s, out);
  }
  // Plain means while few cells are known, then fading ones.
  seen_ += 1;
  const double share = std::max(1 / seen_, options_.cell_mm / options_.memory_mm);
  const double d = cell.value - mean_;
  mean_ += share * d;
  square_ = (1 - share) * (square_ + share * d * d);
}

}  // namespace strigil::protocols
