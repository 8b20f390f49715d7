// The command line: every subcommand of strigil.
#pragma once

namespace strigil::apps {

/// Parses and carries out; the process's exit code. Main thread.
int command_line(int argc, char** argv);

}  // namespace strigil::apps
