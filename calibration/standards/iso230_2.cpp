#include "calibration/standards/iso230_2.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
const double kFullWidth = 2 * std::sqrt(3.0);  // of a rectangular range, over its standard deviation

std::optional<daq::Error> refuse_direction(std::string_view name, const std::vector<std::vector<double>>& positions,
                                           std::size_t targets, std::size_t cycles) {
  if (positions.size() != targets) {
    return daq::Error{fmt::format("{} has {} targets where {} were asked for", name, positions.size(), targets)};
  }
  for (std::size_t i = 0; i < targets; ++i) {
    if (positions[i].size() != cycles) {
      return daq::Error{
          fmt::format("{}[{}] has {} cycles where the first target has {}; leave out the unfinished cycle", name, i,
                      positions[i].size(), cycles)};
    }
    if (auto error = not_finite(fmt::format("{}[{}]", name, i), positions[i])) return error;
  }
  return std::nullopt;
}

std::optional<daq::Error> refuse(const StageReadings& r, const StageConditions& c) {
  if (r.target_m.size() < 2) return daq::Error{"an axis is assessed at two targets at the least"};
  if (auto error = not_finite("target_m", r.target_m)) return error;
  if (auto error = not_rising("target_m", r.target_m, -std::numeric_limits<double>::infinity())) return error;
  if (r.forward_m.empty() || r.forward_m.front().size() < 2) {
    return daq::Error{"forward_m needs at least two cycles: repeatability is a standard deviation"};
  }
  const auto cycles = r.forward_m.front().size();
  if (auto error = refuse_direction("forward_m", r.forward_m, r.target_m.size(), cycles)) return error;
  if (!r.backward_m.empty()) {
    if (auto error = refuse_direction("backward_m", r.backward_m, r.target_m.size(), cycles)) return error;
  }
  for (const auto& [name, value] : {std::pair{"device_expanded_m", c.device_expanded_m},
                                    {"misalignment_rad", c.misalignment_rad},
                                    {"temperature_range_K", c.temperature_range_K},
                                    {"expansion_range_per_K", c.expansion_range_per_K},
                                    {"drift_range_m", c.drift_range_m}}) {
    if (auto error = out_of_bounds(name, value, 0, 1e3)) return error;
  }
  if (auto error = out_of_bounds("expansion_per_K", c.expansion_per_K, -1e-3, 1e-3)) return error;
  return out_of_bounds("temperature_from_20_K", c.temperature_from_20_K, -1e3, 1e3);
}

/// Highest and lowest of a figure over the targets.
class Extent {
 public:
  void add(double v) {
    low_ = std::min(low_, v);
    high_ = std::max(high_, v);
  }
  [[nodiscard]] double width() const { return high_ - low_; }

