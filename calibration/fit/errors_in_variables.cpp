#include "calibration/fit/errors_in_variables.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <limits>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Covariances of the errors of x, of y, and of x with y, n x n.
struct Covariances {
  MatrixXd x, y, xy;
};

daq::Result<Covariances> covariances_of(const UncertainPoints& p) {
  const Index n = p.x.size();
  if (n == 0 || p.y.size() != n) return Error{fmt::format("the fit has {} x and {} y", n, p.y.size())};
  if (n > 2000) return Error{fmt::format("{} points are too many for a fit with errors in both variables: 2000", n)};
  if (!p.x.allFinite() || !p.y.allFinite()) return Error{"a point of the fit is not a finite number"};
  const auto pick = [n](const VectorXd& u, const MatrixXd& v, const char* name) -> daq::Result<MatrixXd> {
    if (v.size() != 0 && u.size() != 0) return Error{fmt::format("the uncertainty of {} is given twice", name)};
    if (v.size() != 0) {
      if (v.rows() != n || v.cols() != n || !v.allFinite()) {
        return Error{fmt::format("the covariance matrix of {} must be {} x {} and finite", name, n, n)};
      }
      return v;
    }
    if (u.size() == 0) return MatrixXd(MatrixXd::Zero(n, n));
    if (u.size() != n || !u.allFinite() || u.minCoeff() < 0) {
      return Error{fmt::format("the uncertainty of {} must be {} finite numbers, none negative", name, n)};
    }
    return MatrixXd(u.array().square().matrix().asDiagonal());
  };
  Covariances out;
  auto x = pick(p.u_x, p.v_x, "x"), y = pick(p.u_y, p.v_y, "y");
  if (!x) return x.error();
  if (!y) return y.error();
  out.x = std::move(*x);
  out.y = std::move(*y);
  out.xy = MatrixXd::Zero(n, n);
  if (p.v_xy.size() != 0 || p.cov_xy.size() != 0) {
    if ((p.v_xy.size() != 0 && (p.v_xy.rows() != n || p.v_xy.cols() != n)) ||
        (p.cov_xy.size() != 0 && p.cov_xy.size() != n) || (p.v_xy.size() != 0 && p.cov_xy.size() != 0)) {
      return Error{
          fmt::format("the covariances of x with y must be {} numbers or a {} x {} matrix, not both", n, n, n)};
    }
    out.xy = p.v_xy.size() != 0 ? p.v_xy : MatrixXd(p.cov_xy.asDiagonal());
  }
  if (!out.xy.allFinite()) return Error{"a covariance of x with y is not a finite number"};
  // Diagonal covariances are checked point by point; others by their eigenvalues.
  if (out.x.isDiagonal(0) && out.y.isDiagonal(0) && out.xy.isDiagonal(0)) {
    for (Index i = 0; i < n; ++i) {
      if (out.x(i, i) == 0 && out.y(i, i) == 0) {
        return Error{fmt::format("point {} has no uncertainty at all, neither of x nor of y", i + 1)};
      }
      if (out.xy(i, i) * out.xy(i, i) > out.x(i, i) * out.y(i, i) * (1 + 1e-12)) {
        return Error{
            fmt::format("point {}: the covariance of x with y exceeds the product of their uncertainties", i + 1)};
      }
    }
    return out;
  }
  MatrixXd all(2 * n, 2 * n);
  all << out.x, out.xy, out.xy.transpose(), out.y;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(all, Eigen::EigenvaluesOnly);
  if (!all.isApprox(all.transpose(), 1e-12) ||
      eigen.eigenvalues().minCoeff() < -1e-9 * eigen.eigenvalues().cwiseAbs().maxCoeff()) {
    return Error{
        "the covariances of the points contradict each other: their matrix is not symmetric, or has a negative "
        "eigenvalue"};
  }
  return out;
}

/// The linear problem at assumed true x and slopes: whitened rows, of which least squares gives the coefficients.
struct Linearised {
  Eigen::LLT<MatrixXd> root;  ///< of the covariance of y - slope (x - true x)
  VectorXd values;            ///< y - slope (x - true x)
  MatrixXd cross;             ///< covariance of x with it
};

