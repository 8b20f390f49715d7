// Risk of a decision rule over many items: how often a bad item is accepted and a good one rejected (JCGM 106 9.5).
#pragma once

#include "calibration/standards/conformity.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// What is known of the items before they are measured, and of the measurement. Both normal.
struct RiskModel {
  double process_mean = 0;
  double process_sd = 0;
  double measurement_u = 0;
  Tolerance tolerance;
  Tolerance acceptance;  // the rule: accepted when the indication lies inside
};

struct DecisionRisk {
  double false_accept = 0;              // PFA: out of tolerance and accepted, of all items
  double false_reject = 0;              // PFR: in tolerance and rejected, of all items
  double accepted = 0;                  // of all items
  double in_tolerance = 0;              // of all items
  double false_accept_of_accepted = 0;  // conditional PFA (consumer's risk); NaN when none is accepted
  double false_reject_of_good = 0;      // NaN when none is good
};

/// Integrates to about 1e-12. Refuses NaN, process_sd <= 0, measurement_u < 0 and tolerances without limits. Pure.
[[nodiscard]] daq::Result<DecisionRisk> decision_risk(const RiskModel& model);

/// Standard deviation of a centred process of which the part `in_tolerance` (0..1) lies within +-half_width.
[[nodiscard]] daq::Result<double> process_sd_for(double in_tolerance, double half_width);

/// Factor of a symmetric two-sided tolerance's half-width at which PFA is `false_accept` for a centred process; at most
/// 1. Refuses a risk that no acceptance zone reaches.
[[nodiscard]] daq::Result<double> guard_factor_for_risk(const RiskModel& model, double false_accept);

}  // namespace strigil::calibration
