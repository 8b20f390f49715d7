#include "calibration/standards/iso376.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "calibration/standards/iso376_classes.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

std::optional<daq::Error> refuse_series(const char* name, const Iso376Series& s, std::size_t forces, bool may_fall) {
  if (auto error = wrong_length(name, s.rising.size(), forces)) return error;
  if (auto error = not_finite(name, s.rising)) return error;
  if (!s.falling.empty()) {
    if (!may_fall) return daq::Error{fmt::format("{} has a falling series; only X3 and X5 are followed by one", name)};
    if (auto error = wrong_length(fmt::format("{} falling", name), s.falling.size(), forces)) return error;
    if (auto error = not_finite(fmt::format("{} falling", name), s.falling)) return error;
  }
  return not_finite(fmt::format("position and zeros of {}", name),
                    std::array{s.position_deg, s.zero_before, s.zero_after});
}

std::optional<daq::Error> refuse(const Iso376Readings& r, const Iso376Options& o) {
  if (r.force_N.empty()) return daq::Error{"no forces: nothing to evaluate"};
  if (auto error = not_finite("force_N", r.force_N)) return error;
  if (auto error = not_rising("force_N", r.force_N, 0)) return error;
  if (auto error = refuse_series("X1", r.x1, r.force_N.size(), false)) return error;
  if (auto error = refuse_series("X2", r.x2, r.force_N.size(), false)) return error;
  if (auto error = refuse_series("X3", r.x3, r.force_N.size(), true)) return error;
  if (auto error = refuse_series("X5", r.x5, r.force_N.size(), true)) return error;
  if (r.x3.falling.empty() != r.x5.falling.empty()) {
    return daq::Error{"one of the two falling series X4 and X6 is missing: measure both or none"};
  }
  if (r.calibration_force_pct.size() != 1 && r.calibration_force_pct.size() != r.force_N.size()) {
    return daq::Error{fmt::format("calibration_force_pct has {} values; it needs one, or one for each of {} forces",
                                  r.calibration_force_pct.size(), r.force_N.size())};
  }
  for (const double w : r.calibration_force_pct) {
    if (auto error = out_of_bounds("calibration_force_pct", w, 0, 100)) return error;
  }
  if (r.creep_30s.has_value() != r.creep_300s.has_value()) {
    return daq::Error{"a creep test needs both readings, after 30 s and after 300 s"};
  }
  if (r.creep_30s) {
    if (auto error = not_finite("the creep readings", std::array{*r.creep_30s, *r.creep_300s})) return error;
  }
  if (!std::isfinite(r.resolution) || r.resolution < 0) return daq::Error{"the resolution must be 0 or more"};
  if (auto error = out_of_bounds("temperature_coefficient_pct_K", r.temperature_coefficient_pct_K, -100, 100))
    return error;
  if (auto error = out_of_bounds("temperature_range_K", r.temperature_range_K, 0, 100)) return error;
  if (r.temperature_degC && !std::isfinite(*r.temperature_degC))
    return daq::Error{"the temperature is not a finite number"};
  if (o.degree < 1 || o.degree > 3) {
    return daq::Error{fmt::format("ISO 376 interpolates with degree 1 to 3, not {}", o.degree)};
  }
  return std::nullopt;
}

std::vector<double> deflections(const std::vector<double>& values, const Iso376Series& s, bool subtracted) {
  auto out = values;
  if (!subtracted) {
    for (double& v : out) v -= s.zero_before;
  }
  return out;
}

/// Deflections of all series, and the figures that need nothing else.
struct Deflections {
  std::vector<double> x1, x2, x3, x4, x5, x6;
};

