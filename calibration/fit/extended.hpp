// Extended: a number as an unevaluated sum of two doubles (about 32 digits). Residuals of least squares and sums of
// nearly equal numbers are formed in it; results are rounded to double once, at the end.
// Source: T. J. Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18 (1971).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace strigil::calibration {

/// hi + lo with |lo| <= ulp(hi)/2. Value type. Overflow of hi is inf or NaN, as with doubles.
struct Extended {
  double hi = 0;
  double lo = 0;
  constexpr Extended() = default;
  constexpr Extended(double value) : hi(value) {}  // NOLINT: implicit by design, every double is one
  constexpr Extended(double high, double low) : hi(high), lo(low) {}
  [[nodiscard]] constexpr double value() const { return hi + lo; }
};

/// Exact: a + b = result.hi + result.lo.
[[nodiscard]] inline Extended two_sum(double a, double b) noexcept {
  const double sum = a + b;
  const double part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
/// Exact where |a| >= |b|.
[[nodiscard]] inline Extended quick_two_sum(double a, double b) noexcept {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}
/// Exact: a * b = result.hi + result.lo (unless it underflows).
[[nodiscard]] inline Extended two_product(double a, double b) noexcept {
  const double product = a * b;
  return {product, std::fma(a, b, -product)};
}

[[nodiscard]] inline Extended operator-(Extended a) noexcept { return {-a.hi, -a.lo}; }
[[nodiscard]] inline Extended operator+(Extended a, Extended b) noexcept {
  Extended s = two_sum(a.hi, b.hi);
  const Extended t = two_sum(a.lo, b.lo);
  s = quick_two_sum(s.hi, s.lo + t.hi);
  return quick_two_sum(s.hi, s.lo + t.lo);
}
[[nodiscard]] inline Extended operator-(Extended a, Extended b) noexcept { return a + (-b); }
[[nodiscard]] inline Extended operator*(Extended a, Extended b) noexcept {
  const Extended p = two_product(a.hi, b.hi);
  return quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
[[nodiscard]] inline Extended operator/(Extended a, Extended b) noexcept {
  const double first = a.hi / b.hi;
  const Extended rest = a - b * Extended(first);
  const double second = rest.hi / b.hi;
  const Extended last = rest - b * Extended(second);
  return quick_two_sum(first, second) + Extended(last.hi / b.hi);
}
/// Precondition: a >= 0.
[[nodiscard]] inline Extended sqrt(Extended a) noexcept {
  if (a.hi <= 0) return {};
  const double root = std::sqrt(a.hi);
  const Extended rest = a - two_product(root, root);
  return quick_two_sum(root, rest.hi / (2 * root));
}

/// A matrix (or column) of extended numbers, stored as two: hi + lo. Shapes are equal.
struct ExtendedMatrix {
  Eigen::MatrixXd hi;
  Eigen::MatrixXd lo;

  ExtendedMatrix() = default;
  ExtendedMatrix(Eigen::Index rows, Eigen::Index columns)
      : hi(Eigen::MatrixXd::Zero(rows, columns)), lo(Eigen::MatrixXd::Zero(rows, columns)) {}
  /// The doubles of `values`, exact.
  explicit ExtendedMatrix(const Eigen::MatrixXd& values)
      : hi(values), lo(Eigen::MatrixXd::Zero(values.rows(), values.cols())) {}
  [[nodiscard]] Eigen::Index rows() const { return hi.rows(); }
  [[nodiscard]] Eigen::Index cols() const { return hi.cols(); }
  [[nodiscard]] Extended at(Eigen::Index i, Eigen::Index j) const { return {hi(i, j), lo(i, j)}; }
  void set(Eigen::Index i, Eigen::Index j, Extended value) {
    hi(i, j) = value.hi;
    lo(i, j) = value.lo;
  }
};

/// The decimal number that `text` is, to 32 digits and not to the 16 of a double: "-6.860120914", "0.17E-3".
/// Nothing where it is not a finite decimal number.
[[nodiscard]] std::optional<Extended> parse_extended(std::string_view text);

/// Sum of `values`, as if in twice the precision.
[[nodiscard]] Extended extended_sum(std::span<const double> values) noexcept;

}  // namespace strigil::calibration
