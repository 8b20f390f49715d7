// ContactModel: how stiff and how damped the thing under the instrument is, learned while pressing on it.
//
// Around where it is pressed, force is F = F0 + k d + c d', with d = -z: a straight line through the last of its curve
// (tissue stiffens: science.md 2.3). k and c come from recursive least squares with a memory that fades with time.
// A reading of force that is older than the position it is paired with by dt looks like a damping of -k dt: what
// `damping` tells is therefore good for making the loop stable, and is not the material's.
#pragma once

#include <array>

namespace strigil::rig {

/// Loop thread; noexcept, no allocation.
class ContactModel {
 public:
  /// Forgets everything. `stiffness_N_m` > 0 is what is assumed until it is learned.
  void begin(double stiffness_N_m) noexcept;
  /// One force sample: `depth_m` = -z and its rate at the force's instant. `memory_s`: 1/e of the weight after this
  /// time. Only while nothing but the pressing moves: a surface that passes by would be taken for softness.
  void add(double force_N, double depth_m, double depth_rate_m_s, double dt_s, double memory_s) noexcept;

  /// Enough travel was seen to tell the stiffness from noise.
  [[nodiscard]] bool learned() const noexcept { return learned_; }
  [[nodiscard]] double stiffness_N_m() const noexcept { return stiffness_; }
  [[nodiscard]] double damping_N_s_m() const noexcept { return damping_; }

 private:
  void solve() noexcept;
  // Weighted sums about the first sample: of 1, d, v, d^2, dv, v^2, F, Fd, Fv.
  std::array<double, 9> sums_{};
  double first_depth_ = 0;
  bool begun_ = false;
  bool learned_ = false;
  double stiffness_ = 0;
  double damping_ = 0;
};

}  // namespace strigil::rig
