// Phantoms that nobody described: drawn over the whole range of what tissue and its phantoms are like.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "sim/spring_damper_plant.hpp"

namespace strigil::apps::test {

/// Where strokes go over it.
struct StrokeSpan {
  double from_x_m = 30e-3;
  double to_x_m = 95e-3;
  double surface_z_m = -40e-3;  ///< at from_x_m, without bumps
};

/// 0.2-10 N/mm (science.md 2.4, 2.6: 0.27-4.3 N/mm for 2-200 kPa, wider here), force growing as depth^1 to depth^1.5
/// (2.3), damping c/k 0.5-10 ms (2.3), slope to 20 degrees, curved, up to four bumps and hollows, friction 0.05-0.9
/// (2.7). Distributions [A].
inline sim::PhantomConfig random_phantom(std::uint64_t seed, const StrokeSpan& span) {
  std::mt19937_64 random(seed);
  const auto within = [&](double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(random);
  };
  constexpr double kForce_N = 6;
  sim::PhantomConfig p;
  p.stiffness_N_m = 200 * std::pow(50.0, within(0, 1));
  p.stiffening_exponent = within(1, 1.5);
  p.stiffening_reference_m = kForce_N / p.stiffness_N_m;  // the stiffness is the secant's at 6 N
  p.damping_N_s_m = within(0.5e-3, 10e-3) * p.stiffness_N_m;
  p.damping_onset_m = std::min(0.2e-3, 0.3 * p.stiffening_reference_m);
  p.slope = std::tan(within(-20, 20) * std::numbers::pi / 180);
  p.surface_z_m = span.surface_z_m - p.slope * span.from_x_m;
  p.curvature_wavelength_m = within(80e-3, 200e-3);
  p.curvature_amplitude_m = within(0, 0.15) * p.curvature_wavelength_m / (2 * std::numbers::pi);
  const int bumps = std::uniform_int_distribution<int>(0, 4)(random);
  for (int i = 0; i < bumps; ++i) {
    const double width_m = within(4e-3, 12e-3);
    p.bumps.push_back({within(span.from_x_m, span.to_x_m), within(-1, 1) * std::min(1.5e-3, 0.15 * width_m), width_m});
  }
  p.friction = within(0.05, 0.9);
  return p;
}

}  // namespace strigil::apps::test
