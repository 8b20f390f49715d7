// One run, from bench and plan to verdict and files; the same code in virtual and in real time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "apps/publication.hpp"
#include "daq/fanout.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"
#include "protocols/verdict.hpp"
#include "rig/bench.hpp"

namespace strigil::sim {
class World;
}

namespace strigil::apps {

/// How much room and time this computer has. Tests make it small to show that every loss has its name.
struct BusyComputer {
  std::size_t chunks = 4096;  ///< that may wait for the loop: half a second of 7 kHz force, one record a datagram
  std::size_t recorder_blocks = daq::kSinkBlocks;
  std::size_t publisher_blocks = daq::kSinkBlocks;
  daq::Duration stall_at{};  ///< virtual time only: the loop does not turn for `stall` from here on
  daq::Duration stall{};
};

struct RunOptions {
  rig::BenchConfig bench;
  protocols::Plan plan;
  std::string protocol_text;  ///< as read: recorded with the run
  bool virtual_time = false;
  std::uint64_t seed = 1;
  std::string out;  ///< run file; must not exist
  Publication publication;
  BusyComputer busy;
};

struct RunOutcome {
  protocols::Verdict verdict;
  protocols::TimingCertificate timing;
  std::vector<daq::SubscriberCounts> subscribers;  ///< who listened under a name, and what each lost
  std::string run_file;
  double duration_s = 0;       ///< host time from start to the end of the retract
  double wall_duration_s = 0;  ///< what it took on this computer
};

/// What a person watches while it runs. Called from the main thread in real time, from the loop's in virtual time.
struct RunWatcher {
  std::function<void(const protocols::Progress&, const rig::Readings&)> progress;
  std::function<void(const std::string& line)> say;
  /// Set by a signal handler: 0 nothing, 1 abort to safe, 2 emergency stop.
  std::atomic<int>* request = nullptr;
  /// Virtual time only, each time it has come on: the simulated world as it really is. For as long as the answer says,
  /// this computer then stands still.
  std::function<daq::Duration(const sim::World&, daq::HostTime)> world;
};

/// Errors (nothing was judged): bench cannot be brought up, file cannot be made, endpoint busy. A verdict otherwise.
daq::Result<RunOutcome> run(const RunOptions& options, const RunWatcher& watcher);

}  // namespace strigil::apps
