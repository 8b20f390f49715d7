#include "calibration/standards/astm_e74.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

std::optional<daq::Error> refuse(const E74Readings& r) {
  if (r.observations.size() < 3) return daq::Error{"fewer than three observations: no curve has a residual"};
  double largest = 0;
  for (std::size_t i = 0; i < r.observations.size(); ++i) {
    const auto& o = r.observations[i];
    if (!std::isfinite(o.force_N) || !std::isfinite(o.deflection) || !std::isfinite(o.position_deg)) {
      return daq::Error{fmt::format("observation {} is not a finite number; check the readings for a gap", i)};
    }
    if (o.force_N < 0) {
      return daq::Error{fmt::format(
          "observation {} is at {:g} N; forces are told as magnitudes, one direction at a time", i, o.force_N)};
    }
    largest = std::max(largest, o.force_N);
  }
  if (!(largest > 0)) return daq::Error{"no force above zero was applied"};
  if (!std::isfinite(r.resolution) || r.resolution < 0) return daq::Error{"the resolution must be 0 or more"};
  if (auto error = out_of_bounds("reference_expanded_pct", r.reference_expanded_pct, 0, 100)) return error;
  for (const auto& v : {r.creep_recovery_pct, r.change_pct}) {
    if (v && !std::isfinite(*v)) return daq::Error{"creep recovery or change is not a finite number"};
  }
  return std::nullopt;
}

/// Whether the curve keeps one direction between its ends, looked at in many places.
bool one_direction(const PolynomialFit& curve) {
  constexpr int kPlaces = 1000;
  const double sign = curve.slope(curve.x_max()) < 0 ? -1 : 1;
  for (int i = 0; i <= kPlaces; ++i) {
    const double x = curve.x_min() + (curve.x_max() - curve.x_min()) * i / kPlaces;
    if (!(sign * curve.slope(x) > 0)) return false;
  }
  return true;
}

std::vector<std::string> shortfalls(const E74Readings& r, const E74Assessment& a, const LimitTable& table) {
  std::vector<std::string> out;
  const auto& p = table.procedure;
  std::set<int> runs;
  std::set<double> positions;
  std::vector<bool> interval(static_cast<std::size_t>(p.limit("range_intervals")), false);
  for (const auto& o : r.observations) {
    runs.insert(o.run);
    positions.insert(o.position_deg);
    if (o.force_N <= 0) continue;
    const auto n = static_cast<double>(interval.size());
    // A force at an upper edge, such as 10 % of the range, belongs to the interval below.
    const auto which = std::ceil(o.force_N / a.largest_force_N * n - 1e-9) - 1;
    interval[static_cast<std::size_t>(std::clamp(which, 0.0, n - 1))] = true;
  }
  const auto fewer = [&](std::size_t count, std::string_view key, const char* what) {
    if (static_cast<double>(count) < p.limit(key)) {
      out.push_back(fmt::format("{} {}; at least {:.0f} are wanted", count, what, p.limit(key)));
    }
  };
  fewer(r.observations.size(), "observations_at_least", "force applications");
  fewer(a.distinct_forces, "distinct_forces_at_least", "different forces");
  fewer(runs.size(), "runs_at_least", "runs");
  if (positions.size() < 2) out.emplace_back("the instrument was not rotated between runs");
  for (auto one = positions.begin(); one != positions.end(); ++one) {
    for (auto other = std::next(one); other != positions.end(); ++other) {
      const double apart = std::abs(std::remainder(*one - *other, 360.0));
      if (apart < p.limit("position_spacing_deg")) {
        out.push_back(fmt::format("positions {:g} and {:g} deg are less than {:g} deg apart", *one, *other,
                                  p.limit("position_spacing_deg")));
      }
    }
  }
  if (r.observations.front().force_N == 0) {
    out.emplace_back("the first observation is at zero force, which may not be the first calibrated point");
  }
  const auto empty = std::count(interval.begin(), interval.end(), false);
  if (empty > 0) {
    out.push_back(fmt::format("{} of {} equal parts of the range have no force", empty, interval.size()));
  }
  if (r.reference == E74Reference::primary && r.reference_expanded_pct > p.limit("primary_standard_pct")) {
    out.push_back(fmt::format("the forces are known to {:g} %; a primary standard's to {:g} %",
                              r.reference_expanded_pct, p.limit("primary_standard_pct")));
  }
  if (!(r.resolution > 0)) out.emplace_back("the resolution is not known: no lower limit can be given");
  return out;
}

