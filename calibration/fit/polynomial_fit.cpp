#include "calibration/fit/polynomial_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <cassert>
#include <cmath>
#include <map>
#include <set>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;

constexpr int kHighestDegree = 20;

/// T_0(t)..T_(count-1)(t), times x where the curve goes through zero.
template <typename Number>
std::vector<Number> chebyshev(Number t, std::size_t count, Number factor) {
  std::vector<Number> out(count);
  for (std::size_t k = 0; k < count; ++k) {
    out[k] = k == 0 ? factor : k == 1 ? t * factor : Number(2) * t * out[k - 1] - out[k - 2];
  }
  return out;
}

/// Row k: the powers of x that make T_k((x - centre)/half), times x/half where `through_zero`.
/// Without the power 0 then, which is 0 for all.
ExtendedMatrix powers_of(std::size_t count, double centre, double half, bool through_zero) {
  const auto n = static_cast<Index>(count);
  ExtendedMatrix m(n, n);
  const Extended a = Extended(1) / Extended(half), b = Extended(-centre) / Extended(half);
  for (Index k = 0; k < n; ++k) {
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
  if (through_zero) {
    for (Index k = 0; k < n; ++k) {
      for (Index j = 0; j <= k; ++j) m.set(k, j, m.at(k, j) * a);
    }
  }
  return m;
}

}  // namespace

double PolynomialFit::coefficient(int power) const {
  assert(power >= 0 && power <= degree_);
  if (through_zero_) return power == 0 ? 0 : fit_.coefficients[power - 1];
  return fit_.coefficients[power];
}

Eigen::VectorXd PolynomialFit::basis(double x) const {
  const auto row = chebyshev((x - centre_) / half_range_, static_cast<std::size_t>(series_.size()),
                             through_zero_ ? x / half_range_ : 1.0);
  return Eigen::Map<const Eigen::VectorXd>(row.data(), series_.size());
}

double PolynomialFit::operator()(double x) const { return basis(x).dot(series_); }

double PolynomialFit::slope(double x) const {
  // d/dx of sum c_k T_k(t) [times x/h]: T_k' = 2 T_(k-1) + 2 t T_(k-1)' - T_(k-2)'.
  const double t = (x - centre_) / half_range_;
  const auto count = static_cast<std::size_t>(series_.size());
  const auto value = chebyshev(t, count, 1.0);
  std::vector<double> derivative(count, 0.0);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    if (k == 1) derivative[k] = 1;
    if (k > 1) derivative[k] = 2 * value[k - 1] + 2 * t * derivative[k - 1] - derivative[k - 2];
    const double c = series_[static_cast<Index>(k)];
    sum += through_zero_ ? c * (derivative[k] * (x / half_range_) + value[k]) : c * derivative[k];
  }
  return sum / half_range_;
}

double PolynomialFit::curve_uncertainty(double x) const {
  const auto row = basis(x);
  return std::sqrt(std::max(0.0, row.dot(series_covariance_ * row)));
}

double PolynomialFit::prediction_uncertainty(double x, double repeats) const {
  assert(!fit_.absolute && repeats > 0);
  return std::hypot(curve_uncertainty(x), fit_.residual_sd / std::sqrt(repeats));
}

daq::Result<PolynomialFit> fit_polynomial(std::span<const double> x, std::span<const double> y,
                                          const PolynomialOptions& options) {
  const std::vector<Extended> wide_x(x.begin(), x.end()), wide_y(y.begin(), y.end());
  return fit_polynomial(std::span<const Extended>(wide_x), std::span<const Extended>(wide_y), options);
}

