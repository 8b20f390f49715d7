#include "protocols/court/pod_signal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kHandbookTargets = 40;  // metrology.md 6.1 [M]
constexpr double kHalfLog2Pi = 0.91893853320467274178;

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<Vector3, 3>;

enum class Censored { kNot, kLow, kHigh };
struct Row {
  double x;
  double y;  // the limit, where censored
  Censored censored;
};

/// Inverse of a symmetric positive definite matrix by Cholesky; false where it is none.
bool invert(const Matrix3& a, Matrix3& out) {
  Matrix3 l{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i == j) {
        if (!(sum > 0)) return false;
        l[i][i] = std::sqrt(sum);
      } else {
        l[i][j] = sum / l[j][j];
      }
    }
  }
  for (std::size_t column = 0; column < 3; ++column) {
    Vector3 v{};
    for (std::size_t i = 0; i < 3; ++i) {
      double sum = i == column ? 1 : 0;
      for (std::size_t k = 0; k < i; ++k) sum -= l[i][k] * v[k];
      v[i] = sum / l[i][i];
    }
    for (std::size_t i = 3; i-- > 0;) {
      double sum = v[i];
      for (std::size_t k = i + 1; k < 3; ++k) sum -= l[k][i] * out[k][column];
      out[i][column] = sum / l[i][i];
    }
  }
  return true;
}

/// Olsen: theta = 1 / sigma, d = b / sigma. Residual r = theta y - d0 - d1 x.
double log_likelihood(const std::vector<Row>& rows, const Vector3& p) {
  if (!(p[2] > 0)) return -std::numeric_limits<double>::infinity();
  double sum = 0;
  for (const auto& row : rows) {
    const double r = p[2] * row.y - p[0] - p[1] * row.x;
    switch (row.censored) {
      case Censored::kNot:
        sum += std::log(p[2]) - kHalfLog2Pi - 0.5 * r * r;
        break;
      case Censored::kLow:
        sum += log_normal_cdf(r);
        break;
      case Censored::kHigh:
        sum += log_normal_cdf(-r);
        break;
    }
  }
  return sum;
}

/// Gradient and minus the Hessian, both exact.
void derivatives(const std::vector<Row>& rows, const Vector3& p, Vector3& gradient, Matrix3& information) {
  gradient = {};
  information = {};
  for (const auto& row : rows) {
    const double r = p[2] * row.y - p[0] - p[1] * row.x;
    const Vector3 dr{-1, -row.x, row.y};
    double first = -r;
    double second = 1;  // minus the second derivative in r
    if (row.censored != Censored::kNot) {
      const double side = row.censored == Censored::kLow ? 1 : -1;
      const double s = side * r;
      const double mills = std::exp(-0.5 * s * s - kHalfLog2Pi - log_normal_cdf(s));
      first = side * mills;
      second = mills * (s + mills);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      gradient[i] += first * dr[i];
      for (std::size_t j = 0; j < 3; ++j) information[i][j] += second * dr[i] * dr[j];
    }
    if (row.censored == Censored::kNot) {
      gradient[2] += 1 / p[2];
      information[2][2] += 1 / (p[2] * p[2]);
    }
  }
}

double on_scale(SizeScale scale, double v) { return scale == SizeScale::kLog ? std::log(v) : v; }
double off_scale(SizeScale scale, double v) { return scale == SizeScale::kLog ? std::exp(v) : v; }

/// Where x and y come from: both are centred and scaled for the fit.
struct Scaling {
  double x = 0;
  double x_spread = 0;
  double y = 0;
  double y_spread = 0;
};
Scaling scaling_of(const std::vector<Row>& rows) {
  Scaling s;
  const auto n = static_cast<double>(rows.size());
  for (const auto& r : rows) {
    s.x += r.x / n;
    s.y += r.y / n;
  }
  for (const auto& r : rows) {
    s.x_spread += (r.x - s.x) * (r.x - s.x) / n;
    s.y_spread += (r.y - s.y) * (r.y - s.y) / n;
  }
  s.x_spread = std::sqrt(s.x_spread);
  s.y_spread = std::sqrt(s.y_spread);
  return s;
}

}  // namespace

