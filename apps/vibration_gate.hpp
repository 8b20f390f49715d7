// The gate of the accelerometer's calibration: which record the bench names ([vibration] calibration), and whether it
// may be believed here and now. As calibration_gate.hpp for the force.
#pragma once

#include <memory>
#include <string>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/vibration_calibration.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

struct GatedVibration {
  protocols::VibrationCalibration vibration;
  std::shared_ptr<const calibration::Record> record;  ///< for the bench; nullptr: the sensor's own scale
  std::string text;                                   ///< the record's file, for the run file; empty: none
};

/// Errors, with policy "refuse": why the record may not be believed, all reasons in words; also a band ([vibration]
/// band_Hz) that its response does not cover, an axis that it says nothing of, and a check standard
/// ([calibration] vibration_check_standard) that failed or was not checked. With "mark" they are in
/// `vibration.reasons`. A bench that names none: no error. That the device samples as it did is seen by
/// Rig::bring_up().
daq::Result<GatedVibration> pass_vibration_gate(const rig::BenchConfig& bench, daq::WallTime now);

/// What vibrations are worth by this record, between [vibration] band_Hz or where the record is calibrated. Errors: it
/// has no response for an axis of the sensor, or not in that band.
daq::Result<protocols::VibrationCalibration> vibration_calibration_of(const calibration::Record& record,
                                                                      const std::string& hash,
                                                                      const rig::VibrationConfig& bench);

}  // namespace strigil::apps
