// Error map of an axis from an ISO 230-2 series: pitch error (long waves and the screw's turn) and backlash, by least
// squares, with what cross-validation says of places between the targets. Own method (metrology.md 3, error-map fit).
#pragma once

#include <span>
#include <vector>

#include "calibration/standards/iso230_2.hpp"
#include "calibration/standards/pitch_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One stop of the axis at a target.
struct AxisStop {
  double target_m = 0;   ///< where it was sent
  double counted_m = 0;  ///< where it says that it stands
  double reading_m = 0;  ///< of the reference
  Approach approach = Approach::rising;
};

/// Stops as ISO 230-2 wants them: by target, rising and falling, cycles in the order in which they came. Readings are
/// moved so that their mean at the first target, reached rising, is `zero`: the mean of what was counted there
/// (`counted`), or the target itself. Errors: a target with another number of stops, or reached from one side only.
enum class ReadingZero : std::uint8_t { counted, target };
[[nodiscard]] daq::Result<StageReadings> readings_of(std::span<const AxisStop> stops, ReadingZero zero);

struct ErrorMapOptions {
  double lead_m = 0;        ///< of the screw: an error that comes back with it is looked for; 0: none is
  double resolution_m = 0;  ///< of what is counted: full width of its steps
  StageConditions conditions = {};
  double device_relative = 0;  ///< U (k = 2) of the reference that grows with the length, by it; beside the conditions'
};

/// u^2 = interpolation^2 + repeatability^2 + reference^2 + resolution^2/12 + table^2/3, and t of the degrees of freedom
/// after Welch and Satterthwaite: of one position read from the map, where the first target is the zero.
struct ErrorMap {
  PitchTable table;
  std::vector<double> expanded_m;  ///< 95 %, at each node
  double coverage_factor = 2;      ///< the largest that was used

  std::size_t knots = 0;       ///< of the long waves, evenly spaced
  bool periodic = false;       ///< the screw's turn is in it
  double amplitude_m = 0;      ///< of that
  double backlash_m = 0;       ///< mean over the axis: falling minus rising position at one count
  double interpolation_m = 0;  ///< RMS of what the map of all other targets says wrong of a target left out
  double interpolation_dof = 0;
  double repeatability_m = 0;  ///< standard deviation of one approach, pooled
  double repeatability_dof = 0;
  double reference_m = 0;  ///< standard, at the far end: device, alignment, temperature, drift, and the zero
  double table_m = 0;      ///< largest error of straight lines between nodes
};

/// The number of knots and whether the screw's turn is in it are what predicts left-out targets best. Refuses what
/// readings_of refuses, fewer than 5 targets (metrology.md 3 [M]), and a table that PitchTable refuses. Pure.
[[nodiscard]] daq::Result<ErrorMap> fit_error_map(std::span<const AxisStop> stops, const ErrorMapOptions& options);

}  // namespace strigil::calibration
