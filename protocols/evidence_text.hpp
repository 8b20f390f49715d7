// A run's evidence as text, so that whoever has the run file can judge again and must come to the same verdict.
#pragma once

#include <string>
#include <string_view>

#include "protocols/verdict.hpp"

namespace strigil::protocols {

/// JSON of what the judge looks at and a run file holds nowhere else: RunEvidence without ledger and timing, and of
/// the calibration whether and why not. Numbers read back to the same bits; those that are not finite are texts.
std::string evidence_to_json(const RunEvidence& evidence);
/// Errors: not such a text; a step or condition that `plan` does not have.
daq::Result<RunEvidence> parse_evidence(std::string_view json, const Plan& plan);

}  // namespace strigil::protocols
