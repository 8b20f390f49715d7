// Where the program finds what ships with it, and names things it writes.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::apps {

/// Exit codes of every subcommand (README.md).
enum ExitCode : int { kPass = 0, kFail = 1, kInvalid = 2, kUsage = 3 };

/// "0.1.0 (a1b2c3d)" where the commit is known, "0.1.0 (a1b2c3d+)" when it was built with changes on top of it.
std::string version();
/// Folders that may hold rig/benches and protocols/library: $STRIGIL_HOME, the checkout around the program, the
/// checkout it was built from.
std::vector<std::string> home_dirs();
/// A file by path, or by name without ".toml" in `folder` of one of home_dirs().
daq::Result<std::string> find_toml(const std::string& name_or_path, const std::string& folder, const std::string& what);

inline constexpr mode_t kOwnerOnly = 0600;
inline constexpr mode_t kAnyoneReads = 0644;
/// A new file of that mode with that text; what exists is left alone. Errors: it exists, it cannot be made.
daq::Result<void> write_new(const std::string& path, mode_t mode, std::string_view text);
/// That text in place of what the file held, all of it or nothing. Errors: it cannot be written.
daq::Result<void> write_whole(const std::string& path, std::string_view text);

}  // namespace strigil::apps
