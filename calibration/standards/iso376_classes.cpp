#include "calibration/standards/iso376_classes.hpp"

#include <fmt/format.h>

#include <cmath>

namespace strigil::calibration {
namespace {

struct Needs {
  bool interpolation;
  bool falling;
};

Needs needs_of(Iso376Case which) {
  return {which == Iso376Case::C || which == Iso376Case::D, which == Iso376Case::B || which == Iso376Case::D};
}

/// The first figure that is over the class's limit at this force, as words; empty when none is.
std::string over(const Iso376Assessment& a, const Iso376Force& f, const Needs& needs, const LimitClass& limits) {
  const auto check = [&](const char* symbol, const char* key, double value) {
    return std::abs(value) <= limits.limit(key)
               ? std::string()
               : fmt::format("{} = {:.6g} % is over {:g} %", symbol, value, limits.limit(key));
  };
  std::string why = check("b", "b_pct", f.b_pct);
  if (why.empty()) why = check("b'", "b_prime_pct", f.b_prime_pct);
  if (why.empty() && needs.interpolation) why = check("fc", "fc_pct", f.fc_pct);
  if (why.empty()) why = check("f0", "f0_pct", a.f0_pct);
  if (why.empty() && needs.falling) why = check("v", "v_pct", *f.v_pct);
  if (why.empty() && !needs.falling) why = check("c", "c_pct", *a.creep_pct);
  return why;
}

/// The same with what does not lie in the instrument: calibration force and resolution.
std::string over_with_conditions(const Iso376Assessment& a, const Iso376Force& f, const Needs& needs,
                                 const LimitClass& limits, double resolution) {
  auto why = over(a, f, needs, limits);
  if (!why.empty()) return why;
  if (!(f.calibration_force_pct <= limits.limit("calibration_force_pct"))) {
    return fmt::format("the calibration force is known to {:g} % and must be to {:g} %", f.calibration_force_pct,
                       limits.limit("calibration_force_pct"));
  }
  if (!(std::abs(f.deflection) >= limits.limit("resolution_multiple") * resolution)) {
    return fmt::format("the deflection is {:.5g} resolutions and must be {:g}", std::abs(f.deflection) / resolution,
                       limits.limit("resolution_multiple"));
  }
  return "";
}

}  // namespace

Iso376Classes classify_iso376(const Iso376Assessment& a, Iso376Case which, double resolution, const LimitTable& table) {
  Iso376Classes out;
  const auto needs = needs_of(which);
  if (needs.falling && !a.forces.front().v_pct) {
    out.why_not = "no falling series: reversibility v was not measured";
    return out;
  }
  if (!needs.falling && !a.creep_pct) {
    out.why_not = "no creep test: c was not measured";
    return out;
  }
  out.judged = true;
  for (const auto& f : a.forces) {
    std::string best;
    for (const auto& limits : table.classes) {
      if (over(a, f, needs, limits).empty()) {
        best = limits.name;
        break;
      }
    }
    out.per_force.push_back(best);
  }
  const double highest = a.forces.back().force_N;
  const double reach = table.procedure.limit("range_reaches_down_to_pct") / 100 * highest;
  double reached = highest * 2;  // lowest force of the best class awarded so far
  for (const auto& limits : table.classes) {
    // From the top down, until the first force that fails: forces below it do not count, however good.
    std::string why;
    std::size_t first = a.forces.size();
    while (first > 0) {
      why = over_with_conditions(a, a.forces[first - 1], needs, limits, resolution);
      if (!why.empty()) break;
      --first;
    }
    const auto stopped_at = first > 0 ? a.forces[first - 1].force_N : 0;
    if (first == a.forces.size()) {
      out.refused.push_back(fmt::format("class {}: at {:g} N {}", limits.name, stopped_at, why));
    } else if (a.forces[first].force_N > reach) {
      out.refused.push_back(
          fmt::format("class {}: the range ends at {:g} N and must reach down to {:g} N; at {:g} N {}", limits.name,
                      a.forces[first].force_N, reach, stopped_at, why.empty() ? "nothing was measured" : why));
    } else if (!a.nonconformities.empty()) {
      out.refused.push_back(
          fmt::format("class {}: the calibration does not conform: {}", limits.name, a.nonconformities.front()));
    } else if (a.forces[first].force_N < reached) {
      reached = a.forces[first].force_N;
      out.ranges.push_back({limits.name, reached, highest});
    }
  }
  return out;
}

}  // namespace strigil::calibration
