// Control charts: constants, limits from a base period, and the rules that say when a process has changed.
// Pure; off the loop. Sources: metrology.md 5.2; Nelson 1984, Western Electric 1956, Roberts 1959, Page 1954 [M].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

/// Factors for subgroups of n normal values; computed from the distribution of the range and of s, to 1e-9.
struct SpcConstants {
  double d2 = 0;  ///< E(range) / sigma
  double d3 = 0;  ///< sd(range) / sigma
  double c4 = 0;  ///< E(s) / sigma
  double A2 = 0, A3 = 0, D3 = 0, D4 = 0, B3 = 0, B4 = 0;
};
/// Precondition: 2 <= n <= 100.
SpcConstants spc_constants(int n);

enum class ChartKind : std::uint8_t { kXbarR, kXbarS, kIndividuals };  ///< the last: with moving ranges of two

/// What a process in control keeps to: of the plotted value, and of the spread (range, s or moving range) beside it.
struct ChartLimits {
  ChartKind kind = ChartKind::kIndividuals;
  int subgroup = 1;
  double centre = 0;
  double sigma = 0;         ///< of a plotted value
  double sigma_within = 0;  ///< of a single value
  double spread_centre = 0, spread_lower = 0, spread_upper = 0;
  [[nodiscard]] double lower() const noexcept { return centre - 3 * sigma; }
  [[nodiscard]] double upper() const noexcept { return centre + 3 * sigma; }
};

/// Limits from a base period, subgroup by subgroup (of one value each for kIndividuals). Errors: fewer than two
/// subgroups, sizes that differ or do not suit the chart, numbers that are not finite, no spread at all.
daq::Result<ChartLimits> limits_of(ChartKind kind, const std::vector<std::vector<double>>& base);

/// The plotted value and the spread of every subgroup. Individuals have a moving range from the second on (the first:
/// 0).
struct ChartPoints {
  std::vector<double> values;
  std::vector<double> spreads;
};
ChartPoints points_of(ChartKind kind, const std::vector<std::vector<double>>& subgroups);

/// How many points make each pattern; 0: that rule is not used. Numbered as by Nelson.
struct RuleSet {
  int beyond_3 = 1;      ///< 1: so many beyond 3 sigma
  int same_side = 9;     ///< 2: so many in a row on one side
  int trend = 6;         ///< 3: so many in a row rising or falling
  int alternating = 14;  ///< 4: so many in a row up and down by turns
  int two_of_three = 1;  ///< 5: two of three beyond 2 sigma on one side
  int four_of_five = 1;  ///< 6: four of five beyond 1 sigma on one side
  int within_1 = 15;     ///< 7: so many in a row within 1 sigma
  int outside_1 = 8;     ///< 8: so many in a row outside 1 sigma, on either side
  static RuleSet nelson() { return {}; }
  static RuleSet western_electric() { return {1, 8, 0, 0, 1, 1, 0, 0}; }
};

struct Violation {
  std::size_t point = 0;  ///< 0-based: the one that completes the pattern
  int rule = 0;           ///< Nelson's number
  std::string text;
};
/// Every point that completes a pattern. A point on a line is not beyond it. Precondition: sigma > 0.
std::vector<Violation> violations(const std::vector<double>& values, double centre, double sigma, const RuleSet& rules);

/// Exponentially weighted moving average: small drifts.
struct EwmaConfig {
  double lambda = 0.2;
  double width = 3;  ///< limits at so many sigma of the average
};
struct EwmaPoint {
  double value = 0;
  double lower = 0;  ///< exact, for so many points
  double upper = 0;
  [[nodiscard]] bool out() const noexcept { return value < lower || value > upper; }
};
/// From the centre on. Preconditions: 0 < lambda <= 1, sigma > 0.
std::vector<EwmaPoint> ewma(const std::vector<double>& values, double centre, double sigma, const EwmaConfig& config);

/// Tabular cumulative sums, in sigmas: alarm where one exceeds `decision`.
struct CusumConfig {
  double slack = 0.5;   ///< k: half the shift to find
  double decision = 5;  ///< h
};
struct CusumPoint {
  double high = 0;
  double low = 0;
  bool alarm = false;
};
std::vector<CusumPoint> cusum(const std::vector<double>& values, double centre, double sigma,
                              const CusumConfig& config);

}  // namespace strigil::calibration