daq::Result<Linearised> linearise(const UncertainPoints& p, const Covariances& v, const VectorXd& true_x,
                                  const VectorXd& slope) {
  Linearised out;
  const auto d = slope.asDiagonal();
  MatrixXd effective = v.y + d * v.x * d - d * v.xy - v.xy.transpose() * d;
  effective = (effective + effective.transpose()).eval() / 2;
  out.root.compute(effective);
  if (out.root.info() != Eigen::Success) {
    return Error{
        "some combination of the points has no uncertainty at all where the curve is now: give the missing ones"};
  }
  out.values = p.y - slope.cwiseProduct(p.x - true_x);
  out.cross = v.xy - v.x * d;
  return out;
}

}  // namespace

daq::Result<ErrorsInVariablesFit> fit_errors_in_variables(const UncertainPoints& points,
                                                          const ErrorsInVariablesOptions& options) {
  constexpr int kMost = 200;
  auto v = covariances_of(points);
  if (!v) return v.error();
  const Index n = points.x.size();
  const auto span_of = [n](const VectorXd& values) { return std::span(values.data(), static_cast<std::size_t>(n)); };
  PolynomialOptions plain;
  plain.degree = options.degree;
  plain.through_zero = options.through_zero;
  plain.weights_are_absolute = true;
  auto start = fit_polynomial(span_of(points.x), span_of(points.y), plain);
  if (!start) return start.error();
  const Index p = start->fit().coefficients.size();
  if (n <= p && options.scale_unknown) {
    return Error{fmt::format("{} points cannot show the scale of the scatter about {} coefficients", n, p)};
  }

  const PolynomialBasis basis(p, points.x.minCoeff(), points.x.maxCoeff(), options.through_zero);
  ErrorsInVariablesFit out;
  out.curve = std::move(*start);
  out.adjusted_x = points.x;
  double moved = 0, last = std::numeric_limits<double>::infinity();
  const double reach = points.x.maxCoeff() - points.x.minCoeff();
  ExtendedFit found;
  for (out.iterations = 1; out.iterations <= kMost; ++out.iterations) {
    VectorXd slope(n);
    MatrixXd rows(n, p);
    for (Index i = 0; i < n; ++i) {
      slope[i] = out.curve.slope(out.adjusted_x[i]);
      rows.row(i) = basis.row(out.adjusted_x[i]);
    }
    auto problem = linearise(points, *v, out.adjusted_x, slope);
    if (!problem) return problem.error();
    const auto root = problem->root.matrixL();
    LeastSquaresOptions known;
    known.weights_are_absolute = true;
    known.largest_condition = 1e10;  // uncertainties of very different size are no fault of the model's
    auto fit =
        fit_extended(ExtendedMatrix(root.solve(rows)), ExtendedMatrix(MatrixXd(root.solve(problem->values))), known);
    if (!fit) return fit.error();
    found = std::move(*fit);
    const VectorXd residual = problem->values - rows * found.fit.coefficients;
    const VectorXd next = points.x - problem->cross * problem->root.solve(residual);
    out.chi_squared = residual.dot(problem->root.solve(residual));
    found.fit.residuals = residual;
    found.fit.r_squared = std::numeric_limits<double>::quiet_NaN();
    // The curve that the next linearisation looks at.
    ExtendedFit copy = found;
    auto curve = as_polynomial(basis, points.x.minCoeff(), points.x.maxCoeff(), std::move(copy));
    if (!curve) return curve.error();
    out.curve = std::move(*curve);
    moved = (next - out.adjusted_x).cwiseAbs().maxCoeff();
    out.adjusted_x = next;
    if (!out.adjusted_x.allFinite()) break;
    if (moved <= 1e-14 * reach || (moved <= 1e-11 * reach && moved >= last / 2)) {
      out.dof = static_cast<int>(n - p);
      if (options.scale_unknown) {
        const double scale = out.chi_squared / out.dof;
        found.variance_scale = scale;
        found.fit.covariance *= scale;
        found.fit.standard_errors *= std::sqrt(scale);
        found.fit.absolute = false;
        found.fit.residual_sd = std::numeric_limits<double>::quiet_NaN();
        auto scaled = as_polynomial(basis, points.x.minCoeff(), points.x.maxCoeff(), std::move(found));
        if (!scaled) return scaled.error();
        out.curve = std::move(*scaled);
      } else if (out.dof > 0) {
        out.p_value = boost::math::cdf(boost::math::complement(boost::math::chi_squared(out.dof), out.chi_squared));
      }
      return out;
    }
    last = moved;
  }
  return Error{
      fmt::format("the fit with errors in both variables did not settle in {} steps (the last moved a point by "
                  "{:.2g} of the range): the x may be too uncertain for a degree of {}",
                  kMost, moved / reach, options.degree)};
}

}  // namespace strigil::calibration
