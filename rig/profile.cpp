#include "rig/profile.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::rig {
namespace {

ProfilePoint after(const ProfilePoint& p, double jerk, double t) noexcept {
  return {p.way_m + t * (p.speed_m_s + t * (p.acceleration_m_s2 / 2 + t * jerk / 6)),
          p.speed_m_s + t * (p.acceleration_m_s2 + t * jerk / 2), p.acceleration_m_s2 + t * jerk};
}

}  // namespace

Profile::Profile(const ProfileLimits& limits, double length_m) noexcept : length_m_(length_m) {
  assert(limits.speed_m_s > 0 && limits.acceleration_m_s2 > 0 && limits.jerk_m_s3 > 0 && length_m >= 0);
  const double a = limits.acceleration_m_s2;
  const double j = limits.jerk_m_s3;
  double v = limits.speed_m_s;
  // Way up to v and down again is v times the time of the way up: v^2 / a + v a / j where a is reached (v >= a^2 / j),
  // 2 v sqrt(v / j) where it is not.
  const double reaches_a = a * a / j;
  const auto up_s = [&](double speed) { return speed >= reaches_a ? speed / a + a / j : 2 * std::sqrt(speed / j); };
  if (v * up_s(v) > length_m) {
    if (reaches_a * up_s(reaches_a) <= length_m) {
      v = a / 2 * (std::sqrt(a / j * (a / j) + 4 * length_m / a) - a / j);
    } else {
      const double t = std::cbrt(length_m / (2 * j));
      v = j * t * t;
    }
  }
  peak_speed_m_s_ = v;
  const double ramp_s = v >= reaches_a ? a / j : std::sqrt(v / j);          // of the acceleration, up and down each
  const double steady_s = std::max(0.0, up_s(v) - 2 * ramp_s);              // at the highest acceleration
  const double even_s = v > 0 ? std::max(0.0, length_m / v - up_s(v)) : 0;  // at the highest speed
  const std::array<double, kPieces> lasts{ramp_s, steady_s, ramp_s, even_s, ramp_s, steady_s, ramp_s};
  jerk_m_s3_ = {j, 0, -j, 0, -j, 0, j};
  ProfilePoint p;
  double t = 0;
  for (std::size_t i = 0; i < kPieces; ++i) {
    begins_[i] = p;
    p = after(p, jerk_m_s3_[i], lasts[i]);
    ends_s_[i] = t += lasts[i];
  }
}

ProfilePoint Profile::at(double time_s) const noexcept {
  if (!(time_s > 0)) return {};
  if (time_s >= duration_s()) return {length_m_, 0, 0};
  std::size_t i = 0;
  while (time_s >= ends_s_[i]) ++i;
  return after(begins_[i], jerk_m_s3_[i], time_s - (i > 0 ? ends_s_[i - 1] : 0));
}

}  // namespace strigil::rig
