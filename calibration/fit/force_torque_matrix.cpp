#include "calibration/fit/force_torque_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <set>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Index kAxes = 6;
constexpr const char* kAxisNames[] = {"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"};

/// How many values lie apart from their neighbours by 2 % of the range or more.
int levels_of(const VectorXd& column) {
  std::vector<double> sorted(column.data(), column.data() + column.size());
  std::sort(sorted.begin(), sorted.end());
  const double apart = 0.02 * (sorted.back() - sorted.front());
  if (!(apart > 0)) return 1;
  int levels = 1;
  double last = sorted.front();
  for (const double v : sorted) {
    if (v - last < apart) continue;
    ++levels;
    last = v;
  }
  return levels;
}

daq::Result<void> check(const LoadCases& cases, Index signals) {
  const Index n = cases.signals.rows();
  if (n == 0 || cases.wrenches.rows() != n || cases.wrenches.cols() != kAxes || cases.signals.cols() != signals) {
    return Error{
        fmt::format("the load cases have {} x {} signals and {} x {} wrenches: there must be as many rows, {} "
                    "signals and 6 axes",
                    n, cases.signals.cols(), cases.wrenches.rows(), cases.wrenches.cols(), signals)};
  }
  for (Index i = 0; i < n; ++i) {
    if (!cases.signals.row(i).allFinite() || !cases.wrenches.row(i).allFinite()) {
      return Error{fmt::format("load case {} holds a number that is not finite", i + 1)};
    }
  }
  return {};
}

/// Columns `kept` of `all`.
MatrixXd columns_of(const MatrixXd& all, const std::vector<Index>& kept) {
  MatrixXd out(all.rows(), static_cast<Index>(kept.size()));
  for (std::size_t k = 0; k < kept.size(); ++k) out.col(static_cast<Index>(k)) = all.col(kept[k]);
  return out;
}

/// Adds interaction terms to `kept` as long as the best of them passes its F test.
daq::Result<void> add_interactions(const MatrixXd& all, const VectorXd& y, Index signals,
                                   const ForceTorqueOptions& options, const LeastSquaresOptions& linear,
                                   std::vector<Index>& kept, LeastSquaresFit& fit) {
  const double level = options.significance / static_cast<double>(all.cols() - signals);
  for (;;) {
    Index best = -1;
    LeastSquaresFit best_fit;
    for (Index c = signals; c < all.cols(); ++c) {
      if (std::find(kept.begin(), kept.end(), c) != kept.end()) continue;
      auto trial = kept;
      trial.push_back(c);
      auto found = fit_least_squares(columns_of(all, trial), y, linear);
      if (!found) continue;  // a term that these loads cannot tell apart is not wanted
      if (best < 0 || found->sum_of_squares < best_fit.sum_of_squares) {
        best = c;
        best_fit = std::move(*found);
      }
    }
    if (best < 0) return {};
    const double f =
        (fit.sum_of_squares - best_fit.sum_of_squares) / (best_fit.sum_of_squares / static_cast<double>(best_fit.dof));
    const boost::math::fisher_f distribution(1, static_cast<double>(best_fit.dof));
    if (!(f > boost::math::quantile(boost::math::complement(distribution, level)))) return {};
    kept.push_back(best);
    fit = std::move(best_fit);
  }
}

}  // namespace

VectorXd ForceTorqueMatrix::terms(const VectorXd& signals) const {
  assert(signals.size() == signal_low.size());
  VectorXd out(matrix.cols());
  out.head(signals.size()) = signals;
  for (std::size_t k = 0; k < interactions.size(); ++k) {
    out[signals.size() + static_cast<Index>(k)] = signals[interactions[k].i] * signals[interactions[k].j];
  }
  return out;
}

VectorXd ForceTorqueMatrix::prediction_band(const VectorXd& signals, double probability) const {
  assert(probability > 0 && probability < 1);
  const VectorXd x = terms(signals);
  VectorXd out(kAxes);
  for (Index a = 0; a < kAxes; ++a) {
    const auto axis = static_cast<std::size_t>(a);
    const double variance = residual_sd[a] * residual_sd[a] + x.dot(covariances[axis] * x);
    const boost::math::students_t t(dofs[axis]);
    out[a] = boost::math::quantile(t, 0.5 + probability / 2) * std::sqrt(std::max(0.0, variance));
  }
  return out;
}

double ForceTorqueMatrix::covariance(Index axis_a, Index i, Index axis_b, Index j) const {
  if (axis_a == axis_b) return covariances[static_cast<std::size_t>(axis_a)](i, j);
  assert(interactions.empty());
  const double own = residual_covariance(axis_a, axis_a);
  if (!(own > 0)) return 0;
  return covariances[static_cast<std::size_t>(axis_a)](i, j) * residual_covariance(axis_a, axis_b) / own;
}

