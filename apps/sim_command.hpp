// strigil sim: the twins on pseudo-terminals and UDP, for a rig in another process.
#pragma once

#include <cstdint>
#include <string>

#include "apps/specimen.hpp"

namespace strigil::apps {

/// Runs until SIGINT or SIGTERM. Writes DIR/bench.toml, and DIR/phantom.toml where there is a phantom, and prints
/// "ready DIR/bench.toml". Exit code.
int sim_command(const std::string& bench, const std::string& dir, std::uint64_t seed, const std::string& truth,
                const SpecimenArguments& specimen);

}  // namespace strigil::apps
