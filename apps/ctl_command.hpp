// strigil ctl: one request over the control channel, from a terminal or a script.
#pragma once

#include <string>
#include <vector>

namespace strigil::apps {

struct CtlArguments {
  std::string endpoint = "tcp://127.0.0.1:5560";
  std::string client;  ///< empty: user@host
  std::string verb;
  std::vector<std::string> settings;  ///< KEY=VALUE: a number, true, false, or text
  std::string token_file;             ///< where `take` keeps its token; empty: $XDG_RUNTIME_DIR/strigil-ctl.token
  double timeout_s = 3;
  double hold_s = 0;       ///< jog, move, approach: hold the switch for so long, then let go
  std::string server_key;  ///< public key (Z85) of a rig beyond this computer
  std::string secret_key;  ///< file, with FILE.pub beside it
};

/// kPass: done, the answer is on standard output; kFail: refused, in words; kUsage: no answer, or nonsense asked.
int ctl_command(const CtlArguments& arguments);

}  // namespace strigil::apps
