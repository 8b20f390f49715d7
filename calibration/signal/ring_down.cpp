#include "calibration/signal/ring_down.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// A pole in samples: decay and turn of one sample.
struct Pole {
  double decay = 0;
  double turn = 0;
};

/// Poles with a turn above 0, of the pencil of two Hankel matrices one sample apart.
std::vector<Pole> pencil(const VectorXd& y, double noise_sd, int most) {
  const Index n = y.size();
  // A third of the record is where the poles' variance is least; more columns than that many cost time alone.
  const Index columns = std::min<Index>(n / 3, 160);
  const Index rows = n - columns;
  MatrixXd hankel(rows, columns + 1);
  for (Index r = 0; r < rows; ++r) hankel.row(r) = y.segment(r, columns + 1).transpose();
  // By the small side: singular vectors of H are those of H'H, and what is lost of its weakest values is noise.
  const Eigen::SelfAdjointEigenSolver<MatrixXd> squares(hankel.transpose() * hankel);
  const VectorXd& values = squares.eigenvalues();  // rising
  // Noise alone has singular values up to sd (sqrt rows + sqrt columns).
  constexpr double kAboveNoise = 1.5;
  const double floor =
      kAboveNoise * noise_sd * (std::sqrt(static_cast<double>(rows)) + std::sqrt(static_cast<double>(columns + 1)));
  Index order = 0;
  while (order < std::min<Index>(2 * most, columns) && values(columns - order) > floor * floor) ++order;
  if (order == 0) return {};
  const MatrixXd v = squares.eigenvectors().rightCols(order);
  const MatrixXd shift = v.topRows(columns).colPivHouseholderQr().solve(v.bottomRows(columns));
  const Eigen::VectorXcd z = shift.eigenvalues();
  std::vector<Pole> out;
  for (Index i = 0; i < z.size(); ++i) {
    const double turn = std::arg(z(i));
    const double decay = -std::log(std::abs(z(i)));
    constexpr double kLeastTurn = 1e-3;
    if (!std::isfinite(decay) || turn < kLeastTurn || turn > 0.95 * std::numbers::pi) continue;
    out.push_back({std::max(decay, 0.0), turn});
  }
  return out;
}

/// Columns of the model for these poles: cos and sin part of each, and the offset.
MatrixXd columns_of(const std::vector<Pole>& poles, Index n) {
  const auto modes = static_cast<Index>(poles.size());
  MatrixXd x(n, 2 * modes + 1);
  for (Index m = 0; m < modes; ++m) {
    const auto& p = poles[static_cast<std::size_t>(m)];
    for (Index i = 0; i < n; ++i) {
      const auto t = static_cast<double>(i);
      const double e = std::exp(-p.decay * t);
      x(i, 2 * m) = e * std::cos(p.turn * t);
      x(i, 2 * m + 1) = e * std::sin(p.turn * t);
    }
  }
  x.col(2 * modes).setOnes();
  return x;
}

struct Solved {
  VectorXd linear;
  VectorXd residual;
  MatrixXd x;
};
Solved solve(const std::vector<Pole>& poles, const VectorXd& y) {
  Solved s;
  s.x = columns_of(poles, y.size());
  s.linear = s.x.colPivHouseholderQr().solve(y);
  s.residual = y - s.x * s.linear;
  return s;
}

double amplitude_of(const Solved& s, std::size_t mode) {
  const auto m = static_cast<Index>(2 * mode);
  return std::hypot(s.linear(m), s.linear(m + 1));
}

