// SpringDamperPlant: a soft phantom as a unilateral spring and damper with friction and a texture in space.
//
// Compression d = surface(x) - z. On the instrument, while d > 0:
//   normal force      N   = max(0, k(x) d0 (d / d0)^n + c(d) d'), so it never pulls
//   force along x     Fx  = -mu N vx / sqrt(vx^2 + vy^2 + vs^2) - N surface'(x) - (energy of the compression)'(x)
// The last two terms are what makes slope and inclusions conservative: no closed path gains energy.
// The texture is roughness in space, sampled where the instrument is; its acceleration grows with speed as v^0.99 and
// hardly with force, F^0.09 (science.md 2.8). Tool modes and relaxation are not modelled.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/mount.hpp"
#include "sim/plant.hpp"
#include "sim/roughness.hpp"

namespace strigil::sim {

/// A stiffer (or softer) place under the surface: k is multiplied by up to `contrast` over +-half_width_m around x.
struct Inclusion {
  double x_m = 0.1;
  double half_width_m = 6e-3;  ///< science.md 2.2 sweep: diameters 3-20 mm [A]
  double contrast = 3;         ///< science.md 2.2: 1.5-10 in tissue; more to provoke the force limit
};

/// An unevenness of the surface: a Gaussian hill (or a hollow, below 0).
struct Bump {
  double x_m = 0.1;
  double height_m = 0.5e-3;
  double width_m = 8e-3;  ///< one standard deviation
};

/// The specimen. SI units; a row of science.md beside every number, with its tag.
struct PhantomConfig {
  bool present = true;                     ///< false: the instrument never meets anything
  std::optional<double> absent_from_x_m;   ///< from this x on there is no phantom: contact is lost in mid-stroke
  double surface_z_m = -20e-3;             ///< machine height of the surface at x = 0 [A]
  double slope = 0;                        ///< dz/dx
  double curvature_amplitude_m = 0.2e-3;   ///< surface(x) has amplitude * sin(2 pi x / wavelength) [A]
  double curvature_wavelength_m = 200e-3;  ///< [A]
  double stiffness_N_m = 1000;             ///< 2.6 [C]: secant 0.9-1.9 N/mm at 6 N, 30-60 kPa, R 3 mm
  double stiffening_exponent = 1;          ///< n; 2.3 [M]: line contact about 1, sphere 1.5
  double stiffening_reference_m = 1e-3;    ///< d0, where every n gives the same force [A]
  double damping_N_s_m = 5;                ///< 2.3 [M]: lambda/K 1-10 s/m of soft tissue times K = 1000 N/m at 1-5 mm
  double damping_onset_m = 0.2e-3;         ///< damping grows from 0 over this depth, so that contact has no jump [A]
  double friction = 0.10;                  ///< mu; 2.7 [M/A]: emollient film 0.05-0.20, nominal 0.10
  double friction_smoothing_m_s = 1e-3;    ///< vs; 2.7 [M/A]: 1-20 mm/s dry
  double texture_rms_m_s2 = 1.0;           ///< all axes, at 60 mm/s and 1 N; 2.8 [D]: medians 0.71 and 1.08 around it
  double texture_speed_exponent = 0.99;    ///< 2.8 [D]
  double texture_force_exponent = 0.09;    ///< 2.8 [D]
  std::vector<Inclusion> inclusions;       ///< a few; each costs time in every step
  std::vector<Bump> bumps;                 ///< likewise
  std::optional<Anvil> anvil;              ///< there is no phantom from its x on
};

/// See the head of this file. About 50 ns a step.
class SpringDamperPlant final : public Plant {
 public:
  /// `seed` sets the texture's phases and the machine noise; nothing else is random.
  SpringDamperPlant(const PhantomConfig& phantom, const MountConfig& mount, std::uint64_t seed);

  const PlantState& step(daq::HostTime now, const rig::Position& position_m,
                         const rig::Position& velocity_m_s) noexcept override;
  [[nodiscard]] const PlantState& state() const noexcept override { return state_; }
  /// Height of the surface at x (m), whether or not the phantom is there.
  [[nodiscard]] double surface_m(double x_m) const noexcept;
  [[nodiscard]] double surface_m(double x_m, double) const noexcept override { return surface_m(x_m); }
  [[nodiscard]] double compression_m() const noexcept override { return compression_m_; }

 private:
  struct Contact {
    double normal_N = 0;
    double along_x_N = 0;  ///< conservative part only
  };
  [[nodiscard]] double surface_slope(double x_m) const noexcept;
  Contact contact(const rig::Position& position_m, const rig::Position& velocity_m_s) noexcept;
  void feel_texture(double normal_N) noexcept;

  PhantomConfig phantom_;
  MountConfig mount_;
  Roughness roughness_;
  MachineMotion machine_;
  PlantState state_;
  double compression_m_ = 0;
};

}  // namespace strigil::sim
