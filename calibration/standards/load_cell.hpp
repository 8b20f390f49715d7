// Figures of a force sensor beside its calibration: zero return, hysteresis, nonlinearity, crosstalk, and OIML R 60's
// vocabulary of permissible errors. metrology.md 1.5 [S], 1.7, 1.8 [M].
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/standards/creep.hpp"
#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Straight line that nonlinearity is told from: through both ends, or the least-squares line of the rising readings.
enum class ReferenceLine { terminal, least_squares };

struct HysteresisPoint {
  double force_N = 0;
  double reversibility_pct = 0;  // falling minus rising, of the rising deflection
  double hysteresis_pct = 0;     // of the full deflection
};

/// All in % of the full deflection; signed where a sign has a meaning.
struct HysteresisFigures {
  ReferenceLine line = ReferenceLine::terminal;
  std::vector<HysteresisPoint> points;
  double hysteresis_pct = 0;    // largest, with its sign
  double nonlinearity_pct = 0;  // of the rising readings
  double combined_pct = 0;      // of rising and falling readings: the largest distance from the line
};

/// Forces rise, both lists are in the order of forces; readings have their zero taken off. Refuses NaN, lists that do
/// not match, fewer than three forces, deflections of zero.
[[nodiscard]] daq::Result<HysteresisFigures> hysteresis_figures(std::span<const double> force_N,
                                                                std::span<const double> rising,
                                                                std::span<const double> falling, ReferenceLine line);

/// Change of zero over a loading, % of the full deflection. Refuses NaN and no deflection.
[[nodiscard]] daq::Result<double> zero_return_pct(double zero_before, double zero_after, double full_deflection);

/// X_ij = 100 * (reading on axis i when axis j alone carries its full load) / full scale of i, %. `reading[j][i]` in
/// the unit of axis i, `full_scale[i]` > 0. The diagonal is each axis's own output. Refuses NaN and shapes that do not
/// match.
[[nodiscard]] daq::Result<std::vector<std::vector<double>>> crosstalk_pct(
    const std::vector<std::vector<double>>& reading, std::span<const double> full_scale);
/// Largest entry beside the diagonal, in magnitude, with its sign; 0 for a single axis.
[[nodiscard]] double largest_crosstalk_pct(const std::vector<std::vector<double>>& crosstalk);

/// Schema of tables/oiml_r60.toml.
[[nodiscard]] LimitSchema oiml_r60_schema();
/// What R 60 asks of one load cell. Forces in newton; v is the verification interval in newton.
struct R60Readings {
  double interval_N = 0;
  std::vector<double> load_N;        // applied
  std::vector<double> indication_N;  // in newton by the cell's own calibration
  std::optional<CreepRecord> creep;  // its readings in newton, full_deflection the load
  std::optional<double> return_N;    // output at minimum dead load after 30 min of load, minus before
  double largest_N = 0;              // E_max
  double apportioning = 0.7;         // p_LC
};
struct R60Figure {
  std::string name;
  double value_N = 0;
  double limit_N = 0;
  bool kept = false;
};
struct R60Assessment {
  TableIdentity table;
  std::vector<R60Figure> figures;
  bool kept = false;                      // all of them
  std::vector<std::string> not_measured;  // in words
};
/// Judges against the envelope of class C. Refuses NaN, loads beyond the last step, p_LC outside the table's bounds.
[[nodiscard]] daq::Result<R60Assessment> assess_r60(const R60Readings& readings, const LimitTable& table);
/// Permissible error at a load, N: apportioning times the step's multiple of v. Refuses loads beyond the last step.
[[nodiscard]] daq::Result<double> r60_mpe_N(double load_N, double interval_N, double apportioning,
                                            const LimitTable& table);

}  // namespace strigil::calibration
