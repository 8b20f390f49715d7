#include "protocols/tap_timing.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "protocols/swinging_step.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
/// How far from where the readback has it an instant is looked for: more than the greatest latency that taps must find
/// (20 ms), less than the rest at either end of a tap.
constexpr double kSearch_s = 60e-3;
constexpr double kLevel_s = 40e-3;  // of rest, beyond the search
/// The part of the way, or of the force, in which a straight line is sought: ramps at both ends are left out.
constexpr double kLineFrom = 0.2;
constexpr double kLineTo = 0.8;
constexpr double kForceLineFrom = 0.1;  // of the force at the bottom, from which braking is nearer than from the top
constexpr double kForceLineTo = 0.65;

/// What the straight lines and centroids are wrong by themselves: 6 us over 200 worlds of tap_timing_test.cpp.
constexpr double kMethod_s = 10e-6;

struct Line {
  double at = 0;  // centre
  double value = 0;
  double slope = 0;
  [[nodiscard]] double meets(double level) const { return at + (level - value) / slope; }
};

/// Half-open index range of the samples from `from_s` up to `to_s`.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
};
Part part_of(const TimeSeries& s, double from_s, double to_s) {
  const auto at = [&](double t) {
    return static_cast<std::size_t>(std::lower_bound(s.at_s.begin(), s.at_s.end(), t) - s.at_s.begin());
  };
  return {at(from_s), at(to_s)};
}

double mean_of(const TimeSeries& s, Part part) {
  double sum = 0;
  for (auto i = part.begin; i < part.end; ++i) sum += s.value[i];
  return part.end > part.begin ? sum / static_cast<double>(part.end - part.begin) : kUnknown;
}

double median_of(std::vector<double> v) {
  if (v.empty()) return kUnknown;
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

/// Least squares through the samples of `part` whose value lies between `low` and `high`; at least `least` of them.
std::optional<Line> line_through(const TimeSeries& s, Part part, double low, double high, std::size_t least) {
  double n = 0;
  Line line;
  for (auto i = part.begin; i < part.end; ++i) {
    if (s.value[i] < low || s.value[i] > high) continue;
    ++n;
    line.at += (s.at_s[i] - line.at) / n;
    line.value += (s.value[i] - line.value) / n;
  }
  double tt = 0;
  double tv = 0;
  for (auto i = part.begin; i < part.end; ++i) {
    if (s.value[i] < low || s.value[i] > high) continue;
    tt += (s.at_s[i] - line.at) * (s.at_s[i] - line.at);
    tv += (s.at_s[i] - line.at) * (s.value[i] - line.value);
  }
  if (n < static_cast<double>(least) || !(tt > 0) || tv == 0) return std::nullopt;
  line.slope = tv / tt;
  return line;
}

/// Centroid of what lies above the rest before and after, between `from_s` and `to_s`.
VelocityStep centroid(const TimeSeries& a, double rest, double from_s, double to_s) {
  const auto part = part_of(a, from_s, to_s);
  VelocityStep step{kUnknown, 0};
  double moment = 0;
  for (auto i = part.begin + 1; i < part.end; ++i) {
    const double dt = a.at_s[i] - a.at_s[i - 1];
    const double middle = (a.at_s[i] + a.at_s[i - 1]) / 2;
    const double area = dt * ((a.value[i] + a.value[i - 1]) / 2 - rest);
    step.change_m_s += area;
    moment += area * middle;
  }
  if (step.change_m_s != 0) step.at_s = moment / step.change_m_s;
  return step;
}

/// First over the whole search, which finds it roughly; then over its own width, where less noise gets in.
VelocityStep find_step(const TimeSeries& a, double near_s, double alone_s) {
  const auto before = part_of(a, near_s - kSearch_s - kLevel_s, near_s - kSearch_s);
  const auto after = part_of(a, near_s + kSearch_s, near_s + kSearch_s + kLevel_s);
  const double rest = (mean_of(a, before) + mean_of(a, after)) / 2;
  auto step = centroid(a, rest, near_s - kSearch_s, near_s + kSearch_s);
  if (!std::isfinite(step.at_s)) return {kUnknown, 0};
  double peak = 0;
  constexpr double kSmooth_s = 2e-3;
  for (double t = near_s - kSearch_s; t < near_s + kSearch_s; t += kSmooth_s / 2) {
    const double here = mean_of(a, part_of(a, t, t + kSmooth_s)) - rest;
    if (std::abs(here) > std::abs(peak)) peak = here;
  }
  constexpr double kMargin_s = 4e-3;
  double half_s = kSearch_s;
  for (int pass = 0; pass < 3 && peak != 0; ++pass) {
    half_s = std::min(kSearch_s, std::abs(step.change_m_s / peak) / 2 + kMargin_s);
    const double middle_s = std::clamp(step.at_s, near_s - kSearch_s, near_s + kSearch_s);
    const auto nearer = centroid(a, rest, middle_s - half_s, middle_s + half_s);
    if (!std::isfinite(nearer.at_s)) break;
    step = nearer;
  }
  if (swings(a, step, half_s, rest)) {
    const auto swinging = swinging_step(a, near_s, kSearch_s, alone_s);
    if (std::isfinite(swinging.at_s)) return swinging;
  }
  return std::abs(step.at_s - near_s) <= kSearch_s ? step : VelocityStep{kUnknown, 0};
}

/// Student's t, two-sided 95 %, by degrees of freedom (metrology.md).
double student_t(std::size_t freedom) {
  constexpr std::array kT{12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23,
                          2.20,  2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09};
  return kT[std::clamp<std::size_t>(freedom, 1, kT.size()) - 1];
}

}  // namespace

