#include "sim/second_order.hpp"

#include <cassert>

namespace strigil::sim {
namespace {

constexpr double kTwoPi = 6.283185307179586;

struct Matrix {
  double a = 0;  // a b
  double b = 0;  // c d
  double c = 0;
  double d = 0;
};
struct Vector {
  double x = 0;
  double y = 0;
};
Matrix operator*(const Matrix& l, const Matrix& r) {
  return {l.a * r.a + l.b * r.c, l.a * r.b + l.b * r.d, l.c * r.a + l.d * r.c, l.c * r.b + l.d * r.d};
}
Vector operator*(const Matrix& m, const Vector& v) { return {m.a * v.x + m.b * v.y, m.c * v.x + m.d * v.y}; }
Vector operator+(const Vector& l, const Vector& r) { return {l.x + r.x, l.y + r.y}; }
Vector operator*(double s, const Vector& v) { return {s * v.x, s * v.y}; }

}  // namespace

SecondOrderStep second_order_step(double frequency_Hz, double damping_ratio, double dt_s) noexcept {
  assert(frequency_Hz > 0 && damping_ratio >= 0 && damping_ratio <= 10 && dt_s > 0);
  SecondOrderStep s;
  s.two_z = 2 * damping_ratio;
  if (!(frequency_Hz * dt_s <= kMostPeriodsAStep)) return s;
  // In angle w t: (place, rate)' = A (place, rate) + (0, u). Taylor's series over a small angle, then doubled.
  double angle = kTwoPi * frequency_Hz * dt_s;
  int doublings = 0;
  while (angle * (1 + 2 * damping_ratio) > 0.25) {
    angle /= 2;
    ++doublings;
  }
  const Matrix Ah{0, angle, -angle, -2 * damping_ratio * angle};
  Matrix all{1, 0, 0, 1};               // exp(A h)
  Matrix term{1, 0, 0, 1};              // (A h)^k / k!
  Vector held{0, angle};                // integral of exp(A (h - s)) (0, 1) ds
  Vector rising{0, angle * angle / 2};  // the same times s
  constexpr int kTerms = 14;
  for (int k = 1; k < kTerms; ++k) {
    term = term * Ah;
    term = {term.a / k, term.b / k, term.c / k, term.d / k};
    all = {all.a + term.a, all.b + term.b, all.c + term.c, all.d + term.d};
    const Vector of_one = term * Vector{0, angle};
    held = held + (1.0 / (k + 1)) * of_one;
    rising = rising + (angle / ((k + 1) * (k + 2.0))) * of_one;
  }
  for (; doublings > 0; --doublings) {
    rising = all * rising + rising + angle * held;
    held = all * held + held;
    all = all * all;
    angle *= 2;
  }
  const Vector after = (1 / angle) * rising;
  s.place_place = all.a;
  s.place_rate = all.b;
  s.rate_place = all.c;
  s.rate_rate = all.d;
  s.place_after = after.x;
  s.rate_after = after.y;
  s.place_before = held.x - after.x;
  s.rate_before = held.y - after.y;
  s.felt = 1;
  return s;
}

std::complex<double> stepped_acceleration(const SecondOrderStep& s, double cycles_a_step) {
  assert(cycles_a_step > 0 && cycles_a_step < 0.5);
  // (z - A) (place, rate) = before + z after, and acceleration = felt (1 - 2 z rate - place).
  const auto z = std::polar(1.0, kTwoPi * cycles_a_step);
  const auto a = z - s.place_place, d = z - s.rate_rate;
  const auto determinant = a * d - s.place_rate * s.rate_place;
  const auto into_place = s.place_before + z * s.place_after, into_rate = s.rate_before + z * s.rate_after;
  const auto place = (d * into_place + s.place_rate * into_rate) / determinant;
  const auto rate = (s.rate_place * into_place + a * into_rate) / determinant;
  return s.felt * (1.0 - s.two_z * rate - place);
}

SecondOrder::SecondOrder(double frequency_Hz, double damping_ratio)
    : frequency_Hz_(frequency_Hz), damping_ratio_(damping_ratio), two_z_(2 * damping_ratio) {}

void SecondOrder::step(double dt_s, double input) noexcept {
  if (!(dt_s > 0)) return;
  if (kept_[in_use_].dt_s != dt_s) {
    in_use_ = 1 - in_use_;
    if (kept_[in_use_].dt_s != dt_s) kept_[in_use_] = {dt_s, second_order_step(frequency_Hz_, damping_ratio_, dt_s)};
  }
  const auto& s = kept_[in_use_].step;
  const double place = s.place_place * place_ + s.place_rate * rate_ + s.place_before * input_ + s.place_after * input;
  rate_ = s.rate_place * place_ + s.rate_rate * rate_ + s.rate_before * input_ + s.rate_after * input;
  place_ = place;
  input_ = input;
  acceleration_ = s.felt * (input - two_z_ * rate_ - place_);
}

void SecondOrder::settle(double input) noexcept {
  input_ = place_ = input;
  rate_ = acceleration_ = 0;
}

}  // namespace strigil::sim
