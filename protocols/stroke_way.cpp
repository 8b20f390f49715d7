#include "protocols/stroke_way.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace strigil::protocols {

std::optional<calibration::TravelBox> stroke_way(const Plan& plan, const std::vector<StepResult>& steps,
                                                 std::size_t condition) {
  const StepResult* tare = nullptr;
  std::optional<calibration::TravelBox> way;
  for (const auto& step : steps) {
    if (step.outcome != StepOutcome::kDone) continue;
    if (step.kind == StepKind::kTare) tare = &step;
    if (step.kind != StepKind::kStroke || step.condition != condition || plan.steps[step.step].timing) continue;
    if (tare == nullptr) return {};
    way.emplace();
    for (std::size_t a = 0; a < rig::kAxes; ++a)
      (*way)[a] = {std::min(tare->low_m[a], step.low_m[a]), std::max(tare->high_m[a], step.high_m[a])};
  }
  return way;
}

std::string outside_travel(const ForceCalibration& c, const calibration::TravelBox& way_m) {
  if (!c.travel) return {};
  constexpr double kMilli = 1e3;
  std::vector<std::string> out;
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    const auto& use = c.travel->use[a];
    const auto& way = way_m[a];
    if (!calibration::leaves_travel(use, way.low, way.high)) continue;
    const double farther_m = use.low - way.low > way.high - use.high ? way.low : way.high;
    out.push_back(fmt::format("{} {:.1f} mm ({:g} to {:g} mm)", "xyz"[a], farther_m * kMilli, use.low * kMilli,
                              use.high * kMilli));
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

}  // namespace strigil::protocols
