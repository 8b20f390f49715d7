#include "calibration/standards/displacement_class.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {

LimitSchema displacement_schema() { return {{}, {}, {"error_pct", "error_um"}, {}}; }

daq::Result<DisplacementAssessment> assess_displacement(std::span<const double> true_m,
                                                        std::span<const double> indicated_m, const LimitTable& table) {
  if (auto error = wrong_length("true_m", true_m.size(), true_m.size())) return *error;
  if (auto error = wrong_length("indicated_m", indicated_m.size(), true_m.size())) return *error;
  if (auto error = not_finite("true_m", true_m)) return *error;
  if (auto error = not_finite("indicated_m", indicated_m)) return *error;
  DisplacementAssessment out;
  out.table = table.identity;
  std::size_t worst = 0;
  for (std::size_t i = 0; i < true_m.size(); ++i) {
    DisplacementPoint p;
    p.true_m = true_m[i];
    p.indicated_m = indicated_m[i];
    p.error_m = p.indicated_m - p.true_m;
    p.error_pct = p.true_m != 0 ? 100 * p.error_m / p.true_m : std::numeric_limits<double>::quiet_NaN();
    std::size_t c = 0;
    for (; c < table.classes.size(); ++c) {
      const double relative = table.classes[c].limit("error_pct") / 100 * std::abs(p.true_m);
      const double absolute = table.classes[c].limit("error_um") * 1e-6;
      if (std::abs(p.error_m) <= std::max(relative, absolute)) break;
    }
    if (c < table.classes.size()) p.best_class = table.classes[c].name;
    worst = std::max(worst, c);
    out.points.push_back(p);
  }
  if (worst < table.classes.size()) out.best_class = table.classes[worst].name;
  return out;
}

}  // namespace strigil::calibration
