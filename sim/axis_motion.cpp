#include "sim/axis_motion.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::sim {

AxisMotion::AxisMotion(const AxisMotionLimits& limits, double start_m)
    : limits_(limits), position_m_(start_m), target_m_(start_m), from_m_(start_m) {}

void AxisMotion::set_velocity(double velocity_m_s) {
  mode_ = Mode::kVelocity;
  asked_velocity_m_s_ = std::clamp(velocity_m_s, -limits_.max_speed_m_s, limits_.max_speed_m_s);
  plan();
}

void AxisMotion::move_to(double target_m, double speed_m_s) {
  mode_ = Mode::kPosition;
  target_m_ = target_m;
  asked_speed_m_s_ = speed_m_s;
  plan();
}

void AxisMotion::halt_at(double position_m) {
  position_m_ = position_m;
  velocity_m_s_ = 0;
  set_velocity(0);
}

void AxisMotion::set_limits(const AxisMotionLimits& limits) {
  limits_ = limits;
  asked_velocity_m_s_ = std::clamp(asked_velocity_m_s_, -limits_.max_speed_m_s, limits_.max_speed_m_s);
  plan();
}

void AxisMotion::add(double duration_s, double end_velocity_m_s, double acceleration_m_s2) {
  if (!(duration_s > 0)) return;
  stretches_[count_++] = {duration_s, acceleration_m_s2, end_velocity_m_s};
}

void AxisMotion::plan() {
  count_ = next_ = 0;
  if (mode_ == Mode::kPosition) {
    plan_move();
  } else {
    const double change = asked_velocity_m_s_ - velocity_m_s_;
    const double a = limits_.acceleration_m_s2;
    add(std::abs(change) / a, asked_velocity_m_s_, std::copysign(a, change));
    if (count_ == 0) velocity_m_s_ = asked_velocity_m_s_;
  }
  begin_stretch();
}

void AxisMotion::plan_move() {
  const double a = limits_.acceleration_m_s2;
  const double cruise = std::min(asked_speed_m_s_, limits_.max_speed_m_s);
  // Where it would come to rest if it braked now decides which way to go: all below counts in that direction.
  const double rest_m = position_m_ + velocity_m_s_ * std::abs(velocity_m_s_) / (2 * a);
  const double way = target_m_ < rest_m ? -1 : 1;
  const double distance = (target_m_ - position_m_) * way;
  const double v0 = velocity_m_s_ * way;
  if (v0 > cruise) {
    add((v0 - cruise) / a, cruise * way, -a * way);
    add((distance - v0 * v0 / (2 * a)) / cruise, cruise * way, 0);
    add(cruise / a, 0, -a * way);
  } else {
    // v^2 = u^2 + 2 a s there and back, also when it moves the wrong way at first.
    const double peak = std::min(cruise, std::sqrt(std::max(0.0, a * distance + v0 * v0 / 2)));
    add((peak - v0) / a, peak * way, a * way);
    if (peak == cruise) add((distance - (2 * peak * peak - v0 * v0) / (2 * a)) / peak, peak * way, 0);
    add(peak / a, 0, -a * way);
  }
  if (count_ == 0) {
    position_m_ = target_m_;
    velocity_m_s_ = 0;
  }
}

void AxisMotion::begin_stretch() {
  elapsed_s_ = 0;
  from_m_ = position_m_;
  from_m_s_ = velocity_m_s_;
}

void AxisMotion::step(double dt_s) {
  while (next_ < count_ && dt_s > 0) {
    const auto& s = stretches_[next_];
    const bool ends = dt_s >= s.duration_s - elapsed_s_;
    const double t = ends ? s.duration_s : elapsed_s_ + dt_s;
    position_m_ = from_m_ + from_m_s_ * t + s.acceleration_m_s2 * t * t / 2;
    velocity_m_s_ = ends ? s.end_velocity_m_s : from_m_s_ + s.acceleration_m_s2 * t;
    if (!ends) {
      elapsed_s_ = t;
      return;
    }
    dt_s -= s.duration_s - elapsed_s_;
    ++next_;
    begin_stretch();
    if (next_ == count_ && mode_ == Mode::kPosition) position_m_ = from_m_ = target_m_;
  }
  if (dt_s > 0 && velocity_m_s_ != 0) {
    // Nothing left to plan: the velocity stays. From its beginning, so that no rounding gathers.
    elapsed_s_ += dt_s;
    position_m_ = from_m_ + from_m_s_ * elapsed_s_;
  }
}

}  // namespace strigil::sim
