#include "calibration/standards/load_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "calibration/fit/polynomial_fit.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

/// Keeps the value that is larger in magnitude.
void keep_larger(double& kept, double v) {
  if (std::abs(v) > std::abs(kept)) kept = v;
}

std::optional<double> reading_near(const CreepRecord& r, double t) {
  for (std::size_t i = 0; i < r.time_s.size(); ++i) {
    if (r.time_s[i] >= t) return r.reading[i];
  }
  return std::nullopt;
}

}  // namespace

daq::Result<HysteresisFigures> hysteresis_figures(std::span<const double> force_N, std::span<const double> rising,
                                                  std::span<const double> falling, ReferenceLine line) {
  if (force_N.size() < 3) return daq::Error{"hysteresis is told from three forces on"};
  if (auto error = wrong_length("rising", rising.size(), force_N.size())) return *error;
  if (auto error = wrong_length("falling", falling.size(), force_N.size())) return *error;
  for (const auto& [name, values] : {std::pair{"force_N", force_N}, {"rising", rising}, {"falling", falling}}) {
    if (auto error = not_finite(name, values)) return *error;
  }
  if (auto error = not_rising("force_N", force_N, 0)) return *error;
  for (const double v : rising) {
    if (v == 0) return daq::Error{"a rising deflection is zero: reversibility is told in % of it"};
  }
  double offset = rising.front();
  double slope = (rising.back() - rising.front()) / (force_N.back() - force_N.front());
  offset -= slope * force_N.front();
  if (line == ReferenceLine::least_squares) {
    const auto fit = fit_polynomial(force_N, rising);
    if (!fit) return fit.error();
    offset = fit->coefficient(0);
    slope = fit->coefficient(1);
  }
  HysteresisFigures out;
  out.line = line;
  const double full = rising.back();
  for (std::size_t i = 0; i < force_N.size(); ++i) {
    const double gap = falling[i] - rising[i];
    out.points.push_back({force_N[i], 100 * gap / rising[i], 100 * gap / full});
    keep_larger(out.hysteresis_pct, 100 * gap / full);
    const double at = offset + slope * force_N[i];
    keep_larger(out.nonlinearity_pct, 100 * (rising[i] - at) / full);
    keep_larger(out.combined_pct, 100 * (falling[i] - at) / full);
  }
  keep_larger(out.combined_pct, out.nonlinearity_pct);
  return out;
}

daq::Result<double> zero_return_pct(double zero_before, double zero_after, double full_deflection) {
  if (auto error = not_finite("zeros and deflection", std::array{zero_before, zero_after, full_deflection}))
    return *error;
  if (full_deflection == 0) return daq::Error{"the full deflection is zero: zero return is told in % of it"};
  return 100 * (zero_after - zero_before) / full_deflection;
}

daq::Result<std::vector<std::vector<double>>> crosstalk_pct(const std::vector<std::vector<double>>& reading,
                                                            std::span<const double> full_scale) {
  const auto axes = full_scale.size();
  if (axes == 0) return daq::Error{"no axes: no crosstalk"};
  if (reading.size() != axes) {
    return daq::Error{fmt::format("{} axes were loaded alone; each of {} must be", reading.size(), axes)};
  }
  for (const double fs : full_scale) {
    if (!(fs > 0) || !std::isfinite(fs)) return daq::Error{"every axis needs a full scale above zero"};
  }
  std::vector<std::vector<double>> out(axes, std::vector<double>(axes));
  for (std::size_t j = 0; j < axes; ++j) {
    const auto name = fmt::format("readings under load on axis {}", j);
    if (auto error = wrong_length(name, reading[j].size(), axes)) return *error;
    if (auto error = not_finite(name, reading[j])) return *error;
    for (std::size_t i = 0; i < axes; ++i) out[i][j] = 100 * reading[j][i] / full_scale[i];
  }
  return out;
}

double largest_crosstalk_pct(const std::vector<std::vector<double>>& crosstalk) {
  double out = 0;
  for (std::size_t i = 0; i < crosstalk.size(); ++i) {
    for (std::size_t j = 0; j < crosstalk[i].size(); ++j) {
      if (i != j) keep_larger(out, crosstalk[i][j]);
    }
  }
  return out;
}

