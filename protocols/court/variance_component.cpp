#include "protocols/court/variance_component.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "protocols/court/bootstrap.hpp"
#include "protocols/court/distributions.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

/// G = 1 - 1 / F(upper alpha; dof, inf), H = 1 / F(lower alpha; dof, inf) - 1.
double g_of(double dof, double alpha) { return 1 - dof / chi_squared_quantile(1 - alpha, dof); }
double h_of(double dof, double alpha) { return dof / chi_squared_quantile(alpha, dof) - 1; }

Interval of_sum(std::span<const MeanSquareTerm> terms, double estimate, double level) {
  const double alpha = (1 - level) / 2;
  double low = 0;
  double high = 0;
  for (const auto& t : terms) {
    const double v = t.coefficient * t.square.value;
    low += std::pow(g_of(t.square.dof, alpha) * v, 2);
    high += std::pow(h_of(t.square.dof, alpha) * v, 2);
  }
  return {std::max(0.0, estimate - std::sqrt(low)), estimate + std::sqrt(high), level};
}

/// c1 S1 - c2 S2, c1 and c2 > 0 (Ting et al. 1990).
Interval of_difference(const MeanSquareTerm& plus, const MeanSquareTerm& minus, double estimate, double level) {
  const double alpha = (1 - level) / 2;
  const double n1 = plus.square.dof;
  const double n2 = minus.square.dof;
  const double g1 = g_of(n1, alpha);
  const double g2 = g_of(n2, alpha);
  const double h1 = h_of(n1, alpha);
  const double h2 = h_of(n2, alpha);
  const double f_high = fisher_quantile(1 - alpha, n1, n2);
  const double f_low = fisher_quantile(alpha, n1, n2);
  const double g12 = (std::pow(f_high - 1, 2) - std::pow(g1 * f_high, 2) - h2 * h2) / f_high;
  const double h12 = (std::pow(1 - f_low, 2) - std::pow(h1 * f_low, 2) - g2 * g2) / f_low;
  const double a = plus.coefficient * plus.square.value;
  const double b = -minus.coefficient * minus.square.value;
  const double low = std::pow(g1 * a, 2) + std::pow(h2 * b, 2) + g12 * a * b;
  const double high = std::pow(h1 * a, 2) + std::pow(g2 * b, 2) + h12 * a * b;
  return {std::max(0.0, estimate - std::sqrt(std::max(0.0, low))),
          std::max(0.0, estimate + std::sqrt(std::max(0.0, high))), level};
}

}  // namespace

double VarianceComponent::sd() const { return std::sqrt(variance); }

VarianceComponent variance_component(std::span<const MeanSquareTerm> terms, double level) {
  assert(!terms.empty() && level > 0 && level < 1);
  VarianceComponent out;
  double spread = 0;
  std::size_t negative = 0;
  for (const auto& t : terms) {
    const double v = t.coefficient * t.square.value;
    out.estimate += v;
    spread += v * v / t.square.dof;
    negative += t.coefficient < 0 ? 1 : 0;
  }
  out.clamped = out.estimate < 0;
  out.variance = std::max(0.0, out.estimate);
  if (negative == 0) {
    out.mls = of_sum(terms, out.estimate, level);
  } else {
    assert(terms.size() == 2 && negative == 1);
    const bool second = terms[1].coefficient < 0;
    out.mls = of_difference(terms[second ? 0 : 1], terms[second ? 1 : 0], out.estimate, level);
  }
  out.satterthwaite.level = level;
  if (out.estimate > 0) {
    out.satterthwaite_dof = out.estimate * out.estimate / spread;
    const double scaled = out.satterthwaite_dof * out.estimate;
    const double low = chi_squared_quantile(0.5 - level / 2, out.satterthwaite_dof);
    out.satterthwaite = {scaled / chi_squared_quantile(0.5 + level / 2, out.satterthwaite_dof),
                         low > 0 ? scaled / low : std::numeric_limits<double>::infinity(), level};
  }
  return out;
}

Interval generalised_interval(std::span<const MeanSquare> squares,
                              const std::function<double(std::span<const double>)>& function, double level,
                              std::size_t draws, std::uint64_t seed) {
  std::vector<double> values;
  values.reserve(draws);
  std::vector<double> expected(squares.size());
  for (std::size_t b = 0; b < draws; ++b) {
    Draws random(seed, b);
    for (std::size_t i = 0; i < squares.size(); ++i) {
      expected[i] = squares[i].value * squares[i].dof / random.chi_squared(squares[i].dof);
    }
    const double v = function(expected);
    if (!std::isnan(v)) values.push_back(v);
  }
  Interval out;
  out.level = level;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.low = quantile_of_sorted(values, 0.5 - level / 2);
  out.high = quantile_of_sorted(values, 0.5 + level / 2);
  return out;
}

}  // namespace strigil::protocols
