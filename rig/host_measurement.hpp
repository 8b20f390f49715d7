// Host measurement: how late this computer's threads, wires and disk are. What it means: rig/host_qualification.
#pragma once

#include <string>

#include "daq/result.hpp"
#include "rig/host_qualification.hpp"

namespace strigil::rig {

struct HostMeasurementPlan {
  double seconds = 20;
  std::string folder = "runs";  ///< where runs are recorded; made when missing
};

/// Blocks for so long, while threads as of a run are at work all at once, at the priority that a run has: one that
/// wakes by a timer at 1 kHz, one that sends a byte over a pseudo-terminal through the real io thread and waits for it
/// as the loop waits, the far end that sends it back, and one that writes and syncs as much as a run does. Leaves no
/// file behind. Off the loop. Errors: no pseudo-terminal, folder cannot be written.
daq::Result<HostMeasurement> measure_host(const HostMeasurementPlan& plan);

/// What the system says of itself: reads /sys and /proc, asks for SCHED_FIFO on a thread of its own. No waiting.
HostFacts read_host_facts();

}  // namespace strigil::rig
