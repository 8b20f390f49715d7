// strigil collect: a suite's campaign, and its folder made a data set that others can use without us.
#pragma once

#include <string>

namespace strigil::apps {

struct CollectArguments {
  std::string suite;
  std::string out;
  bool resume = false;
  bool quiet = false;
};

/// Exit code (places.hpp): the campaign's, as without detectors.
int collect_command(const CollectArguments& arguments);

}  // namespace strigil::apps
