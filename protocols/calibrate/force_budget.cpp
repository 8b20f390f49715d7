// The budget of a force calibration: what a value of the record may be off by when a run uses it. docs/calibrate.md.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/readings_check.hpp"
#include "protocols/calibrate/force_evaluation.hpp"

namespace strigil::protocols {
namespace {

constexpr double kInPercent = 100;
constexpr double kHalfWidth = 1.7320508075688772;   // rectangular: a / sqrt 3
constexpr double kWholeWidth = 3.4641016151377544;  // rectangular, whole width: w / sqrt 12

/// Slope through zero, by least squares.
double slope_of(const std::vector<ForceReading>& readings, std::size_t channel) {
  double xy = 0;
  double xx = 0;
  for (const auto& r : readings) {
    xy += r.applied_N[channel] * r.signal_N[channel];
    xx += r.applied_N[channel] * r.applied_N[channel];
  }
  return xy / xx;
}

}  // namespace

void ForceEvaluation::find_effects() {
  // Hysteresis: X4' against X3, X6' against X5. The line lies midway; but where in its loop the sensor was when its
  // zero was taken nobody knows either, so that a value may be off by the whole gap and not by half of it.
  gap_N_.assign(p_.loads_.size(), 0);
  double both = 0;
  for (const auto& s : r_.series) {
    if (s.falling.empty()) continue;
    ++both;
    for (std::size_t i = 0; i < s.falling.size(); ++i) {
      gap_N_[i] += std::abs(pressing(s.falling[i].signal_N) - pressing(s.rising[i].signal_N));
    }
  }
  for (auto& gap : gap_N_) gap /= std::max(both, 1.0);
  // None falls from the top; next to it the loop is as wide as it comes.
  if (gap_N_.size() > 1) gap_N_.back() = gap_N_[gap_N_.size() - 2];
  for (const auto& s : p_.laterals_) {
    if (s.validates) continue;
    for (std::size_t i = 0; i < s.loads.size() / 2; ++i) {
      const auto up = mean_of(s.loads[i])[s.axis];
      const auto down = mean_of(s.loads[s.loads.size() - 1 - i])[s.axis];
      lateral_gap_N_ = std::max(lateral_gap_N_, std::abs(up - down));
    }
  }
  // Creep: a run reads sooner or later than settle_s after a change of load.
  const auto& creep = r_.creep;
  const double asked_s = p_.plan_.settle_s + p_.plan_.read_s / 2;
  std::size_t at = 0;
  for (std::size_t i = 0; i < creep.time_s.size(); ++i) {
    if (std::abs(creep.time_s[i] - asked_s) < std::abs(creep.time_s[at] - asked_s)) at = i;
  }
  for (const double x : creep.reading) creep_ = std::max(creep_, std::abs(x - creep.reading[at]) / creep.reading[at]);
  std::vector<double> slopes;
  std::vector<double> first;
  for (std::size_t i = 0; i < r_.series.size(); ++i) {
    const auto& s = r_.series[i];
    zero_N_ = std::max(zero_N_, std::abs(s.zero_after_N - s.zero_before_N));
    const double slope = slope_of(s.rising, axes_.normal);
    (i < 2 ? first : slopes).push_back(slope);  // X1 and X2 are of one position
  }
  slopes.push_back(calibration::spread_of(first).mean);
  const auto spread = calibration::spread_of(slopes);
  mounting_ = spread.deviation / std::sqrt(static_cast<double>(slopes.size())) / std::abs(spread.mean);
  find_zero_over_travel();
  for (const auto& l : p_.loads_) reference_ = std::max(reference_, l.u_N / l.force_N);
  for (const auto& l : p_.lateral_) reference_ = std::max(reference_, l.u_N / l.force_N);
}

void ForceEvaluation::find_zero_over_travel() {
  if (r_.places_N.empty()) return;
  const auto n = static_cast<Eigen::Index>(r_.places_N.size());
  Eigen::MatrixXd at(n, 1 + static_cast<Eigen::Index>(rig::kAxes));
  Eigen::VectorXd zero(n);
  const auto& first_m = p_.plan_.places_m.front();
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto place = static_cast<std::size_t>(i);
    at(i, 0) = 1;
    for (std::size_t a = 0; a < rig::kAxes; ++a)
      at(i, 1 + static_cast<Eigen::Index>(a)) = p_.plan_.places_m[place][a] - first_m[a];
    zero[i] = r_.places_N[place][axes_.normal];
  }
  // A slope for each axis that the places differ in, the smallest that fits where they do not tell them apart: cables
  // are springs, so that what they pull between the places goes on in a straight line beyond them [A].
  const auto plane = at.completeOrthogonalDecomposition();
  const Eigen::VectorXd slope = plane.solve(zero);
  travel_.use = p_.plan_.use_m;
  double over_use_N = 0;
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    travel_.slope_N_m[a] = slope[1 + static_cast<Eigen::Index>(a)];
    over_use_N += std::abs(travel_.slope_N_m[a]) * (travel_.use[a].high - travel_.use[a].low);
  }
  travel_.span_N = std::max(zero.maxCoeff() - zero.minCoeff(), over_use_N);
  // Axes that the places do not tell apart share one slope as they please: no way is then known to be shorter.
  const auto varied = (at.rowwise() - at.row(0)).colwise().any().count();
  travel_.off_plane_N =
      plane.rank() < 1 + varied ? travel_.span_N / 2 : (zero - at * slope).cwiseAbs().maxCoeff();
}

