// SlidingEdge: friction on an edge that its mount lets give way along x and y, so that it can stick and slip.
//
//   m r'' + c r' + k r = F - m a_stage,   F = friction of the edge's own velocity v_stage + r', and what else acts
// Bristles (sim/lugre.hpp) and mount are solved together for each step, implicitly, since the one is stiff where the
// other is light: with friction a step late, a pressed instrument would hum by itself. Bending of the instrument is not
// in r: it is micrometres where bristles bend by a tenth of a millimetre.
#pragma once

#include "sim/lugre.hpp"

namespace strigil::sim {

/// What holds the edge along x and y. Precondition: mass and stiffness > 0.
struct EdgeMount {
  double mass_kg = 0.28;
  double stiffness_N_m = 20e3;
  double damping_N_s_m = 7.5;
};

/// One thread; starts at rest.
class SlidingEdge {
 public:
  using Planar = LuGre::Planar;

  explicit SlidingEdge(const EdgeMount& mount) noexcept : mount_(mount) {}

  /// How fast the edge gives way against the stage, as of the last step.
  [[nodiscard]] const Planar& gives_m_s() const noexcept { return rate_m_s_; }
  /// `dt_s` passes under `normal_N` >= 0 with `others_N` on the edge besides friction; returns friction on the edge
  /// (N).
  Planar step(double dt_s, const Planar& stage_m_s, const Planar& stage_m_s2, double normal_N, const FrictionLaw& law,
              const Planar& others_N) noexcept {
    Planar friction{};
    const Planar before{stage_m_s[0] + rate_m_s_[0], stage_m_s[1] + rate_m_s_[1]};
    const LuGre::Response response = bristles_.respond(dt_s, before, normal_N, law);
    if (!(dt_s > 0)) {
      for (std::size_t i = 0; i < 2; ++i) friction[i] = response.held_N[i] - response.per_speed_N_s_m * before[i];
      return friction;
    }
    const double inertia = 2 * mount_.mass_kg / dt_s;
    const double by = 1 / (inertia + mount_.stiffness_N_m * dt_s / 2 + mount_.damping_N_s_m + response.per_speed_N_s_m);
    Planar sliding;
    for (std::size_t i = 0; i < 2; ++i) {
      const double drive =
          others_N[i] - mount_.mass_kg * stage_m_s2[i] + response.held_N[i] - response.per_speed_N_s_m * stage_m_s[i];
      const double mean = by * (inertia * rate_m_s_[i] - mount_.stiffness_N_m * place_m_[i] + drive);  // of the rate
      place_m_[i] += dt_s * mean;
      rate_m_s_[i] = 2 * mean - rate_m_s_[i];
      sliding[i] = stage_m_s[i] + mean;
      friction[i] = response.held_N[i] - response.per_speed_N_s_m * sliding[i];
    }
    bristles_.advance(response, sliding);
    return friction;
  }
  [[nodiscard]] const LuGre& bristles() const noexcept { return bristles_; }

 private:
  EdgeMount mount_;
  LuGre bristles_;
  Planar place_m_{};
  Planar rate_m_s_{};
};

}  // namespace strigil::sim
