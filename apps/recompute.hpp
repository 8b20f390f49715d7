// Recompute: a run's verdict once more, from what its file holds, off line.
#pragma once

#include <string>
#include <vector>

#include "daq/result.hpp"

namespace strigil::apps {

/// What came of it, in sentences for a person.
struct Recomputed {
  std::string verdict;                ///< PASS, FAIL or INVALID, as recomputed; empty: it could not be
  std::vector<std::string> same;      ///< recomputed and the same to the bit
  std::vector<std::string> checked;   ///< computed another way from the raw data, and as near as stated
  std::vector<std::string> trusted;   ///< taken as the run says
  std::vector<std::string> problems;  ///< none: the verdict stands
};
/// Plan from protocol and bench; timing certificate, counts and ledger from the data; the strokes' mean forces from the
/// counts; and from all that and the recorded evidence of the steps the verdict, compared byte for byte with the
/// recorded one. Errors: not a run file, or a damaged one. Off the loop; the thread that owns HDF5.
daq::Result<Recomputed> recompute_run(const std::string& run_file);

}  // namespace strigil::apps
