#include "protocols/court/distributions.hpp"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cassert>
#include <cmath>
#include <limits>

namespace strigil::protocols {
namespace {

namespace bm = boost::math;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kHalfLog2Pi = 0.91893853320467274178;

[[maybe_unused]] bool is_probability(double p) { return p >= 0 && p <= 1; }

}  // namespace

double normal_cdf(double z) noexcept { return 0.5 * std::erfc(-z * M_SQRT1_2); }

double normal_density(double z) noexcept { return std::exp(-0.5 * z * z - kHalfLog2Pi); }

double log_normal_cdf(double z) noexcept {
  if (z > -30) return z > 0 ? std::log1p(-normal_cdf(-z)) : std::log(normal_cdf(z));
  // Asymptotic series of Mills' ratio, 7 digits better than double at z = -30 (Abramowitz & Stegun 26.2.12).
  const double q = 1 / (z * z);
  return -0.5 * z * z - kHalfLog2Pi - std::log(-z) + std::log1p(-q * (1 - 3 * q * (1 - 5 * q * (1 - 7 * q))));
}

double normal_quantile(double p) {
  assert(is_probability(p));
  if (p <= 0) return -kInfinity;
  if (p >= 1) return kInfinity;
  return -M_SQRT2 * bm::erfc_inv(2 * p);
}

double two_sided_z(double level) { return normal_quantile(0.5 + 0.5 * level); }

double two_sided_p(double z) noexcept { return std::erfc(std::abs(z) * M_SQRT1_2); }

double student_quantile(double p, double dof) {
  assert(is_probability(p) && dof > 0);
  if (p <= 0) return -kInfinity;
  if (p >= 1) return kInfinity;
  return bm::quantile(bm::students_t(dof), p);
}

double two_sided_student_p(double t, double dof) {
  if (std::isinf(t)) return 0;
  return 2 * bm::cdf(bm::complement(bm::students_t(dof), std::abs(t)));
}

double chi_squared_quantile(double p, double dof) {
  assert(is_probability(p) && dof > 0);
  if (p >= 1) return kInfinity;
  return bm::quantile(bm::chi_squared(dof), p);
}

double chi_squared_survival(double x, double dof) {
  if (std::isinf(x)) return 0;
  return bm::cdf(bm::complement(bm::chi_squared(dof), x));
}

double fisher_quantile(double p, double dof1, double dof2) {
  assert(is_probability(p) && dof1 > 0 && dof2 > 0);
  if (p >= 1) return kInfinity;
  return bm::quantile(bm::fisher_f(dof1, dof2), p);
}

double fisher_survival(double x, double dof1, double dof2) {
  if (std::isinf(x)) return 0;
  return bm::cdf(bm::complement(bm::fisher_f(dof1, dof2), x));
}

double beta_quantile(double p, double a, double b) {
  assert(is_probability(p) && a > 0 && b > 0);
  return bm::quantile(bm::beta_distribution<>(a, b), p);
}

double binomial_cdf(double k, double n, double p) {
  assert(is_probability(p) && n >= 0);
  if (k < 0) return 0;
  if (k >= n) return 1;
  return bm::cdf(bm::binomial(n, p), k);
}

}  // namespace strigil::protocols
