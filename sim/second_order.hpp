// SecondOrder: y'' + 2 z w y' + w^2 y = u, stepped exactly: what modes, mountings, carriages and filters are made of.
//
// Between two steps u is taken to go straight from its value at the one to that at the other; then the step is no
// approximation, has no delay of its own and is stable for every step size. State and input have one unit (that of u):
// place = w^2 y, rate = w y', acceleration = y''. An oscillator that so long a step cannot show (more than 0.45 of a
// period a step) follows u without inertia: place = u, acceleration 0, in place of an alias of its tone.
#pragma once

#include <array>
#include <complex>
#include <cstddef>

namespace strigil::sim {

/// What one step of one size does: of place and rate before, and of u before and after. A value; pure.
struct SecondOrderStep {
  double place_place = 0;
  double place_rate = 0;
  double rate_place = 0;
  double rate_rate = 0;
  double place_before = 0;
  double place_after = 1;
  double rate_before = 0;
  double rate_after = 0;
  double felt = 0;  ///< acceleration = felt * (u - two_z * rate - place)
  double two_z = 0;
};

/// Periods a step from which on an oscillator is not resolved.
inline constexpr double kMostPeriodsAStep = 0.45;

/// `frequency_Hz` > 0, 0 <= `damping_ratio` <= 10, `dt_s` > 0 (asserted). Some microseconds: keep what it gives.
SecondOrderStep second_order_step(double frequency_Hz, double damping_ratio, double dt_s) noexcept;

/// Acceleration per u that these steps say of a tone, in closed form: with the images that straight lines between steps
/// put into it, which an oscillator far above the tone shows (its answer at 5 % of its frequency is off by a half where
/// a step is a fifth of its period). `cycles_a_step` of the tone, above 0 and below 0.5. Pure.
[[nodiscard]] std::complex<double> stepped_acceleration(const SecondOrderStep& step, double cycles_a_step);

/// One oscillator; starts at rest with u = 0. One thread; no allocation.
class SecondOrder {
 public:
  SecondOrder() : SecondOrder(1, 1) {}
  SecondOrder(double frequency_Hz, double damping_ratio);
  /// `dt_s` passes and u comes to `input`. `dt_s` <= 0: nothing happens.
  void step(double dt_s, double input) noexcept;
  /// At rest under `input`.
  void settle(double input) noexcept;

  [[nodiscard]] double place() const noexcept { return place_; }
  [[nodiscard]] double rate() const noexcept { return rate_; }
  [[nodiscard]] double acceleration() const noexcept { return acceleration_; }
  /// Of one that is shaken at its foot by u (a position, say): u + the part of it that inertia takes away.
  [[nodiscard]] double carried() const noexcept { return place_ + two_z_ * rate_; }

 private:
  struct Kept {
    double dt_s = 0;
    SecondOrderStep step;
  };
  double frequency_Hz_;
  double damping_ratio_;
  double two_z_;
  std::array<Kept, 2> kept_{};  // a period that is no whole number of ns makes steps of two sizes
  std::size_t in_use_ = 0;
  double input_ = 0;
  double place_ = 0;
  double rate_ = 0;
  double acceleration_ = 0;
};

}  // namespace strigil::sim
