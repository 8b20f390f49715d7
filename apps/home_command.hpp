// strigil home: the stage looks for its references, the force watched meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "daq/result.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

struct HomeArguments {
  std::string bench = "sim";
  std::string axes = "xyz";
  double timeout_s = 60;  ///< for each axis
  bool virtual_time = false;
  std::uint64_t seed = 1;
};

/// kPass: every axis that was asked for has its reference; kFail: not, in words on standard error; kUsage.
int home_command(const HomeArguments& arguments);

struct HomingOptions {
  rig::BenchConfig bench;
  std::string axes = "xyz";
  double timeout_s = 60;  ///< for each axis
  bool virtual_time = false;
  std::uint64_t seed = 1;
};
struct HomingDone {
  rig::Position found_m{};
  std::string failure;  ///< why there is no reference; empty: there is
};
/// Errors: no such axis, the bench cannot be brought up.
daq::Result<HomingDone> carry_out_homing(const HomingOptions& options);

}  // namespace strigil::apps
