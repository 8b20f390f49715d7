#include "protocols/calibrate/force_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

using calibration::DataTable;
using calibration::FitKind;

constexpr std::size_t kForces = 3;

}  // namespace

ForceEvaluation::ForceEvaluation(const ForceProcedure& procedure, const ProcedureData& data,
                                 const ProcedureSetup& setup)
    : p_(procedure),
      data_(data),
      setup_(setup),
      axes_(*force_axes(setup.bench)),
      matrix_(!procedure.plan_.lateral_N.empty()) {}

/// What a value is made of: the three signals, or powers of one. No constant: the zero was taken off.
Eigen::VectorXd ForceEvaluation::row_of(const ForceSignals& signal) const {
  if (matrix_) return Eigen::Vector3d(signal[0], signal[1], signal[2]);
  Eigen::VectorXd row(p_.plan_.curve_degree);
  double power = 1;
  for (Eigen::Index k = 0; k < row.size(); ++k) row[k] = power *= signal[axes_.normal];
  return row;
}

ForceSignals ForceEvaluation::value_of(const ForceSignals& signal) const {
  ForceSignals out = signal;
  if (!matrix_) {
    out[axes_.normal] = row_of(signal).dot(fits_.front().coefficients);
    return out;
  }
  for (std::size_t c = 0; c < kForces; ++c) out[c] = row_of(signal).dot(fits_[c].coefficients);
  return out;
}

daq::Result<void> ForceEvaluation::fit() {
  std::vector<const ForceReading*> all;
  double rising = 0;
  double falling = 0;
  for (const auto& s : r_.series) {
    for (const auto& one : s.rising) all.push_back(&one);
    for (const auto& one : s.falling) all.push_back(&one);
    rising += static_cast<double>(s.rising.size());
    falling += static_cast<double>(s.falling.size());
  }
  for (const auto& one : r_.laterals) all.push_back(&one);
  const auto n = static_cast<Eigen::Index>(all.size());
  const Eigen::Index terms = row_of({}).size();
  Eigen::MatrixXd design(n, terms);
  Eigen::MatrixXd applied(n, static_cast<Eigen::Index>(kForces));
  calibration::LeastSquaresOptions options;
  options.weights = Eigen::VectorXd::Ones(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& one = *all[static_cast<std::size_t>(i)];
    design.row(i) = row_of(one.signal_N).transpose();
    for (std::size_t c = 0; c < kForces; ++c) applied(i, static_cast<Eigen::Index>(c)) = one.applied_N[c];
    // A curve midway between rising and falling: both weigh the same, however many there are.
    if (!one.lateral && one.falling) options.weights[i] = rising / std::max(falling, 1.0);
  }
  for (std::size_t c = 0; c < kForces; ++c) {
    if (!matrix_ && c != axes_.normal) continue;
    auto found = calibration::fit_least_squares(design, applied.col(static_cast<Eigen::Index>(c)), options);
    if (!found) {
      return daq::Error{fmt::format("{} could not be fitted: {}", kForceChannels[c], found.error().message)};
    }
    fits_.push_back(std::move(*found));
  }
  return {};
}