LimitSchema oiml_r60_schema() {
  return {{"apportioning", "apportioning_low", "apportioning_high", "creep_s", "creep_middle_s", "creep_load_low_pct",
           "creep_of_mpe", "creep_last_of_mpe", "return_at_most_v", "temperature_low_degC", "temperature_high_degC"},
          {},
          {"first_step_v", "second_step_v", "last_step_v", "first_mpe_v", "second_mpe_v", "last_mpe_v"},
          {}};
}

daq::Result<double> r60_mpe_N(double load_N, double interval_N, double apportioning, const LimitTable& table) {
  if (!(interval_N > 0) || !std::isfinite(interval_N))
    return daq::Error{"the verification interval must be above zero"};
  const auto& c = table.classes.front();
  const double steps = std::abs(load_N) / interval_N;
  if (!(steps <= c.limit("last_step_v"))) {
    return daq::Error{
        fmt::format("a load of {:g} intervals is beyond the {:g} of class {}", steps, c.limit("last_step_v"), c.name)};
  }
  const char* key = steps <= c.limit("first_step_v")    ? "first_mpe_v"
                    : steps <= c.limit("second_step_v") ? "second_mpe_v"
                                                        : "last_mpe_v";
  return apportioning * c.limit(key) * interval_N;
}

daq::Result<R60Assessment> assess_r60(const R60Readings& r, const LimitTable& table) {
  const auto& p = table.procedure;
  if (auto error =
          out_of_bounds("apportioning", r.apportioning, p.limit("apportioning_low"), p.limit("apportioning_high"))) {
    return *error;
  }
  if (auto error = wrong_length("indication_N", r.indication_N.size(), r.load_N.size())) return *error;
  if (auto error = not_finite("load_N", r.load_N)) return *error;
  if (auto error = not_finite("indication_N", r.indication_N)) return *error;
  R60Assessment out;
  out.table = table.identity;
  out.kept = true;
  const auto judge = [&](std::string name, double value, double limit) {
    out.figures.push_back({std::move(name), value, limit, std::abs(value) <= limit});
    out.kept = out.kept && out.figures.back().kept;
  };
  for (std::size_t i = 0; i < r.load_N.size(); ++i) {
    const auto mpe = r60_mpe_N(r.load_N[i], r.interval_N, r.apportioning, table);
    if (!mpe) return mpe.error();
    judge(fmt::format("error at {:g} N", r.load_N[i]), r.indication_N[i] - r.load_N[i], *mpe);
  }
  if (r.creep) {
    if (const auto figures = creep_figures(*r.creep); !figures) return figures.error();
    const double load = r.creep->full_deflection;
    if (r.largest_N > 0 && load < p.limit("creep_load_low_pct") / 100 * r.largest_N) {
      out.not_measured.push_back(
          fmt::format("creep was tested at {:g} N; {:g} % of E_max are wanted", load, p.limit("creep_load_low_pct")));
    }
    // For creep p_LC is that of the table whatever the cell's own (as recalled [M]).
    const auto mpe = r60_mpe_N(load, r.interval_N, p.limit("apportioning"), table);
    if (!mpe) return mpe.error();
    const auto middle = reading_near(*r.creep, p.limit("creep_middle_s"));
    const auto end = reading_near(*r.creep, p.limit("creep_s"));
    if (end) {
      double largest = 0;
      for (std::size_t i = 0; i < r.creep->time_s.size() && r.creep->time_s[i] <= p.limit("creep_s"); ++i) {
        keep_larger(largest, r.creep->reading[i] - r.creep->reading.front());
      }
      judge("creep over 30 min", largest, p.limit("creep_of_mpe") * *mpe);
      judge("creep from 20 to 30 min", *end - *middle, p.limit("creep_last_of_mpe") * *mpe);
    } else {
      out.not_measured.emplace_back("the creep record does not reach 30 min");
    }
  } else {
    out.not_measured.emplace_back("creep");
  }
  if (r.return_N) {
    if (!std::isfinite(*r.return_N)) return daq::Error{"return_N is not a finite number"};
    judge("return to minimum dead load", *r.return_N, p.limit("return_at_most_v") * r.interval_N);
  } else {
    out.not_measured.emplace_back("return to minimum dead load");
  }
  return out;
}

}  // namespace strigil::calibration
