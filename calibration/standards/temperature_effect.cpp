#include "calibration/standards/temperature_effect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace strigil::calibration {
namespace {

/// Points at nearly one temperature belong together: a chamber is never exact.
constexpr double kSameTemperature_K = 1;
constexpr std::size_t kForcesAtEach = 5;  // metrology.md 1.8

std::optional<daq::Error> refuse(std::vector<TemperaturePoint> points, const TemperatureOptions& o) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& p = points[i];
    if (!std::isfinite(p.temperature_degC) || !std::isfinite(p.force_N) || !std::isfinite(p.reading)) {
      return daq::Error{fmt::format("point {} is not a finite number", i)};
    }
  }
  if (!std::isfinite(o.reference_degC)) return daq::Error{"the reference temperature is not a finite number"};
  std::sort(points.begin(), points.end(),
            [](const auto& a, const auto& b) { return a.temperature_degC < b.temperature_degC; });
  std::size_t temperatures = 0;
  for (std::size_t i = 0; i < points.size();) {
    const double first = points[i].temperature_degC;
    std::set<double> forces;
    for (; i < points.size() && points[i].temperature_degC - first <= kSameTemperature_K; ++i)
      forces.insert(points[i].force_N);
    ++temperatures;
    if (forces.size() < kForcesAtEach) {
      return daq::Error{
          fmt::format("at {:g} degC there are {} different forces; {} are needed to tell sensitivity from zero", first,
                      forces.size(), kForcesAtEach)};
    }
  }
  const std::size_t wanted = o.quadratic_zero || o.quadratic_sensitivity ? 4 : 3;
  if (temperatures < wanted) {
    return daq::Error{fmt::format("{} temperatures; {} are needed to see whether the effect is what the model says",
                                  temperatures, wanted)};
  }
  return std::nullopt;
}

}  // namespace

daq::Result<double> TemperatureEffect::force_N(double reading, double temperature_degC) const {
  if (!std::isfinite(reading) || !(temperature_degC >= lowest_degC && temperature_degC <= highest_degC)) {
    return daq::Error{
        fmt::format("{:g} degC is outside the {:g} to {:g} degC of the calibration, or the reading no number",
                    temperature_degC, lowest_degC, highest_degC)};
  }
  const double dt = temperature_degC - options.reference_degC;
  const auto& c = fit.coefficients;
  Eigen::Index at = 0;
  double z = c(at++);
  z += c(at++) * dt;
  if (options.quadratic_zero) z += c(at++) * dt * dt;
  double s = c(at++);
  s += c(at++) * dt;
  if (options.quadratic_sensitivity) s += c(at++) * dt * dt;
  const double force = (reading - z) / s;
  if (!(std::abs(force) <= largest_N * 1.001)) {
    return daq::Error{
        fmt::format("the reading means {:g} N, beyond the {:g} N that were calibrated", force, largest_N)};
  }
  return force;
}

daq::Result<TemperatureEffect> fit_temperature_effect(const std::vector<TemperaturePoint>& points,
                                                      const TemperatureOptions& o) {
  if (auto error = refuse(points, o)) return *error;
  const Eigen::Index zeros = o.quadratic_zero ? 3 : 2;
  const Eigen::Index sensitivities = o.quadratic_sensitivity ? 3 : 2;
  const auto n = static_cast<Eigen::Index>(points.size());
  Eigen::MatrixXd x(n, zeros + sensitivities);
  Eigen::VectorXd y(n);
  TemperatureEffect out;
  out.options = o;
  out.lowest_degC = out.highest_degC = points.front().temperature_degC;
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& p = points[static_cast<std::size_t>(i)];
    const double dt = p.temperature_degC - o.reference_degC;
    double power = 1;
    for (Eigen::Index k = 0; k < 3; ++k, power *= dt) {
      if (k < zeros) x(i, k) = power;
      if (k < sensitivities) x(i, zeros + k) = power * p.force_N;
    }
    y(i) = p.reading;
    out.lowest_degC = std::min(out.lowest_degC, p.temperature_degC);
    out.highest_degC = std::max(out.highest_degC, p.temperature_degC);
    out.largest_N = std::max(out.largest_N, std::abs(p.force_N));
  }
  auto fit = fit_least_squares(x, y);
  if (!fit) return daq::Error{"temperature effects could not be fitted: " + fit.error().message};
  out.fit = std::move(fit).value();
  const auto& c = out.fit.coefficients;
  const auto& v = out.fit.covariance;
  const auto dof = static_cast<double>(out.fit.dof);
  const auto of = [&](Eigen::Index i) { return Estimate{c(i), out.fit.standard_errors(i), dof}; };
  out.zero = of(0);
  out.zero_per_K = of(1);
  out.sensitivity = of(zeros);
  const double s0 = c(zeros);
  if (s0 == 0) return daq::Error{"the readings do not depend on the force: no sensitivity, no effect on it"};
  // Quotients of coefficients, by first-order propagation with their covariance.
  const auto quotient = [&](Eigen::Index top, double factor) {
    const double q = c(top) / s0;
    const double variance = v(top, top) - 2 * q * v(top, zeros) + q * q * v(zeros, zeros);
    return Estimate{factor * q, std::abs(factor / s0) * std::sqrt(std::max(variance, 0.0)), dof};
  };
  out.sensitivity_per_K = quotient(zeros + 1, 1);
  out.sensitivity_pct_K = quotient(zeros + 1, 100);
  out.zero_pct_K = quotient(1, 100 / out.largest_N);
  return out;
}

}  // namespace strigil::calibration
