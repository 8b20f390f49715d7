// Civil time of records and certificates, as text and back. Pure.
#pragma once

#include <string>
#include <string_view>

#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::calibration {

/// "2026-11-23", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00.123Z" or with "+01:00" for the Z; a date alone is its
/// first instant in UTC. Errors: anything else, a day that no calendar has, a year before 1900 or after 2200.
daq::Result<daq::WallTime> parse_instant(std::string_view text);

/// "2026-11-23", in UTC.
std::string date_of(daq::WallTime wall);

}  // namespace strigil::calibration
