// strigil qualify: grades this computer's jitter and says what it may run.
#pragma once

#include <string>

namespace strigil::apps {

struct QualifyArguments {
  double seconds = 20;
  std::string dir = "runs";  ///< where runs are recorded
  std::string at_least;      ///< grade; empty: any will do
  bool json = false;
};

/// kPass; kFail when the grade is worse than `at_least`; kUsage when nothing could be measured. Main thread.
int qualify_command(const QualifyArguments& arguments);

}  // namespace strigil::apps