Iso376Force figures_at(const Deflections& x, std::size_t i, double force_N) {
  Iso376Force f;
  f.force_N = force_N;
  f.deflection = (x.x1[i] + x.x3[i] + x.x5[i]) / 3;
  const auto [low, high] = std::minmax({x.x1[i], x.x3[i], x.x5[i]});
  f.b_pct = 100 * std::abs((high - low) / f.deflection);
  f.b_prime_pct = 100 * std::abs((x.x2[i] - x.x1[i]) / ((x.x1[i] + x.x2[i]) / 2));
  if (!x.x4.empty()) {
    f.v1_pct = 100 * (x.x4[i] - x.x3[i]) / x.x3[i];
    f.v2_pct = 100 * (x.x6[i] - x.x5[i]) / x.x5[i];
    f.v_pct = (*f.v1_pct + *f.v2_pct) / 2;
  }
  double squares = 0;
  for (const double v : {x.x1[i], x.x3[i], x.x5[i]}) squares += (v - f.deflection) * (v - f.deflection);
  f.w2 = 100 * std::sqrt(squares / 6) / std::abs(f.deflection);
  f.w3 = f.b_prime_pct / std::sqrt(3.0);
  return f;
}

/// One sign all over and never zero: relative errors divide by every one of them.
std::optional<daq::Error> refuse_deflections(const Deflections& x) {
  const double sign = x.x1.back() < 0 ? -1 : 1;
  for (const auto* series : {&x.x1, &x.x2, &x.x3, &x.x4, &x.x5, &x.x6}) {
    for (const double v : *series) {
      if (!(sign * v > 0)) {
        return daq::Error{
            fmt::format("a deflection is {:g}: zero or of the other sign than X1 at the largest force; check "
                        "zeros, sign and order of the readings",
                        v)};
      }
    }
  }
  return std::nullopt;
}

double largest_zero_error_pct(const Iso376Readings& r, double full_scale) {
  double out = 0;
  for (const auto* s : {&r.x1, &r.x2, &r.x3, &r.x5}) {
    out = std::max(out, 100 * std::abs((s->zero_after - s->zero_before) / full_scale));
  }
  return out;
}

void add_uncertainty(Iso376Force& f, const Iso376Readings& r, const Iso376Assessment& a) {
  f.w1 = f.calibration_force_pct / 2;
  f.w4 = 100 * r.resolution / std::abs(f.deflection) / std::sqrt(6.0);
  // Creep; without a creep test reversibility stands for it (metrology.md 1.1, w5 [M, check]).
  if (a.creep_pct) {
    f.w5 = std::abs(*a.creep_pct) / std::sqrt(3.0);
  } else if (f.v_pct) {
    f.w5 = std::abs(*f.v_pct) / (3 * std::sqrt(3.0));
  }
  f.w6 = a.f0_pct;
  f.w7 = std::abs(r.temperature_coefficient_pct_K) * r.temperature_range_K / 2 / std::sqrt(3.0);
  f.w8 = std::abs(f.fc_pct);
  double squares = 0;
  for (const double w : {f.w1, f.w2, f.w3, f.w4, f.w5, f.w6, f.w7, f.w8}) squares += w * w;
  f.w_c_pct = std::sqrt(squares);
  f.W_pct = 2 * f.w_c_pct;
}

/// A straight line in F or in 1/F through the points, lifted until none is above it.
Iso376Curve lifted_line(const std::vector<Iso376Force>& forces, bool inverse) {
  Iso376Curve curve;
  curve.inverse = inverse;
  double n = 0, mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  for (const auto& f : forces) {
    const double x = inverse ? 1 / f.force_N : f.force_N;
    n += 1;
    const double dx = x - mean_x;
    mean_x += dx / n;
    const double dy = f.W_pct - mean_y;
    mean_y += dy / n;
    xx += dx * (x - mean_x);
    xy += dx * (f.W_pct - mean_y);
  }
  curve.b = xx > 0 ? xy / xx : 0;
  curve.a = mean_y - curve.b * mean_x;
  double lift = 0;
  for (const auto& f : forces) lift = std::max(lift, f.W_pct - curve.at(f.force_N));
  curve.a += lift * (1 + 1e-12);
  return curve;
}

Iso376Curve uncertainty_curve(const std::vector<Iso376Force>& forces) {
  const auto excess = [&](const Iso376Curve& c) {
    double sum = 0;
    for (const auto& f : forces) sum += c.at(f.force_N) - f.W_pct;
    return sum;
  };
  const auto straight = lifted_line(forces, false);
  const auto inverse = lifted_line(forces, true);
  return excess(inverse) < excess(straight) ? inverse : straight;
}

