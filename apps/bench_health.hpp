// Bench health: what an engineer asks of a bench that works: is the loop in time, do rings fill, what has the phantom
// received, what may be believed. The JSON of the control channel's `health` (docs/control.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daq/ring.hpp"
#include "protocols/dose_picture.hpp"
#include "protocols/timing_certificate.hpp"
#include "rig/bench.hpp"
#include "rig/loop.hpp"

namespace strigil::apps {

/// One ring between two threads.
struct RingState {
  std::string name;
  std::uint64_t waiting = 0;
  daq::RingCounts counts;
};

/// A rig while it turns. Value.
struct RigHealth {
  rig::SupervisorState supervisor = rig::SupervisorState::kFaulted;
  std::uint64_t ticks = 0;
  std::uint64_t overruns = 0;
  rig::TickIntervals::Counts intervals{};
  std::vector<RingState> rings;
  protocols::DosePicture dose;
};

/// What a loop and its sinks' rings say, without the dose. Any thread, while both live.
RigHealth health_of(const rig::Loop& loop, const std::vector<std::shared_ptr<daq::SinkRings>>& sinks,
                    const daq::ChunkRing& chunks);

nlohmann::ordered_json health_json(const RigHealth& health);

/// Which calibration the bench names and what is known against it before any protocol is; reads the store.
nlohmann::ordered_json calibration_json(const rig::BenchConfig& bench);
/// The newest stop tests of the bench, oldest first; reads its history.
nlohmann::ordered_json stop_tests_json(const rig::BenchConfig& bench);

}  // namespace strigil::apps
