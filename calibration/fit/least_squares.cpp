#include "calibration/fit/least_squares.hpp"

#include <fmt/format.h>

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <vector>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// X and y with rows weighted and columns scaled by powers of two: every number near 1, nothing rounded twice.
struct Scaled {
  ExtendedMatrix a;              ///< m x p
  ExtendedMatrix b;              ///< m x 1
  std::vector<Index> kept;       ///< rows of the caller
  std::vector<double> root;      ///< square roots of the weights
  std::vector<int> column_bits;  ///< a column is the caller's times 2^-bits
  int y_bits = 0;
  bool has_constant = false;
};

int bits_of(double magnitude) {
  int bits = 0;
  std::frexp(magnitude, &bits);
  return bits;
}

/// x 2^bits in two halves, so that a step from 1e300 to 1e-300 cannot lose what its end can hold.
double shift(double x, int bits) { return std::ldexp(std::ldexp(x, bits / 2), bits - bits / 2); }

daq::Result<void> check(const ExtendedMatrix& x, const ExtendedMatrix& y, const LeastSquaresOptions& options) {
  if (x.cols() == 0) return Error{"a fit without coefficients was asked for: the design has no columns"};
  if (y.rows() != x.rows() || y.cols() != 1) {
    return Error{fmt::format("the fit has {} rows of its model and {} values: there must be one value for each row",
                             x.rows(), y.rows())};
  }
  if (options.weights.size() != 0 && options.weights.size() != x.rows()) {
    return Error{fmt::format("the fit has {} points and {} weights", x.rows(), options.weights.size())};
  }
  for (Index i = 0; i < x.rows(); ++i) {
    if (!std::isfinite(y.hi(i, 0)) || !x.hi.row(i).allFinite()) {
      return Error{fmt::format("point {} of the fit is not a finite number: take it out, or find out why", i + 1)};
    }
    if (options.weights.size() != 0 && !(options.weights[i] >= 0 && std::isfinite(options.weights[i]))) {
      return Error{
          fmt::format("weight {} of the fit is {}: it must be finite and not negative", i + 1, options.weights[i])};
    }
  }
  return {};
}

daq::Result<Scaled> scale(const ExtendedMatrix& x, const ExtendedMatrix& y, const LeastSquaresOptions& options) {
  Scaled s;
  const double heaviest = options.weights.size() == 0 ? 1 : options.weights.maxCoeff();
  if (x.rows() > 0 && heaviest == 0) return Error{"all weights of the fit are 0: nothing is left to be fitted"};
  for (Index i = 0; i < x.rows(); ++i) {
    const double w = options.weights.size() == 0 ? 1 : options.weights[i] / heaviest;
    if (w == 0) continue;
    s.kept.push_back(i);
    s.root.push_back(std::sqrt(w));
  }
  const auto m = static_cast<Index>(s.kept.size()), p = x.cols();
  const Index needed = options.weights_are_absolute ? p : p + 1;
  if (m < needed) {
    return Error{fmt::format("{} points (of weight above 0) are too few for {} coefficients: {}", m, p,
                             options.weights_are_absolute
                                 ? "at least as many are needed"
                                 : "one more is needed at least, or the scatter cannot be known")};
  }
  s.a = ExtendedMatrix(m, p);
  s.b = ExtendedMatrix(m, 1);
  s.column_bits.resize(static_cast<std::size_t>(p));
  const auto fill = [&](const ExtendedMatrix& from, Index j, ExtendedMatrix& to, double largest) {
    const int top = bits_of(largest);
    double norm2 = 0;
    for (Index i = 0; i < m; ++i) {
      const Index row = s.kept[static_cast<std::size_t>(i)];
      const Extended v(shift(from.hi(row, j), -top), shift(from.lo(row, j), -top));
      to.set(i, j, v * Extended(s.root[static_cast<std::size_t>(i)]));
      norm2 += to.hi(i, j) * to.hi(i, j);
    }
    const int more = bits_of(std::sqrt(norm2));
    for (Index i = 0; i < m; ++i) to.set(i, j, {shift(to.hi(i, j), -more), shift(to.lo(i, j), -more)});
    return top + more;
  };
  for (Index j = 0; j < p; ++j) {
    double largest = 0;
    bool constant = true;
    for (const Index row : s.kept) {
      largest = std::max(largest, std::abs(x.hi(row, j)));
      constant = constant && x.hi(row, j) == x.hi(s.kept[0], j) && x.lo(row, j) == x.lo(s.kept[0], j);
    }
    if (largest == 0) {
      return Error{
          fmt::format("coefficient {} cannot be known: its column of the model is 0 in all {} points", j + 1, m)};
    }
    s.has_constant = s.has_constant || constant;
    s.column_bits[static_cast<std::size_t>(j)] = fill(x, j, s.a, largest);
  }
  double largest = 0;
  for (const Index row : s.kept) largest = std::max(largest, std::abs(y.hi(row, 0)));
  s.y_bits = largest == 0 ? 0 : fill(y, 0, s.b, largest);
  return s;
}