 private:
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

Estimate mean_with_uncertainty(double mean, double type_a, double dof, double type_b) {
  return {mean, std::hypot(type_a, type_b),
          effective_dof(type_a, dof, type_b, std::numeric_limits<double>::infinity())};
}

/// Deviations from the target, for one direction.
Spread deviations(const std::vector<double>& positions, double target) {
  std::vector<double> x;
  for (const double p : positions) x.push_back(p - target);
  return spread_of(x);
}

StageTarget assess_target(const StageReadings& r, std::size_t i, const StageConditions& c, double k) {
  StageTarget t;
  t.target_m = r.target_m[i];
  const auto n = static_cast<double>(r.forward_m[i].size());
  const auto from_start = length_uncertainty(c, t.target_m - r.target_m.front());
  const double systematic = std::hypot(from_start.fixed, from_start.drift);
  const auto forward = deviations(r.forward_m[i], t.target_m);
  t.mean_forward_m = forward.mean;
  t.s_forward_m = forward.deviation;
  t.repeatability_forward_m = 2 * k * forward.deviation;
  t.deviation_forward_m = mean_with_uncertainty(forward.mean, forward.deviation / std::sqrt(n), n - 1, systematic);
  if (r.backward_m.empty()) {
    t.mean_backward_m = t.mean_m = t.s_backward_m = t.reversal_m = kNothing;
    t.repeatability_backward_m = t.repeatability_m = kNothing;
    t.deviation_backward_m = t.deviation_m = t.reversal = {kNothing, kNothing, 0};
    return t;
  }
  const auto backward = deviations(r.backward_m[i], t.target_m);
  t.mean_backward_m = backward.mean;
  t.s_backward_m = backward.deviation;
  t.repeatability_backward_m = 2 * k * backward.deviation;
  t.deviation_backward_m = mean_with_uncertainty(backward.mean, backward.deviation / std::sqrt(n), n - 1, systematic);
  t.mean_m = (t.mean_forward_m + t.mean_backward_m) / 2;
  t.reversal_m = t.mean_forward_m - t.mean_backward_m;
  t.repeatability_m = std::max({k * t.s_forward_m + k * t.s_backward_m + std::abs(t.reversal_m),
                                t.repeatability_forward_m, t.repeatability_backward_m});
  const double a = forward.deviation / std::sqrt(n);
  const double b = backward.deviation / std::sqrt(n);
  const double scatter_dof = effective_dof(a, n - 1, b, n - 1);
  t.deviation_m = mean_with_uncertainty(t.mean_m, std::hypot(a, b) / 2, scatter_dof, systematic);
  t.reversal = mean_with_uncertainty(t.reversal_m, std::hypot(a, b), scatter_dof, from_start.drift);
  return t;
}

std::vector<std::string> shortfalls(const StageReadings& r, const LimitTable& table) {
  std::vector<std::string> out;
  const auto& p = table.procedure;
  const double length = r.target_m.back() - r.target_m.front();
  const double wanted = std::max(p.limit("targets_at_least"), std::ceil(p.limit("targets_per_m") * length));
  if (static_cast<double>(r.target_m.size()) < wanted) {
    out.push_back(fmt::format("{} targets over {:g} m; {} wants {:.0f}", r.target_m.size(), length,
                              table.identity.standard, wanted));
  }
  if (static_cast<double>(r.forward_m.front().size()) < p.limit("cycles_at_least")) {
    out.push_back(fmt::format("{} cycles; {} wants {:.0f}", r.forward_m.front().size(), table.identity.standard,
                              p.limit("cycles_at_least")));
  }
  if (length > p.limit("axis_at_most_m")) {
    out.push_back(fmt::format("the axis is {:g} m long; this table is for {:g} m at the most", length,
                              p.limit("axis_at_most_m")));
  }
  if (r.backward_m.empty()) out.emplace_back("one direction only: A, R, E, M and B of both are not determined");
  return out;
}

}  // namespace

LengthUncertainty length_uncertainty(const StageConditions& c, double length) {
  const double cosine = length * c.misalignment_rad * c.misalignment_rad / 2;
  const double thermal = std::abs(c.expansion_per_K) * length * c.temperature_range_K;
  const double coefficient = std::abs(c.temperature_from_20_K) * length * c.expansion_range_per_K;
  return {std::hypot(c.device_expanded_m / 2, std::hypot(cosine, thermal, coefficient) / kFullWidth),
          c.drift_range_m / kFullWidth};
}

LimitSchema iso230_2_schema() {
  return {{"targets_at_least", "targets_per_m", "axis_at_most_m", "cycles_at_least", "coverage_factor"}, {}, {}, {}};
}

