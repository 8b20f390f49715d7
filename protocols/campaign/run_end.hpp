// What a finished run file says of itself: its verdict, read back. What is judged is what is on the disk.
#pragma once

#include <string>

#include "daq/result.hpp"
#include "protocols/plan.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {

struct RunEnd {
  Verdict verdict;  ///< strokes and reasons; of the uncertainties none
  double duration_s = 0;
};
/// Of the run file's /end; `plan` is the run's own. Errors: its writer never came to the end, or it is of another plan.
daq::Result<RunEnd> read_run_end(const std::string& run_file, const Plan& plan);

}  // namespace strigil::protocols
