#include "sim/motion_planner.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::sim {
namespace {

constexpr double kShortest_m = 1e-9;
/// Relative closeness of two squared speeds that count as equal: far above rounding, far below a nanometre of travel.
constexpr double kSame = 1e-12;
constexpr double kNever_s = std::numeric_limits<double>::infinity();

double dot(const rig::Position& a, const rig::Position& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Time to cover `distance_m` from speed `v` at constant acceleration `a`; never, when it comes to rest before.
double time_to_cover(double distance_m, double v, double a) {
  if (a == 0) return v > 0 ? distance_m / v : kNever_s;
  const double squared = v * v + 2 * a * distance_m;
  if (squared < 0) return kNever_s;
  const double sum = v + std::sqrt(squared);
  return sum > 0 ? 2 * distance_m / sum : kNever_s;  // this form loses no digits when a is small
}

}  // namespace

MotionPlanner::MotionPlanner(const AxisLimits& limits, const rig::Position& start)
    : limits_(limits), position_m_(start), end_m_(start) {}

bool MotionPlanner::queue(const rig::Position& target_m, double speed_m_s) {
  if (full() || !(speed_m_s > 0)) return false;
  Segment s;
  s.from_m = end_m_;
  s.to_m = target_m;
  for (std::size_t a = 0; a < rig::kAxes; ++a) s.direction[a] = target_m[a] - end_m_[a];
  s.length_m = std::sqrt(dot(s.direction, s.direction));
  if (s.length_m < kShortest_m) return true;  // already there: Grbl takes it and does nothing
  s.speed_m_s = speed_m_s;
  s.acceleration_m_s2 = 1e9;
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    s.direction[a] /= s.length_m;
    const double share = std::abs(s.direction[a]);
    if (share < 1e-9) continue;
    s.speed_m_s = std::min(s.speed_m_s, limits_.max_speed_m_s[a] / share);
    s.acceleration_m_s2 = std::min(s.acceleration_m_s2, limits_.acceleration_m_s2[a] / share);
  }
  if (count_ > 0) s.entry_m_s = junction_speed(segment(count_ - 1), s);
  segments_[(first_ + count_) % kDepth] = s;
  ++count_;
  end_m_ = target_m;
  return true;
}

double MotionPlanner::junction_speed(const Segment& before, const Segment& after) const {
  const double nominal = std::min(before.speed_m_s, after.speed_m_s);
  const double half_sine = std::sqrt(std::max(0.0, (1 + dot(before.direction, after.direction)) / 2));
  if (half_sine >= 1 - 1e-15) return nominal;  // straight on
  // A circle that touches both segments and passes the corner at the junction deviation, taken at the acceleration.
  const double a = std::min(before.acceleration_m_s2, after.acceleration_m_s2);
  return std::min(nominal, std::sqrt(a * limits_.junction_deviation_m * half_sine / (1 - half_sine)));
}

double MotionPlanner::exit_speed() const {
  double exit = 0;
  for (std::size_t i = count_ - 1; i > 0; --i) {
    const auto& s = segment(i);
    exit = std::min(s.entry_m_s, std::sqrt(exit * exit + 2 * s.acceleration_m_s2 * s.length_m));
  }
  return exit;
}

MotionPlanner::Phase MotionPlanner::phase() const {
  const auto& s = segment(0);
  const double a = s.acceleration_m_s2;
  const double v = speed_m_s_;
  const double to_end_m = std::max(0.0, s.length_m - travelled_m_);
  const auto until = [&](double acceleration, double lasts_s) {
    const double end_s = time_to_cover(to_end_m, v, acceleration);
    return Phase{acceleration, std::min(lasts_s, end_s), end_s <= lasts_s};
  };
  if (stopping_) return until(-a, v / a);
  const double exit = exit_speed();
  const double braking = exit * exit + 2 * a * to_end_m;  // square of the speed from which it can just slow to `exit`
  if (v * v >= braking * (1 - kSame)) {
    // On the braking curve: it ends at the segment's end, also when rounding says a hair before.
    return {-a, std::max(0.0, (v - exit) / a), true};
  }
  if (v > s.speed_m_s) return until(-a, (v - s.speed_m_s) / a);
  if (v < s.speed_m_s) {
    const double peak = std::sqrt((v * v + braking) / 2);  // where acceleration would meet the braking curve
    return until(a, (std::min(peak, s.speed_m_s) - v) / a);
  }
  return until(0, (braking - v * v) / (2 * a * v));
}

void MotionPlanner::step(double dt_s) {
  double left_s = dt_s;
  while (left_s > 0) {
    if (count_ == 0 || (stopping_ && speed_m_s_ == 0)) {
      if (cancelling_) forget();
      break;
    }
    const Phase p = phase();
    const bool whole = p.lasts_s <= left_s;
    const double t = whole ? p.lasts_s : left_s;
    travelled_m_ += speed_m_s_ * t + p.acceleration_m_s2 * t * t / 2;
    speed_m_s_ = std::max(0.0, speed_m_s_ + p.acceleration_m_s2 * t);
    left_s -= t;
    if (whole && !stopping_ && p.acceleration_m_s2 > 0) {
      // Rounding must not leave it a hair below the speed it has reached: the next phase would last no time at all.
      const double nominal = segment(0).speed_m_s;
      if (std::abs(speed_m_s_ - nominal) <= kSame * nominal) speed_m_s_ = nominal;
    }
    if (whole && stopping_ && !p.ends_segment) speed_m_s_ = 0;
    if (whole && p.ends_segment) {
      next_segment();
      continue;
    }
    place();
    if (whole && t == 0) break;  // finer than rounding: nothing more can change in this step
  }
}

void MotionPlanner::place() {
  const auto& s = segment(0);
  for (std::size_t a = 0; a < rig::kAxes; ++a) position_m_[a] = s.from_m[a] + s.direction[a] * travelled_m_;
}

void MotionPlanner::next_segment() {
  position_m_ = segment(0).to_m;
  travelled_m_ = 0;
  first_ = (first_ + 1) % kDepth;
  --count_;
  speed_m_s_ = count_ == 0 ? 0 : std::min(speed_m_s_, segment(0).entry_m_s);
}

void MotionPlanner::forget() {
  count_ = 0;
  travelled_m_ = 0;
  speed_m_s_ = 0;
  end_m_ = position_m_;
  stopping_ = cancelling_ = false;
}

rig::Position MotionPlanner::velocity_m_s() const {
  rig::Position v{};
  if (count_ == 0) return v;
  for (std::size_t a = 0; a < rig::kAxes; ++a) v[a] = segment(0).direction[a] * speed_m_s_;
  return v;
}

}  // namespace strigil::sim