daq::Result<void> ForceEvaluation::find_temperature() {
  per_K_ = std::abs(p_.plan_.sensitivity_per_K);
  if (p_.warm_.empty()) return {};
  std::vector<calibration::TemperaturePoint> points;
  calibration::DataTable table{"temperature", {"temperature", "force", "reading"}, {"degC", "N", "N"}, {}};
  for (const auto& w : p_.warm_) {
    const double at_C = data_.done[w.temperature].answer;
    const auto add = [&](std::size_t step, double force_N) {
      points.push_back({at_C, force_N, pressing(mean_of(step))});
      table.rows.push_back({at_C, force_N, points.back().reading});
    };
    add(w.zero, 0);
    for (std::size_t i = 0; i < w.loads.size(); ++i) add(w.loads[i], p_.loads_[i].force_N);
  }
  calibration::TemperatureOptions options;
  options.reference_degC = setup_.temperature_C.value_or(options.reference_degC);
  const auto found = calibration::fit_temperature_effect(points, options);
  if (!found) return daq::Error{"temperature: " + found.error().message};
  const auto& k = found->sensitivity_per_K;
  per_K_ = std::abs(k.value) + k.expanded();
  out_.record.tables.push_back(std::move(table));
  out_.record.tables.push_back({"temperature_effect",
                                {"sensitivity", "U_sensitivity", "zero", "U_zero", "lowest", "highest"},
                                {"%/K", "%/K", "N/K", "N/K", "degC", "degC"},
                                {{kInPercent * k.value, kInPercent * k.expanded(), found->zero_per_K.value,
                                  found->zero_per_K.expanded(), found->lowest_degC, found->highest_degC}}});
  out_.remarks.push_back(fmt::format(
      "temperature: sensitivity {:+.4f} +- {:.4f} %/K, zero {:+.4f} +- {:.4f} N/K, from {:.1f} to {:.1f} degrees C; "
      "it is in the budget, and no run is corrected by it",
      kInPercent * k.value, kInPercent * k.expanded(), found->zero_per_K.value, found->zero_per_K.expanded(),
      found->lowest_degC, found->highest_degC));
  return {};
}

void ForceEvaluation::find_interpolation() {
  // How far the line is from the mean of what was read at each force, as ISO 376's w8 by residuals (metrology.md 1.1).
  double squares = 0;
  for (std::size_t i = 0; i < p_.loads_.size(); ++i) {
    double sum = 0;
    double weights = 0;
    for (const auto& s : r_.series) {
      const auto add = [&](const ForceReading& one, double weight) {
        sum += weight * (value_of(one.signal_N)[axes_.normal] - one.applied_N[axes_.normal]);
        weights += weight;
      };
      add(s.rising[i], 1);
      if (i < s.falling.size()) add(s.falling[i], 2);  // two falling series to four rising ones
    }
    squares += sum * sum / (weights * weights);
  }
  const auto terms = static_cast<double>(matrix_ ? 1 : p_.plan_.curve_degree);
  interpolation_N_ = std::sqrt(squares / std::max(1.0, static_cast<double>(p_.loads_.size()) - terms));
}

