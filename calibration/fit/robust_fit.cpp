#include "calibration/fit/robust_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::VectorXd;

/// psi(t)/t and psi'(t) of the two kinds, t in robust standard deviations.
double weight_of(RobustKind kind, double tuning, double t) {
  const double a = std::abs(t);
  if (kind == RobustKind::kHuber) return a <= tuning ? 1 : tuning / a;
  if (a >= tuning) return 0;
  const double s = 1 - (t / tuning) * (t / tuning);
  return s * s;
}

double slope_of(RobustKind kind, double tuning, double t) {
  if (kind == RobustKind::kHuber) return std::abs(t) <= tuning ? 1 : 0;
  if (std::abs(t) >= tuning) return 0;
  const double q = (t / tuning) * (t / tuning);
  return (1 - q) * (1 - 5 * q);
}

/// Median absolute residual / 0.6745, of the n - p + 1 largest: p residuals can always be made small.
double scale_of(const VectorXd& residuals, Index p) {
  std::vector<double> sizes(residuals.data(), residuals.data() + residuals.size());
  for (double& r : sizes) r = std::abs(r);
  std::sort(sizes.begin(), sizes.end());
  const auto first = static_cast<std::size_t>(p - 1), rest = sizes.size() - first;
  const double upper = sizes[first + rest / 2], lower = sizes[first + (rest - 1) / 2];
  return (upper / 2 + lower / 2) / 0.6744897501960817;
}

}  // namespace

daq::Result<RobustFit> fit_robust(const Eigen::MatrixXd& design, const VectorXd& y, const RobustOptions& options) {
  constexpr int kMost = 200;
  if (!(options.tuning >= 0 && std::isfinite(options.tuning))) return Error{"the tuning of a robust fit is negative"};
  auto plain = fit_least_squares(design, y);
  if (!plain) return plain.error();
  const Index n = design.rows(), p = design.cols();
  RobustFit out;
  out.fit = std::move(*plain);
  out.weights = VectorXd::Ones(n);

  // Tukey has many solutions: Huber's, which has one, is where it starts.
  std::vector<RobustKind> stages{RobustKind::kHuber};
  if (options.kind == RobustKind::kTukey) stages.push_back(RobustKind::kTukey);
  double scale = 0, tuning = 0;
  for (const auto kind : stages) {
    tuning = kind == options.kind && options.tuning > 0 ? options.tuning : kind == RobustKind::kHuber ? 1.345 : 4.685;
    bool settled = false;
    for (int step = 0; step < kMost && !settled; ++step, ++out.iterations) {
      scale = scale_of(out.fit.residuals, p);
      const double size = y.cwiseAbs().maxCoeff();
      if (!(scale > 1e-14 * size)) {
        return Error{
            "more than half of the points lie exactly on the fit: their scatter is 0, and nothing can be called "
            "an outlier against that"};
      }
      LeastSquaresOptions reweighted;
      reweighted.weights.resize(n);
      for (Index i = 0; i < n; ++i) reweighted.weights[i] = weight_of(kind, tuning, out.fit.residuals[i] / scale);
      auto next = fit_least_squares(design, y, reweighted);
      if (!next) return next.error();
      settled = (design * (next->coefficients - out.fit.coefficients)).cwiseAbs().maxCoeff() < 1e-10 * scale;
      out.weights = reweighted.weights;
      out.fit = std::move(*next);
    }
    if (!settled) {
      return Error{
          fmt::format("the robust fit did not settle in {} steps: too many points disagree to call some of them "
                      "outliers",
                      kMost)};
    }
  }
  double psi2 = 0, slope = 0, slope2 = 0;
  for (Index i = 0; i < n; ++i) {
    const double t = out.fit.residuals[i] / scale;
    const double psi = t * weight_of(options.kind, tuning, t), d = slope_of(options.kind, tuning, t);
    psi2 += psi * psi;
    slope += d / static_cast<double>(n);
    slope2 += d * d / static_cast<double>(n);
  }
  if (!(slope > 0)) return Error{"hardly any point is believed by the robust fit: take a larger tuning"};
  const double k = 1 + static_cast<double>(p) / static_cast<double>(n) * (slope2 - slope * slope) / (slope * slope);
  const double variance = k * k * scale * scale * psi2 / static_cast<double>(n - p) / (slope * slope);
  auto unit = fit_least_squares(design, y);
  if (!unit) return unit.error();
  out.fit.covariance = unit->covariance * (variance / (unit->residual_sd * unit->residual_sd));
  out.fit.standard_errors = unit->standard_errors * (std::sqrt(variance) / unit->residual_sd);
  out.fit.residual_sd = scale;
  out.fit.points = n;
  out.fit.dof = n - p;
  return out;
}

}  // namespace strigil::calibration
