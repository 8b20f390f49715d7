// Where the stage stood for a stroke and for the tare that its force counts from. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocols/force_calibration.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"

namespace strigil::protocols {

/// The box that a condition's stroke and the last tare before it stayed in; `steps` in the order in which they were
/// carried out. None: there was no such stroke, or it was never tared.
std::optional<calibration::TravelBox> stroke_way(const Plan& plan, const std::vector<StepResult>& steps,
                                                 std::size_t condition);

/// "z -52.3 mm (-50 to -1 mm)" of each axis on which the way leaves what the calibration's zero was looked at for;
/// empty: none does, or nobody looked.
std::string outside_travel(const ForceCalibration& calibration, const calibration::TravelBox& way_m);

}  // namespace strigil::protocols
