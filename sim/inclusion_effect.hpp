// InclusionEffect: how much of an inclusion is felt through the surface, and where. Pure; off the loop.
//
// Local stiffness is multiplied by 1 + (contrast - 1) w m(x, y).
//   w(a)    = exp(-z / s) min(1, D / 2a) (1 - exp(-t/s)) / (1 - exp(-D/s)),  s = D/2 + a      (science.md 2.6 [A])
//             z depth of its top, D the smaller of its length and width, a half the contact's width; the last factor,
//             for what is thinner (t) than wide, is that share of the stress that it occupies [A]
//   m(x, y)   its footprint, 1 inside and exactly 0 outside: its extents and, all round, half its depth, as loads
//   spread
//             2 to 1 with depth [M]. Nodules and lobules are round, all else has a plateau
// Friction and roughness above it change, and the surface rises, by m of its bare extents.
#pragma once

#include "rig/phantom.hpp"

namespace strigil::sim {

class InclusionEffect {
 public:
  /// Precondition: extents > 0, depth >= 0.
  explicit InclusionEffect(const rig::PhantomInclusion& inclusion) noexcept;

  /// w at a contact of half-width `half_width_m` > 0.
  [[nodiscard]] double weight(double half_width_m) const noexcept;
  /// m of what is felt through the layers; 0..1.
  [[nodiscard]] double felt_at(double x_m, double y_m) const noexcept { return footprint(x_m, y_m, spread_m_); }
  /// m of the surface above it; 0..1.
  [[nodiscard]] double surface_at(double x_m, double y_m) const noexcept { return footprint(x_m, y_m, 0); }
  /// Beyond this from its centre there is nothing of it.
  [[nodiscard]] double reach_m() const noexcept;

 private:
  [[nodiscard]] double footprint(double x_m, double y_m, double spread_m) const noexcept;

  rig::PhantomInclusion inclusion_;
  double cos_;
  double sin_;
  double spread_m_;
  bool round_;
};

}  // namespace strigil::sim
