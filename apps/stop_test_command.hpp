// strigil stop-test: measures what a stop costs, at the start of a shift, and keeps the figures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/wires.hpp"
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

/// The file that keeps this bench's stop tests.
std::string stop_test_history_of(const rig::BenchConfig& bench);

/// One stop, measured on the bench. Errors: it could not be brought up, or did not come to the stop, in words.
daq::Result<rig::StopTestFigures> measure_stop(rig::StopTestKind kind, const rig::BenchConfig& bench, bool virtual_time,
                                               std::uint64_t seed, const WorldWatch& world = {});

}  // namespace strigil::apps
