// Drills in real time: the simulated bench on real wires in this process, the rig in a process of its own.
#pragma once

#include "apps/drill.hpp"

namespace strigil::apps {

/// One run of `protocol` on the bench file `bench` (with [twin]), with `fault` made in it. Everything goes into the
/// new folder `dir`. Errors: wires or processes could not be had.
daq::Result<DrillRun> drill_really(const std::string& protocol, const std::string& bench, const sim::SimFault& fault,
                                   std::uint64_t seed, const std::string& dir);

}  // namespace strigil::apps
