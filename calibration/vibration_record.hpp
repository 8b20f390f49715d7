// The frequency response of an accelerometer in a calibration record: table "response_<channel>", a row for each
// frequency. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "calibration/record/record.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// At one frequency: what the sensor indicates (by its nominal scale) over what there is.
struct VibrationResponse {
  double frequency_Hz = 0;
  double sensitivity = 1;
  double phase_deg = 0;
  double deviation_pct = 0;       ///< of the sensitivity, from that at the reference frequency
  double expanded_pct = 0;        ///< of the sensitivity, 95 %
  double expanded_phase_deg = 0;  ///< 95 %
  double amplitude_m_s2 = 0;      ///< it was measured with
  double distortion_pct = 0;      ///< harmonics of that motion
  double transverse_pct = 0;      ///< what the other axes said of it
};

/// As a record holds it.
[[nodiscard]] DataTable response_table(std::string_view channel, std::span<const VibrationResponse> response);
/// Reads it back. Errors: there is none, it has other columns or units, or its frequencies do not rise from above 0.
[[nodiscard]] daq::Result<std::vector<VibrationResponse>> response_of(const Record& record, std::string_view channel);

/// What a vibration between two frequencies is worth that is scaled by the sensitivity at the reference frequency.
struct VibrationBand {
  double deviation = 0;  ///< largest of the sensitivity from that, relative, absolute value
  double expanded = 0;   ///< largest expanded uncertainty of the sensitivity, relative
};
/// Over the rows within the band, and what straight lines give at its ends. Nothing: the response does not cover it.
[[nodiscard]] std::optional<VibrationBand> band_of(std::span<const VibrationResponse> response, double low_Hz,
                                                   double high_Hz);

}  // namespace strigil::calibration
