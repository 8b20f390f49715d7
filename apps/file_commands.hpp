// Subcommands that work on run files: info, ledger, verify, recover, retime, profile, replay, import.
#pragma once

#include <string>

#include "apps/publication.hpp"

namespace strigil::apps {

/// `statistics`: also mean, deviation and extremes of every channel, which reads the whole file.
int info_command(const std::string& run, bool statistics);
/// What every hop counted. Exit code 1 when samples are missing that no hop answers for.
int ledger_command(const std::string& run);
/// kPass when the file holds together, kFail with the problems in words when it does not.
int verify_command(const std::string& run);
int recover_command(const std::string& run, const std::string& out);

/// Fits the clocks again, from both sides, and looks at the taps with the new times. `out`: also a run file with them.
int retime_command(const std::string& run, const std::string& out);

struct ProfileArguments {
  std::string run;
  std::string stream;  ///< empty: all
  double bin_mm = 1;
  bool all_motion = false;  ///< not only strokes
};
/// Streams over the stage's position, pass by pass, as CSV on standard output; how passes there and back lie on each
/// other on standard error.
int profile_command(const ProfileArguments& arguments);

struct ReplayArguments {
  std::string run;
  Publication publication{"tcp://127.0.0.1:*", 0, {}, {}};
  double rate = 1;  ///< times real time; 0: as fast as possible
};
int replay_command(const ReplayArguments& arguments);

int import_command(const std::string& csv, const std::string& map, const std::string& out);

}  // namespace strigil::apps
