#include "calibration/standards/resonance.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "calibration/fit/least_squares.hpp"

namespace strigil::calibration {
namespace {

using Complex = std::complex<double>;
constexpr Complex kI(0, 1);

std::optional<daq::Error> refuse(std::span<const ResponsePoint> lines, std::size_t at_least) {
  if (lines.size() < at_least) {
    return daq::Error{fmt::format("{} lines; {} are needed around a resonance", lines.size(), at_least)};
  }
  double last = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& l = lines[i];
    if (!std::isfinite(l.frequency_Hz) || !std::isfinite(std::abs(l.response)) || !(l.frequency_Hz > last)) {
      return daq::Error{fmt::format("line {} is not a number, or its frequency does not rise from above zero", i)};
    }
    if (!(l.coherence >= 0 && l.coherence <= 1))
      return daq::Error{fmt::format("coherence of line {} is not within 0 to 1", i)};
    last = l.frequency_Hz;
  }
  return std::nullopt;
}

/// The response in the shape of a mobility, i f/(f_n^2 - f^2 + 2 i z f_n f) times a constant.
Complex mobility_shaped(const ResponsePoint& l, ResponseKind kind) {
  const double f = l.frequency_Hz;
  switch (kind) {
    case ResponseKind::transmissibility:
      return (l.response - 1.0) / (kI * f);  // that of the motion against the base
    case ResponseKind::receptance:
      return l.response * kI * f;
    case ResponseKind::mobility:
      return l.response;
    case ResponseKind::accelerance:
      return l.response / (kI * f);
  }
  return {};
}

std::size_t peak_of(const std::vector<Complex>& y) {
  std::size_t peak = 0;
  for (std::size_t i = 1; i < y.size(); ++i) {
    if (std::abs(y[i]) > std::abs(y[peak])) peak = i;
  }
  return peak;
}

std::vector<Complex> shaped(std::span<const ResponsePoint> lines, ResponseKind kind) {
  std::vector<Complex> y;
  for (const auto& l : lines) y.push_back(mobility_shaped(l, kind));
  return y;
}

/// 1/|Y|^2 is a polynomial of f^2 over f^2: a parabola through three values of 1/|Y|^2 finds its smallest.
double smallest_inverse_square(std::span<const ResponsePoint> lines, const std::vector<Complex>& y, std::size_t peak) {
  const double x0 = lines[peak - 1].frequency_Hz, x1 = lines[peak].frequency_Hz, x2 = lines[peak + 1].frequency_Hz;
  const double q0 = 1 / std::norm(y[peak - 1]), q1 = 1 / std::norm(y[peak]), q2 = 1 / std::norm(y[peak + 1]);
  const double d01 = (q1 - q0) / (x1 - x0), d12 = (q2 - q1) / (x2 - x1);
  const double curvature = (d12 - d01) / (x2 - x0);
  if (!(curvature > 0)) return q1;
  const double at = (x0 + x1) / 2 - d01 / (2 * curvature);
  return std::min(q1, q0 + d01 * (at - x0) + curvature * (at - x0) * (at - x1));
}

/// Unknowns a = w_n^2 and b = 2 z w_n, and for others than transmissibilities the numerator's two parts. Frequencies
/// are in units of `scale` so that the columns are alike.
struct Model {
  ResponseKind kind;
  Complex numerator(double w, const Eigen::VectorXd& p) const {
    if (kind == ResponseKind::transmissibility) return {p(0), w * p(1)};
    return {p(2), p(3)};
  }
  Complex denominator(double w, const Eigen::VectorXd& p) const { return {p(0) - w * w, w * p(1)}; }
  Complex at(double w, const Eigen::VectorXd& p) const { return numerator(w, p) / denominator(w, p); }
  [[nodiscard]] Eigen::Index parameters() const { return kind == ResponseKind::transmissibility ? 2 : 4; }
  /// Derivatives by the parameters.
  std::array<Complex, 4> slopes(double w, const Eigen::VectorXd& p) const {
    const auto d = denominator(w, p);
    const auto h = numerator(w, p) / d;
    if (kind == ResponseKind::transmissibility) return {(1.0 - h) / d, kI * w * (1.0 - h) / d, 0, 0};
    return {-h / d, -kI * w * h / d, 1.0 / d, kI / d};
  }
};

}  // namespace

