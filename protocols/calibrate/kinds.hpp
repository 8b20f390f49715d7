// The kinds of procedures: each reads its own table of a procedure file. One line here for each, one in
// procedure_file.cpp.
#pragma once

#include <memory>

#include "daq/strict_toml.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// Reads the table of its kind ("[force]" for "force"). What is wrong is told to the table (refuse(), at its line and
/// column); the result may then be empty. `setup`: the bench and the reference it is to be carried out with.
using ReadProcedure = std::unique_ptr<Procedure> (*)(daq::StrictTable table, const ProcedureSetup& setup);

std::unique_ptr<Procedure> read_force_procedure(daq::StrictTable table, const ProcedureSetup& setup);
std::unique_ptr<Procedure> read_stage_procedure(daq::StrictTable table, const ProcedureSetup& setup);
std::unique_ptr<Procedure> read_delay_procedure(daq::StrictTable table, const ProcedureSetup& setup);
std::unique_ptr<Procedure> read_vibration_procedure(daq::StrictTable table, const ProcedureSetup& setup);
std::unique_ptr<Procedure> read_instrument_procedure(daq::StrictTable table, const ProcedureSetup& setup);

}  // namespace strigil::protocols