daq::Result<SignalFit> fit_signal(std::span<const SignalRow> rows, const SignalOptions& o) {
  if (!(o.pod > 0 && o.pod < 1) || !(o.confidence > 0.5 && o.confidence < 1)) {
    return daq::Error{fmt::format("POD {} or confidence {} is out of range", o.pod, o.confidence)};
  }
  if (!(o.noise_floor < o.saturation)) return daq::Error{"the noise floor must lie below saturation"};
  if (!(o.decision >= o.noise_floor && o.decision <= o.saturation) || !std::isfinite(o.decision)) {
    return daq::Error{fmt::format("decision threshold {} lies outside what is measured, {} to {}", o.decision,
                                  o.noise_floor, o.saturation)};
  }
  if (o.response_scale == SizeScale::kLog && o.decision <= 0) {
    return daq::Error{fmt::format("decision threshold {} has no logarithm", o.decision)};
  }
  SignalFit fit;
  std::vector<Row> used;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& r = rows[i];
    auto censored = Censored::kNot;
    double y = r.response;
    if (y <= o.noise_floor) {
      censored = Censored::kLow;
      y = o.noise_floor;
    } else if (y >= o.saturation) {
      censored = Censored::kHigh;
      y = o.saturation;
    }
    if (!std::isfinite(r.size) || !std::isfinite(y)) {
      fit.excluded.push_back({i, fmt::format("size {} with response {} is not known", r.size, r.response)});
    } else if (o.size_scale == SizeScale::kLog && r.size <= 0) {
      fit.excluded.push_back({i, fmt::format("size {} has no logarithm", r.size)});
    } else if (o.response_scale == SizeScale::kLog && y <= 0) {
      fit.excluded.push_back({i, fmt::format("response {} has no logarithm", y)});
    } else {
      used.push_back({on_scale(o.size_scale, r.size), on_scale(o.response_scale, y), censored});
      fit.censored_low += censored == Censored::kLow ? 1 : 0;
      fit.censored_high += censored == Censored::kHigh ? 1 : 0;
    }
  }
  fit.rows = used.size();
  const std::size_t measured = fit.rows - fit.censored_low - fit.censored_high;
  if (fit.rows < 5 || measured < 3) {
    return daq::Error{fmt::format("{} rows, {} of them not censored, are too few for a line: 5 and 3 are needed",
                                  fit.rows, measured)};
  }
  const auto s = scaling_of(used);
  if (!(s.x_spread > 0) || !(s.y_spread > 0)) return daq::Error{"all sizes, or all responses, are the same"};
  for (auto& r : used) {
    r.x = (r.x - s.x) / s.x_spread;
    r.y = (r.y - s.y) / s.y_spread;
  }
  // Start: a flat line of spread 1, from where Newton's halved steps climb the concave likelihood.
  Vector3 p{0, 0, 1};
  double best = log_likelihood(used, p);
  Vector3 gradient{};
  Matrix3 information{};
  Matrix3 inverse{};
  bool settled = false;
  for (int step = 0; step < 200 && !settled; ++step) {
    derivatives(used, p, gradient, information);
    if (!invert(information, inverse)) return daq::Error{"the line is not determined by these rows"};
    Vector3 d{};
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) d[i] += inverse[i][j] * gradient[j];
    }
    double part = 1;
    Vector3 next{};
    double reached = -std::numeric_limits<double>::infinity();
    for (int half = 0; half < 60; ++half, part /= 2) {
      for (std::size_t i = 0; i < 3; ++i) next[i] = p[i] + part * d[i];
      reached = log_likelihood(used, next);
      if (reached >= best) break;
    }
    const double size = part * (std::abs(d[0]) + std::abs(d[1]) + std::abs(d[2]));
    settled = size <= 1e-12 * (1 + std::abs(p[0]) + std::abs(p[1]) + p[2]) || !(reached >= best);
    if (reached >= best) {
      p = next;
      best = reached;
    }
    if (p[2] > 1e8)
      return daq::Error{"the responses lie on a line without scatter: no POD curve can be told from a step"};
  }
  if (!settled) return daq::Error{"the fit did not settle: too little of the responses is not censored"};
  derivatives(used, p, gradient, information);
  if (!invert(information, inverse)) return daq::Error{"the line is not determined by these rows"};

  // Back to b0, b1, sigma of the scales chosen: y = y_m + y_s (d0 + d1 (x - x_m) / x_s) / theta.
  const double theta = p[2];
  const double slope = s.y_spread / s.x_spread;
  fit.b1 = slope * p[1] / theta;
  fit.b0 = s.y + s.y_spread * p[0] / theta - fit.b1 * s.x;
  fit.sigma = s.y_spread / theta;
  fit.log_likelihood = best - static_cast<double>(measured) * std::log(s.y_spread);
  const double m = s.x / s.x_spread;
  const Matrix3 jacobian{
      {{s.y_spread / theta, -s.y_spread * m / theta, -s.y_spread * (p[0] - p[1] * m) / (theta * theta)},
       {0, slope / theta, -slope * p[1] / (theta * theta)},
       {0, 0, -s.y_spread / (theta * theta)}}};
  // Nothing censored: least squares with n - 2, which has no bias.
  const auto n = static_cast<double>(fit.rows);
  const bool whole = measured == fit.rows;
  const double grow = whole ? n / (n - 2) : 1;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t l = 0; l < 3; ++l) sum += jacobian[i][k] * inverse[k][l] * jacobian[j][l];
      }
      fit.covariance[i][j] = sum * grow;
    }
  }
  fit.sigma *= std::sqrt(grow);

  const double error = std::sqrt(fit.covariance[1][1]);
  const double z = whole ? student_quantile(0.5 + o.confidence / 2, n - 2) : two_sided_z(o.confidence);
  if (!(fit.b1 - z * error > 0)) {
    return daq::Error{
        fmt::format("the response is not shown to rise with size: slope {:.6g}, {:g} % interval {:.3g} to "
                    "{:.3g}",
                    fit.b1, 100 * o.confidence, fit.b1 - z * error, fit.b1 + z * error)};
  }
  fit.mu = (on_scale(o.response_scale, o.decision) - fit.b0) / fit.b1;
  fit.pod_sigma = fit.sigma / fit.b1;
  const double q = normal_quantile(o.pod);
  const double x = fit.mu + q * fit.pod_sigma;
  const Vector3 by{-1 / fit.b1, -x / fit.b1, q / fit.b1};  // of x in b0, b1, sigma
  double variance = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) variance += by[i] * fit.covariance[i][j] * by[j];
  }
  fit.a50 = off_scale(o.size_scale, fit.mu);
  fit.a90 = off_scale(o.size_scale, x);
  fit.a90_95 = off_scale(o.size_scale, x + normal_quantile(o.confidence) * std::sqrt(variance));
  if (fit.rows < kHandbookTargets) {
    fit.warnings.push_back(
        fmt::format("{} targets are below the {} that the handbook asks of a-hat vs a", fit.rows, kHandbookTargets));
  }
  if (!fit.excluded.empty()) fit.warnings.push_back(fmt::format("{} rows were excluded", fit.excluded.size()));
  return fit;
}

daq::Result<FalseAlarmShare> false_alarm_share(std::span<const double> noise, double decision, double level) {
  if (noise.size() < 2 || std::isnan(decision))
    return daq::Error{"false alarms need two values of noise and a threshold"};
  std::uint64_t above = 0;
  double mean = 0;
  const auto n = static_cast<double>(noise.size());
  for (const double v : noise) {
    if (!std::isfinite(v)) return daq::Error{fmt::format("{} is no value of noise", v)};
    above += v > decision ? 1 : 0;
    mean += v / n;
  }
  double square = 0;
  for (const double v : noise) square += (v - mean) * (v - mean);
  const double s = std::sqrt(square / (n - 1));
  auto counted = proportion(above, noise.size(), level);
  if (!counted) return counted.error();
  return FalseAlarmShare{*counted, s > 0 ? normal_cdf((mean - decision) / s) : (mean > decision ? 1.0 : 0.0)};
}

}  // namespace strigil::protocols
