#include "calibration/control_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>

namespace strigil::calibration {
namespace {

double phi(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double upper_tail(double x) { return std::erfc(x / std::numbers::sqrt2) / 2; }

/// P(range of n standard normal values > w) = 1 - n * integral of phi(x) (Phi(x + w) - Phi(x))^(n - 1).
/// The integrand is smooth and dies out, so the trapezoid rule converges faster than any power of its step.
double range_beyond(double w, int n) {
  constexpr double kEdge = 9;
  constexpr int kSteps = 72;
  constexpr double kStep = 2 * kEdge / kSteps;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double x = -kEdge + i * kStep;  // of the least of them
    sum += phi(x) * std::pow(upper_tail(x) - upper_tail(x + w), n - 1);
  }
  return 1 - n * sum * kStep;
}

/// E(W) and sd(W) by Simpson's rule over w.
std::pair<double, double> range_moments(int n) {
  constexpr double kWidest = 16;
  constexpr int kSteps = 640;  // even
  constexpr double kStep = kWidest / kSteps;
  double first = 0;
  double second = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double weight = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
    const double w = i * kStep;
    const double beyond = i == 0 ? 1 : range_beyond(w, n);
    first += weight * beyond;
    second += weight * 2 * w * beyond;
  }
  first *= kStep / 3;
  second *= kStep / 3;
  return {first, std::sqrt(second - first * first)};
}

double mean_of(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

double deviation_of(const std::vector<double>& v) {
  const double mean = mean_of(v);
  double squares = 0;
  for (const double x : v) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / static_cast<double>(v.size() - 1));
}

double range_of(const std::vector<double>& v) {
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  return *high - *low;
}

}  // namespace

SpcConstants spc_constants(int n) {
  assert(n >= 2 && n <= 100);
  SpcConstants k;
  std::tie(k.d2, k.d3) = range_moments(n);
  k.c4 = std::sqrt(2.0 / (n - 1)) * std::exp(std::lgamma(n / 2.0) - std::lgamma((n - 1) / 2.0));
  const double root = std::sqrt(static_cast<double>(n));
  const double wide = 3 * std::sqrt(1 - k.c4 * k.c4) / k.c4;
  k.A2 = 3 / (k.d2 * root);
  k.A3 = 3 / (k.c4 * root);
  k.D3 = std::max(0.0, 1 - 3 * k.d3 / k.d2);
  k.D4 = 1 + 3 * k.d3 / k.d2;
  k.B3 = std::max(0.0, 1 - wide);
  k.B4 = 1 + wide;
  return k;
}

ChartPoints points_of(ChartKind kind, const std::vector<std::vector<double>>& subgroups) {
  ChartPoints out;
  for (std::size_t i = 0; i < subgroups.size(); ++i) {
    const auto& g = subgroups[i];
    out.values.push_back(mean_of(g));
    switch (kind) {
      case ChartKind::kXbarR:
        out.spreads.push_back(range_of(g));
        break;
      case ChartKind::kXbarS:
        out.spreads.push_back(deviation_of(g));
        break;
      case ChartKind::kIndividuals:
        out.spreads.push_back(i == 0 ? 0 : std::abs(out.values[i] - out.values[i - 1]));
        break;
    }
  }
  return out;
}

daq::Result<ChartLimits> limits_of(ChartKind kind, const std::vector<std::vector<double>>& base) {
  const auto refuse = [](const std::string& why) { return daq::Error{"a control chart cannot be made: " + why}; };
  if (base.size() < 2) return refuse(fmt::format("its base period has {} subgroups, 2 are the least", base.size()));
  const auto n = base.front().size();
  const bool individuals = kind == ChartKind::kIndividuals;
  if (individuals ? n != 1 : (n < 2 || n > 100)) {
    return refuse(fmt::format("subgroups of {} do not suit it ({})", n, individuals ? "1" : "2 to 100"));
  }
  for (const auto& g : base) {
    if (g.size() != n) return refuse("its subgroups are of different sizes");
    for (const double v : g) {
      if (!std::isfinite(v)) return refuse("a value is not a finite number");
    }
  }
  const auto points = points_of(kind, base);
  const auto k = spc_constants(individuals ? 2 : static_cast<int>(n));
  ChartLimits limits;
  limits.kind = kind;
  limits.subgroup = static_cast<int>(n);
  limits.centre = mean_of(points.values);
  const std::vector<double> spreads(points.spreads.begin() + (individuals ? 1 : 0), points.spreads.end());
  limits.spread_centre = mean_of(spreads);
  const bool by_s = kind == ChartKind::kXbarS;
  limits.sigma_within = limits.spread_centre / (by_s ? k.c4 : k.d2);
  limits.sigma = limits.sigma_within / std::sqrt(static_cast<double>(n));
  limits.spread_lower = limits.spread_centre * (by_s ? k.B3 : k.D3);
  limits.spread_upper = limits.spread_centre * (by_s ? k.B4 : k.D4);
  if (!(limits.sigma > 0)) return refuse("the values of its base period do not differ");
  return limits;
}

std::vector<EwmaPoint> ewma(const std::vector<double>& values, double centre, double sigma, const EwmaConfig& c) {
  assert(c.lambda > 0 && c.lambda <= 1 && sigma > 0);
  std::vector<EwmaPoint> out;
  double z = centre;
  double left = 1;  // (1 - lambda)^(2 i)
  for (const double v : values) {
    z = c.lambda * v + (1 - c.lambda) * z;
    left *= (1 - c.lambda) * (1 - c.lambda);
    const double wide = c.width * sigma * std::sqrt(c.lambda / (2 - c.lambda) * (1 - left));
    out.push_back({z, centre - wide, centre + wide});
  }
  return out;
}

std::vector<CusumPoint> cusum(const std::vector<double>& values, double centre, double sigma, const CusumConfig& c) {
  assert(sigma > 0);
  std::vector<CusumPoint> out;
  CusumPoint p;
  for (const double v : values) {
    const double z = (v - centre) / sigma;
    p.high = std::max(0.0, p.high + z - c.slack);
    p.low = std::max(0.0, p.low - z - c.slack);
    p.alarm = p.high > c.decision || p.low > c.decision;
    out.push_back(p);
  }
  return out;
}

}  // namespace strigil::calibration
