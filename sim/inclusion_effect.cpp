#include "sim/inclusion_effect.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::sim {
namespace {

/// Of a plateau's half extent, what is flat; the rest falls off smoothly [A].
constexpr double kFlat = 0.6;

/// 1 to `kFlat`, 0 from 1 on; value, slope and curvature without a jump.
double plateau(double r) noexcept {
  if (r <= kFlat) return 1;
  if (r >= 1) return 0;
  const double t = (1 - r) / (1 - kFlat);
  return t * t * t * (10 - t * (15 - 6 * t));
}

}  // namespace

InclusionEffect::InclusionEffect(const rig::PhantomInclusion& inclusion) noexcept
    : inclusion_(inclusion),
      cos_(std::cos(inclusion.angle_rad)),
      sin_(std::sin(inclusion.angle_rad)),
      spread_m_(inclusion.depth_m / 2),
      round_(inclusion.kind == rig::InclusionKind::kNodule || inclusion.kind == rig::InclusionKind::kLobule) {}

double InclusionEffect::weight(double a) const noexcept {
  const double across = std::min(inclusion_.length_m, inclusion_.width_m);
  const double scale = across / 2 + a;
  const double thin =
      inclusion_.thickness_m < across ? std::expm1(-inclusion_.thickness_m / scale) / std::expm1(-across / scale) : 1;
  return std::exp(-inclusion_.depth_m / scale) * std::min(1.0, across / (2 * a)) * thin;
}

double InclusionEffect::reach_m() const noexcept {
  return std::hypot(inclusion_.length_m, inclusion_.width_m) / 2 + 2 * spread_m_;
}

double InclusionEffect::footprint(double x_m, double y_m, double spread_m) const noexcept {
  const double dx = x_m - inclusion_.x_m;
  const double dy = y_m - inclusion_.y_m;
  const double along = std::abs(cos_ * dx + sin_ * dy) / (inclusion_.length_m / 2 + spread_m);
  const double across = std::abs(cos_ * dy - sin_ * dx) / (inclusion_.width_m / 2 + spread_m);
  if (!round_) return plateau(along) * plateau(across);
  const double left = 1 - along * along - across * across;
  return left > 0 ? left * left * (3 - 2 * left) : 0;  // smooth at rim and centre
}

}  // namespace strigil::sim
