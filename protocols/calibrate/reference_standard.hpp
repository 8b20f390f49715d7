// Reference standard: what a calibration compares with, from a TOML file: what it is, its certificate, how well it is
// known. docs/calibrate.md has the keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calibration/record/record.hpp"
#include "calibration/standards/reference_force.hpp"
#include "daq/result.hpp"

namespace strigil::protocols {

struct ReferenceStandard {
  calibration::Traceability trace;
  double expanded_relative = 0;  ///< k = 2, of the value; common to all values
  double expanded = 0;           ///< k = 2, SI unit of the quantity; common to all values
  std::string kind;              ///< of the standard: "primary", "AA", "A" (ASTM E74), a class of ISO 376, or empty
  std::vector<calibration::LoadMass> masses;  ///< weights that a load is put together from; may be empty
  calibration::LoadPlace place;               ///< gravity and air where they hang
};

/// Errors: with line and column.
daq::Result<ReferenceStandard> parse_reference(std::string_view text, const std::string& file);
daq::Result<ReferenceStandard> load_reference(const std::string& path);

}  // namespace strigil::protocols
