// Relaxation: Prony's branches on a nonlinear spring, with a stored energy, so that they can only lose it.
//
// With U the elastic energy of the quasi-static springs and x = sqrt(2 U) their state made linear, branches are springs
// and dashpots in series in x:  Psi = U + sum r_i (x - y_i)^2 / 2,  y_i' = (x - y_i) / tau_i - y_i v / l. All forces of
// the springs are multiplied by one factor 1 + sum r_i (1 - y_i / x): after a step it decays exactly as Prony's series,
// whatever the spring's law. r_i is the branch's share against what stays. v / l: sliding brings material that has not
// relaxed yet under the edge, whose renewal costs work, paid as drag. Below x where the sum is 0 the surface comes back
// by itself, slower than the edge leaves, and nothing touches.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace strigil::sim {

/// Shares are of the instantaneous modulus; the rest of 1 stays.
struct RelaxationBranches {
  std::array<double, 3> share{};
  std::array<double, 3> time_s{1, 1, 1};
  double renewal_m = 20e-3;  ///< l
};

/// What relaxation makes of the springs.
struct Relaxed {
  double factor = 1;  ///< on every force of the springs; 0: the surface has not come back yet
  double drag_N = 0;  ///< against sliding
};

/// One thread; starts as material that was never touched.
class Relaxation {
 public:
  explicit Relaxation(const RelaxationBranches& branches) noexcept : branches_(branches) {
    double stays = 1;
    for (const double s : branches.share) stays -= s;
    for (std::size_t i = 0; i < kBranches; ++i) ratio_[i] = branches.share[i] / stays;
    instantaneous_ = 1 / stays;
  }

  /// `dt_s` passes, the edge sliding at `speed_m_s`; the springs now store `energy_J`.
  Relaxed step(double dt_s, double energy_J, double speed_m_s) noexcept {
    const double pressed = std::sqrt(2 * energy_J);
    keep(dt_s);
    double rest = 0;  // where the surface would stand by itself
    for (std::size_t i = 0; i < kBranches; ++i) rest += branches_.share[i] * y_[i];
    const double x = pressed > rest ? pressed : rest;
    const double kept = 1 / (1 + speed_m_s * dt_s / branches_.renewal_m);
    Relaxed out;
    stored_J_ = x * x / 2;
    double force = x;
    for (std::size_t i = 0; i < kBranches; ++i) {
      // Relaxation exact, renewal implicit: stable for every step and speed.
      const double y = (y_[i] + pass_[i] * (x - y_[i])) * kept;
      y_[i] = y;
      const double strain = x - y;
      force += ratio_[i] * strain;
      stored_J_ += ratio_[i] * strain * strain / 2;
      if (strain > 0) out.drag_N += ratio_[i] * strain * y;
    }
    out.drag_N /= branches_.renewal_m;
    const bool touches = pressed >= rest && force > 0;
    out.factor = !touches ? 0 : x > 0 ? force / x : instantaneous_;
    if (!touches) out.drag_N = 0;
    return out;
  }
  /// In springs and branches, of the last step.
  [[nodiscard]] double stored_J() const noexcept { return stored_J_; }
  /// The factor on material that has had no time to relax.
  [[nodiscard]] double instantaneous() const noexcept { return instantaneous_; }
  void reset() noexcept {
    y_ = {};
    stored_J_ = 0;
  }

 private:
  static constexpr std::size_t kBranches = 3;
  void keep(double dt_s) noexcept {
    if (std::abs(dt_s - pass_for_s_) < kSameStep_s) return;
    pass_for_s_ = dt_s;
    for (std::size_t i = 0; i < kBranches; ++i) pass_[i] = -std::expm1(-dt_s / branches_.time_s[i]);
  }
  /// A period that is no whole number of ns makes steps of two sizes.
  static constexpr double kSameStep_s = 2e-9;

  RelaxationBranches branches_;
  std::array<double, kBranches> ratio_{};
  std::array<double, kBranches> y_{};
  std::array<double, kBranches> pass_{};
  double pass_for_s_ = 0;
  double instantaneous_ = 1;
  double stored_J_ = 0;
};

}  // namespace strigil::sim
