#include "protocols/detectors/cfar_detector.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::protocols {

CfarDetector::CfarDetector(CfarOptions options, std::string name)
    : options_(options),
      name_(std::move(name)),
      reach_(options.guard + options.training / 2),
      cells_(options.cell_mm),
      peaks_(static_cast<std::size_t>(std::lround(options.apart_mm / options.cell_mm)), options.threshold) {
  assert(options.cell_mm > 0 && options.training >= 2 && options.rank > 0 && options.rank <= 1);
}

void CfarDetector::begin(const StrokeStart& start, std::vector<Detection>&) {
  cells_.begin(start.direction);
  peaks_.reset();
  window_.clear();
  evaluated_ = 0;
  seen_ = false;
}

void CfarDetector::feed(std::span<const ContactSample>, std::span<const VibrationSample> vibration,
                        std::vector<Detection>& out) {
  for (const auto& s : vibration) {
    if (!std::isfinite(s.acceleration_m_s2)) continue;
    // Gravity and whatever else does not shake: a mean that fades within `settle_s`.
    if (!seen_) mean_m_s2_ = s.acceleration_m_s2;
    const double share = seen_ ? 1 - std::exp(-std::max(0.0, s.at_s - newest_s_) / options_.settle_s) : 0;
    mean_m_s2_ += share * (s.acceleration_m_s2 - mean_m_s2_);
    newest_s_ = s.at_s;
    seen_ = true;
    if (!(std::abs(s.speed_mm_s) >= options_.least_speed_mm_s)) continue;
    const double a = (s.acceleration_m_s2 - mean_m_s2_) / s.speed_mm_s;
    cells_.add(
        s.x_mm, s.at_s, a * a, [&](const Cell& c) { take(c, out); }, s.speed_mm_s);
  }
}

void CfarDetector::end(std::vector<Detection>& out) {
  cells_.finish([&](const Cell& c) { take(c, out); });
  while (evaluated_ < window_.size()) evaluate(evaluated_++, window_.back().closed_s, out);
  peaks_.finish(out);
}

void CfarDetector::take(const Cell& cell, std::vector<Detection>& out) {
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

void CfarDetector::evaluate(std::size_t centre, double known_s, std::vector<Detection>& out) {
  // At the ends of the stroke one side alone trains.
  const std::size_t from = centre > reach_ ? centre - reach_ : 0;
  const std::size_t to = std::min(window_.size(), centre + reach_ + 1);
  double fastest_mm_s = 0;
  for (std::size_t i = from; i < to; ++i) fastest_mm_s = std::max(fastest_mm_s, std::abs(window_[i].speed_mm_s));
  const auto steady = [&](const Cell& c) { return std::abs(c.speed_mm_s) >= kSteadyShare * fastest_mm_s; };
  std::vector<double> training;
  for (std::size_t i = from; i < to; ++i) {
    const std::size_t away = i > centre ? i - centre : centre - i;
    if (away > options_.guard && steady(window_[i])) training.push_back(window_[i].value);
  }
  double reference = 0;
  if (training.size() < options_.training / 2 || !steady(window_[centre])) {
    reference = 0;  // nothing to compare with: no statement
  } else if (options_.order_statistic) {
    const auto k =
        std::min(training.size() - 1, static_cast<std::size_t>(options_.rank * static_cast<double>(training.size())));
    std::nth_element(training.begin(), training.begin() + static_cast<std::ptrdiff_t>(k), training.end());
    reference = training[k];
  } else {
    for (const double v : training) reference += v / static_cast<double>(training.size());
  }
  const double ratio = reference > 0 ? window_[centre].value / reference : 0;
  peaks_.push({window_[centre].centre_mm, window_[centre].at_s, known_s, ratio}, out);
}

double ca_cfar_factor(std::size_t n, double p) {
  assert(n > 0 && p > 0 && p < 1);
  const auto m = static_cast<double>(n);
  return m * (std::pow(p, -1 / m) - 1);
}

double os_cfar_factor(std::size_t n, std::size_t k, double p) {
  assert(k >= 1 && k <= n && p > 0 && p < 1);
  const auto false_alarm = [&](double a) {
    double product = 1;
    for (std::size_t i = 0; i < k; ++i) product *= static_cast<double>(n - i) / (static_cast<double>(n - i) + a);
    return product;
  };
  double low = 0;
  double high = 1;
  while (false_alarm(high) > p) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (false_alarm(middle) > p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace strigil::protocols