daq::Result<ForceTorqueMatrix> fit_force_torque_matrix(const LoadCases& cases, const ForceTorqueOptions& options) {
  const Index n = cases.signals.cols();
  if (n < kAxes) return Error{fmt::format("{} bridge signals cannot tell six axes apart: 6 or more are needed", n)};
  if (!(options.significance > 0 && options.significance < 1)) {
    return Error{fmt::format("significance {} is not in (0, 1)", options.significance)};
  }
  if (auto sound = check(cases, n); !sound) return sound.error();
  for (Index c = 0; c < n; ++c) {
    if (const int levels = levels_of(cases.signals.col(c)); levels < 3) {
      return Error{
          fmt::format("bridge signal {} was seen at {} level(s) only: load each axis at 3 or more, better 5 of "
                      "each sign",
                      c + 1, levels)};
    }
  }
  for (Index a = 0; a < kAxes; ++a) {
    if (const int levels = levels_of(cases.wrenches.col(a)); levels < 3) {
      return Error{fmt::format("axis {} was loaded at {} level(s) only: 3 or more are needed, better 5 of each sign",
                               kAxisNames[a], levels)};
    }
  }

  std::vector<Interaction> candidates;
  if (options.interactions) {
    for (Index i = 0; i < n; ++i) {
      for (Index j = i; j < n; ++j) candidates.push_back({i, j});
    }
  }
  MatrixXd all(cases.signals.rows(), n + static_cast<Index>(candidates.size()));
  all.leftCols(n) = cases.signals;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    all.col(n + static_cast<Index>(k)) =
        cases.signals.col(candidates[k].i).cwiseProduct(cases.signals.col(candidates[k].j));
  }
  LeastSquaresOptions linear;
  linear.largest_condition = options.largest_condition;
  std::vector<LeastSquaresFit> fits;
  std::vector<std::vector<Index>> kept(kAxes);
  std::set<Index> used;
  ForceTorqueMatrix out;
  for (Index a = 0; a < kAxes; ++a) {
    auto& mine = kept[static_cast<std::size_t>(a)];
    for (Index c = 0; c < n; ++c) mine.push_back(c);
    auto fit = fit_least_squares(cases.signals, cases.wrenches.col(a), linear);
    if (!fit) return Error{fmt::format("axis {}: {}", kAxisNames[a], fit.error().message)};
    out.condition = fit->condition;
    if (options.interactions) {
      auto added = add_interactions(all, cases.wrenches.col(a), n, options, linear, mine, *fit);
      if (!added) return added.error();
    }
    used.insert(mine.begin() + n, mine.end());
    fits.push_back(std::move(*fit));
  }

  const std::vector<Index> extra(used.begin(), used.end());
  for (const Index c : extra) out.interactions.push_back(candidates[static_cast<std::size_t>(c - n)]);
  const Index terms = n + static_cast<Index>(extra.size());
  const auto place = [&](Index column) {
    return column < n ? column : n + (std::lower_bound(extra.begin(), extra.end(), column) - extra.begin());
  };
  out.matrix = MatrixXd::Zero(kAxes, terms);
  out.residual_covariance.resize(kAxes, kAxes);
  out.residual_sd.resize(kAxes);
  for (Index a = 0; a < kAxes; ++a) {
    const auto axis = static_cast<std::size_t>(a);
    const auto& fit = fits[axis];
    MatrixXd covariance = MatrixXd::Zero(terms, terms);
    for (std::size_t k = 0; k < kept[axis].size(); ++k) {
      const Index to = place(kept[axis][k]);
      out.matrix(a, to) = fit.coefficients[static_cast<Index>(k)];
      for (std::size_t m = 0; m < kept[axis].size(); ++m) {
        covariance(to, place(kept[axis][m])) = fit.covariance(static_cast<Index>(k), static_cast<Index>(m));
      }
    }
    out.covariances.push_back(std::move(covariance));
    out.residual_sd[a] = fit.residual_sd;
    out.dofs.push_back(static_cast<int>(fit.dof));
    for (Index b = 0; b <= a; ++b) {
      const auto& other = fits[static_cast<std::size_t>(b)];
      const double dof = std::sqrt(static_cast<double>(fit.dof) * static_cast<double>(other.dof));
      out.residual_covariance(a, b) = out.residual_covariance(b, a) = fit.residuals.dot(other.residuals) / dof;
    }
  }
  out.signal_low = cases.signals.colwise().minCoeff();
  out.signal_high = cases.signals.colwise().maxCoeff();
  return out;
}

daq::Result<CrossValidation> cross_validate(const ForceTorqueMatrix& matrix, const LoadCases& cases,
                                            const VectorXd& full_scale) {
  if (full_scale.size() != kAxes || !full_scale.allFinite() || !(full_scale.minCoeff() > 0)) {
    return Error{"full scale must be six finite numbers above 0"};
  }
  if (auto sound = check(cases, matrix.signal_low.size()); !sound) return sound.error();
  CrossValidation out;
  out.error_percent = VectorXd::Zero(kAxes);
  out.crosstalk_percent = MatrixXd::Constant(kAxes, kAxes, std::numeric_limits<double>::quiet_NaN());
  MatrixXd found(cases.signals.rows(), kAxes);
  for (Index r = 0; r < found.rows(); ++r) found.row(r) = matrix.wrench(cases.signals.row(r)).transpose();
  const MatrixXd parts = (found - cases.wrenches) * full_scale.cwiseInverse().asDiagonal();
  out.error_percent = 100 * parts.cwiseAbs().colwise().maxCoeff();
  const MatrixXd applied = cases.wrenches * full_scale.cwiseInverse().asDiagonal();
  for (Index j = 0; j < kAxes; ++j) {
    for (const double sign : {1.0, -1.0}) {
      Index fullest = -1;
      for (Index r = 0; r < applied.rows(); ++r) {
        VectorXd others = applied.row(r);
        others[j] = 0;
        if (others.cwiseAbs().maxCoeff() > 1e-3 || !(sign * applied(r, j) > 1e-3)) continue;
        if (fullest < 0 || std::abs(applied(r, j)) > std::abs(applied(fullest, j))) fullest = r;
      }
      if (fullest < 0) continue;
      for (Index i = 0; i < kAxes; ++i) {
        const double reading = 100 * found(fullest, i) / full_scale[i] / applied(fullest, j);
        auto& worst = out.crosstalk_percent(i, j);
        if (std::isnan(worst) || std::abs(reading) > std::abs(worst)) worst = reading;
      }
    }
  }
  return out;
}

}  // namespace strigil::calibration
