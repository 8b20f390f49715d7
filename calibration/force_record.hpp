// Where on the stage's travel a force record holds: table "use over the travel". Cables pull on a sensor by where the
// stage stands, and the budget has that for this box alone. Pure.
#pragma once

#include <array>
#include <optional>

#include "calibration/record/record.hpp"

namespace strigil::calibration {

using TravelBox = std::array<Interval, 3>;  ///< x, y, z of the stage, m

/// The table as a record holds it.
[[nodiscard]] DataTable travel_table(const TravelBox& box);

/// Reads it back; nothing where the zero was not looked at over the travel: then the record says nothing of it.
[[nodiscard]] std::optional<TravelBox> travel_of(const Record& record);

/// Whether something from `low_m` to `high_m` on one axis lies outside `use`; a millimetre means nothing to cables.
[[nodiscard]] bool leaves_travel(const Interval& use, double low_m, double high_m);

}  // namespace strigil::calibration
