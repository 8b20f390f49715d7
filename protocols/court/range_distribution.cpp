#include "protocols/court/range_distribution.hpp"

#include <array>
#include <cassert>
#include <cmath>
#include <mutex>
#include <vector>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {

namespace {

constexpr std::size_t kLargest = 25;

RangeFactors computed(std::size_t n) {
  // f(w) = n (n - 1) integral of phi(x) phi(x + w) (Phi(x + w) - Phi(x))^(n - 2) dx. The inner integral by the
  // trapezoid rule, exact to rounding for smooth functions that die out; the outer by Boole's.
  constexpr double kStep = 1.0 / 32;
  constexpr int kSteps = 32 * 16;  // of w, to 16
  constexpr int kFrom = -32 * 9;   // of x
  std::vector<double> cdf;
  std::vector<double> density;
  for (int i = kFrom; i <= -kFrom + kSteps; ++i) {
    cdf.push_back(normal_cdf(i * kStep));
    density.push_back(normal_density(i * kStep));
  }
  double mean = 0;
  double square = 0;
  for (int w = 0; w <= kSteps; ++w) {
    double inner = 0;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(-2 * kFrom); ++i) {
      const auto j = i + static_cast<std::size_t>(w);
      inner += density[i] * density[j] * std::pow(cdf[j] - cdf[i], static_cast<double>(n - 2));
    }
    const double boole = (w == 0 || w == kSteps ? 7.0 : w % 2 == 1 ? 32.0 : w % 4 == 2 ? 12.0 : 14.0) * 2 * kStep / 45;
    const double f = boole * inner * kStep * static_cast<double>(n * (n - 1));
    mean += f * w * kStep;
    square += f * w * kStep * w * kStep;
  }
  return {mean, std::sqrt(square - mean * mean)};
}

}  // namespace

RangeFactors range_factors(std::size_t n) {
  assert(n >= 2 && n <= kLargest);
  static std::array<std::once_flag, kLargest + 1> once;
  static std::array<RangeFactors, kLargest + 1> known;
  std::call_once(once[n], [n] { known[n] = computed(n); });
  return known[n];
}

double d2_star(std::size_t n, std::size_t g) {
  assert(g >= 1);
  const auto f = range_factors(n);
  return std::sqrt(f.d2 * f.d2 + f.d3 * f.d3 / static_cast<double>(g));
}

double c4_factor(std::size_t n) {
  assert(n >= 2);
  const auto m = static_cast<double>(n);
  return std::sqrt(2 / (m - 1)) * std::exp(std::lgamma(m / 2) - std::lgamma((m - 1) / 2));
}

}  // namespace strigil::protocols
