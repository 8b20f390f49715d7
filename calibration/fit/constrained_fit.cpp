#include "calibration/fit/constrained_fit.hpp"

#include <fmt/format.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

}  // namespace

daq::Result<LeastSquaresFit> fit_with_equalities(const MatrixXd& design, const VectorXd& y, const MatrixXd& c,
                                                 const VectorXd& d, const LeastSquaresOptions& options) {
  const Index k = c.rows(), p = design.cols();
  if (c.cols() != p || d.size() != k || k >= p) {
    return Error{
        fmt::format("{} constraints on {} of {} coefficients, with {} right sides: there must be fewer "
                    "constraints than coefficients, and one right side for each",
                    k, c.cols(), p, d.size())};
  }
  if (!c.allFinite() || !d.allFinite()) return Error{"a constraint is not a finite number"};
  if (k == 0) return fit_least_squares(design, y, options);
  if (design.rows() != y.size()) {
    return Error{fmt::format("the fit has {} rows of its model and {} values", design.rows(), y.size())};
  }
  const VectorXd lengths = c.rowwise().norm();
  if (!(lengths.minCoeff() > 0)) return Error{"a constraint names no coefficient: all of its factors are 0"};
  const MatrixXd unit = lengths.cwiseInverse().asDiagonal() * c;
  const Eigen::ColPivHouseholderQR<MatrixXd> qr(unit.transpose());
  const MatrixXd r = qr.matrixQR().topRows(k).triangularView<Eigen::Upper>();
  if (!(std::abs(r(k - 1, k - 1)) > 1e-10 * std::abs(r(0, 0)))) {
    return Error{"the constraints repeat or contradict each other: one of them follows from the others"};
  }
  const MatrixXd q = qr.householderQ();
  const VectorXd right = qr.colsPermutation().transpose() * d.cwiseQuotient(lengths);
  const VectorXd fixed = q.leftCols(k) * r.transpose().triangularView<Eigen::Lower>().solve(right);
  const MatrixXd free = q.rightCols(p - k);
  auto inner = fit_least_squares(design * free, y - design * fixed, options);
  if (!inner) return inner.error();
  LeastSquaresFit out = std::move(*inner);
  out.coefficients = fixed + free * out.coefficients;
  out.covariance = free * out.covariance * free.transpose();
  out.standard_errors = out.covariance.diagonal().cwiseMax(0.0).cwiseSqrt();
  out.residuals = y - design * out.coefficients;
  out.r_squared = std::numeric_limits<double>::quiet_NaN();
  return out;
}

daq::Result<NonNegativeFit> fit_non_negative(const MatrixXd& design, const VectorXd& y,
                                             const LeastSquaresOptions& options) {
  // The unconstrained fit refuses whatever is wrong with the problem.
  auto whole = fit_least_squares(design, y, options);
  if (!whole) return whole.error();
  const Index p = design.cols();
  NonNegativeFit out;
  std::vector<bool> free(static_cast<std::size_t>(p), false);
  VectorXd b = VectorXd::Zero(p);
  const VectorXd w = options.weights.size() == 0 ? VectorXd(VectorXd::Ones(y.size())) : options.weights;
  const VectorXd lengths = (w.cwiseSqrt().asDiagonal() * design).colwise().norm();
  const auto fit_free = [&]() -> daq::Result<LeastSquaresFit> {
    const auto count = std::count(free.begin(), free.end(), true);
    MatrixXd columns(design.rows(), count);
    for (Index j = 0, at = 0; j < p; ++j) {
      if (free[static_cast<std::size_t>(j)]) columns.col(at++) = design.col(j);
    }
    return fit_least_squares(columns, y, options);
  };
  const auto spread = [&](const VectorXd& few) {
    VectorXd all = VectorXd::Zero(p);
    for (Index j = 0, at = 0; j < p; ++j) {
      if (free[static_cast<std::size_t>(j)]) all[j] = few[at++];
    }
    return all;
  };
  const double size = (w.cwiseSqrt().cwiseProduct(y)).norm();
  for (out.iterations = 0; out.iterations < 10 * p + 10; ++out.iterations) {
    const VectorXd pull = (design.transpose() * w.cwiseProduct(y - design * b)).cwiseQuotient(lengths);
    Index next = -1;
    double strongest = 1e-12 * size;
    for (Index j = 0; j < p; ++j) {
      if (!free[static_cast<std::size_t>(j)] && pull[j] > strongest) {
        strongest = pull[j];
        next = j;
      }
    }
    if (next < 0) {
      out.at_bound.assign(free.begin(), free.end());
      out.at_bound.flip();
      if (std::none_of(free.begin(), free.end(), [](bool f) { return f; })) {
        out.fit = std::move(*whole);
        out.fit.coefficients.setZero();
        out.fit.covariance.setZero();
        out.fit.standard_errors.setZero();
        out.fit.residuals = y;
        out.fit.sum_of_squares = size * size;
        out.fit.dof = out.fit.points;
        out.fit.residual_sd = size / std::sqrt(static_cast<double>(out.fit.points));
        out.fit.r_squared = std::numeric_limits<double>::quiet_NaN();
        return out;
      }
      auto last = fit_free();
      if (!last) return last.error();
      out.fit = std::move(*last);
      const MatrixXd covariance = out.fit.covariance;
      out.fit.coefficients = spread(out.fit.coefficients);
      out.fit.standard_errors = spread(out.fit.standard_errors);
      out.fit.covariance = MatrixXd::Zero(p, p);
      for (Index i = 0, a = 0; i < p; ++i) {
        if (!free[static_cast<std::size_t>(i)]) continue;
        for (Index j = 0, c = 0; j < p; ++j) {
          if (free[static_cast<std::size_t>(j)]) out.fit.covariance(i, j) = covariance(a, c++);
        }
        ++a;
      }
      return out;
    }
    free[static_cast<std::size_t>(next)] = true;
    for (;;) {
      auto inner = fit_free();
      if (!inner) return inner.error();
      const VectorXd wished = spread(inner->coefficients);
      double step = 1;
      for (Index j = 0; j < p; ++j) {
        if (free[static_cast<std::size_t>(j)] && wished[j] <= 0) step = std::min(step, b[j] / (b[j] - wished[j]));
      }
      if (step >= 1) {
        b = wished;
        break;
      }
      b += step * (wished - b);
      for (Index j = 0; j < p; ++j) {
        if (free[static_cast<std::size_t>(j)] && wished[j] <= 0 && b[j] <= 1e-14 * std::abs(wished[j])) {
          free[static_cast<std::size_t>(j)] = false;
          b[j] = 0;
        }
      }
      if (std::none_of(free.begin(), free.end(), [](bool f) { return f; })) break;
    }
  }
  return Error{"the fit with coefficients that cannot be negative did not settle: is the model nearly dependent?"};
}

}  // namespace strigil::calibration