/// f = b - r - A x and g = -A' r, in extended precision.
void augmented_residual(const Scaled& s, const ExtendedMatrix& x, const ExtendedMatrix& r, VectorXd& f, VectorXd& g) {
  const Index m = s.a.rows(), p = s.a.cols();
  std::vector<Extended> gradient(static_cast<std::size_t>(p));
  for (Index i = 0; i < m; ++i) {
    Extended rest = s.b.at(i, 0) - r.at(i, 0);
    for (Index j = 0; j < p; ++j) {
      rest = rest - s.a.at(i, j) * x.at(j, 0);
      auto& sum = gradient[static_cast<std::size_t>(j)];
      sum = sum - s.a.at(i, j) * r.at(i, 0);
    }
    f[i] = rest.value();
  }
  for (Index j = 0; j < p; ++j) g[j] = gradient[static_cast<std::size_t>(j)].value();
}

/// Refines x and r until the steps no longer shrink. Returns the number of steps.
int refine(const Scaled& s, const Eigen::ColPivHouseholderQR<MatrixXd>& qr, ExtendedMatrix& x, ExtendedMatrix& r) {
  constexpr int kMost = 12;
  const Index m = s.a.rows(), p = s.a.cols();
  const auto upper = qr.matrixQR().topRows(p).triangularView<Eigen::Upper>();
  VectorXd f(m), g(p);
  double last = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kMost; ++step) {
    augmented_residual(s, x, r, f, g);
    VectorXd d = qr.householderQ().adjoint() * f;
    const VectorXd z = upper.transpose().solve(qr.colsPermutation().transpose() * g);
    const VectorXd head = d.head(p) - z;
    const VectorXd dx = qr.colsPermutation() * upper.solve(head).eval();
    d.head(p) = z;
    const VectorXd dr = qr.householderQ() * d;
    const double size = dx.norm() + dr.norm();
    if (!(size < last / 2)) return step;  // as good as it gets; a step that grows is not taken
    for (Index j = 0; j < p; ++j) x.set(j, 0, x.at(j, 0) + Extended(dx[j]));
    for (Index i = 0; i < m; ++i) r.set(i, 0, r.at(i, 0) + Extended(dr[i]));
    if (size == 0) return step;
    last = size;
  }
  return kMost;
}

/// (A' A)^-1: from R, then improved by Newton's step Z + Z (I - G Z) with G and the products in extended precision.
ExtendedMatrix inverse_gram(const Scaled& s, const Eigen::ColPivHouseholderQR<MatrixXd>& qr, bool improve) {
  constexpr Index kMostWork = 4'000'000;
  const Index m = s.a.rows(), p = s.a.cols();
  const MatrixXd r_inverse =
      qr.matrixQR().topRows(p).triangularView<Eigen::Upper>().solve(MatrixXd::Identity(p, p)).eval();
  const MatrixXd rows = qr.colsPermutation() * r_inverse;
  const MatrixXd start = rows * rows.transpose();
  ExtendedMatrix z(start);
  if (!improve || m * p * p > kMostWork) return z;
  ExtendedMatrix gram(p, p);
  for (Index j = 0; j < p; ++j) {
    for (Index k = 0; k <= j; ++k) {
      Extended sum;
      for (Index i = 0; i < m; ++i) sum = sum + s.a.at(i, j) * s.a.at(i, k);
      gram.set(j, k, sum);
      gram.set(k, j, sum);
    }
  }
  double last = 0.5;
  for (int step = 0; step < 6; ++step) {
    MatrixXd defect(p, p);
    for (Index i = 0; i < p; ++i) {
      for (Index j = 0; j < p; ++j) {
        Extended sum(i == j ? 1 : 0);
        for (Index k = 0; k < p; ++k) sum = sum - gram.at(i, k) * z.at(k, j);
        defect(i, j) = sum.value();
      }
    }
    const double size = defect.norm();
    if (!(size < last / 2)) break;  // converged, or too badly conditioned for Newton: R's own inverse stands
    const MatrixXd change = start * defect;
    for (Index i = 0; i < p; ++i) {
      for (Index j = 0; j < p; ++j) z.set(i, j, z.at(i, j) + Extended(change(i, j)));
    }
    last = size;
  }
  return z;
}

