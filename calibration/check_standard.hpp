// Check standard: one quick known value before each session, on a control chart. Pure but for the history's file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/control_chart.hpp"
#include "daq/time.hpp"

namespace strigil::calibration {

/// One check: a line of JSON in the history.
struct CheckPoint {
  daq::WallTime at;
  std::string standard;     ///< what was measured, e.g. "weight 500 g"
  std::string calibration;  ///< hash of the record in use; empty: nominal scale
  double value = 0;
  std::string unit;
  double expected = 0;
  double tolerance = 0;  ///< the largest deviation from `expected`; 0: none is set
  std::string operator_name;
  std::string mended;                 ///< what was done after a failure; not empty: the chart begins anew here
  std::vector<std::string> failures;  ///< empty: it passed
};

inline constexpr std::size_t kBasePoints = 10;  ///< of the base period [A]

/// The chart of one standard under one calibration, since it last began anew.
struct CheckChart {
  std::vector<CheckPoint> points;
  std::optional<ChartLimits> limits;  ///< none: the base period is not over
  std::vector<EwmaPoint> average;     ///< of the points after the base period
};
/// The first kBasePoints that passed are the base period.
CheckChart chart_of(const std::vector<CheckPoint>& history, std::string_view standard, std::string_view calibration);

/// Why this check is not good enough: beyond its tolerance, beyond 3 sigma, a pattern (Western Electric), or the
/// average has drifted (EWMA). While the base period lasts only the tolerance counts, and one must be set. After a
/// check that failed the next fails, too, until `mended` says what was done. Empty: it is good.
std::vector<std::string> judge_check(const CheckPoint& point, const std::vector<CheckPoint>& history);

/// Why a run may not begin: no check of this standard under this calibration, one too old, one that failed. Empty: it
/// may.
std::string check_gate(const std::vector<CheckPoint>& history, std::string_view standard, std::string_view calibration,
                       double valid_s, daq::WallTime now);

/// A line without its end.
std::string to_json(const CheckPoint& point);
daq::Result<CheckPoint> parse_check(std::string_view line);
/// All checks of a file, oldest first; none where there is no file. Errors: a line that is none, with its number.
daq::Result<std::vector<CheckPoint>> read_checks(const std::string& path);
daq::Result<void> append_check(const std::string& path, const CheckPoint& point);

}  // namespace strigil::calibration
