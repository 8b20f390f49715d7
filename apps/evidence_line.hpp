// The command line of what is made of runs afterwards: capsules, golden strokes, comparisons.
#pragma once

#include <CLI/CLI.hpp>

namespace strigil::apps {

/// Adds the subcommands; `code` takes the exit code and must outlive the parsing.
void add_evidence(CLI::App& app, int& code);

}  // namespace strigil::apps
