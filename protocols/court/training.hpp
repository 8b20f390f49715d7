// Training: run files become the strokes that a learned detector is trained on, by the code that feeds it later.
#pragma once

#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/detectors/band_power.hpp"

namespace strigil::protocols {

/// Strokes of a run file that count, with the targets that differ under each. Off the loop; owns HDF5 meanwhile.
/// Errors: as of hear_run; a run without ground truth.
daq::Result<std::vector<TrainingStroke>> training_strokes(const std::string& run_file);

}  // namespace strigil::protocols