/// Why a class cannot be given whatever the figures; empty when it can.
std::string ruled_out(const E74Readings& r, const LimitClass& limits) {
  const auto& needs = limits.word("needs_reference");
  const bool good = r.reference == E74Reference::primary || (needs == "AA" && r.reference == E74Reference::class_AA);
  if (!good) {
    return fmt::format("class {} needs a reference that is {}", limits.name,
                       needs == "primary" ? "a primary standard" : "of class AA or a primary standard");
  }
  if (!r.creep_recovery_pct) return fmt::format("class {}: creep recovery was not measured", limits.name);
  if (std::abs(*r.creep_recovery_pct) > limits.limit("creep_recovery_pct")) {
    return fmt::format("class {}: creep recovery of {:.4g} % is over {:g} %", limits.name, *r.creep_recovery_pct,
                       limits.limit("creep_recovery_pct"));
  }
  return "";
}

void give_ranges(const E74Readings& r, const LimitTable& table, E74Assessment& a) {
  for (const auto& limits : table.classes) {
    const double by_llf = limits.limit("llf_multiple") * a.llf_N;
    if (limits.name == "A") a.limit_A_N = by_llf;
    if (limits.name == "AA") a.limit_AA_N = by_llf;
    auto why = ruled_out(r, limits);
    if (why.empty() && !a.nonconformities.empty()) {
      why = fmt::format("class {}: the calibration does not conform: {}", limits.name, a.nonconformities.front());
    }
    E74Range range{limits.name, by_llf, a.largest_force_N, "LLF"};
    const double by_resolution = limits.limit("resolution_multiple") * a.resolution_N;
    if (by_resolution > range.lowest_N) {
      range.lowest_N = by_resolution;
      range.decided_by = "resolution";
    }
    if (a.smallest_force_N > range.lowest_N) {
      range.lowest_N = a.smallest_force_N;
      range.decided_by = "the smallest force applied";
    }
    if (why.empty() && !(range.lowest_N < range.highest_N)) {
      why = fmt::format("class {}: its lower limit of {:.6g} N ({}) is not below the largest force of {:g} N",
                        limits.name, range.lowest_N, range.decided_by, range.highest_N);
    }
    if (r.change_pct && std::abs(*r.change_pct) > limits.limit("change_pct")) {
      a.remarks.push_back(fmt::format(
          "class {}: changed by {:.4g} % since the last calibration, over {:g} %: less than {:.0f} "
          "months to the next one",
          limits.name, *r.change_pct, limits.limit("change_pct"), table.procedure.limit("recalibration_months")));
    }
    if (why.empty()) {
      a.ranges.push_back(range);
    } else {
      a.refused.push_back(why);
    }
  }
}

}  // namespace

LimitSchema e74_schema() {
  return {{"observations_at_least", "distinct_forces_at_least", "runs_at_least", "position_spacing_deg",
           "range_intervals", "degree_at_most", "llf_factor", "primary_standard_pct", "recalibration_months"},
          {},
          {"llf_multiple", "resolution_multiple", "creep_recovery_pct", "change_pct"},
          {"needs_reference"}};
}

