// A calibration carried out by the rig, from the procedure to the record that is kept.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "apps/wires.hpp"
#include "calibration/record/store.hpp"
#include "daq/result.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::apps {

/// What stands on a record and no procedure measures.
struct RecordHead {
  std::string id;  ///< empty: KIND-SERIAL-TIME
  std::string operator_name;
  std::string make;
  std::string model;
  std::string serial;  ///< empty: the bench's [force] serial
  std::string adjustment = "none";
  std::string supersedes;
  std::string notes;
};

struct CalibrateOptions {
  protocols::ProcedureSetup setup;  ///< bench, reference, temperature
  const protocols::ProcedureFile* procedure = nullptr;
  std::string reference_text;  ///< as read, for the run file
  RecordHead head;
  std::string records;  ///< folder of the store
  std::string raw;      ///< run file to make: what the record rests on; empty: none is made
  bool virtual_time = false;
  std::uint64_t seed = 1;
  std::atomic<int>* request = nullptr;  ///< as in ShortRunOptions
  WorldWatch world = {};                ///< virtual time only
};

struct CalibrateDone {
  calibration::KeptRecord kept;
  std::vector<std::string> remarks;
  double duration_s = 0;
};

/// One thread; takes as long as the procedure. In virtual time the loads that are asked for are put on the simulated
/// sensor (simulated_hands.hpp) as `prompter` answers. Errors: nothing is kept; what happened, and what to check.
daq::Result<CalibrateDone> carry_out_calibration(const CalibrateOptions& options, protocols::Prompter& prompter);

}  // namespace strigil::apps