daq::Result<Resonance> half_power(std::span<const ResponsePoint> lines, ResponseKind kind) {
  if (auto error = refuse(lines, 5)) return *error;
  const auto y = shaped(lines, kind);
  const auto peak = peak_of(y);
  if (peak == 0 || peak + 1 == y.size()) {
    return daq::Error{"the response is largest at the first or last line: the resonance is not within the lines"};
  }
  const double half = 2 * smallest_inverse_square(lines, y, peak);  // 1/|Y|^2 at the half-power points
  // Crossing of 1/|Y|^2, which is nearly a parabola there, by a line between neighbours.
  const auto crossing = [&](std::size_t inner, std::size_t outer) {
    const double q0 = 1 / std::norm(y[inner]), q1 = 1 / std::norm(y[outer]);
    return lines[inner].frequency_Hz +
           (half - q0) / (q1 - q0) * (lines[outer].frequency_Hz - lines[inner].frequency_Hz);
  };
  std::size_t left = peak, right = peak;
  while (left > 0 && 1 / std::norm(y[left]) < half) --left;
  while (right + 1 < y.size() && 1 / std::norm(y[right]) < half) ++right;
  if (1 / std::norm(y[left]) < half || 1 / std::norm(y[right]) < half) {
    return daq::Error{"the half-power points are not within the lines: take more of them around the resonance"};
  }
  if (right - left < 4) {
    return daq::Error{
        fmt::format("{} lines within the half-power points: the resonance is narrower than the lines resolve; take a "
                    "longer record",
                    right - left - 1)};
  }
  const double f1 = crossing(left + 1, left), f2 = crossing(right - 1, right);
  Resonance out;
  out.method = "half-power";
  out.natural_Hz.value = std::sqrt(f1 * f2);
  out.damping.value = (f2 - f1) / (2 * out.natural_Hz.value);
  return out;
}

daq::Result<Resonance> circle_fit(std::span<const ResponsePoint> lines, ResponseKind kind) {
  if (auto error = refuse(lines, 5)) return *error;
  const auto y = shaped(lines, kind);
  const auto peak = peak_of(y);
  std::vector<std::size_t> arc;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::norm(y[i]) >= 0.2 * std::norm(y[peak])) arc.push_back(i);  // within 127 degrees of the peak, either way
  }
  if (arc.size() < 5)
    return daq::Error{fmt::format("{} lines lie on the arc of the resonance; five are needed", arc.size())};
  const auto n = static_cast<Eigen::Index>(arc.size());
  const double scale = std::abs(y[peak]);
  Eigen::MatrixXd x(n, 3);
  Eigen::VectorXd z(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto p = y[arc[static_cast<std::size_t>(i)]] / scale;
    x.row(i) << p.real(), p.imag(), 1;
    z(i) = std::norm(p);
  }
  const auto circle = fit_least_squares(x, z);
  if (!circle) return daq::Error{"no circle goes through the response: " + circle.error().message};
  const Complex centre = scale * Complex(circle->coefficients(0) / 2, circle->coefficients(1) / 2);
  const double radius = scale * std::sqrt(std::max(circle->coefficients(2) + std::norm(centre) / (scale * scale), 0.0));
  // The response passes through the origin far from resonance; resonance lies opposite to it. Angles there are half of
  // those about the centre. tan of the angle times f falls with f^2.
  Eigen::MatrixXd line(n, 2);
  Eigen::VectorXd t(n), weights(n);
  const double f0 = lines[peak].frequency_Hz;
  double squares = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto at = arc[static_cast<std::size_t>(i)];
    const double f = lines[at].frequency_Hz / f0;
    const double angle = std::arg((y[at] - centre) / centre) / 2;
    line.row(i) << 1, -f * f;
    t(i) = std::tan(angle) * f;
    weights(i) = std::pow(std::cos(angle), 4) / (f * f);
    squares += std::pow(std::abs(y[at] - centre) - radius, 2);
  }
  LeastSquaresOptions options;
  options.weights = weights;
  const auto fit = fit_least_squares(line, t, options);
  if (!fit) return daq::Error{"angles about the circle do not tell a resonance: " + fit.error().message};
  const double a = fit->coefficients(0), b = fit->coefficients(1);
  if (!(a > 0 && b > 0))
    return daq::Error{"the circle is run through the wrong way round: no resonance, or the phase's sign is turned"};
  const auto& v = fit->covariance;
  const auto dof = static_cast<double>(fit->dof);
  // a = f_n/(2 z), b = 1/(2 z f_n), in units of f0: f_n^2 = a/b, 4 z^2 = 1/(a b); relative errors add.
  const double ra = v(0, 0) / (a * a), rb = v(1, 1) / (b * b), rab = v(0, 1) / (a * b);
  Resonance out;
  out.method = "circle";
  const double fn = f0 * std::sqrt(a / b), zeta = 0.5 / std::sqrt(a * b);
  out.natural_Hz = {fn, fn / 2 * std::sqrt(std::max(ra + rb - 2 * rab, 0.0)), dof};
  out.damping = {zeta, zeta / 2 * std::sqrt(std::max(ra + rb + 2 * rab, 0.0)), dof};
  out.residual = std::sqrt(squares / static_cast<double>(n));
  return out;
}