/// Angle between two positions on the circle, 0..180.
double apart_deg(double a, double b) { return std::abs(std::remainder(a - b, 360.0)); }

std::vector<std::string> shortfalls(const Iso376Readings& r, const LimitTable& table) {
  std::vector<std::string> out;
  const auto& p = table.procedure;
  if (static_cast<double>(r.force_N.size()) < p.limit("forces_at_least")) {
    out.push_back(fmt::format("{} forces; at least {:.0f} are wanted", r.force_N.size(), p.limit("forces_at_least")));
  }
  if (r.force_N.front() < p.limit("lowest_force_pct") / 100 * r.force_N.back()) {
    out.push_back(fmt::format("the lowest force is {:.4g} % of the largest; not below {:g} % is wanted",
                              100 * r.force_N.front() / r.force_N.back(), p.limit("lowest_force_pct")));
  }
  const double spacing = p.limit("position_spacing_deg");
  if (apart_deg(r.x1.position_deg, r.x2.position_deg) > 1) {
    out.emplace_back("X1 and X2 are in different positions: b' is repeatability in one position");
  }
  for (const auto& [one, other] : {std::pair{&r.x1, &r.x3}, {&r.x1, &r.x5}, {&r.x3, &r.x5}}) {
    if (apart_deg(one->position_deg, other->position_deg) < spacing) {
      out.push_back(
          fmt::format("positions {:g} and {:g} deg are less than {:g} deg apart: reproducibility with rotation was "
                      "not tested",
                      one->position_deg, other->position_deg, spacing));
      break;
    }
  }
  if (r.temperature_degC && (*r.temperature_degC < p.limit("temperature_low_degC") ||
                             *r.temperature_degC > p.limit("temperature_high_degC"))) {
    out.push_back(fmt::format("at {:g} degC; {:g} to {:g} degC is wanted", *r.temperature_degC,
                              p.limit("temperature_low_degC"), p.limit("temperature_high_degC")));
  }
  if (r.temperature_range_K > 2 * p.limit("temperature_stability_K")) {
    out.push_back(fmt::format("the temperature ranged over {:g} K; within +-{:g} K is wanted", r.temperature_range_K,
                              p.limit("temperature_stability_K")));
  }
  if (!(r.resolution > 0))
    out.emplace_back("the resolution is not known: the lowest force of a class cannot be judged");
  return out;
}

}  // namespace

LimitSchema iso376_schema() {
  return {
      {"forces_at_least", "lowest_force_pct", "range_reaches_down_to_pct", "position_spacing_deg",
       "temperature_low_degC", "temperature_high_degC", "temperature_stability_K", "validity_months"},
      {},
      {"b_pct", "b_prime_pct", "fc_pct", "f0_pct", "v_pct", "c_pct", "calibration_force_pct", "resolution_multiple"},
      {}};
}

const Iso376Classes& Iso376Assessment::classes(Iso376Case which) const {
  switch (which) {
    case Iso376Case::A:
      return a;
    case Iso376Case::B:
      return b;
    case Iso376Case::C:
      return c;
    case Iso376Case::D:
      break;
  }
  return d;
}

std::string Iso376Curve::equation() const {
  return fmt::format("W(F) = {:.6g} % {} {:.6g} %{} (F in N)", a, b < 0 ? "-" : "+", std::abs(b),
                     inverse ? " / F" : " * F");
}

