// strigil stop-test: measures what a stop costs, at the start of a shift, and keeps the figures.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/short_run.hpp"
#include "daq/result.hpp"
#include "rig/bench.hpp"
#include "rig/stop_test_history.hpp"

namespace strigil::apps {

struct StopTestArguments {
  std::string bench = "sim";
  bool virtual_time = false;
  std::uint64_t seed = 1;
  bool json = false;
};

/// kPass, kFail: a limit was exceeded or a figure has worsened; kInvalid: it could not be measured; kUsage.
int stop_test_command(const StopTestArguments& arguments);

struct StopTestOptions {
  rig::BenchConfig bench;  ///< with [stop_test] and [taps]
  bool virtual_time = false;
  std::uint64_t seed = 1;
  std::atomic<int>* request = nullptr;  ///< as in ShortRunOptions
};

/// Every stop of one test, judged against the bench's history, and kept in it (not in virtual time). `measured` hears of
/// each. A stop that could not be measured is a failure of the record, which `complete` then says. Errors: the bench
/// cannot be brought up; the history.
struct StopTestDone {
  rig::StopTestRecord record;
  bool complete = true;
};
daq::Result<StopTestDone> carry_out_stop_test(const StopTestOptions& options,
                                              const std::function<void(const rig::StopTestFigures&)>& measured);

/// Errors: the bench asks for stop tests, and the last one does not allow a run. `last`: it, as JSON, if there is one.
daq::Result<void> pass_stop_test_gate(const rig::BenchConfig& bench, std::string& last);

/// The file that keeps this bench's stop tests.
std::string stop_test_history_of(const rig::BenchConfig& bench);

/// One stop, measured with a rig that was brought up on the bench_for() its kind. Errors: it did not come to the stop,
/// or something else stopped it, in words.
daq::Result<rig::StopTestFigures> measure_stop(rig::StopTestKind kind, ShortRun& run);

/// The bench with the interlock's limits as they are in such a test.
rig::BenchConfig bench_for(rig::StopTestKind kind, const rig::BenchConfig& bench);

}  // namespace strigil::apps