daq::Result<Resonance> model_fit(std::span<const ResponsePoint> lines, ResponseKind kind) {
  if (auto error = refuse(lines, 4)) return *error;
  const Model model{kind};
  const auto n = static_cast<Eigen::Index>(lines.size());
  // All kinds but the transmissibility are fitted as receptances, each line with the weight it has as measured.
  const auto peak = peak_of(shaped(lines, kind));
  const double f0 = lines[peak].frequency_Hz;
  std::vector<double> w(lines.size()), weight(lines.size());
  std::vector<Complex> h(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    w[i] = lines[i].frequency_Hz / f0;
    h[i] = lines[i].response;
    double gain = 1;  // receptance over response
    if (kind == ResponseKind::mobility || kind == ResponseKind::accelerance) {
      const Complex divide = kind == ResponseKind::mobility ? kI * w[i] : Complex(-w[i] * w[i], 0);
      h[i] /= divide;
      gain = 1 / std::abs(divide);
    }
    weight[i] = 1 / (gain * gain);
  }
  // Where coherence says nothing (some lines claim to be perfect) every line counts alike; else the variance of |H| is
  // |H|^2 (1-g2)/(2 g2 n). Coherence is taken as the median of nine lines: the scatter of a single one would be scatter
  // of its weight, which the intervals know nothing of (93.9 % instead of 95 with 16 averages).
  if (std::none_of(lines.begin(), lines.end(), [](const auto& l) { return l.coherence == 1; })) {
    constexpr std::size_t kReach = 4;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::vector<double> near;
      for (std::size_t k = i < kReach ? 0 : i - kReach; k < std::min(lines.size(), i + kReach + 1); ++k) {
        near.push_back((1 - lines[k].coherence) / std::max(lines[k].coherence, 1e-9));
      }
      std::nth_element(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(near.size() / 2), near.end());
      weight[i] /= std::max(std::norm(lines[i].response) * near[near.size() / 2], std::numeric_limits<double>::min());
    }
  }
  const double largest = *std::max_element(weight.begin(), weight.end());
  for (double& v : weight) v /= largest;
  // First by the linear form h (a - w^2 + i b w) = numerator, reweighted by the denominator; then the model itself.
  Eigen::VectorXd p = Eigen::VectorXd::Zero(model.parameters());
  p(0) = 1;
  p(1) = 0.1;
  Eigen::MatrixXd x(2 * n, model.parameters());
  Eigen::VectorXd y(2 * n);
  const auto put = [&](Eigen::Index i, std::span<const Complex> row, Complex value, double scale) {
    for (Eigen::Index k = 0; k < model.parameters(); ++k) {
      x(2 * i, k) = scale * row[static_cast<std::size_t>(k)].real();
      x(2 * i + 1, k) = scale * row[static_cast<std::size_t>(k)].imag();
    }
    y(2 * i) = scale * value.real();
    y(2 * i + 1) = scale * value.imag();
  };
  for (int round = 0; round < 10; ++round) {
    for (Eigen::Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double scale =
          std::sqrt(weight[at]) / (round == 0 ? 1 : std::max(std::abs(model.denominator(w[at], p)), 1e-9));
      const Complex d = kind == ResponseKind::transmissibility ? h[at] - 1.0 : h[at];
      put(i, std::array<Complex, 4>{d, kI * w[at] * d, -1, -kI}, h[at] * w[at] * w[at], scale);
    }
    p = x.colPivHouseholderQr().solve(y);
  }
  const auto misfit = [&](const Eigen::VectorXd& q) {
    double sum = 0;
    for (std::size_t i = 0; i < w.size(); ++i) sum += weight[i] * std::norm(h[i] - model.at(w[i], q));
    return sum;
  };
  double squares = misfit(p);
  for (int step = 0; step < 50; ++step) {
    for (Eigen::Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      put(i, model.slopes(w[at], p), h[at] - model.at(w[at], p), std::sqrt(weight[at]));
    }
    const Eigen::VectorXd move = x.colPivHouseholderQr().solve(y);
    bool better = false;
    for (double part = 1; part > 1e-6 && !better; part /= 2) {
      const Eigen::VectorXd q = p + part * move;
      const double now = misfit(q);
      if (now < squares) {
        better = true;
        p = q;
        squares = now;
      }
    }
    if (!better) break;
  }
  if (!p.allFinite() || !(p(0) > 0 && p(1) > 0)) {
    return daq::Error{
        "the lines do not tell a damped resonance: stiffness or damping came out negative; check which kind of "
        "response this is, and its phase"};
  }
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    put(i, model.slopes(w[at], p), h[at] - model.at(w[at], p), std::sqrt(weight[at]));
  }
  const auto last = fit_least_squares(x, y);
  if (!last) return daq::Error{"the lines do not tell frequency and damping apart: " + last.error().message};
  const auto dof = static_cast<double>(last->dof);
  const double wn = std::sqrt(p(0)), zeta = p(1) / (2 * wn);
  const auto& v = last->covariance;
  const double ra = v(0, 0) / (p(0) * p(0)), rb = v(1, 1) / (p(1) * p(1)), rab = v(0, 1) / (p(0) * p(1));
  Resonance out;
  out.method = "model";
  out.natural_Hz = {f0 * wn, f0 * wn / 2 * std::sqrt(ra), dof};
  out.damping = {zeta, zeta * std::sqrt(std::max(rb - rab + ra / 4, 0.0)), dof};
  double rest = 0;
  for (std::size_t i = 0; i < w.size(); ++i) rest += std::norm(h[i] - model.at(w[i], p));
  out.residual = std::sqrt(rest / static_cast<double>(n));
  return out;
}

daq::Result<Estimate> without_window(const Estimate& damping, double natural_Hz, double window_tau_s) {
  if (!(natural_Hz > 0 && window_tau_s > 0)) return daq::Error{"natural frequency and window time must be above zero"};
  const double added = 1 / (window_tau_s * 2 * std::numbers::pi * natural_Hz);
  if (!(damping.value > added)) {
    return daq::Error{
        fmt::format("the window alone damps by {:.3g}, more than the {:.3g} that was measured: take a longer record "
                    "or a milder window",
                    added, damping.value)};
  }
  return Estimate{damping.value - added, damping.u, damping.dof};
}

}  // namespace strigil::calibration
