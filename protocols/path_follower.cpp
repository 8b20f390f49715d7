#include "protocols/path_follower.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

/// The correction is never faster than this part of the stroke.
constexpr double kMostCorrection = 0.2;

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
  stretch_ = stretch(path, forward, limits, 0);
  began_ = now;
}

double PathFollower::way_at(daq::HostTime at) const noexcept {
  const double way_m = stretch_.profile.at(daq::seconds(at - began_)).way_m;
  return forward_ ? stretch_.from_m + way_m : stretch_.from_m - way_m;
}

bool PathFollower::over(daq::HostTime now) const noexcept {
  return number_ >= path_->corners().size() && daq::seconds(now - began_) >= stretch_.profile.duration_s();
}

double PathFollower::duration_s(const StrokePath& path, const FollowLimits& limits) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i <= path.corners().size(); ++i) sum += stretch(path, true, limits, i).profile.duration_s();
  return sum;
}

FollowPoint PathFollower::follow(const rig::Readings& r, daq::HostTime now) noexcept {
  if (number_ < path_->corners().size() && daq::seconds(now - began_) >= stretch_.profile.duration_s()) {
    began_ = began_ + daq::from_seconds(stretch_.profile.duration_s());
    stretch_ = stretch(*path_, forward_, limits_, ++number_);
  }
  const double direction = forward_ ? 1 : -1;
  FollowPoint p;
  p.way_m = way_at(now);
  p.along_m_s = direction * stretch_.profile.at(daq::seconds(now - began_)).speed_m_s;
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
