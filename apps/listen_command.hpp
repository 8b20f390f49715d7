// Subcommand listen: a subscriber that the rig knows by name, as a screen would be.
#pragma once

#include <string>

namespace strigil::apps {

/// Listens to everything until the run ends and prints how many samples of each stream came (docs/publication.md,
/// Subscribers with a name). kFail when the publisher fell silent for 60 s.
int listen_command(const std::string& endpoint, const std::string& name);

}  // namespace strigil::apps