daq::Result<E74Assessment> assess_e74(const E74Readings& r, const LimitTable& table, int degree) {
  if (auto error = refuse(r)) return *error;
  E74Assessment a;
  a.table = table.identity;
  const auto& p = table.procedure;
  std::map<double, std::vector<double>> by_force;
  std::vector<double> force, deflection;
  for (const auto& o : r.observations) {
    force.push_back(o.force_N);
    deflection.push_back(o.deflection);
    if (o.force_N > 0) by_force[o.force_N].push_back(o.deflection);
  }
  std::vector<double> distinct, average;
  for (const auto& [f, values] : by_force) {
    distinct.push_back(f);
    average.push_back(spread_of(values).mean);
  }
  a.smallest_force_N = distinct.front();
  a.largest_force_N = distinct.back();
  const int degree_at_most = static_cast<int>(p.limit("degree_at_most"));
  a.distinct_forces = distinct.size();
  auto degrees = select_degree_e74(distinct, average, degree_at_most);
  if (!degrees) return degrees.error();
  a.degrees = std::move(degrees).value();
  if (degree < 0 || degree > degree_at_most) {
    return daq::Error{fmt::format("degree {} is not 1 to {}", degree, degree_at_most)};
  }
  PolynomialOptions options;
  options.degree = degree > 0 ? degree : a.degrees.degree;
  auto forward = fit_polynomial(force, deflection, options);
  if (!forward) return daq::Error{"deflection = f(force) could not be fitted: " + forward.error().message};
  auto inverse = fit_polynomial(deflection, force, options);
  if (!inverse) return daq::Error{"force = f(deflection) could not be fitted: " + inverse.error().message};
  if (forward->fit().dof < 1) return daq::Error{"no degrees of freedom are left: the scatter is not known"};
  if (!one_direction(*forward) || !one_direction(*inverse)) {
    return daq::Error{
        "the fitted curve turns back within the range: it has no inverse; take a lower degree, or look for an "
        "observation that is off"};
  }
  a.deflection_of_force = std::move(forward).value();
  a.force_of_deflection = std::move(inverse).value();
  const double factor = p.limit("llf_factor");
  a.llf_deflection = std::max(factor * a.deflection_of_force.fit().residual_sd, r.resolution);
  a.llf_slope_N = a.llf_deflection / std::abs(a.deflection_of_force.slope(0));
  // The resolution in newton where a count is worth most force.
  double steepest = 0;
  for (const double d : deflection) steepest = std::max(steepest, std::abs(a.force_of_deflection.slope(d)));
  a.resolution_N = r.resolution * steepest;
  a.llf_N = std::max(factor * a.force_of_deflection.fit().residual_sd, a.resolution_N);
  a.nonconformities = shortfalls(r, a, table);
  give_ranges(r, table, a);
  return a;
}

daq::Result<E74Assessment> assess_e74(const E74Readings& readings, int degree) {
  static const LimitTable kTable = read_built_in_table("astm_e74", e74_schema());
  return assess_e74(readings, kTable, degree);
}

daq::Result<double> e74_force_N(const E74Assessment& c, double deflection, const std::string& class_name) {
  if (!std::isfinite(deflection)) return daq::Error{"the deflection is not a finite number"};
  for (const auto& range : c.ranges) {
    if (range.class_name != class_name) continue;
    const double slack = 1e-9 * std::abs(c.force_of_deflection.x_max() - c.force_of_deflection.x_min());
    const bool measured =
        deflection >= c.force_of_deflection.x_min() - slack && deflection <= c.force_of_deflection.x_max() + slack;
    const double force = measured ? c.force_of_deflection(deflection) : 0;
    // The curve misses the forces it was fitted to by some residuals: the ends of the range bear that much.
    const double bear = 3 * c.force_of_deflection.fit().residual_sd;
    const double below = range.lowest_N == c.smallest_force_N ? bear : 0;
    if (!measured || force < range.lowest_N - below || force > range.highest_N + bear) {
      return daq::Error{
          fmt::format("a deflection of {:g} is outside the class {} loading range of {:.6g} to {:.6g} N; nothing "
                      "is extrapolated",
                      deflection, class_name, range.lowest_N, range.highest_N)};
    }
    return force;
  }
  return daq::Error{fmt::format("this calibration has no class {} range{}", class_name,
                                c.refused.empty() ? "" : ": " + c.refused.front())};
}

}  // namespace strigil::calibration
