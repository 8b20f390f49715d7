#include "calibration/fit/nonlinear_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unsupported/Eigen/NonLinearOptimization>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Weighted residuals and their derivatives, as Eigen's search wants them.
struct Residuals {
  const PointModel& model;
  const VectorXd& y;
  const VectorXd& root;  ///< of the weights
  int* evaluations;
  VectorXd steps = {};  ///< of the differences; empty: 4e-4 of each parameter

  [[nodiscard]] int values() const { return static_cast<int>(y.size()); }
  [[nodiscard]] VectorXd at(const VectorXd& b) const {
    ++*evaluations;
    VectorXd r(y.size());
    const std::span parameters(b.data(), static_cast<std::size_t>(b.size()));
    for (Index i = 0; i < y.size(); ++i) {
      r[i] = root[i] == 0 ? 0 : root[i] * (model(parameters, static_cast<std::size_t>(i)) - y[i]);
    }
    return r;
  }
  /// Where the model is not finite, a residual so large that no search wants to go there.
  int operator()(const VectorXd& b, VectorXd& r) const {
    r = at(b);
    if (!r.allFinite()) r.setConstant(1e150);
    return 0;
  }
  int df(const VectorXd& b, MatrixXd& jacobian) const {
    jacobian = derivatives(b);
    if (!jacobian.allFinite()) jacobian.setZero();
    return 0;
  }
  /// Central differences at two steps, extrapolated: error of the order of h^4.
  [[nodiscard]] MatrixXd derivatives(const VectorXd& b) const {
    MatrixXd out(y.size(), b.size());
    VectorXd x = b;
    for (Index j = 0; j < b.size(); ++j) {
      const double h = steps.size() != 0 ? steps[j] : b[j] != 0 ? 4e-4 * std::abs(b[j]) : 1e-6;
      const auto slope = [&](double step) {
        x[j] = b[j] + step;
        const double high = x[j];
        const VectorXd up = at(x);
        x[j] = b[j] - step;
        const VectorXd down = at(x);
        const double width = high - x[j];
        x[j] = b[j];
        return VectorXd((up - down) / width);
      };
      const VectorXd wide = slope(h), narrow = slope(h / 2);
      out.col(j) = (4 * narrow - wide) / 3;
    }
    return out;
  }
};

struct Found {
  VectorXd b;
  double squares = std::numeric_limits<double>::infinity();
  std::size_t start = 0;
  int status = 0;
};

void search(Residuals& residuals, const VectorXd& from, double factor, int evaluations, std::size_t number,
            Found& best) {
  Eigen::LevenbergMarquardt<Residuals> lm(residuals);
  lm.parameters.factor = factor;
  lm.parameters.ftol = lm.parameters.xtol = 1e-15;
  lm.parameters.gtol = 0;
  lm.parameters.maxfev = evaluations;
  VectorXd b = from;
  const auto status = lm.minimize(b);
  if (!b.allFinite()) return;
  const double squares = residuals.at(b).squaredNorm();
  if (squares < best.squares) best = {b, squares, number, static_cast<int>(status)};
}

}  // namespace

