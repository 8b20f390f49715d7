// Drills in virtual time: the run in this process, on a simulated bench that it can look into.
#pragma once

#include "apps/drill.hpp"
#include "apps/run_command.hpp"

namespace strigil::apps {

/// One run of `prepared` with `fault` made in it; the run file goes to `out`. Errors: the run could not begin.
daq::Result<DrillRun> drill_virtually(const Prepared& prepared, const sim::SimFault& fault, std::uint64_t seed,
                                      const std::string& out);

}  // namespace strigil::apps