daq::Result<Iso376Assessment> assess_iso376(const Iso376Readings& r, const Iso376Options& options,
                                            const LimitTable& table) {
  if (auto error = refuse(r, options)) return *error;
  const auto taken = [&](const std::vector<double>& v, const Iso376Series& s) {
    return deflections(v, s, r.zero_is_subtracted);
  };
  const Deflections x{taken(r.x1.rising, r.x1),  taken(r.x2.rising, r.x2), taken(r.x3.rising, r.x3),
                      taken(r.x3.falling, r.x3), taken(r.x5.rising, r.x5), taken(r.x5.falling, r.x5)};
  if (auto error = refuse_deflections(x)) return *error;
  Iso376Assessment out;
  out.table = table.identity;
  std::vector<double> means;
  for (std::size_t i = 0; i < r.force_N.size(); ++i) {
    auto f = figures_at(x, i, r.force_N[i]);
    f.calibration_force_pct =
        r.calibration_force_pct.size() == 1 ? r.calibration_force_pct[0] : r.calibration_force_pct[i];
    means.push_back(f.deflection);
    out.forces.push_back(f);
  }
  PolynomialOptions curve;
  curve.degree = options.degree;
  curve.through_zero = options.through_zero;
  auto forward = fit_polynomial(r.force_N, means, curve);
  if (!forward) return daq::Error{"the interpolation X(F) could not be fitted: " + forward.error().message};
  auto inverse = fit_polynomial(means, r.force_N, curve);
  if (!inverse) return daq::Error{"the interpolation F(X) could not be fitted: " + inverse.error().message};
  out.deflection_of_force = std::move(forward).value();
  out.force_of_deflection = std::move(inverse).value();
  out.f0_pct = largest_zero_error_pct(r, means.back());
  if (r.creep_30s) out.creep_pct = 100 * (*r.creep_300s - *r.creep_30s) / means.back();
  for (auto& f : out.forces) {
    f.interpolated = out.deflection_of_force(f.force_N);
    f.fc_pct = 100 * (f.deflection - f.interpolated) / f.interpolated;
    add_uncertainty(f, r, out);
  }
  out.expanded_uncertainty = uncertainty_curve(out.forces);
  out.validity_months = table.procedure.limit("validity_months");
  out.nonconformities = shortfalls(r, table);
  out.a = classify_iso376(out, Iso376Case::A, r.resolution, table);
  out.b = classify_iso376(out, Iso376Case::B, r.resolution, table);
  out.c = classify_iso376(out, Iso376Case::C, r.resolution, table);
  out.d = classify_iso376(out, Iso376Case::D, r.resolution, table);
  return out;
}

daq::Result<Iso376Assessment> assess_iso376(const Iso376Readings& readings, const Iso376Options& options) {
  static const LimitTable kTable = read_built_in_table("iso376_2011", iso376_schema());
  return assess_iso376(readings, options, kTable);
}

daq::Result<ForceInUse> iso376_in_use(const Iso376Assessment& c, double deflection, const Iso376Use& use) {
  if (!std::isfinite(deflection)) return daq::Error{"the deflection is not a finite number"};
  // The range is that of the measured forces; the curve bears a rounding at its ends.
  const auto& curve = c.force_of_deflection;
  const double slack = 1e-9 * std::max(std::abs(curve.x_min()), std::abs(curve.x_max()));
  if (deflection < curve.x_min() - slack || deflection > curve.x_max() + slack) {
    return daq::Error{
        fmt::format("a deflection of {:g} is outside the calibrated {:g} to {:g}: there is no calibration to "
                    "read it by, and none is extrapolated",
                    deflection, curve.x_min(), curve.x_max())};
  }
  double reversibility = 0;
  if (use.falling) {
    for (const auto& f : c.forces) {
      if (!f.v_pct) return daq::Error{"used with falling forces, but reversibility was not calibrated"};
      reversibility = std::max(reversibility, std::abs(*f.v_pct));
    }
  }
  ForceInUse out;
  out.force_N = curve(deflection);
  const double calibrated = c.expanded_uncertainty.at(out.force_N) / 2;
  const double temperature = use.temperature_offset_K * use.temperature_coefficient_pct_K / std::sqrt(3.0);
  out.W_pct = 2 * std::hypot(std::hypot(calibrated, use.drift_half_range_pct / std::sqrt(3.0), temperature),
                             reversibility / std::sqrt(3.0), use.other_standard_pct);
  if (!std::isfinite(out.W_pct)) return daq::Error{"a figure of the conditions of use is not a finite number"};
  return out;
}

}  // namespace strigil::calibration
