// LuGre: friction of an edge that slides in x and y, as bristles that bend, break loose and slip.
//
//   b' = v - |v| b / z(v)      bristles' deflection, z = mu(v) / s0
//   F  = -N (s0 b) - s1 b' - s2 N v
//   mu(v) = mu_k (1 + (ratio - 1) exp(-(|v| / v_s)^2)) + constant                                     Stribeck;
//   science.md 2.7
// Scaled by the normal force N: more of it brings bristles that are not bent yet (the force does not jump), less of it
// lets go of some. The deflection is advanced by the exact exponential of the step, so it is stable for every one;
// micro-damping s1 fades where it could create energy (s1 |v| <= 2 mu N).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace strigil::sim {

/// What friction is, here and now.
struct FrictionLaw {
  double kinetic = 0.1;
  double static_ratio = 1.3;
  double stribeck_speed_m_s = 0.05;
  double constant = 0;             ///< added to mu at every speed: what else a slide costs
  double viscous_s_m = 0;          ///< s2: per newton and m/s
  double bristles_per_m = 800;     ///< s0: of the normal force, a metre of deflection makes so many times it
  double micro_damping_N_s_m = 2;  ///< s1
};

/// exp(-x) for x >= 0, to 3e-6; never above 1 nor below 0. A quotient is a third of std::exp.
inline double decay(double x) noexcept {
  const double y = x / 16;
  double series = 1 + y * (1 + y * (0.5 + y * (1.0 / 6 + y * (1.0 / 24))));
  series *= series;
  series *= series;
  series *= series;
  return 1 / (series * series);
}

/// mu(v), viscous part apart.
inline double stribeck(const FrictionLaw& law, double speed_m_s) noexcept {
  const double by = speed_m_s / law.stribeck_speed_m_s;
  return law.kinetic * (1 + (law.static_ratio - 1) * decay(by * by)) + law.constant;
}

/// One edge; one thread. Starts unbent.
class LuGre {
 public:
  using Planar = std::array<double, 2>;

  /// A step that is yet to be taken: friction is held - per_speed v, where v is the mean velocity over it.
  struct Response {
    Planar held_N{};
    double per_speed_N_s_m = 0;
    double stays = 0;    ///< of the deflection
    double most_m = 0;   ///< z(v)
    double moves_s = 0;  ///< deflection per velocity
  };
  /// What `dt_s` would bring under `normal_N` >= 0, the edge slipping about as at `velocity_m_s`.
  Response respond(double dt_s, const Planar& velocity_m_s, double normal_N, const FrictionLaw& law) noexcept {
    Response r;
    if (!(normal_N > 0)) {
      bristles_m_ = {};
      normal_N_ = 0;
      slip_share_ = 1;  // in the air it goes where it likes
      return r;
    }
    if (normal_N > normal_N_) {
      const double bent = normal_N_ / normal_N;
      for (double& b : bristles_m_) b *= bent;
    }
    normal_N_ = normal_N;
    const double speed = std::sqrt(velocity_m_s[0] * velocity_m_s[0] + velocity_m_s[1] * velocity_m_s[1]);
    const double mu = stribeck(law, speed);
    const double most_m = mu / law.bristles_per_m;
    r.per_speed_N_s_m = law.viscous_s_m * normal_N;
    if (!(most_m > 0)) {
      bristles_m_ = {};
      return r;
    }
    r.most_m = most_m;
    const double slip = speed * dt_s / most_m;
    r.stays = decay(slip);
    // The mean over the step: (1 - e^-x) / x, with its limit where x is small.
    r.moves_s = dt_s * (slip > 1e-6 ? (1 - r.stays) / slip : 1 - slip / 2);
    double damping = law.micro_damping_N_s_m;
    if (damping * speed > 2 * mu * normal_N) damping = 2 * mu * normal_N / speed;
    const double per_step = dt_s > 0 ? damping / dt_s : 0;
    const double stiffness = normal_N * law.bristles_per_m;
    r.per_speed_N_s_m += (stiffness + per_step) * r.moves_s;
    for (std::size_t i = 0; i < 2; ++i) {
      r.held_N[i] = -(stiffness * r.stays + per_step * (r.stays - 1)) * bristles_m_[i];
    }
    return r;
  }
  /// Takes the step.
  void advance(const Response& r, const Planar& velocity_m_s) noexcept {
    for (std::size_t i = 0; i < 2; ++i) bristles_m_[i] = r.stays * bristles_m_[i] + r.moves_s * velocity_m_s[i];
    const double square = bristles_m_[0] * bristles_m_[0] + bristles_m_[1] * bristles_m_[1];
    slip_share_ = r.most_m > 0 ? std::min(1.0, square / (r.most_m * r.most_m)) : 1;
  }
  /// What share of friction's power mu N |v| the bristles lose and do not store: (|b| / z)^2; 1 in a steady slide.
  [[nodiscard]] double slip_share() const noexcept { return slip_share_; }
  /// Both, with the edge sliding at `velocity_m_s`; returns the force on the edge (N).
  Planar step(double dt_s, const Planar& velocity_m_s, double normal_N, const FrictionLaw& law) noexcept {
    const Response r = respond(dt_s, velocity_m_s, normal_N, law);
    advance(r, velocity_m_s);
    return {r.held_N[0] - r.per_speed_N_s_m * velocity_m_s[0], r.held_N[1] - r.per_speed_N_s_m * velocity_m_s[1]};
  }
  /// In the bristles (J), under the last step's normal force.
  [[nodiscard]] double stored_J(double bristles_per_m) const noexcept {
    return 0.5 * normal_N_ * bristles_per_m * (bristles_m_[0] * bristles_m_[0] + bristles_m_[1] * bristles_m_[1]);
  }
  [[nodiscard]] const Planar& bristles_m() const noexcept { return bristles_m_; }

 private:
  Planar bristles_m_{};
  double slip_share_ = 0;
  double normal_N_ = 0;
};

}  // namespace strigil::sim
