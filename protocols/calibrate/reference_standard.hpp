// Reference standard: what a calibration compares with, from a TOML file: what it is, its certificate, how well it is
// known. docs/calibrate.md has the keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/record/record.hpp"
#include "calibration/standards/reference_force.hpp"
#include "daq/result.hpp"

namespace strigil::protocols {

/// What the certificate of a reference accelerometer says at one frequency.
struct ReferenceResponse {
  double frequency_Hz = 0;
  double sensitivity_V_m_s2 = 0;  ///< of it and its amplifier
  double phase_rad = 0;
  double expanded_relative = 0;   ///< k = 2, of the sensitivity
  double expanded_phase_rad = 0;  ///< k = 2
};

struct ReferenceStandard {
  calibration::Traceability trace;
  double expanded_relative = 0;  ///< k = 2, of the value; common to all values
  double expanded = 0;           ///< k = 2, SI unit of the quantity; common to all values
  std::string kind;              ///< of the standard: "primary", "AA", "A" (ASTM E74), a class of ISO 376, or empty
  std::vector<calibration::LoadMass> masses;  ///< weights that a load is put together from; may be empty
  calibration::LoadPlace place;               ///< gravity and air where they hang
  std::vector<ReferenceResponse> response;    ///< of an accelerometer, frequencies rising; else empty
  double drift_relative = 0;                  ///< half-width of what it may have changed by since its certificate
  double transverse_relative = 0;             ///< most that it says of motion across
};

/// By straight lines over the logarithm of frequency; the uncertainties are the larger ones of both neighbours. Nothing
/// outside the calibrated frequencies.
std::optional<ReferenceResponse> response_at(const ReferenceStandard& reference, double frequency_Hz);

/// Errors: with line and column.
daq::Result<ReferenceStandard> parse_reference(std::string_view text, const std::string& file);
daq::Result<ReferenceStandard> load_reference(const std::string& path);

}  // namespace strigil::protocols