/// Gauss and Newton on poles and amplitudes at once, halving steps that make it worse.
void refine(std::vector<Pole>& poles, Solved& s, const VectorXd& y) {
  const auto modes = static_cast<Index>(poles.size());
  const Index linear = 2 * modes + 1;
  constexpr int kMostSteps = 30;
  for (int step = 0; step < kMostSteps; ++step) {
    MatrixXd j(y.size(), linear + 2 * modes);
    j.leftCols(linear) = s.x;
    for (Index m = 0; m < modes; ++m) {
      const double a = s.linear(2 * m), b = s.linear(2 * m + 1);
      for (Index i = 0; i < y.size(); ++i) {
        const auto t = static_cast<double>(i);
        j(i, linear + 2 * m) = -t * (a * s.x(i, 2 * m) + b * s.x(i, 2 * m + 1));
        j(i, linear + 2 * m + 1) = t * (b * s.x(i, 2 * m) - a * s.x(i, 2 * m + 1));
      }
    }
    const VectorXd move = j.colPivHouseholderQr().solve(s.residual);
    const double before = s.residual.squaredNorm();
    bool better = false;
    double gained = 0;
    for (double part = 1; part > 1e-3 && !better; part /= 2) {
      auto tried = poles;
      bool sound = true;
      for (Index m = 0; m < modes; ++m) {
        auto& p = tried[static_cast<std::size_t>(m)];
        p.decay += part * move(linear + 2 * m);
        p.turn += part * move(linear + 2 * m + 1);
        sound = sound && p.decay >= 0 && p.turn > 0 && p.turn < std::numbers::pi;
      }
      if (!sound) continue;
      auto now = solve(tried, y);
      if (!(now.residual.squaredNorm() < before)) continue;
      gained = 1 - now.residual.squaredNorm() / before;
      better = true;
      poles = std::move(tried);
      s = std::move(now);
    }
    constexpr double kStands = 1e-10;
    if (!better || gained < kStands) return;
  }
}

}  // namespace

daq::Result<RingDown> fit_ring_down(std::span<const double> y, double rate_Hz, const RingDownOptions& o) {
  constexpr std::size_t kLeast = 64, kMost = 4096;
  if (y.size() < kLeast || y.size() > kMost)
    return daq::Error{fmt::format("a ring-down of {} samples; {} to {} are taken", y.size(), kLeast, kMost)};
  if (auto error = not_finite("ring-down", y)) return *error;
  if (!(rate_Hz > 0) || !std::isfinite(rate_Hz) || !(o.noise_sd > 0) || !std::isfinite(o.noise_sd) || o.most_modes < 1)
    return daq::Error{"a ring-down needs a rate, a noise and a number of modes above 0"};
  const VectorXd data = Eigen::Map<const VectorXd>(y.data(), static_cast<Index>(y.size()));
  auto poles = pencil(data, o.noise_sd, o.most_modes);
  if (poles.empty()) return daq::Error{"nothing rings above the noise"};
  auto s = solve(poles, data);
  // What the least squares give hardly any part of is the pencil's way to describe noise.
  constexpr double kLeastAmplitude = 4;
  const double scatter = std::max(o.noise_sd, std::sqrt(s.residual.squaredNorm() / static_cast<double>(y.size())));
  std::vector<Pole> kept;
  for (std::size_t m = 0; m < poles.size(); ++m) {
    const double seen = std::sqrt(std::min(1 / std::max(2 * poles[m].decay, 1e-12), static_cast<double>(y.size())));
    if (amplitude_of(s, m) * seen > kLeastAmplitude * scatter) kept.push_back(poles[m]);
  }
  if (kept.empty()) return daq::Error{"nothing rings above the noise"};
  poles = std::move(kept);
  s = solve(poles, data);
  refine(poles, s, data);
  RingDown out;
  const auto parameters = 4 * poles.size() + 1;
  if (parameters >= y.size()) return daq::Error{"more parameters than samples"};
  out.residual_sd = std::sqrt(s.residual.squaredNorm() / static_cast<double>(y.size() - parameters));
  out.offset = s.linear(s.linear.size() - 1);
  for (std::size_t m = 0; m < poles.size(); ++m) {
    const double natural = std::hypot(poles[m].decay, poles[m].turn);
    out.modes.push_back({natural * rate_Hz / (2 * std::numbers::pi), poles[m].decay / natural, amplitude_of(s, m)});
  }
  std::sort(out.modes.begin(), out.modes.end(),
            [](const auto& a, const auto& b) { return a.natural_Hz < b.natural_Hz; });
  return out;
}

}  // namespace strigil::calibration
