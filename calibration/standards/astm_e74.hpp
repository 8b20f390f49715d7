// A force sensor as a secondary standard: degree of the curve, lower limit factor, loading ranges. Method of ASTM E74
// as recalled (metrology.md 1.2 [M], key points [S]).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibration/fit/degree_selection.hpp"
#include "calibration/fit/polynomial_fit.hpp"
#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One force applied and what the instrument showed (zero taken off), in its own unit.
struct E74Observation {
  double force_N = 0;
  double deflection = 0;
  int run = 1;
  double position_deg = 0;
};

/// What the forces came from; decides which class may be given.
enum class E74Reference { unknown, primary, class_AA, class_A };

struct E74Readings {
  std::vector<E74Observation> observations;
  double resolution = 0;  // of the deflection
  E74Reference reference = E74Reference::unknown;
  double reference_expanded_pct = 0;  // what is known of the forces applied (k = 2); a primary standard's is checked
  std::optional<double> creep_recovery_pct;  // change of zero 30 s to 5 min after F_max was removed, of its deflection
  std::optional<double> change_pct;          // since the last calibration, worst of the range
};

struct E74Range {
  std::string class_name;
  double lowest_N = 0;
  double highest_N = 0;
  std::string decided_by;  // LLF, resolution or the smallest force applied
};

struct E74Assessment {
  TableIdentity table;
  std::size_t distinct_forces = 0;    // other than zero
  DegreeChoice degrees;               // Annex A1 on the averages at these
  PolynomialFit deflection_of_force;  // all observations
  PolynomialFit force_of_deflection;
  double llf_deflection = 0;  // 2.4 s of the first, not below the resolution
  double llf_slope_N = 0;     // that over the slope at zero force
  double llf_N = 0;           // 2.4 s of the second, not below the resolution: ranges rest on this one
  double resolution_N = 0;
  double smallest_force_N = 0, largest_force_N = 0;
  double limit_A_N = 0, limit_AA_N = 0;  // LLF times its multiple, before other limits
  std::vector<E74Range> ranges;
  std::vector<std::string> refused;          // why a class was not given, in words
  std::vector<std::string> nonconformities;  // while there is any, no range is given
  std::vector<std::string> remarks;          // such as a change since the last calibration that shortens the interval
};

/// Schema of tables/astm_e74*.toml.
[[nodiscard]] LimitSchema e74_schema();
/// Evaluates. `degree` forces one (0: the test decides). Refuses NaN, fewer observations than a curve needs, forces not
/// above zero at the top, and a curve that does not rise or fall all over the range. Pure; nothing is rounded.
[[nodiscard]] daq::Result<E74Assessment> assess_e74(const E74Readings& readings, const LimitTable& table,
                                                    int degree = 0);
[[nodiscard]] daq::Result<E74Assessment> assess_e74(const E74Readings& readings, int degree = 0);

/// Force of a deflection within a class's range; refuses below its lower limit and above the largest force applied.
[[nodiscard]] daq::Result<double> e74_force_N(const E74Assessment& calibration, double deflection,
                                              const std::string& class_name);

}  // namespace strigil::calibration
