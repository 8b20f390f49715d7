// Where on the stage's travel a force record holds, and what its zero does there: table "use over the travel". Cables
// pull on a sensor by where the stage stands; the record's uncertainty is of anywhere in this box. Pure.
#pragma once

#include <array>
#include <optional>

#include "calibration/record/record.hpp"

namespace strigil::calibration {

using TravelBox = std::array<Interval, 3>;  ///< x, y, z of the stage, m

struct ForceTravel {
  TravelBox use{};
  std::array<double, 3> slope_N_m{};  ///< of the zero of the normal force, along x, y, z: a plane through the places
  double off_plane_N = 0;             ///< the farthest that a place's zero lies from it
  double span_N = 0;                  ///< of the zero over the whole box: the budget's half-width, rectangular
};

/// The table as a record holds it.
[[nodiscard]] DataTable travel_table(const ForceTravel& travel);

/// Reads it back; nothing where the zero was not looked at over the travel: then the record says nothing of it.
[[nodiscard]] std::optional<ForceTravel> travel_of(const Record& record);

/// How far apart the zeros of a way that stays within these intervals (m; tare and stroke) are: N, at most span_N.
[[nodiscard]] double zero_apart_N(const ForceTravel& travel, const TravelBox& way);

/// Whether something from `low_m` to `high_m` on one axis lies outside `use`; a millimetre means nothing to cables.
[[nodiscard]] bool leaves_travel(const Interval& use, double low_m, double high_m);

}  // namespace strigil::calibration