daq::Result<StageAssessment> assess_stage(const StageReadings& readings, const StageConditions& conditions,
                                          const LimitTable& table) {
  if (auto error = refuse(readings, conditions)) return *error;
  StageAssessment out;
  out.table = table.identity;
  out.cycles = readings.forward_m.front().size();
  out.bidirectional = !readings.backward_m.empty();
  const double k = table.procedure.limit("coverage_factor");
  Extent forward_means, backward_means, all_means, middles, forward_bands, backward_bands, all_bands;
  double reversals = 0;
  for (std::size_t i = 0; i < readings.target_m.size(); ++i) {
    const auto t = assess_target(readings, i, conditions, k);
    const auto add = [&](double mean, double s, Extent& means, Extent& bands) {
      means.add(mean);
      all_means.add(mean);
      for (const double edge : {mean - k * s, mean + k * s}) {
        bands.add(edge);
        all_bands.add(edge);
      }
    };
    add(t.mean_forward_m, t.s_forward_m, forward_means, forward_bands);
    out.repeatability_forward_m = std::max(out.repeatability_forward_m, t.repeatability_forward_m);
    if (out.bidirectional) {
      add(t.mean_backward_m, t.s_backward_m, backward_means, backward_bands);
      middles.add(t.mean_m);
      reversals += t.reversal_m;
      out.reversal_m = std::max(out.reversal_m, std::abs(t.reversal_m));
      out.repeatability_backward_m = std::max(out.repeatability_backward_m, t.repeatability_backward_m);
      out.repeatability_m = std::max(out.repeatability_m, t.repeatability_m);
    }
    out.targets.push_back(t);
  }
  out.systematic_forward_m = forward_means.width();
  out.accuracy_forward_m = forward_bands.width();
  const auto of_both = [&](double v) { return out.bidirectional ? v : kNothing; };
  out.systematic_backward_m = of_both(backward_means.width());
  out.systematic_m = of_both(all_means.width());
  out.mean_range_m = of_both(middles.width());
  out.accuracy_backward_m = of_both(backward_bands.width());
  out.accuracy_m = of_both(all_bands.width());
  out.mean_reversal_m = of_both(reversals / static_cast<double>(out.targets.size()));
  for (double* figure : {&out.reversal_m, &out.repeatability_backward_m, &out.repeatability_m}) {
    *figure = of_both(*figure);
  }
  const auto whole = length_uncertainty(conditions, readings.target_m.back() - readings.target_m.front());
  out.accuracy_expanded_m = 2 * std::hypot(whole.fixed, whole.drift);
  out.reversal_expanded_m = 2 * whole.drift;
  out.nonconformities = shortfalls(readings, table);
  return out;
}

daq::Result<StageAssessment> assess_stage(const StageReadings& readings, const StageConditions& conditions) {
  static const LimitTable kTable = read_built_in_table("iso230_2_2014", iso230_2_schema());
  return assess_stage(readings, conditions, kTable);
}

std::vector<std::string> broken_invariants(const StageAssessment& f) {
  std::vector<std::string> out;
  // A hair of rounding is allowed: both sides come from the same sums in another order.
  const auto at_least = [&](const char* what, double left, double right) {
    if (left < right - 1e-12 * (std::abs(left) + std::abs(right))) {
      out.push_back(fmt::format("{}: {:g} m is less than {:g} m, which cannot be", what, left, right));
    }
  };
  at_least("A up >= E up", f.accuracy_forward_m, f.systematic_forward_m);
  if (!f.bidirectional) return out;
  at_least("A down >= E down", f.accuracy_backward_m, f.systematic_backward_m);
  at_least("E >= E up", f.systematic_m, f.systematic_forward_m);
  at_least("E >= E down", f.systematic_m, f.systematic_backward_m);
  at_least("E >= M", f.systematic_m, f.mean_range_m);
  at_least("E >= B", f.systematic_m, f.reversal_m);
  at_least("A >= E", f.accuracy_m, f.systematic_m);
  at_least("A >= A up", f.accuracy_m, f.accuracy_forward_m);
  at_least("A >= A down", f.accuracy_m, f.accuracy_backward_m);
  at_least("A >= R up", f.accuracy_m, f.repeatability_forward_m);
  at_least("A >= R down", f.accuracy_m, f.repeatability_backward_m);
  at_least("R >= R up", f.repeatability_m, f.repeatability_forward_m);
  at_least("R >= R down", f.repeatability_m, f.repeatability_backward_m);
  at_least("R >= B", f.repeatability_m, f.reversal_m);
  at_least("A >= R", f.accuracy_m, f.repeatability_m);
  at_least("B >= |mean B|", f.reversal_m, std::abs(f.mean_reversal_m));
  return out;
}

}  // namespace strigil::calibration
