#include "calibration/uncertainty/differences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::VectorXd;

bool all_finite(const VectorXd& v) { return v.allFinite(); }

/// (f(x+h) - f(x-h)) / 2h along input i, with the h that doubles really make of it. `rounding`: what of it may be the
/// rounding of f.
template <typename F>
VectorXd central(const F& f, std::size_t outputs, std::vector<double>& x, std::size_t i, double h, VectorXd& rounding) {
  const double at = x[i];
  VectorXd up(static_cast<Index>(outputs)), down(static_cast<Index>(outputs));
  x[i] = at + h;
  const double high = x[i];
  f(std::span<const double>(x), std::span<double>(up.data(), outputs));
  x[i] = at - h;
  const double low = x[i];
  f(std::span<const double>(x), std::span<double>(down.data(), outputs));
  x[i] = at;
  rounding = up.cwiseAbs().cwiseMax(down.cwiseAbs()) * (4 * std::numeric_limits<double>::epsilon() / (high - low));
  return (up - down) / (high - low);
}

}  // namespace

daq::Result<Derivatives> differentiate(const std::function<void(std::span<const double>, std::span<double>)>& f,
                                       std::size_t outputs, std::span<const double> at, std::span<const double> scale) {
  constexpr std::size_t kLevels = 8;
  const auto n = at.size();
  std::vector<double> x(at.begin(), at.end());
  Derivatives out;
  out.value = Eigen::MatrixXd::Zero(static_cast<Index>(outputs), static_cast<Index>(n));
  out.error = out.value;
  for (std::size_t i = 0; i < n; ++i) {
    double h = std::max(scale[i], 1e-3 * std::abs(at[i]));
    if (h == 0) h = 1e-3;
    VectorXd first, rounding;
    int halvings = 0;
    for (;; h /= 2) {
      first = central(f, outputs, x, i, h, rounding);
      if (all_finite(first)) break;
      if (++halvings > 60 || at[i] + h == at[i]) {
        return Error{fmt::format(
            "the model is not finite about the value {:.6g} of input {}: no sensitivity exists there", at[i], i)};
      }
    }
    // Neville's table; row by row, the entry of least estimated error for each output.
    std::array<std::array<VectorXd, kLevels>, kLevels> table;
    table[0][0] = first;
    VectorXd best = first;
    VectorXd error = VectorXd::Constant(static_cast<Index>(outputs), std::numeric_limits<double>::infinity());
    for (std::size_t level = 1; level < kLevels; ++level) {
      h /= 2;
      table[0][level] = central(f, outputs, x, i, h, rounding);
      if (!all_finite(table[0][level])) break;
      double weight = 1;
      for (std::size_t k = 1; k <= level; ++k) {
        weight *= 4;
        table[k][level] = (weight * table[k - 1][level] - table[k - 1][level - 1]) / (weight - 1);
        for (Index o = 0; o < best.size(); ++o) {
          const double e = std::max({std::abs(table[k][level][o] - table[k - 1][level][o]),
                                     std::abs(table[k][level][o] - table[k - 1][level - 1][o]), rounding[o]});
          if (e < error[o]) {
            error[o] = e;
            best[o] = table[k][level][o];
          }
        }
      }
    }
    out.value.col(static_cast<Index>(i)) = best;
    out.error.col(static_cast<Index>(i)) = error;
  }
  return out;
}

double second_order_variance(const std::function<double(std::span<const double>)>& f, std::span<const double> at,
                             std::span<const double> u) {
  std::vector<double> x(at.begin(), at.end());
  const double centre = f(x);
  // Value with inputs i and j moved by a and b of their u.
  const auto moved = [&](std::size_t i, double a, std::size_t j, double b) {
    const double was_i = x[i], was_j = x[j];
    x[i] += a * u[i];
    x[j] += b * u[j];
    const double y = f(x);
    x[i] = was_i;
    x[j] = was_j;
    return y;
  };
  // Each derivative from steps 1 and 1/2, extrapolated: exact for polynomials two degrees higher.
  const auto extrapolate = [](const auto& by_step) { return (4 * by_step(0.5) - by_step(1.0)) / 3; };
  double sum = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (u[i] == 0) continue;
    const double first = extrapolate([&](double h) { return (moved(i, h, i, 0) - moved(i, -h, i, 0)) / (2 * h); });
    for (std::size_t j = 0; j < at.size(); ++j) {
      if (u[j] == 0) continue;
      double second = 0, third = 0;
      if (i == j) {
        second = extrapolate([&](double h) { return (moved(i, h, i, 0) - 2 * centre + moved(i, -h, i, 0)) / (h * h); });
        third = extrapolate([&](double h) {
          return (moved(i, 2 * h, i, 0) - 2 * moved(i, h, i, 0) + 2 * moved(i, -h, i, 0) - moved(i, -2 * h, i, 0)) /
                 (2 * h * h * h);
        });
      } else {
        second = extrapolate([&](double h) {
          return (moved(i, h, j, h) - moved(i, h, j, -h) - moved(i, -h, j, h) + moved(i, -h, j, -h)) / (4 * h * h);
        });
        third = extrapolate([&](double h) {
          const double up = moved(i, h, j, h) - 2 * moved(i, h, j, 0) + moved(i, h, j, -h);
          const double down = moved(i, -h, j, h) - 2 * moved(i, -h, j, 0) + moved(i, -h, j, -h);
          return (up - down) / (2 * h * h * h);
        });
      }
      sum += second * second / 2 + first * third;
    }
  }
  return sum;
}

}  // namespace strigil::calibration
