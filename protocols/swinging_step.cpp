#include "protocols/swinging_step.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kBesides_s = 10e-3;
/// RMS on one side against the other, from which it swings: noise alone differs by 1.3 in 64 samples once in 10^3.
constexpr double kRestless = 2;
constexpr std::array kBells_s{1.5e-3, 3e-3, 6e-3, 12e-3};
constexpr double kCut = 4;         // a bell ends here, in its own widths
constexpr double kSettled = 0.06;  // of the step: what the smoothed velocity may stray on both sides

/// Samples from `from_s` up to `to_s`.
std::pair<std::size_t, std::size_t> between(const TimeSeries& s, double from_s, double to_s) {
  const auto at = [&](double t) {
    return static_cast<std::size_t>(std::lower_bound(s.at_s.begin(), s.at_s.end(), t) - s.at_s.begin());
  };
  return {at(from_s), at(to_s)};
}

/// Weighted by a bell about `at_s`; NaN where there are no samples.
double smoothed(const TimeSeries& s, double at_s, double bell_s) {
  double sum = 0;
  double weights = 0;
  const auto [begin, end] = between(s, at_s - kCut * bell_s, at_s + kCut * bell_s);
  for (auto i = begin; i < end; ++i) {
    const double u = (s.at_s[i] - at_s) / bell_s;
    const double w = std::exp(-u * u / 2);
    sum += w * s.value[i];
    weights += w;
  }
  return weights > 0 ? sum / weights : kUnknown;
}

double rms_about(const TimeSeries& s, double rest, double from_s, double to_s) {
  const auto [begin, end] = between(s, from_s, to_s);
  double squares = 0;
  for (auto i = begin; i < end; ++i) squares += (s.value[i] - rest) * (s.value[i] - rest);
  return end > begin ? std::sqrt(squares / static_cast<double>(end - begin)) : kUnknown;
}

/// Where the smoothed velocity passes half of its step about `near_s`, if it is settled 4 to 6 bells off.
std::optional<VelocityStep> passes_half(const TimeSeries& v, double near_s, double bell_s) {
  const double low = smoothed(v, near_s - kCut * bell_s, bell_s);
  const double high = smoothed(v, near_s + kCut * bell_s, bell_s);
  const double change = high - low;
  if (!std::isfinite(change) || change == 0) return std::nullopt;
  for (const double off : {4.5, 5.0, 5.5, 6.0}) {
    const double before = smoothed(v, near_s - off * bell_s, bell_s);
    const double after = smoothed(v, near_s + off * bell_s, bell_s);
    if (!(std::abs(before - low) < kSettled * std::abs(change)) ||
        !(std::abs(after - high) < kSettled * std::abs(change)))
      return std::nullopt;
  }
  const double half = (low + high) / 2;
  double early_s = near_s - 2 * bell_s;
  double late_s = near_s + 2 * bell_s;
  const auto beyond = [&](double t) { return (smoothed(v, t, bell_s) - half) / change > 0; };
  if (beyond(early_s) || !beyond(late_s)) return std::nullopt;
  constexpr double kNear_s = 1e-7;
  while (late_s - early_s > kNear_s) {
    const double middle_s = (early_s + late_s) / 2;
    (beyond(middle_s) ? late_s : early_s) = middle_s;
  }
  return VelocityStep{(early_s + late_s) / 2, change};
}

}  // namespace

bool swings(const TimeSeries& a, const VelocityStep& step, double half_s, double rest) {
  const double before = rms_about(a, rest, step.at_s - half_s - kBesides_s, step.at_s - half_s);
  const double after = rms_about(a, rest, step.at_s + half_s, step.at_s + half_s + kBesides_s);
  return std::max(before, after) > kRestless * std::min(before, after);
}

VelocityStep swinging_step(const TimeSeries& a, double near_s, double search_s, double alone_s) {
  const double wide_s = kBells_s.back();
  const double reach_s = search_s + 2 * kCut * wide_s;
  const auto [begin, end] = between(a, near_s - reach_s, near_s + reach_s);
  if (end - begin < 16) return {kUnknown, 0};
  // Rest: at both ends, where a bell takes the ringing out.
  const double rest = (smoothed(a, near_s - search_s - kCut * wide_s / 2, wide_s) +
                       smoothed(a, near_s + search_s + kCut * wide_s / 2, wide_s)) /
                      2;
  TimeSeries v;
  double sum = 0;
  for (auto i = begin + 1; i < end; ++i) {
    sum += (a.at_s[i] - a.at_s[i - 1]) * ((a.value[i] + a.value[i - 1]) / 2 - rest);
    v.at_s.push_back(a.at_s[i]);
    v.value.push_back(sum);
  }
  // Roughly: the steepest place.
  constexpr double kRough_s = 6e-3;
  double steepest = 0;
  double rough_s = kUnknown;
  for (double t = near_s - search_s; t <= near_s + search_s; t += kRough_s / 4) {
    const double rise = std::abs(smoothed(v, t + kRough_s, kRough_s) - smoothed(v, t - kRough_s, kRough_s));
    if (rise > steepest) {
      steepest = rise;
      rough_s = t;
    }
  }
  if (!std::isfinite(rough_s)) return {kUnknown, 0};
  for (const double bell_s : kBells_s) {
    if (6 * bell_s > alone_s) break;
    const auto step = passes_half(v, rough_s, bell_s);
    if (!step) continue;
    // Once more from where it was found, where the levels lie even to both sides, and a bit wider: what ringing is left
    // of 6 % is then 0.2 %.
    constexpr double kWider = 1.5;
    const bool fits = 6 * kWider * bell_s <= alone_s;
    auto better = passes_half(v, step->at_s, (fits ? kWider : 1) * bell_s);
    if (!better) better = step;
    if (std::abs(better->at_s - near_s) <= search_s) return *better;
  }
  return {kUnknown, 0};
}

}  // namespace strigil::protocols
