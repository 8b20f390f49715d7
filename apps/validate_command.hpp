// strigil validate: a suite's campaign, carried out unattended, judged and reported.
#pragma once

#include <string>

namespace strigil::apps {

struct ValidateArguments {
  std::string suite;
  std::string out;
  bool resume = false;
  bool json = false;
  bool quiet = false;
  bool pdf = false;      ///< report.pdf too, by a program of the system's
  std::string baseline;  ///< file to be compared with; empty: none
};

/// Exit code (places.hpp).
int validate_command(const ValidateArguments& arguments);

}  // namespace strigil::apps
