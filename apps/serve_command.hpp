// strigil serve: a bench that stays up and takes requests over the control channel (docs/control.md).
#pragma once

#include <string>
#include <vector>

#include "apps/publication.hpp"
#include "protocols/detectors/answer_message.hpp"

namespace strigil::apps {

struct ServeArguments {
  std::string bench;
  std::string control = "tcp://127.0.0.1:5560";
  Publication publication;  ///< its keys guard the control channel too
  std::string runs = "runs";
  std::vector<std::string> detector_commands;
  protocols::DeskRules detector_rules;
};

/// Until Ctrl-C or somebody in control asks it to quit. Exit code (places.hpp).
int serve_command(const ServeArguments& arguments);

}  // namespace strigil::apps