daq::Result<PolynomialFit> fit_polynomial(std::span<const Extended> x, std::span<const Extended> y,
                                          const PolynomialOptions& options) {
  if (options.degree < (options.through_zero ? 1 : 0) || options.degree > kHighestDegree) {
    return Error{fmt::format("a polynomial of degree {}{} cannot be fitted: allowed are {}..{}", options.degree,
                             options.through_zero ? " through zero" : "", options.through_zero ? 1 : 0,
                             kHighestDegree)};
  }
  if (x.size() != y.size()) return Error{fmt::format("the fit has {} x and {} y", x.size(), y.size())};
  PolynomialFit out;
  out.degree_ = options.degree;
  out.through_zero_ = options.through_zero;
  const auto count = static_cast<std::size_t>(options.degree + (options.through_zero ? 0 : 1));
  std::set<std::pair<double, double>> different;
  const bool weighted = options.weights.size() == static_cast<Index>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i].hi)) return Error{fmt::format("x of point {} is not a finite number", i + 1)};
    if (weighted && options.weights[static_cast<Index>(i)] == 0) continue;
    if (!(options.through_zero && x[i].hi == 0)) different.insert({x[i].hi, x[i].lo});
    out.x_min_ = different.size() <= 1 && i == 0 ? x[i].hi : std::min(out.x_min_, x[i].hi);
    out.x_max_ = different.size() <= 1 && i == 0 ? x[i].hi : std::max(out.x_max_, x[i].hi);
  }
  if (different.size() < count) {
    return Error{fmt::format("degree {} needs at least {} different x{}; there are {}", options.degree, count,
                             options.through_zero ? " other than 0" : "", different.size())};
  }
  out.centre_ = out.x_min_ / 2 + out.x_max_ / 2;
  out.half_range_ = out.x_max_ / 2 - out.x_min_ / 2;
  if (!(out.half_range_ > 0)) out.half_range_ = out.centre_ != 0 ? std::abs(out.centre_) : 1;

  const auto n = static_cast<Index>(x.size()), p = static_cast<Index>(count);
  ExtendedMatrix design(n, p), values(n, 1);
  const Extended half(out.half_range_);
  for (Index i = 0; i < n; ++i) {
    const Extended at = x[static_cast<std::size_t>(i)];
    const auto row = chebyshev((at - Extended(out.centre_)) / half, count, out.through_zero_ ? at / half : Extended(1));
    for (Index j = 0; j < p; ++j) design.set(i, j, row[static_cast<std::size_t>(j)]);
    values.set(i, 0, y[static_cast<std::size_t>(i)]);
  }
  LeastSquaresOptions plain;
  plain.weights = options.weights;
  plain.weights_are_absolute = options.weights_are_absolute;
  auto found = fit_extended(design, values, plain);
  if (!found) return found.error();

  out.fit_ = std::move(found->fit);
  out.series_ = out.fit_.coefficients;
  out.series_covariance_ = out.fit_.covariance;
  const auto powers = powers_of(count, out.centre_, out.half_range_, out.through_zero_);
  ExtendedMatrix half_way(p, p);
  for (Index i = 0; i < p; ++i) {
    Extended c;
    for (Index k = 0; k < p; ++k) c = c + found->coefficients.at(k, 0) * powers.at(k, i);
    out.fit_.coefficients[i] = c.value();
    for (Index j = 0; j < p; ++j) {
      Extended sum;
      for (Index k = 0; k < p; ++k) sum = sum + powers.at(k, i) * found->inverse_gram.at(k, j);
      half_way.set(i, j, sum);
    }
  }
  const double scatter = std::sqrt(found->variance_scale);
  for (Index i = 0; i < p; ++i) {
    for (Index j = 0; j < p; ++j) {
      Extended sum;
      for (Index k = 0; k < p; ++k) sum = sum + half_way.at(i, k) * powers.at(k, j);
      out.fit_.covariance(i, j) = sum.value() * scatter * scatter;
      if (i == j) out.fit_.standard_errors[i] = std::sqrt(std::max(0.0, sum.value())) * scatter;
    }
  }
  if (!out.fit_.coefficients.allFinite() || !out.fit_.covariance.allFinite()) {
    return Error{fmt::format(
        "degree {} over {:.3g} to {:.3g} has coefficients beyond the range of a double: choose a unit of x nearer to 1",
        options.degree, out.x_min_, out.x_max_)};
  }
  return out;
}

daq::Result<LackOfFit> lack_of_fit(std::span<const double> x, std::span<const double> y, const PolynomialFit& fit) {
  if (x.size() != y.size() || static_cast<Index>(x.size()) != fit.fit().points) {
    return Error{fmt::format("lack of fit wants the points of the fit, all of weight 1: {} x, {} y, {} points fitted",
                             x.size(), y.size(), fit.fit().points)};
  }
  if (fit.fit().absolute) return Error{"lack of fit by repeats is for equal weights; with known u use chi squared"};
  std::map<double, std::vector<double>> groups;
  for (std::size_t i = 0; i < x.size(); ++i) groups[x[i]].push_back(y[i]);
  LackOfFit out;
  Extended pure;
  for (const auto& [at, values] : groups) {
    const Extended mean = extended_sum(values) / Extended(static_cast<double>(values.size()));
    for (const double v : values) pure = pure + (Extended(v) - mean) * (Extended(v) - mean);
  }
  const auto coefficients = static_cast<std::size_t>(fit.fit().coefficients.size());
  out.dof_pure = static_cast<int>(x.size() - groups.size());
  out.dof_lack = static_cast<int>(groups.size()) - static_cast<int>(coefficients);
  if (out.dof_pure < 1) return Error{"no x occurs twice: without repeats lack of fit cannot be told from scatter"};
  if (out.dof_lack < 1) {
    return Error{fmt::format("{} different x and {} coefficients leave nothing that could fail to fit", groups.size(),
                             coefficients)};
  }
  const double lack = std::max(0.0, fit.fit().sum_of_squares - pure.value());
  const double pure_ms = pure.value() / out.dof_pure;
  out.replicate_sd = std::sqrt(std::max(0.0, pure_ms));
  out.f = lack / out.dof_lack / pure_ms;
  const boost::math::fisher_f f(out.dof_lack, out.dof_pure);
  out.critical_95 = boost::math::quantile(f, 0.95);
  if (!(pure_ms > 0)) return Error{"all repeats are equal: their scatter is 0, and no F can be formed of it"};
  out.p_value = boost::math::cdf(boost::math::complement(f, out.f));
  return out;
}

}  // namespace strigil::calibration
