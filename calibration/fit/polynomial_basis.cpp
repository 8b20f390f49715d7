#include "calibration/fit/polynomial_basis.hpp"

#include <cassert>
#include <cmath>

namespace strigil::calibration {
namespace {

using Eigen::Index;

template <typename Number>
std::vector<Number> chebyshev(Number t, std::size_t count, Number factor) {
  std::vector<Number> out(count);
  for (std::size_t k = 0; k < count; ++k) {
    out[k] = k == 0 ? factor : k == 1 ? t * factor : Number(2) * t * out[k - 1] - out[k - 2];
  }
  return out;
}

}  // namespace

PolynomialBasis::PolynomialBasis(Index count, double x_min, double x_max, bool through_zero)
    : count_(count), centre_(x_min / 2 + x_max / 2), half_range_(x_max / 2 - x_min / 2), through_zero_(through_zero) {
  assert(count >= 1 && x_min <= x_max);
  if (!(half_range_ > 0)) half_range_ = centre_ != 0 ? std::abs(centre_) : 1;
}

Eigen::VectorXd PolynomialBasis::row(double x) const {
  const auto values =
      chebyshev((x - centre_) / half_range_, static_cast<std::size_t>(count_), through_zero_ ? x / half_range_ : 1.0);
  return Eigen::Map<const Eigen::VectorXd>(values.data(), count_);
}

std::vector<Extended> PolynomialBasis::row(Extended x) const {
  const Extended half(half_range_);
  return chebyshev((x - Extended(centre_)) / half, static_cast<std::size_t>(count_),
                   through_zero_ ? x / half : Extended(1));
}

Eigen::VectorXd PolynomialBasis::slope_row(double x) const {
  const double t = (x - centre_) / half_range_;
  const auto value = chebyshev(t, static_cast<std::size_t>(count_), 1.0);
  Eigen::VectorXd by_t = Eigen::VectorXd::Zero(count_), out(count_);
  for (Index k = 0; k < count_; ++k) {
    if (k == 1) by_t[k] = 1;
    if (k > 1) by_t[k] = 2 * value[static_cast<std::size_t>(k - 1)] + 2 * t * by_t[k - 1] - by_t[k - 2];
    const double v = value[static_cast<std::size_t>(k)];
    out[k] = (through_zero_ ? by_t[k] * (x / half_range_) + v : by_t[k]) / half_range_;
  }
  return out;
}

ExtendedMatrix PolynomialBasis::powers() const {
  ExtendedMatrix m(count_, count_);
  const Extended a = Extended(1) / Extended(half_range_), b = Extended(-centre_) / Extended(half_range_);
  for (Index k = 0; k < count_; ++k) {
    for (Index j = 0; j <= k; ++j) {
      if (k == 0) {
        m.set(0, 0, Extended(1));
        continue;
      }
      const Extended below = j > 0 ? m.at(k - 1, j - 1) : Extended();
      const Extended same = j < k ? m.at(k - 1, j) : Extended();
      Extended v = a * below + b * same;
      if (k > 1) v = Extended(2) * v - m.at(k - 2, j);
      m.set(k, j, v);
    }
  }
  if (through_zero_) {
    for (Index k = 0; k < count_; ++k) {
      for (Index j = 0; j <= k; ++j) m.set(k, j, m.at(k, j) * a);
    }
  }
  return m;
}

}  // namespace strigil::calibration
