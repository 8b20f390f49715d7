#include "rig/free_bar.hpp"

#include <array>
#include <cassert>
#include <cmath>
#include <numbers>

namespace strigil::rig {

double bar_root(std::size_t k) noexcept {
  assert(k < kBarModes);
  // cosh(x) cos(x) = 1
  constexpr std::array<double, kBarModes> kRoots{4.730040744862704,  7.853204624095838,  10.995607838001671,
                                                 14.137165491257464, 17.278759657399481, 20.420352245626061};
  return kRoots[k];
}

double bar_frequency_Hz(const FreeBar& bar, std::size_t k) noexcept {
  const double root = bar_root(k);
  return root * root / (2 * std::numbers::pi) * bar.thickness_m / std::sqrt(12.0) *
         std::sqrt(bar.youngs_modulus_Pa / bar.density_kg_m3) / (bar.length_m * bar.length_m);
}

double bar_shape(std::size_t k, double place) noexcept {
  // From the nearer end, where the growing exponential is small: even modes are the same from both, odd ones opposite.
  const bool far = place > 0.5;
  const double root = bar_root(k);
  const double x = root * (far ? 1 - place : place);
  // cosh x - s sinh x = exp(-x) + (1 - s) sinh x with s = (cosh r - cos r) / (sinh r - sin r)
  const double rest = (std::cos(root) - std::sin(root) - std::exp(-root)) / (std::sinh(root) - std::sin(root));
  const double shape = std::exp(-x) + rest * std::sinh(x) + std::cos(x) - (1 - rest) * std::sin(x);
  return far && k % 2 == 1 ? -shape : shape;
}

double bar_shear_error(const FreeBar& bar, std::size_t k) noexcept {
  // Timoshenko's beam, first order in (b r)^2 with r = h / sqrt 12: (1 + E / (kappa G)) / 2, kappa = 5/6, E / G = 2.6
  // [M].
  constexpr double kPart = (1 + 2.6 / (5.0 / 6.0)) / 2;
  const double slender = bar_root(k) * bar.thickness_m / bar.length_m;
  return kPart * slender * slender / 12;
}

}  // namespace strigil::rig
