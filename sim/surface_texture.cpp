#include "sim/surface_texture.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::sim {
namespace {

constexpr double kSpeedExponent = 0.99;  // science.md 2.8 [D]
constexpr double kForceExponent = 0.09;  // science.md 2.8 [D]
constexpr std::size_t kWaves = 80;
constexpr double kForcePitch_N = 0.25;
/// Below this force there is less contact than a whole one, and below this speed less of a slide [A].
constexpr double kTouch_N = 0.05;
constexpr double kSlide_m_s = 1e-3;
/// Two profiles at right angles, turned so that strokes along x and y both cross waves of both.
constexpr double kCos = 0.9238795325112867;
constexpr double kSin = 0.3826834323650898;
/// How one RMS is shared between normal, along and across; the squares sum to 1 [A].
constexpr std::array<double, 3> kShare{0.741619848709566, 0.6, 0.3};

}  // namespace

SurfaceTexture::SurfaceTexture(const rig::PhantomTexture& texture)
    : profile_({kWaves, texture.roughness_shortest_m, texture.roughness_longest_m, kSpeedExponent}, texture.seed),
      amplitude_N_(kAsperityStiffness_N_m * texture.roughness_rms_m) {
  for (std::size_t i = 1; i < by_force_.size(); ++i) {
    const double force = static_cast<double>(i) * kForcePitch_N;
    by_force_[i] = static_cast<float>(std::pow(force, kForceExponent) * force / (force + kTouch_N));
  }
}

std::array<double, 3> SurfaceTexture::force_N(const Sliding& s) const noexcept {
  const double vx = s.velocity_m_s[0];
  const double vy = s.velocity_m_s[1];
  const double speed = std::sqrt(vx * vx + vy * vy);
  if (!(s.normal_N > 0) || !(speed > 0)) return {};
  const double place = std::min(s.normal_N / kForcePitch_N, static_cast<double>(by_force_.size()) - 1.001);
  const auto index = static_cast<std::size_t>(place);
  const double by_force =
      by_force_[index] + (place - static_cast<double>(index)) * (by_force_[index + 1] - by_force_[index]);
  const double amplitude = amplitude_N_ * s.factor * by_force * s.slips * speed / (speed + kSlide_m_s);

  const double one = kCos * s.x_m + kSin * s.y_m;
  const double other = kCos * s.y_m - kSin * s.x_m;
  const auto felt = [&](std::size_t which) {
    const double apart = static_cast<double>(which) * Roughness::kPeriod_m / 6;
    return profile_.at(one + apart) + profile_.at(other + apart + Roughness::kPeriod_m / 2);
  };
  const double most = s.slips * s.friction_N / 2;
  const double climb = std::abs(s.velocity_m_s[2]);
  double normal = amplitude * kShare[0] * felt(0);
  const double most_normal = climb > 0 ? most * speed / climb : std::abs(normal);
  normal = std::clamp(normal, -std::min(most_normal, s.normal_N), most_normal);
  const double along = std::clamp(amplitude * kShare[1] * felt(1), -most, most);
  const double across = amplitude * kShare[2] * felt(2);
  const double ux = vx / speed;
  const double uy = vy / speed;
  return {-along * ux - across * uy, -along * uy + across * ux, normal};
}

}  // namespace strigil::sim
