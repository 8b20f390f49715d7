// The error map of a stage in a calibration record: table "error_map_<axis>" with columns command, rising, falling (m):
// real position minus command, by direction of approach. Pure.
#pragma once

#include <span>
#include <string_view>

#include "calibration/record/record.hpp"
#include "calibration/standards/pitch_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// The table of axis `axis` ("x") as a record holds it. `expanded_m`: of a position that it gives, at each node.
[[nodiscard]] DataTable error_map_table(std::string_view axis, const PitchTable& table,
                                        std::span<const double> expanded_m);

/// Reads it back. Errors: the record is of another kind of fit, has no such table, other columns or units, or
/// PitchTable::make() refuses it: an axis that turns back cannot be undone.
[[nodiscard]] daq::Result<PitchTable> error_map_of(const Record& record, std::string_view axis);

}  // namespace strigil::calibration
