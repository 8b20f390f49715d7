// Conditions that hold during a phase, judged by a run file's own samples. Off the loop; one thread, which owns HDF5
// meanwhile.
#pragma once

#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/measure.hpp"
#include "protocols/campaign/suite_file.hpp"

namespace strigil::protocols {

/// A result for each rule. Force is the calibrated value less its tare, place and speed are those of the readback, as
/// detectors get them (protocols/court/stroke_feed.hpp). Errors: as of hear_run().
daq::Result<std::vector<MeasureResult>> evaluate_during(const std::vector<DuringRule>& rules,
                                                        const std::string& run_file);

}  // namespace strigil::protocols
