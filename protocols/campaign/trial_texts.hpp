// Trial texts: protocol and bench of one trial, as files that could have been written by hand and are recorded so.
#pragma once

#include <string>

#include "daq/result.hpp"
#include "protocols/campaign/suite_file.hpp"

namespace strigil::protocols {

/// What lies there in a trial, and by which protocol it is stroked, by name; empty: as the bench file says.
struct TrialSpecimen {
  std::string phantom;
  std::string condition;  ///< in place of the phantom: whichever has it
  std::string instrument;
  std::string emollient;
  std::string protocol;  ///< may be kProtocolOfPhantom
  bool blank = false;    ///< targets differ in nothing
  bool in_air = false;   ///< strokes above it, in the air
};
TrialSpecimen specimen_of(const Suite& suite, const Trial& trial);

/// `base` with the suite's changes, the phases it keeps, and the trial's factors. Errors: a phase to be kept that is
/// not there. Whether the values may be is for parse_protocol() to say.
daq::Result<std::string> protocol_text(const Suite& suite, const Trial& trial, const std::string& base,
                                       const std::string& file);
/// Likewise of the bench.
daq::Result<std::string> bench_text(const Suite& suite, const Trial& trial, const std::string& base,
                                    const std::string& file);

}  // namespace strigil::protocols
