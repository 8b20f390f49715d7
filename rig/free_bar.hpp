// FreeBar: bending of a uniform bar with free ends, the model behind an instrument's natural frequencies. Pure.
//
// Euler and Bernoulli: f_k = (b_k L)^2 / (2 pi) * h / sqrt(12) * sqrt(E / rho) / L^2 with cosh(b L) cos(b L) = 1; for
// the first this is 3.56 (h / sqrt 12) sqrt(E / rho) / L^2 (science.md 1.4 [C]). Shear and rotary inertia are left out;
// bar_shear_error() says what that costs.
#pragma once

#include <cstddef>

namespace strigil::rig {

/// Bending modes that have a tabled root.
inline constexpr std::size_t kBarModes = 6;

struct FreeBar {
  double length_m = 0;
  double thickness_m = 0;  ///< in the direction of bending
  double density_kg_m3 = 0;
  double youngs_modulus_Pa = 0;
};

/// b_k L of mode `k` < kBarModes; 0 is the first that bends.
double bar_root(std::size_t k) noexcept;
/// Natural frequency of mode `k` (Hz). Every member of `bar` > 0.
double bar_frequency_Hz(const FreeBar& bar, std::size_t k) noexcept;
/// Mode shape at `place` (0 to 1 along the bar), scaled so that its square has the mean 1: 2 at the ends of every mode,
/// and the modal mass is the bar's own.
double bar_shape(std::size_t k, double place) noexcept;
/// What shear and rotary inertia, left out above, would lower the frequency by: (f_EB - f) / f_EB to first order, for a
/// rectangular section and Poisson's ratio 0.3.
double bar_shear_error(const FreeBar& bar, std::size_t k) noexcept;

}  // namespace strigil::rig
