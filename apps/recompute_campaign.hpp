// Recompute: the court's judgement of a campaign once more, from its run files, off line.
#pragma once

#include <string>

#include "daq/result.hpp"

namespace strigil::apps {

/// The detectors of the folder's suite.toml hear its valid runs anew, and what the court makes of that is compared byte
/// for byte with its court.json. A sentence for a person; empty where the folder is no campaign's, or has no detectors
/// that were judged. Errors: it is not what the folder says, or cannot be made. Only reads. The thread that owns HDF5.
daq::Result<std::string> recompute_court(const std::string& folder);

}  // namespace strigil::apps
