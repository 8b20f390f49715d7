// Subcommand drill: every fault of a catalogue is made on purpose, and what the rig did about it is scored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace strigil::apps {

struct DrillArguments {
  std::string catalogue = "catalogue";
  std::string bench;              ///< in place of the catalogue's; empty: that
  std::string protocol;           ///< likewise
  std::vector<std::string> only;  ///< the drills of these names; empty: all
  bool real = false;
  int repeats = 1;  ///< for each phase, at instants of their own
  std::uint64_t seed = 1;
  std::string json;  ///< file to write
  std::string keep;  ///< folder that keeps the run files; empty: they go
};
/// kPass when every drill is good, kFail otherwise.
int drill_command(const DrillArguments& arguments);

}  // namespace strigil::apps
