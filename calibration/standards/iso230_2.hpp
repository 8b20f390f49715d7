// Positioning of a linear axis in both directions: accuracy, repeatability, systematic deviation, reversal.
// Method of ISO 230-2:2014 as recalled (metrology.md 3 [M]); uncertainty after ISO/TR 230-9 as recalled [M].
#pragma once

#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Positions read by the reference while the axis was sent to each target: [target][cycle], metres. `backward_m` empty:
/// the test was in one direction and only the figures of that direction are given.
struct StageReadings {
  std::vector<double> target_m;  // rising
  std::vector<std::vector<double>> forward_m;
  std::vector<std::vector<double>> backward_m;
};

/// What the reference and the room add. Ranges are full widths, taken as rectangular (u = width / (2 sqrt 3)).
struct StageConditions {
  double device_expanded_m = 0;      // U (k = 2) of the reference over the travel
  double misalignment_rad = 0;       // of the reference to the axis: cosine error L g^2 / 2
  double expansion_per_K = 0;        // of scale or screw
  double temperature_range_K = 0;    // how far its temperature may have been off what was corrected for
  double expansion_range_per_K = 0;  // not known of the expansion coefficient
  double temperature_from_20_K = 0;  // mean temperature minus 20 degC
  double drift_range_m = 0;          // of the drift test (EVE)
};

/// What the conditions add to a length (m): standard uncertainties.
struct LengthUncertainty {
  double fixed = 0;  ///< device, alignment, temperature
  double drift = 0;
};
[[nodiscard]] LengthUncertainty length_uncertainty(const StageConditions& conditions, double length_m);

/// One target. Deviations are measured minus target.
struct StageTarget {
  double target_m = 0;
  double mean_forward_m = 0;
  double mean_backward_m = 0;
  double mean_m = 0;  // of both directions
  double s_forward_m = 0;
  double s_backward_m = 0;
  double reversal_m = 0;  // B_i, signed: forward minus backward
  double repeatability_forward_m = 0;
  double repeatability_backward_m = 0;
  double repeatability_m = 0;
  Estimate deviation_forward_m;  // the mean with its uncertainty: scatter, device, alignment, temperature, drift
  Estimate deviation_backward_m;
  Estimate deviation_m;  // of both directions
  Estimate reversal;     // B_i with its uncertainty: what does not depend on direction cancels
};

/// The figures of the standard, metres. NaN where a test in one direction has none.
struct StageAssessment {
  TableIdentity table;
  std::vector<StageTarget> targets;
  std::size_t cycles = 0;
  bool bidirectional = false;
  double accuracy_forward_m = 0;  // A up
  double accuracy_backward_m = 0;
  double accuracy_m = 0;  // A
  double repeatability_forward_m = 0;
  double repeatability_backward_m = 0;
  double repeatability_m = 0;  // R
  double systematic_forward_m = 0;
  double systematic_backward_m = 0;
  double systematic_m = 0;                   // E
  double mean_range_m = 0;                   // M
  double reversal_m = 0;                     // B
  double mean_reversal_m = 0;                // mean of B_i
  double accuracy_expanded_m = 0;            // U (k = 2) of A, E, M: device, alignment, temperature, drift [M]
  double reversal_expanded_m = 0;            // U (k = 2) of B and R: drift alone [M]
  std::vector<std::string> nonconformities;  // where the test falls short of the standard, in words
};

/// Schema of tables/iso230_2_*.toml.
[[nodiscard]] LimitSchema iso230_2_schema();
/// Evaluates. Refuses NaN, targets that do not rise, cycles that differ from target to target and fewer than two of
/// them. Nothing is rounded. Pure; may allocate.
[[nodiscard]] daq::Result<StageAssessment> assess_stage(const StageReadings& readings,
                                                        const StageConditions& conditions, const LimitTable& table);
/// The same with the table that came with the program.
[[nodiscard]] daq::Result<StageAssessment> assess_stage(const StageReadings& readings,
                                                        const StageConditions& conditions = {});
/// Which of the standard's invariants a set of figures breaks, in words: E >= E up, A >= E, R >= B and their like
/// (metrology.md 3 and 9, rule 8). Empty for figures of assess_stage; for figures of others a check.
[[nodiscard]] std::vector<std::string> broken_invariants(const StageAssessment& figures);

}  // namespace strigil::calibration
