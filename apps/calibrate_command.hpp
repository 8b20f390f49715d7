// strigil calibrate: a procedure carried out by the rig and by hands, and the record that comes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/calibrate.hpp"

namespace CLI {
class App;
}

namespace strigil::apps {

/// Adds `calibrate` to the command line; it sets `code` (places.hpp).
void add_calibrate(CLI::App& app, int& code);

struct CalibrateArguments {
  std::string procedure;  ///< "list", a name from protocols/procedures or a file
  std::string bench = "sim";
  std::string reference;  ///< file: what is compared with
  std::string answers;    ///< file; empty: the terminal
  std::string records;    ///< empty: the bench's [calibration] store
  std::string raw;        ///< empty: runs/calibrations/ID-TIME.h5
  bool virtual_time = false;
  std::uint64_t seed = 1;
  std::optional<double> temperature_C;
  RecordHead head;
};

/// Exit code 1: no calibration came of it.
int calibrate_command(const CalibrateArguments& arguments);
/// A line for each procedure there is.
int calibrate_list();

}  // namespace strigil::apps
