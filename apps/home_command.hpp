// strigil home: the stage looks for its references, the force watched meanwhile.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace strigil::apps
