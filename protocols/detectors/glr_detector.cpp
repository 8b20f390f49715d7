#include "protocols/detectors/glr_detector.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace strigil::protocols {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Takes from `v` what lies along the unit vectors of `basis`, twice (rounding), and makes it a unit vector.
void orthonormalise(std::vector<double>& v, const std::vector<std::vector<double>>& basis) {
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto& b : basis) {
      const double along = dot(v, b);
      for (std::size_t i = 0; i < v.size(); ++i) v[i] -= along * b[i];
    }
  }
  const double length = std::sqrt(dot(v, v));
  for (double& x : v) x /= length;
}

}  // namespace

GlrDetector::GlrDetector(GlrOptions options, std::string name)
    : options_(std::move(options)),
      name_(std::move(name)),
      cells_(options_.cell_mm),
      peaks_(static_cast<std::size_t>(std::lround(options_.apart_mm / options_.cell_mm)), options_.threshold) {
  assert(!options_.widths_mm.empty() && options_.cell_mm > 0 && options_.baseline_degree <= 3);
  for (const double width : options_.widths_mm) {
    assert(width >= 4 * options_.cell_mm);
    Template t;
    t.half = static_cast<std::size_t>(std::ceil(1.5 * width / options_.cell_mm));
    const std::size_t n = 2 * t.half + 1;
    for (std::size_t degree = 0; degree <= options_.baseline_degree; ++degree) {
      std::vector<double> v;
      for (std::size_t i = 0; i < n; ++i) {
        const double u = (static_cast<double>(i) - static_cast<double>(t.half)) / static_cast<double>(t.half);
        v.push_back(std::pow(u, static_cast<double>(degree)));
      }
      orthonormalise(v, t.baseline);
      t.baseline.push_back(std::move(v));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double u = (static_cast<double>(i) - static_cast<double>(t.half)) * options_.cell_mm / width;
      t.shape.push_back(std::abs(u) < 0.5 ? 0.5 * (1 + std::cos(2 * M_PI * u)) : 0);
    }
    orthonormalise(t.shape, t.baseline);
    reach_ = std::max(reach_, t.half);
    bank_.push_back(std::move(t));
  }
}

void GlrDetector::begin(const StrokeStart& start, std::vector<Detection>&) {
  cells_.begin(start.direction);
  peaks_.reset();
  window_.clear();
  evaluated_ = 0;
}

void GlrDetector::feed(std::span<const ContactSample> contact, std::span<const VibrationSample>,
                       std::vector<Detection>& out) {
  for (const auto& s : contact) {
    cells_.add(s.x_mm, s.at_s, stiffness_signal(s, options_.stiffness_N_mm), [&](const Cell& c) { take(c, out); });
  }
}

void GlrDetector::end(std::vector<Detection>& out) {
  cells_.finish([&](const Cell& c) { take(c, out); });
  while (evaluated_ < window_.size()) evaluate(evaluated_++, window_.back().closed_s, out);
  peaks_.finish(out);
}

void GlrDetector::take(const Cell& cell, std::vector<Detection>& out) {
  if (cell.after_gap) {
    while (evaluated_ < window_.size()) evaluate(evaluated_++, cell.closed_s, out);
    peaks_.finish(out);
    window_.clear();
    evaluated_ = 0;
  }
  window_.push_back(cell);
  if (window_.size() > evaluated_ + reach_) evaluate(evaluated_++, cell.closed_s, out);
  if (evaluated_ > reach_) {
    window_.pop_front();
    --evaluated_;
  }
}

void GlrDetector::evaluate(std::size_t centre, double known_s, std::vector<Detection>& out) {
  double best = 0;
  for (const auto& t : bank_) {
    // Near the ends of the stroke the wider windows do not fit.
    if (centre >= t.half && centre + t.half < window_.size()) best = std::max(best, statistic(t, centre));
  }
  peaks_.push({window_[centre].centre_mm, window_[centre].at_s, known_s, best}, out);
}

double GlrDetector::statistic(const Template& t, std::size_t centre) const {
  const std::size_t n = t.shape.size();
  const double level = window_[centre].value;  // taken off: sums of squares of what is left are small
  double all = 0;
  double along = 0;
  std::array<double, 4> baseline{};
  for (std::size_t i = 0; i < n; ++i) {
    const double v = window_[centre - t.half + i].value - level;
    all += v * v;
    along += v * t.shape[i];
    for (std::size_t k = 0; k < t.baseline.size(); ++k) baseline[k] += v * t.baseline[k][i];
  }
  double rest = all - along * along;
  for (const double b : baseline) rest -= b * b;
  const double dof = static_cast<double>(n - t.baseline.size() - 1);
  return along / std::sqrt(std::max(rest / dof, options_.noise_floor_N * options_.noise_floor_N));
}

}  // namespace strigil::protocols
