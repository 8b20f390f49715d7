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

}  // namespace

double PolynomialFit::coefficient(int power) const {
  assert(power >= 0 && power <= degree());
  if (through_zero()) return power == 0 ? 0 : fit_.coefficients[power - 1];
  return fit_.coefficients[power];
}

double PolynomialFit::operator()(double x) const { return basis_.row(x).dot(series_); }

double PolynomialFit::slope(double x) const { return basis_.slope_row(x).dot(series_); }

double PolynomialFit::curve_uncertainty(double x) const {
  const auto row = basis_.row(x);
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
  const auto count = static_cast<std::size_t>(options.degree + (options.through_zero ? 0 : 1));
  std::set<std::pair<double, double>> different;
  double x_min = std::numeric_limits<double>::infinity(), x_max = -x_min;
  const bool weighted = options.weights.size() == static_cast<Index>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i].hi)) return Error{fmt::format("x of point {} is not a finite number", i + 1)};
    if (weighted && options.weights[static_cast<Index>(i)] == 0) continue;
    if (!(options.through_zero && x[i].hi == 0)) different.insert({x[i].hi, x[i].lo});
    x_min = std::min(x_min, x[i].hi);
    x_max = std::max(x_max, x[i].hi);
  }
  if (different.size() < count) {
    return Error{fmt::format("degree {} needs at least {} different x{}; there are {}", options.degree, count,
                             options.through_zero ? " other than 0" : "", different.size())};
  }
  const auto n = static_cast<Index>(x.size()), p = static_cast<Index>(count);
  const PolynomialBasis basis(p, x_min, x_max, options.through_zero);
  ExtendedMatrix design(n, p), values(n, 1);
  for (Index i = 0; i < n; ++i) {
    const auto row = basis.row(x[static_cast<std::size_t>(i)]);
    for (Index j = 0; j < p; ++j) design.set(i, j, row[static_cast<std::size_t>(j)]);
    values.set(i, 0, y[static_cast<std::size_t>(i)]);
  }
  LeastSquaresOptions plain;
  plain.weights = options.weights;
  plain.weights_are_absolute = options.weights_are_absolute;
  auto found = fit_extended(design, values, plain);
  if (!found) return found.error();
  return as_polynomial(basis, x_min, x_max, std::move(*found));
}

daq::Result<PolynomialFit> as_polynomial(const PolynomialBasis& basis, double x_min, double x_max, ExtendedFit found) {
  PolynomialFit out;
  out.basis_ = basis;
  out.x_min_ = x_min;
  out.x_max_ = x_max;
  out.fit_ = std::move(found.fit);
  out.series_ = out.fit_.coefficients;
  out.series_covariance_ = out.fit_.covariance;
  const auto powers = basis.powers();
  const Index p = basis.count();
  ExtendedMatrix half_way(p, p);
  for (Index i = 0; i < p; ++i) {
    Extended c;
    for (Index k = 0; k < p; ++k) c = c + found.coefficients.at(k, 0) * powers.at(k, i);
    out.fit_.coefficients[i] = c.value();
    for (Index j = 0; j < p; ++j) {
      Extended sum;
      for (Index k = 0; k < p; ++k) sum = sum + powers.at(k, i) * found.inverse_gram.at(k, j);
      half_way.set(i, j, sum);
    }
  }
  const double scatter = std::sqrt(found.variance_scale);
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
        "a polynomial over {:.3g} to {:.3g} has coefficients beyond the range of a double: choose a unit of x nearer "
        "to 1",
        x_min, x_max)};
  }
  return out;
}

daq::Result<LackOfFit> lack_of_fit(std::span<const double> x, std::span<const double> y, const PolynomialFit& fit) {
  if (x.size() != y.size() || static_cast<Index>(x.size()) != fit.fit().points) {
    return Error{fmt::format("lack of fit wants the points of the fit, all of weight 1: {} x, {} y, {} points fitted",
                             x.size(), y.size(), fit.fit().points)};
  }
  // With weights other than 1 the weighted sum of squares is not that of the residuals.
  const double plain = fit.fit().residuals.squaredNorm();
  if (fit.fit().absolute || std::abs(plain - fit.fit().sum_of_squares) > 1e-9 * plain) {
    return Error{"lack of fit by repeats is for points of weight 1; with known u use chi squared"};
  }
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