std::vector<ForceEvaluation::Part> ForceEvaluation::parts_of(std::size_t channel, double force_N) const {
  const bool normal = channel == axes_.normal;
  const double f = std::abs(force_N);
  std::vector<Part> parts;
  const auto add = [&](const std::string& name, const std::string& distribution, double u_N, double dof = 0) {
    if (u_N > 0) parts.push_back({name, distribution, u_N, dof});
  };
  add("reference force", "normal", reference_ * f);
  if (normal) add("positions", "normal", mounting_ * f, 2);
  // The curve where a run uses it: with drag beside it.
  ForceSignals signal{};
  signal[channel] = force_N;
  if (normal && matrix_) signal[axes_.lateral[0]] = p_.plan_.lateral_ratio * f;
  const auto& fit = fits_[matrix_ ? channel : 0];
  add("curve", "normal", fit.uncertainty_of(row_of(signal)), static_cast<double>(fit.dof));
  if (normal) {
    add("interpolation", "normal", interpolation_N_);
    double gap_N = gap_N_.back();
    for (std::size_t i = 0; i + 1 < p_.loads_.size(); ++i) {
      const double low = p_.loads_[i].force_N;
      const double high = p_.loads_[i + 1].force_N;
      if (f < low || f > high) continue;
      gap_N = std::lerp(gap_N_[i], gap_N_[i + 1], (f - low) / (high - low));
      break;
    }
    add("hysteresis", "rectangular", gap_N / kHalfWidth);
  } else {
    add("hysteresis", "rectangular", lateral_gap_N_ / kHalfWidth);
  }
  add("creep", "rectangular", creep_ * f / kHalfWidth);
  add("zero within a series", "rectangular", zero_N_ / kWholeWidth);
  add("resolution", "rectangular", r_.resolution_N / kWholeWidth);
  // Tared in one place and read in another, as far apart as may be.
  if (normal) add("zero over the travel", "rectangular", travel_.span_N / kHalfWidth);
  const auto& plan = p_.plan_;
  // What was read beside the series goes before what was said beforehand.
  const double said_C = setup_.temperature_C.value_or((plan.use_low_C + plan.use_high_C) / 2);
  const double at_C = p_.temperatures_.empty() ? said_C : (temperatures().low + temperatures().high) / 2;
  const double away_K = std::max(std::abs(plan.use_high_C - at_C), std::abs(plan.use_low_C - at_C));
  add("temperature in use", "rectangular", per_K_ * away_K * f / kHalfWidth);
  if (normal && matrix_) {
    add("direction of the side loads", "rectangular", plan.direction_rad * plan.lateral_ratio * f / kHalfWidth);
  } else if (normal) {
    add("crosstalk, not measured", "rectangular", plan.crosstalk_unmeasured * plan.lateral_ratio * f / kHalfWidth);
  } else {
    add("direction of the normal loads", "rectangular", plan.direction_rad * p_.loads_.back().force_N / kHalfWidth);
  }
  return parts;
}

double ForceEvaluation::combined(const std::vector<Part>& parts) {
  double square = 0;
  for (const auto& part : parts) square += part.u_N * part.u_N;
  return std::sqrt(square);
}

double ForceEvaluation::factor(const std::vector<Part>& parts) {
  double fourth = 0;
  for (const auto& part : parts) {
    if (part.dof > 0) fourth += std::pow(part.u_N, 4) / part.dof;
  }
  const double dof = fourth > 0 ? std::pow(combined(parts), 4) / fourth : std::numeric_limits<double>::infinity();
  // metrology.md 4.1: truncated, and t taken.
  return std::max(2.0, calibration::coverage_factor(std::max(dof, 1.0)));
}

}  // namespace strigil::protocols
