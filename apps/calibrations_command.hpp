// strigil calibrations: the records of a store, and the check standard of a bench.
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace strigil::apps {

/// Adds `calibrations` with its subcommands to the command line; they set `code` (places.hpp).
void add_calibrations(CLI::App& app, int& code);

/// A line for each record: what it is of, until when, and what later ones say of it. Exit code 1 when the chain is
/// broken.
int calibrations_list(const std::string& store, bool json);
/// What a record says, for people; `json`: its file.
int calibrations_show(const std::string& name, const std::string& store, bool json);
/// Follows the whole chain, and looks at the raw files where they are there. Exit code 1: the first broken record, in
/// words.
int calibrations_check(const std::string& store);

struct ImportArguments {
  std::string file;  ///< a record of another store, or a digital calibration certificate (DCC, XML)
  std::string store;
  std::string id;  ///< of the new record; empty: as in the file
};
int calibrations_import(const ImportArguments& arguments);

struct RevokeArguments {
  std::string name;
  std::string store;
  std::string reason;
  std::string operator_name;
};
int calibrations_revoke(const RevokeArguments& arguments);

struct CheckStandardArguments {
  std::string bench = "sim";
  bool stage = false;      ///< of the stage's error map, not of the force
  bool vibration = false;  ///< of the accelerometer; not both
  std::string standard;  ///< empty: the bench's
  double value = 0;
  std::optional<double> expected;   ///< nothing: as at the check before
  std::optional<double> tolerance;  ///< nothing: as at the check before
  std::string unit;  ///< empty: N, m of the stage, m/s2 of the accelerometer
  std::string operator_name;
  std::string mended;
};
/// Adds a check to the bench's history and judges it. Exit code 1: out of control.
int check_standard(const CheckStandardArguments& arguments);

}  // namespace strigil::apps
