#include "protocols/path_follower.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

/// The correction is never faster than this part of the stroke.
constexpr double kMostCorrection = 0.2;
/// Greatest slope of the curve by which braking slows down: 1.5 times that of a straight line.
constexpr double kSteepestBrake = 1.5;

}  // namespace

PathFollower::Stretch PathFollower::stretch(const StrokePath& path, bool forward, const FollowLimits& limits,
                                            std::size_t number) noexcept {
  const auto corners = path.corners();
  const auto bound_m = [&](std::size_t i) {
    const std::size_t from_start = forward ? i : corners.size() + 1 - i;
    if (from_start == 0) return 0.0;
    return from_start > corners.size() ? path.length_m() : corners[from_start - 1].at_m;
  };
  Stretch s;
  s.from_m = bound_m(number);
  s.to_m = bound_m(number + 1);
  // Arcs on the way bound its speed as a whole.
  auto profile = limits.profile;
  const double low_m = std::min(s.from_m, s.to_m);
  const double high_m = std::max(s.from_m, s.to_m);
  for (std::size_t i = 0; i < path.segments().size(); ++i) {
    if (path.begin_of_m(i + 1) <= low_m || path.begin_of_m(i) >= high_m) continue;
    const double bend = std::abs(path.segments()[i].curvature_per_m);
    if (bend > 0) profile.speed_m_s = std::min(profile.speed_m_s, std::sqrt(limits.max_centripetal_m_s2 / bend));
  }
  s.profile = rig::Profile(profile, high_m - low_m);
  return s;
}

void PathFollower::begin(const StrokePath& path, bool forward, const FollowLimits& limits, daq::HostTime now) noexcept {
  path_ = &path;
  forward_ = forward;
  limits_ = limits;
  number_ = 0;
  braking_ = false;
  stretch_ = stretch(path, forward, limits, 0);
  began_ = now;
}

void PathFollower::brake(daq::HostTime now) noexcept {
  if (braking_) return;
  braking_ = true;
  braking_began_ = now;
  const double speed_m_s = stretch_.profile.at(daq::seconds(now - began_)).speed_m_s;
  braking_s_ = kSteepestBrake * speed_m_s / limits_.profile.acceleration_m_s2;
}

bool PathFollower::braked(daq::HostTime now) const noexcept {
  return braking_ && daq::seconds(now - braking_began_) >= braking_s_;
}

/// How fast time goes by on the way: 1, and when braking by a smooth step down to 0.
double PathFollower::pace(daq::HostTime at) const noexcept {
  if (!braking_ || at <= braking_began_) return 1;
  if (braked(at)) return 0;
  const double s = daq::seconds(at - braking_began_) / braking_s_;
  return 1 - s * s * (3 - 2 * s);
}

/// The instant of the way: the integral of pace().
daq::HostTime PathFollower::on_the_way(daq::HostTime at) const noexcept {
  if (!braking_ || at <= braking_began_) return at;
  const double s = braking_s_ > 0 ? std::min(1.0, daq::seconds(at - braking_began_) / braking_s_) : 1;
  return braking_began_ + daq::from_seconds(braking_s_ * (s - s * s * s + s * s * s * s / 2));
}

double PathFollower::way_at(daq::HostTime at) const noexcept {
  const double way_m = stretch_.profile.at(daq::seconds(on_the_way(at) - began_)).way_m;
  return forward_ ? stretch_.from_m + way_m : stretch_.from_m - way_m;
}

bool PathFollower::over(daq::HostTime now) const noexcept {
  return number_ >= path_->corners().size() && daq::seconds(on_the_way(now) - began_) >= stretch_.profile.duration_s();
}

double PathFollower::duration_s(const StrokePath& path, const FollowLimits& limits) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i <= path.corners().size(); ++i) sum += stretch(path, true, limits, i).profile.duration_s();
  return sum;
}

FollowPoint PathFollower::follow(const rig::Readings& r, daq::HostTime now) noexcept {
  const daq::HostTime on_way = on_the_way(now);
  if (number_ < path_->corners().size() && daq::seconds(on_way - began_) >= stretch_.profile.duration_s()) {
    began_ = began_ + daq::from_seconds(stretch_.profile.duration_s());
    stretch_ = stretch(*path_, forward_, limits_, ++number_);
  }
  const double direction = forward_ ? 1 : -1;
  FollowPoint p;
  p.way_m = way_at(now);
  p.along_m_s = direction * pace(now) * stretch_.profile.at(daq::seconds(on_way - began_)).speed_m_s;
  const PathPoint wanted = path_->at(p.way_m);
  // Where the readback should have been at its own instant, by what the stage had been told then.
  const double then_m = way_at(r.position_t0 - daq::from_seconds(limits_.drive_delay_s));
  const PathPoint then = path_->at(then_m);
  const double off_x = then.position.x_m - r.position_m[rig::kX];
  const double off_y = then.position.y_m - r.position_m[rig::kY];
  p.deviation_m = std::hypot(off_x, off_y);
  p.place_m = then_m - off_x * then.tangent_x - off_y * then.tangent_y;
  p.fraction = path_->at(p.place_m).pass_fraction;
  const double most = kMostCorrection * limits_.profile.speed_m_s;
  p.velocity_m_s[rig::kX] = p.along_m_s * wanted.tangent_x + std::clamp(kStiffness_1_s * off_x, -most, most);
  p.velocity_m_s[rig::kY] = p.along_m_s * wanted.tangent_y + std::clamp(kStiffness_1_s * off_y, -most, most);
  return p;
}

}  // namespace strigil::protocols
