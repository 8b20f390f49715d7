#include "sim/motion_planner.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::sim {
namespace {

constexpr double kShortest_m = 1e-9;
/// Cosine above which two segments count as one straight line.
constexpr double kCollinear = 1 - 1e-6;

double dot(const rig::Position& a, const rig::Position& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

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
  segments_[(first_ + count_) % kDepth] = s;
  ++count_;
  end_m_ = target_m;
  return true;
}

double MotionPlanner::permitted_speed() const {
  const auto& current = segment(0);
  const double a = current.acceleration_m_s2;
  double to_boundary_m = current.length_m - travelled_m_;
  double permitted = current.speed_m_s;
  for (std::size_t i = 1; i <= count_; ++i) {
    const bool goes_on = i < count_ && dot(segment(i).direction, segment(i - 1).direction) > kCollinear;
    const double exit = goes_on ? segment(i).speed_m_s : 0;
    permitted = std::min(permitted, std::sqrt(exit * exit + 2 * a * to_boundary_m));
    if (!goes_on) break;
    to_boundary_m += segment(i).length_m;
  }
  return permitted;
}

void MotionPlanner::step(double dt_s) {
  if (count_ == 0) {
    speed_m_s_ = 0;
    if (cancelling_) forget();
    return;
  }
  const double change = segment(0).acceleration_m_s2 * dt_s;
  const double wish = stopping_ ? 0 : permitted_speed();
  speed_m_s_ += std::clamp(wish - speed_m_s_, -change, change);
  if (stopping_ && speed_m_s_ == 0) {
    if (cancelling_) forget();
    return;
  }
  travelled_m_ += speed_m_s_ * dt_s;
  while (count_ > 0 && travelled_m_ >= segment(0).length_m - kShortest_m) next_segment();
  if (count_ == 0) {
    speed_m_s_ = 0;
    return;
  }
  const auto& s = segment(0);
  for (std::size_t a = 0; a < rig::kAxes; ++a) position_m_[a] = s.from_m[a] + s.direction[a] * travelled_m_;
}

void MotionPlanner::next_segment() {
  const auto done = segment(0);
  position_m_ = done.to_m;
  travelled_m_ = std::max(0.0, travelled_m_ - done.length_m);
  first_ = (first_ + 1) % kDepth;
  --count_;
  const bool goes_on = count_ > 0 && dot(segment(0).direction, done.direction) > kCollinear;
  if (!goes_on) {
    travelled_m_ = 0;
    speed_m_s_ = 0;  // the speed here is what one step's rounding left of the deceleration
  }
}

void MotionPlanner::forget() {
  count_ = 0;
  travelled_m_ = 0;
  speed_m_s_ = 0;
  end_m_ = position_m_;
  stopping_ = cancelling_ = false;
}

void MotionPlanner::kill() { forget(); }

rig::Position MotionPlanner::velocity_m_s() const {
  rig::Position v{};
  if (count_ == 0) return v;
  for (std::size_t a = 0; a < rig::kAxes; ++a) v[a] = segment(0).direction[a] * speed_m_s_;
  return v;
}

}  // namespace strigil::sim
