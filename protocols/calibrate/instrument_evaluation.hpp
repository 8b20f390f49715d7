// From what the procedure "instrument" measured to values with their budgets. Pure, any thread. Each part refuses in
// words what makes no value. metrology.md 1.7, 2.4; docs/calibration_methods.md, Instrument.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "calibration/record/record.hpp"
#include "protocols/calibrate/instrument_plan.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// One line of a value's budget, in the value's own unit.
struct UncertaintyPart {
  std::string name;
  std::string distribution;  ///< "normal", "t", "rectangular"
  double u = 0;              ///< standard
  double dof = std::numeric_limits<double>::infinity();
};

struct InstrumentValue {
  std::string quantity;
  std::string channel;  ///< what of the instrument; unique in a record
  std::string unit;
  double value = 0;
  std::vector<UncertaintyPart> parts;

  /// Standard uncertainty with its effective degrees of freedom.
  [[nodiscard]] calibration::Estimate estimate() const;
  /// t of these at 95 %, at least 2.
  [[nodiscard]] double coverage_factor() const;
  [[nodiscard]] double expanded() const { return coverage_factor() * estimate().u; }
};

struct InstrumentFindings {
  std::vector<InstrumentValue> values;
  std::vector<calibration::DataTable> tables;
  std::vector<std::string> remarks;
};

/// What the parts below look at.
struct InstrumentData {
  const InstrumentPlan& plan;
  const InstrumentSteps& at;
  const ProcedureData& data;
  const ProcedureSetup& setup;
};

/// Mass and centre of mass, from both series of attitudes: what the clamp holds is the difference. The centre is seen
/// from the force sensor's origin, along its axes, the instrument upright.
[[nodiscard]] daq::Result<void> weigh_instrument(const InstrumentData& d, InstrumentFindings& out);
/// Stiffness of the edge along z.
[[nodiscard]] daq::Result<void> press_instrument(const InstrumentData& d, InstrumentFindings& out);
/// Friction of the edge on the block.
[[nodiscard]] daq::Result<void> rub_instrument(const InstrumentData& d, InstrumentFindings& out);
/// Bending modes out of what rings after taps (instrument_vibration.cpp).
[[nodiscard]] daq::Result<void> ring_instrument(const InstrumentData& d, InstrumentFindings& out);
/// Transmissibility from edge to grip by taps and by sweeps, and both compared (instrument_vibration.cpp).
[[nodiscard]] daq::Result<void> shake_instrument(const InstrumentData& d, InstrumentFindings& out);

/// All parts that the plan has, as a record without its head.
[[nodiscard]] daq::Result<ProcedureResult> evaluate_instrument(const InstrumentPlan& plan, const InstrumentSteps& at,
                                                               const ProcedureData& data, const ProcedureSetup& setup);

}  // namespace strigil::protocols