TapByPosition tap_by_position(const TimeSeries& z, double began_s, double ended_s) {
  TapByPosition tap;
  tap.at_s.fill(kUnknown);
  tap.speed_m_s = kUnknown;
  const auto all = part_of(z, began_s - 2 * kSearch_s, ended_s + kLevel_s);
  if (all.end - all.begin < kTapInstants) return tap;
  const auto first = z.value.begin() + static_cast<std::ptrdiff_t>(all.begin);
  const auto last = z.value.begin() + static_cast<std::ptrdiff_t>(all.end);
  const auto [lowest, highest] = std::minmax_element(first, last);
  const double way = *highest - *lowest;
  constexpr double kLeastWay_m = 0.1e-3;
  if (way < kLeastWay_m) return tap;
  std::vector<double> bottom;
  std::vector<double> top;
  constexpr double kRest = 0.02;  // within this part of the way from an end: at rest there
  for (auto v = first; v != last; ++v) {
    if (*v - *lowest < kRest * way) bottom.push_back(*v);
    if (*highest - *v < kRest * way) top.push_back(*v);
  }
  const double bottom_m = median_of(bottom);
  const double top_m = median_of(top);
  const auto turn = static_cast<std::size_t>(highest - z.value.begin());
  const double low = bottom_m + kLineFrom * way;
  const double high = bottom_m + kLineTo * way;
  const auto up = line_through(z, {all.begin, turn}, low, high, 2);
  const auto down = line_through(z, {turn, all.end}, low, high, 2);
  if (!up || !down || !(up->slope > 0) || !(down->slope < 0)) return tap;
  tap.at_s = {up->meets(bottom_m), up->meets(top_m), down->meets(top_m), down->meets(bottom_m)};
  tap.speed_m_s = (up->slope - down->slope) / 2;
  return tap;
}

TapInstants tap_by_acceleration(std::span<const TimeSeries> axes, const TapByPosition& near) {
  TapInstants best;
  best.fill(kUnknown);
  double apart_s = kSearch_s + kLevel_s;
  for (std::size_t i = 1; i < kTapInstants; ++i) {
    if (near.at_s[i] - near.at_s[i - 1] < apart_s) apart_s = near.at_s[i] - near.at_s[i - 1];
  }
  double most = 0;
  for (const auto& axis : axes) {
    TapInstants at;
    at.fill(kUnknown);
    std::array<VelocityStep, kTapInstants> steps;
    steps.fill({kUnknown, 0});
    double felt = 0;
    constexpr std::array kSign{1.0, -1.0, -1.0, 1.0};
    for (std::size_t i = 0; i < kTapInstants; ++i) {
      if (!std::isfinite(near.at_s[i])) continue;
      steps[i] = find_step(axis, near.at_s[i], apart_s);
      felt += kSign[i] * steps[i].change_m_s;
    }
    for (std::size_t i = 0; i < kTapInstants; ++i) {
      // Of the size of the motion, and all of one sign of the axis: else it is something else that moved.
      const double share = kSign[i] * steps[i].change_m_s * (felt < 0 ? -1 : 1) / near.speed_m_s;
      if (share > 0.5 && share < 1.5) at[i] = steps[i].at_s;
    }
    if (std::abs(felt) > most) {
      most = std::abs(felt);
      best = at;
    }
  }
  return best;
}

TapInstants tap_by_force(const TimeSeries& force, const TapByPosition& near) {
  TapInstants at;
  at.fill(kUnknown);
  for (const auto i : {kLeavesBottom, kReachesBottom}) {
    const double t = near.at_s[i];
    if (!std::isfinite(t)) continue;
    const auto before = part_of(force, t - kSearch_s - kLevel_s, t - kSearch_s);
    const auto after = part_of(force, t + kSearch_s, t + kSearch_s + kLevel_s);
    const double pressed = mean_of(force, i == kLeavesBottom ? before : after);
    const double free = mean_of(force, i == kLeavesBottom ? after : before);
    const double gain = pressed - free;
    constexpr double kLeastGain_N = 0.2;
    if (!(gain > kLeastGain_N)) continue;
    const auto line = line_through(force, part_of(force, t - kSearch_s, t + kSearch_s), free + kForceLineFrom * gain,
                                   free + kForceLineTo * gain, 4);
    const double direction = i == kLeavesBottom ? -1 : 1;
    if (!line || !(line->slope * direction > 0)) continue;
    const double meets = line->meets(pressed);
    if (std::abs(meets - t) <= kSearch_s) at[i] = meets;
  }
  return at;
}

TapOffset offset_between(std::span<const TapInstants> stream, std::span<const TapInstants> reference) {
  std::vector<double> late;
  for (std::size_t tap = 0; tap < std::min(stream.size(), reference.size()); ++tap) {
    // Both instants of one way rest on one line through the same samples: they err together and count as one.
    for (const auto way : {kLeavesBottom, kLeavesTop}) {
      double sum = 0;
      int seen = 0;
      for (const std::size_t i : {std::size_t{way}, std::size_t{way} + 1}) {
        const double d = stream[tap][i] - reference[tap][i];
        if (!std::isfinite(d)) continue;
        sum += d;
        ++seen;
      }
      if (seen > 0) late.push_back(sum / seen);
    }
  }
  TapOffset offset{late.size(), kUnknown, kUnknown};
  if (late.size() < 3) return offset;
  const auto n = static_cast<double>(late.size());
  double mean = 0;
  for (const double d : late) mean += d / n;
  double squares = 0;
  for (const double d : late) squares += (d - mean) * (d - mean);
  offset.offset_s = mean;
  offset.uncertainty_s = student_t(late.size() - 1) * std::sqrt(squares / (n - 1) / n) + kMethod_s;
  return offset;
}

}  // namespace strigil::protocols