/// 1 - SSR/SST, in the scaled problem.
double determination(const Scaled& s, double ssr) {
  Extended sum_w, sum_wy, total;
  const auto m = static_cast<std::size_t>(s.a.rows());
  Extended mean;
  if (s.has_constant) {
    for (std::size_t i = 0; i < m; ++i) {
      sum_w = sum_w + two_product(s.root[i], s.root[i]);
      sum_wy = sum_wy + s.b.at(static_cast<Index>(i), 0) * Extended(s.root[i]);
    }
    mean = sum_wy / sum_w;
  }
  for (std::size_t i = 0; i < m; ++i) {
    const Extended d = s.b.at(static_cast<Index>(i), 0) - mean * Extended(s.root[i]);
    total = total + d * d;
  }
  return total.value() > 0 ? 1 - ssr / total.value() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double LeastSquaresFit::uncertainty_of(const VectorXd& row) const {
  assert(row.size() == covariance.rows());
  return std::sqrt(std::max(0.0, row.dot(covariance * row)));
}

double LeastSquaresFit::coverage_factor(double probability) const {
  assert(probability > 0 && probability < 1);
  const double p = 0.5 + probability / 2;
  if (absolute) return boost::math::quantile(boost::math::normal(), p);
  return boost::math::quantile(boost::math::students_t(static_cast<double>(dof)), p);
}

daq::Result<LeastSquaresFit> fit_least_squares(const MatrixXd& design, const VectorXd& y,
                                               const LeastSquaresOptions& options) {
  auto found = fit_extended(ExtendedMatrix(design), ExtendedMatrix(MatrixXd(y)), options);
  if (!found) return found.error();
  return std::move(found->fit);
}

daq::Result<ExtendedFit> fit_extended(const ExtendedMatrix& design, const ExtendedMatrix& y,
                                      const LeastSquaresOptions& options) {
  if (auto sound = check(design, y, options); !sound) return sound.error();
  auto scaled = scale(design, y, options);
  if (!scaled) return scaled.error();
  const Scaled& s = *scaled;
  const Index m = s.a.rows(), p = s.a.cols();

  const Eigen::ColPivHouseholderQR<MatrixXd> qr(s.a.hi);
  const MatrixXd r_factor = qr.matrixQR().topRows(p).triangularView<Eigen::Upper>();
  const VectorXd singular = Eigen::JacobiSVD<MatrixXd>(r_factor).singularValues();
  ExtendedFit out;
  LeastSquaresFit& fit = out.fit;
  fit.condition = singular[p - 1] > 0 ? singular[0] / singular[p - 1] : std::numeric_limits<double>::infinity();
  if (!(fit.condition <= options.largest_condition)) {
    return Error{fmt::format(
        "the {} coefficients cannot be told apart by these {} points: the condition number is {:.3g}, the most allowed "
        "{:.3g}; the column of coefficient {} all but follows from the others. Take more different settings, or fewer "
        "terms",
        p, m, fit.condition, options.largest_condition, qr.colsPermutation().indices()[p - 1] + 1)};
  }

  ExtendedMatrix x(p, 1), r(m, 1);
  x.hi = qr.solve(s.b.hi);
  r.hi = s.b.hi - s.a.hi * x.hi;
  if (options.refine) fit.refinements = refine(s, qr, x, r);
  const ExtendedMatrix z = inverse_gram(s, qr, options.refine);

  Extended squares;
  for (Index i = 0; i < m; ++i) squares = squares + r.at(i, 0) * r.at(i, 0);
  const double ssr = squares.value();
  fit.points = m;
  fit.dof = m - p;
  fit.absolute = options.weights_are_absolute;
  fit.r_squared = determination(s, ssr);
  const double heaviest = options.weights.size() == 0 ? 1 : options.weights.maxCoeff();
  const double unit = std::sqrt(heaviest);
  if (fit.dof > 0) fit.residual_sd = shift(std::sqrt(ssr / static_cast<double>(fit.dof)), s.y_bits) * unit;
  const double norm = shift(std::sqrt(ssr), s.y_bits) * unit;
  fit.sum_of_squares = norm * norm;

  out.variance_scale = fit.absolute ? 1 : fit.residual_sd * fit.residual_sd;
  const double scatter = fit.absolute ? 1 : fit.residual_sd;
  out.coefficients = ExtendedMatrix(p, 1);
  out.inverse_gram = ExtendedMatrix(p, p);
  fit.coefficients.resize(p);
  fit.standard_errors.resize(p);
  fit.covariance.resize(p, p);
  for (Index j = 0; j < p; ++j) {
    const int bits = s.y_bits - s.column_bits[static_cast<std::size_t>(j)];
    out.coefficients.set(j, 0, {shift(x.hi(j, 0), bits), shift(x.lo(j, 0), bits)});
    fit.coefficients[j] = out.coefficients.at(j, 0).value();
    fit.standard_errors[j] =
        shift(std::sqrt(std::max(0.0, z.at(j, j).value())), -s.column_bits[static_cast<std::size_t>(j)]) *
        (scatter / unit);
    for (Index k = 0; k < p; ++k) {
      const int both = -s.column_bits[static_cast<std::size_t>(j)] - s.column_bits[static_cast<std::size_t>(k)];
      const Extended entry = Extended(shift(z.hi(j, k), both), shift(z.lo(j, k), both)) / Extended(heaviest);
      out.inverse_gram.set(j, k, entry);
      fit.covariance(j, k) = entry.value() * scatter * scatter;
    }
  }
  fit.residuals.resize(design.rows());
  for (Index i = 0; i < design.rows(); ++i) {
    Extended rest = y.at(i, 0);
    for (Index j = 0; j < p; ++j) rest = rest - design.at(i, j) * out.coefficients.at(j, 0);
    fit.residuals[i] = rest.value();
  }
  if (!fit.coefficients.allFinite() || !fit.standard_errors.allFinite() || !fit.covariance.allFinite()) {
    return Error{
        "the fit's coefficients or their variances are beyond the range of a double: choose units in which "
        "the numbers lie nearer to 1"};
  }
  return out;
}

}  // namespace strigil::calibration
