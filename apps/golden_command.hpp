// strigil golden, strigil compare: runs held against references, and against each other.
#pragma once

#include <string>
#include <vector>

namespace strigil::apps {

struct GoldenLearnArguments {
  std::vector<std::string> runs;
  std::string out;
  double false_reject = 0.05;
  double bin_mm = 1;
};
/// Learns what the strokes of these runs look like. Exit code (places.hpp).
int golden_learn_command(const GoldenLearnArguments& arguments);

struct GoldenCheckArguments {
  std::string run;
  std::string against;
  std::string out;  ///< page (.html) or plot (.svg) to make; empty: none
};
/// kFail: the run leaves the envelope, and where first.
int golden_check_command(const GoldenCheckArguments& arguments);

struct CompareArguments {
  std::string first;
  std::string second;
  bool by_time = false;  ///< else by millimetre
  double bin_mm = 1;
  std::string out;  ///< page (.html) or plot (.svg) to make; empty: none
};
/// Prints how the strokes of two runs differ.
int compare_command(const CompareArguments& arguments);

}  // namespace strigil::apps
