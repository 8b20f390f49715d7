// SurfaceTexture: what the micro-topography of a surface does to an edge that slides over it.
//
// Displacement of asperities through the contact's stiffness, as a force at the edge; a process in space, sampled where
// the edge is, so that its spectrum shifts with speed by itself. Its power spectral density over wave number falls as
// k^-2.98: then a tool's mode at a fixed frequency is driven by an RMS that grows as v^0.99, as measured through a
// stylus on 100 materials (science.md 2.8 [D]). That it hardly grows with force (F^0.09) is taken from the same data
// and not derived [D].
//   force = A(N) [h1 n - h2 v/|v| + h3 s],  A = stiffness rms N^0.09,  h of unit RMS
// n the normal, s across v. What it takes from the motion is bounded by half of what friction takes, so the two
// together never give energy: |h2 part| <= mu N / 2, |h1 part v_z| <= mu N |v| / 2. Where bristles stick there is no
// texture.
#pragma once

#include <array>

#include "rig/phantom.hpp"
#include "sim/roughness.hpp"

namespace strigil::sim {

/// Of asperities against the surface, for an edge of 40 mm: set so that skin under an emollient vibrates at the p10
/// line of science.md 2.8 through a steel tool [A].
inline constexpr double kAsperityStiffness_N_m = 50e3;

/// Immutable; any thread.
class SurfaceTexture {
 public:
  explicit SurfaceTexture(const rig::PhantomTexture& texture);

  struct Sliding {
    double x_m = 0;
    double y_m = 0;
    std::array<double, 3> velocity_m_s{};
    double normal_N = 0;
    double friction_N = 0;  ///< mu N: what friction takes of each metre that it slips
    double slips = 1;       ///< share of the way that it slips, and does not bend bristles
    double factor = 1;      ///< of roughness and of stiffness, here
  };
  /// On the edge (N).
  [[nodiscard]] std::array<double, 3> force_N(const Sliding& s) const noexcept;

 private:
  Roughness profile_;
  double amplitude_N_;
  std::array<float, 257> by_force_{};  // N^0.09, from nothing
};

}  // namespace strigil::sim
