#include "protocols/court/gage_bias.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// t of a value with its standard error: 0/0 is no effect, x/0 is certain.
double t_of(double value, double error) { return value == 0 ? 0 : value / error; }

BiasStudy bias_of(std::span<const double> biases, double level) {
  BiasStudy out;
  out.n = biases.size();
  const auto n = static_cast<double>(out.n);
  for (const double b : biases) out.bias += b / n;
  double square = 0;
  for (const double b : biases) square += (b - out.bias) * (b - out.bias);
  if (out.n < 2) {
    out.sd = out.standard_error = out.t = out.p = kUnknown;
    return out;
  }
  out.sd = std::sqrt(square / (n - 1));
  out.standard_error = out.sd / std::sqrt(n);
  out.t = t_of(out.bias, out.standard_error);
  out.p = two_sided_student_p(out.t, n - 1);
  const double half = student_quantile(0.5 + level / 2, n - 1) * out.standard_error;
  out.interval = {out.bias - half, out.bias + half, level};
  out.significant = !out.interval.contains(0);
  return out;
}

daq::Result<void> checked(std::span<const double> readings, double reference, double level) {
  if (readings.size() < 2) return daq::Error{fmt::format("{} readings: at least 2 are needed", readings.size())};
  if (!std::isfinite(reference)) return daq::Error{fmt::format("{} is no reference", reference)};
  for (const double v : readings) {
    if (!std::isfinite(v)) return daq::Error{fmt::format("{} is no reading", v)};
  }
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  return {};
}

}  // namespace

daq::Result<BiasStudy> bias_study(std::span<const double> readings, double reference, double level) {
  if (auto good = checked(readings, reference, level); !good) return good.error();
  std::vector<double> biases;
  for (const double v : readings) biases.push_back(v - reference);
  return bias_of(biases, level);
}

daq::Result<LinearityStudy> linearity_study(std::span<const LinearityReading> readings, double level) {
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  if (readings.size() < 3) return daq::Error{fmt::format("{} readings: at least 3 are needed", readings.size())};
  LinearityStudy out;
  out.n = readings.size();
  out.level = level;
  const auto n = static_cast<double>(out.n);
  std::map<double, std::vector<double>> at;
  double mean = 0;
  for (const auto& r : readings) {
    if (!std::isfinite(r.reference) || !std::isfinite(r.reading)) {
      return daq::Error{fmt::format("reference {} with reading {}: a study needs numbers", r.reference, r.reading)};
    }
    at[r.reference].push_back(r.reading - r.reference);
    out.mean_reference += r.reference / n;
    mean += (r.reading - r.reference) / n;
  }
  if (at.size() < 2) return daq::Error{"one reference only: linearity needs two at least"};
  double cross = 0;
  double total = 0;
  for (const auto& r : readings) {
    const double dx = r.reference - out.mean_reference;
    const double dy = r.reading - r.reference - mean;
    out.spread_of_reference += dx * dx;
    cross += dx * dy;
    total += dy * dy;
  }
  if (!(out.spread_of_reference > 0)) return daq::Error{"the references are too alike to be told apart"};
  out.slope = cross / out.spread_of_reference;
  out.intercept = mean - out.slope * out.mean_reference;
  double residual = 0;
  for (const auto& r : readings) {
    const double e = r.reading - r.reference - mean - out.slope * (r.reference - out.mean_reference);
    residual += e * e;
  }
  out.s = std::sqrt(residual / (n - 2));
  out.r_squared = total > 0 ? 1 - residual / total : kUnknown;
  out.se_slope = out.s / std::sqrt(out.spread_of_reference);
  out.se_intercept = out.s * std::sqrt(1 / n + out.mean_reference * out.mean_reference / out.spread_of_reference);
  out.t_slope = t_of(out.slope, out.se_slope);
  out.t_intercept = t_of(out.intercept, out.se_intercept);
  out.p_slope = two_sided_student_p(out.t_slope, n - 2);
  out.p_intercept = two_sided_student_p(out.t_intercept, n - 2);
  out.linear = true;
  for (const auto& [reference, biases] : at) {
    out.at.push_back({reference, bias_of(biases, level)});
    out.linear = out.linear && fitted_bias(out, reference).interval.contains(0);
  }
  return out;
}

FittedBias fitted_bias(const LinearityStudy& s, double reference) {
  const double dx = reference - s.mean_reference;
  const double bias = s.intercept + s.slope * reference;
  const auto n = static_cast<double>(s.n);
  const double half =
      student_quantile(0.5 + s.level / 2, n - 2) * s.s * std::sqrt(1 / n + dx * dx / s.spread_of_reference);
  return {bias, {bias - half, bias + half, s.level}};
}

daq::Result<TypeOneStudy> type_one_study(std::span<const double> readings, double reference, double tolerance,
                                         const TypeOneOptions& o) {
  if (!(tolerance > 0) || std::isinf(tolerance))
    return daq::Error{fmt::format("a tolerance of {} is no width", tolerance)};
  if (!(o.share_pct > 0) || !(o.study_width > 0) || !(o.resolution >= 0)) {
    return daq::Error{"share of the tolerance and study width must be above 0, and the resolution not below"};
  }
  auto bias = bias_study(readings, reference, o.level);
  if (!bias) return bias.error();
  if (!(bias->sd > 0)) return daq::Error{"all readings are the same: the gage's resolution hides its repeatability"};
  TypeOneStudy out;
  out.bias = *bias;
  const double allowed = o.share_pct / 100 * tolerance;
  out.cg = allowed / (o.study_width * bias->sd);
  out.cgk = (allowed / 2 - std::abs(bias->bias)) / (o.study_width / 2 * bias->sd);
  const auto dof = static_cast<double>(bias->n - 1);
  out.cg_interval = {out.cg * std::sqrt(chi_squared_quantile(0.5 - o.level / 2, dof) / dof),
                     out.cg * std::sqrt(chi_squared_quantile(0.5 + o.level / 2, dof) / dof), o.level};
  out.repeatability_pct = o.share_pct / out.cg;
  out.repeatability_and_bias_pct = out.cgk > 0 ? o.share_pct / out.cgk : std::numeric_limits<double>::infinity();
  out.is_capable = out.cg >= o.capable && out.cgk >= o.capable;
  constexpr std::size_t kUsual = 25;
  if (bias->n < kUsual) out.warnings.push_back(fmt::format("{} readings are fewer than the usual {}", bias->n, kUsual));
  if (o.resolution > 0.05 * tolerance) {
    out.warnings.push_back(
        fmt::format("the resolution {:.6g} is more than 5 % of the tolerance {:.6g}", o.resolution, tolerance));
  }
  if (bias->significant)
    out.warnings.push_back(fmt::format("the bias {:.6g} is significant, p = {:.3g}", bias->bias, bias->p));
  return out;
}

}  // namespace strigil::protocols