void ForceEvaluation::quantities() {
  auto& record = out_.record;
  auto& f = record.fit;
  f.kind = matrix_ ? FitKind::kMatrix : FitKind::kPolynomial;
  for (std::size_t c = 0; c < kForces; ++c) {
    if (matrix_ || c == axes_.normal) f.inputs.push_back({kForceChannels[c], "N", r_.per_count[c], r_.zero_counts[c]});
  }
  if (!matrix_) f.coefficients.push_back(0);
  for (const auto& fit : fits_)
    f.coefficients.insert(f.coefficients.end(), fit.coefficients.begin(), fit.coefficients.end());
  if (matrix_) f.coefficients.insert(f.coefficients.end(), kForces, 0.0);
  const auto n = f.coefficients.size();
  f.covariance.assign(n * n, 0);
  for (std::size_t k = 0; k < fits_.size(); ++k) {
    const auto terms = static_cast<std::size_t>(fits_[k].coefficients.size());
    const std::size_t from = matrix_ ? k * terms : 1;
    for (std::size_t i = 0; i < terms; ++i) {
      for (std::size_t j = 0; j < terms; ++j) {
        f.covariance[(from + i) * n + from + j] =
            fits_[k].covariance(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
      }
    }
  }
  const auto& of_normal = fits_[matrix_ ? axes_.normal : 0];
  f.residual_sd = of_normal.residual_sd;
  f.degrees_of_freedom = static_cast<double>(of_normal.dof);
  // One coverage factor for all values, the largest that any of them asks for.
  const auto point = [&](std::size_t c, double value_N) {
    const auto parts = parts_of(c, value_N);
    record.coverage_factor = std::max(record.coverage_factor, factor(parts));
    return calibration::UncertaintyPoint{value_N, combined(parts)};
  };
  for (std::size_t c = 0; c < kForces; ++c) {
    if (!matrix_ && c != axes_.normal) continue;
    calibration::CalibratedQuantity q{"force", kForceChannels[c], "N", {}, {}};
    if (c == axes_.normal) {
      for (const auto& l : p_.loads_) q.uncertainty.push_back(point(c, axes_.sign * l.force_N));
    } else {
      const double most_N = p_.lateral_.back().force_N;
      for (const double value_N : {-most_N, 0.0, most_N}) q.uncertainty.push_back(point(c, value_N));
    }
    std::sort(q.uncertainty.begin(), q.uncertainty.end(),
              [](const auto& a, const auto& b) { return a.value < b.value; });
    q.range = {q.uncertainty.front().value, q.uncertainty.back().value};
    record.quantities.push_back(std::move(q));
  }
  for (auto& q : record.quantities) {
    for (auto& p : q.uncertainty) p.expanded *= record.coverage_factor;
  }
  const double largest_N = axes_.sign * p_.loads_.back().force_N;
  for (const auto& part : parts_of(axes_.normal, largest_N)) {
    record.budget.push_back({fmt::format("{} at {:.4g} N: {}", kForceChannels[axes_.normal], largest_N, part.name),
                             part.distribution, part.u_N, "N", 1, part.dof});
  }
}

void ForceEvaluation::tables() {
  const auto normal = axes_.normal;
  const auto& quantity = *calibration::find_quantity(out_.record, kForceChannels[normal]);
  DataTable points{"points", {"reference", "indication", "fitted", "expanded_uncertainty"}, {"N", "N", "N", "N"}, {}};
  const auto add = [&](const std::vector<ForceReading>& readings) {
    for (const auto& one : readings) {
      const double applied_N = one.applied_N[normal];
      points.rows.push_back(
          {applied_N, one.signal_N[normal], value_of(one.signal_N)[normal],
           calibration::expanded_at(quantity, applied_N).value_or(quantity.uncertainty.back().expanded)});
    }
  };
  for (const auto& s : r_.series) {
    add(s.rising);
    add(s.falling);
  }
  out_.record.tables.insert(out_.record.tables.begin(), std::move(points));
  if (!r_.creep.reading.empty()) {
    DataTable creep{"creep", {"time", "reading"}, {"s", "N"}, {}};
    for (std::size_t i = 0; i < r_.creep.reading.size(); ++i)
      creep.rows.push_back({r_.creep.time_s[i], r_.creep.reading[i]});
    out_.record.tables.push_back(std::move(creep));
  }
  if (!r_.places_N.empty()) {
    DataTable places{"zero over the travel", {"x", "y", "z", "Fx", "Fy", "Fz"}, {"m", "m", "m", "N", "N", "N"}, {}};
    for (std::size_t i = 0; i < r_.places_N.size(); ++i) {
      const auto& at = p_.plan_.places_m[i];
      const auto& zero = r_.places_N[i];
      places.rows.push_back({at[0], at[1], at[2], zero[0], zero[1], zero[2]});
    }
    out_.record.tables.push_back(std::move(places));
    out_.record.tables.push_back(calibration::travel_table(travel_));
  }
  if (r_.validating.empty()) return;
  DataTable combined{"loads not in the fit",
                     {"Fx applied", "Fy applied", "Fz applied", "Fx", "Fy", "Fz"},
                     {"N", "N", "N", "N", "N", "N"},
                     {}};
  for (const auto& one : r_.validating) {
    const auto v = value_of(one.signal_N);
    combined.rows.push_back({one.applied_N[0], one.applied_N[1], one.applied_N[2], v[0], v[1], v[2]});
    const double error_N = v[normal] - one.applied_N[normal];
    auto may_N = calibration::expanded_at(quantity, one.applied_N[normal]);
    // The side load itself hangs askew, and is larger here than the drag that the budget has.
    double side_N = 0;
    for (std::size_t c = 0; c < kForces; ++c) side_N = c == normal ? side_N : std::hypot(side_N, one.applied_N[c]);
    if (may_N) may_N = std::hypot(*may_N, 2 * p_.plan_.direction_rad * side_N / std::sqrt(3.0));
    if (!may_N || std::abs(error_N) <= *may_N) continue;
    out_.remarks.push_back(fmt::format(
        "a combined load that is not in the fit reads {:+.4f} N off, more than its uncertainty of {:.4f} N: look at "
        "the direction of the side loads",
        error_N, *may_N));
  }
  out_.record.tables.push_back(std::move(combined));
}

void ForceEvaluation::say_conditions() {
  auto& conditions = out_.record.conditions;
  conditions.use_temperature_C = calibration::Interval{p_.plan_.use_low_C, p_.plan_.use_high_C};
  if (setup_.temperature_C) conditions.temperature_C = calibration::Interval{*setup_.temperature_C, *setup_.temperature_C};
  if (p_.temperatures_.empty()) return;
  const auto [low_C, high_C] = temperatures();
  conditions.temperature_C = calibration::Interval{low_C, high_C};
  constexpr double kStable_K = 2;  // +-1 K: metrology.md 1.1 [M]
  if (high_C - low_C > kStable_K) {
    out_.remarks.push_back(fmt::format("ISO 376: the bench went from {:.1f} to {:.1f} degrees C in the series; +-1 K is wanted",
                                       low_C, high_C));
  }
}

daq::Result<ProcedureResult> ForceEvaluation::go() {
  if (p_.plan_.verifies && setup_.bench.force.record == nullptr) {
    return daq::Error{"a verification is of a calibration in use, and none was"};
  }
  if (auto r = read(); !r) return r.error();
  if (p_.plan_.verifies) return verification();
  find_effects();
  if (auto r = find_temperature(); !r) return r.error();
  if (auto r = fit(); !r) return r.error();
  find_interpolation();
  quantities();
  tables();
  if (auto r = judge(); !r) return r.error();
  say_conditions();
  out_.remarks.push_back("as found, on the nominal scale: " + machine_words_);
  out_.record.conditions.notes += fmt::format("as found, on the nominal scale: {}; ", machine_words_);
  if (!matrix_)
    out_.remarks.emplace_back("crosstalk was not measured ('lateral_N'): the budget has what is usual for it");
  if (r_.places_N.empty()) {
    out_.remarks.emplace_back(
        "the zero over the travel was not measured ([[force.place]]): what cables do is not in the budget");
  }
  if (p_.creep_.empty()) out_.remarks.emplace_back("creep was not measured ('creep_s'): it is not in the budget");
  return std::move(out_);
}

daq::Result<ProcedureResult> ForceProcedure::evaluate(const ProcedureData& data, const ProcedureSetup& setup) const {
  return ForceEvaluation(*this, data, setup).go();
}

}  // namespace strigil::protocols