daq::Result<NonlinearFit> fit_nonlinear(const PointModel& model, const VectorXd& y, std::span<const double> start,
                                        const NonlinearOptions& options) {
  const auto p = static_cast<Index>(start.size());
  if (p == 0) return Error{"a nonlinear fit without parameters was asked for"};
  if (options.weights.size() != 0 &&
      (options.weights.size() != y.size() || !options.weights.allFinite() || options.weights.minCoeff() < 0)) {
    return Error{fmt::format("the fit has {} points and {} weights, which must be finite and not negative", y.size(),
                             options.weights.size())};
  }
  if (!y.allFinite()) return Error{"a value to be fitted is not a finite number"};
  if (y.size() <= p) return Error{fmt::format("{} points are too few for {} parameters", y.size(), p)};
  const VectorXd root =
      options.weights.size() == 0 ? VectorXd(VectorXd::Ones(y.size())) : VectorXd(options.weights.cwiseSqrt());

  std::vector<VectorXd> starts{Eigen::Map<const VectorXd>(start.data(), p)};
  for (const auto& s : options.more_starts) {
    if (static_cast<Index>(s.size()) != p)
      return Error{fmt::format("a start has {} parameters instead of {}", s.size(), p)};
    starts.push_back(Eigen::Map<const VectorXd>(s.data(), p));
  }
  int evaluations = 0;
  Residuals residuals{model, y, root, &evaluations};
  Found best;
  bool possible = false;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    if (!starts[s].allFinite() || !residuals.at(starts[s]).allFinite()) continue;
    possible = true;
    for (const double factor : {100.0, 1.0, 0.01}) {
      search(residuals, starts[s], factor, options.max_evaluations / 3, s, best);
    }
  }
  if (!possible) return Error{"the model is not finite at any of the starts: choose others"};
  if (!std::isfinite(best.squares)) return Error{"the search left the range in which the model is finite"};

  // Gauss-Newton with the refined solver: it also gives covariance, condition and the refusal of hopeless parameters.
  NonlinearFit out;
  LeastSquaresOptions linear;
  linear.weights = options.weights;
  linear.weights_are_absolute = options.weights_are_absolute;
  linear.largest_condition = 1e10;
  std::optional<LeastSquaresFit> last;
  const VectorXd ones = VectorXd::Ones(y.size());
  Residuals plain{model, y, ones, &evaluations};
  out.convergence.relative_offset = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 30; ++step) {
    const MatrixXd jacobian = plain.derivatives(best.b);
    const VectorXd rest = -plain.at(best.b);
    if (!jacobian.allFinite()) return Error{"the model has no finite derivatives at the end of the search"};
    auto fit = fit_least_squares(jacobian, rest, linear);
    if (!fit) return Error{"at the end of the search: " + fit.error().message};
    // Differences over a tenth of what the parameters are uncertain by: the model is smooth over that, or is no model.
    plain.steps = (0.1 * fit->standard_errors).cwiseMin(4e-4 * best.b.cwiseAbs()).cwiseMax(1e-6 * best.b.cwiseAbs());
    for (Index j = 0; j < p; ++j) plain.steps[j] = plain.steps[j] > 0 ? plain.steps[j] : 1e-6;
    const VectorXd change = fit->coefficients;
    const VectorXd moved = root.cwiseProduct(jacobian * change);
    const double scatter = std::sqrt(best.squares / static_cast<double>(y.size() - p));
    const double offset = scatter > 0 ? moved.norm() / (scatter * std::sqrt(static_cast<double>(p))) : 0;
    const bool nearer = offset < out.convergence.relative_offset / 2;
    if (nearer) out.convergence.relative_offset = offset;
    last = std::move(*fit);
    const VectorXd next = best.b + change;
    const double squares = residuals.at(next).squaredNorm();
    // Close to the minimum the sum of squares is flat to its last digit, and the step's own size says how close.
    if (!(squares < best.squares || (nearer && offset < 1e-4 && squares <= best.squares * (1 + 1e-10)))) break;
    if (step > 1 && !nearer) break;
    best.b = next;
    best.squares = squares;
  }
  LeastSquaresFit& fit = out.fit;
  fit = std::move(*last);
  // Scatter of the model itself, not of its linearisation.
  fit.coefficients = best.b;
  fit.residuals = -plain.at(best.b);
  fit.sum_of_squares = best.squares;
  const double was = fit.residual_sd;
  fit.residual_sd = std::sqrt(best.squares / static_cast<double>(fit.dof));
  if (!fit.absolute && was > 0) {
    fit.covariance *= (fit.residual_sd / was) * (fit.residual_sd / was);
    fit.standard_errors *= fit.residual_sd / was;
  }
  const VectorXd w = root.cwiseProduct(root);
  const VectorXd about = root.cwiseProduct((y.array() - w.dot(y) / w.sum()).matrix());
  fit.r_squared =
      about.squaredNorm() > 0 ? 1 - best.squares / about.squaredNorm() : std::numeric_limits<double>::quiet_NaN();
  out.convergence.start = best.start;
  out.convergence.evaluations = evaluations;
  const double rounding = 1e-12 * root.cwiseProduct(y).norm();  // an exact fit has no scatter to compare with
  out.convergence.converged = out.convergence.relative_offset < 1e-3 || std::sqrt(best.squares) <= rounding;
  out.convergence.how = fmt::format("Levenberg-Marquardt status {}, {} evaluations, relative offset {:.2g}, start {}",
                                    best.status, evaluations, out.convergence.relative_offset, best.start + 1);
  if (!out.convergence.converged) {
    return Error{"the search for the parameters ended away from a minimum (" + out.convergence.how +
                 "): give starts nearer to the solution"};
  }
  return out;
}

}  // namespace strigil::calibration
