// One run, from bench and plan to verdict and files; the same code in virtual and in real time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/bench_health.hpp"
#include "apps/publication.hpp"
#include "apps/wires.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"
#include "protocols/verdict.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

class DetectorSeat;

struct RunOptions {
  rig::BenchConfig bench;
  protocols::Plan plan;
  std::string protocol_text;  ///< as read: recorded with the run
  std::string stop_test;      ///< the last one's record (JSON), recorded with the run; empty: there is none
  bool virtual_time = false;
  std::uint64_t seed = 1;
  std::string out;                     ///< run file; must not exist
  std::optional<daq::WallTime> today;  ///< by which calibrations are judged; nothing: this computer's clock
  Publication publication;
  std::vector<DetectorSeat*> detectors;  ///< that listen to it, and are waited for in virtual time
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
  std::function<void(const RigHealth&)> health;  ///< as often; real time only
  std::function<void(const std::string& line)> say;
  /// Once, where the run is published, before anything moves.
  std::function<void(const std::string& run_id, const daq::Publisher& publisher)> publishing;
  /// Set by a signal handler: 0 nothing, 1 abort to safe, 2 emergency stop.
  std::atomic<int>* request = nullptr;
  /// Counted up by a signal handler: the run is suspended, or goes on.
  std::atomic<int>* suspend = nullptr;
  WorldWatch world;  ///< virtual time only
};

/// Errors (nothing was judged): the force's calibration may not be believed, bench cannot be brought up, file cannot be
/// made, endpoint busy. A verdict otherwise.
daq::Result<RunOutcome> run(const RunOptions& options, const RunWatcher& watcher);

}  // namespace strigil::apps
