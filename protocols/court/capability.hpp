// Capability: how the spread of a quantity sits within its limits. Cp, Cpk, Cpm of the spread within subgroups, Pp, Ppk
// of all; percentile indices where it is not normal.
//
// metrology.md 5.2; intervals as qcc has them (Chou et al. 1990, Bissell 1990, Boyles 1991). Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/bootstrap.hpp"

namespace strigil::protocols {

/// One limit may be missing; two: lower < upper.
struct SpecificationLimits {
  std::optional<double> lower;
  std::optional<double> upper;
  std::optional<double> target;  ///< none: the middle of two limits
};

enum class WithinSpread : std::uint8_t {
  kMeanRange,      ///< mean range / d2; subgroups of one: mean moving range / 1.128. Subgroups of 2 ... 25
  kMeanDeviation,  ///< mean standard deviation / c4
  kPooled,         ///< root of the pooled variance, by c4 of its degrees of freedom + 1 not corrected
};

struct CapabilityIndex {
  double value = 0;
  Interval interval;
};
struct Capability {
  std::size_t n = 0;
  std::size_t subgroups = 0;
  double mean = 0;
  double sd_within = 0;
  double sd_overall = 0;
  double within_dof = 0;               ///< about as many as the estimate of sd_within is worth: fewer than n - 1
  std::optional<CapabilityIndex> cp;   ///< two limits only
  std::optional<CapabilityIndex> cpl;  ///< lower limit only; likewise cpu
  std::optional<CapabilityIndex> cpu;
  CapabilityIndex cpk;
  std::optional<CapabilityIndex> cpm;  ///< needs a target and two limits
  std::optional<CapabilityIndex> pp;
  CapabilityIndex ppk;
  double outside = 0;           ///< counted, share
  double outside_expected = 0;  ///< by a normal distribution of sd_overall, share
  std::vector<std::string> warnings;
};
struct CapabilityOptions {
  WithinSpread within = WithinSpread::kMeanRange;
  double level = 0.95;
  /// Degrees of freedom of the intervals of Cp, Cpk, Cpm: n - 1 as qcc and Minitab print them, or `within_dof`, which
  /// does not claim more than the subgroups show.
  bool effective_dof = false;
  bool table_d2 = false;  ///< d2 rounded to three decimals, as qcc and the printed tables have it: to compare with them
};
/// Subgroups of equal size, one after the other in `values`. Refused: no limit, fewer than 2 values (3 where size is
/// 1), a rest that fills no subgroup, no spread, values not finite.
daq::Result<Capability> capability(std::span<const double> values, std::size_t subgroup_size,
                                   const SpecificationLimits& limits, const CapabilityOptions& options = {});

/// Where values are not normal: (U - L) / (q99.865 - q0.135) and its one-sided companions about the median (ISO 22514-4
/// [M]), quantiles from the data. Intervals by bootstrap over values, which the caller holds to be independent.
struct PercentileCapability {
  double low = 0;  ///< q0.135 %
  double median = 0;
  double high = 0;  ///< q99.865 %
  std::optional<double> pp;
  double ppk = 0;
  Interval ppk_interval;
  std::vector<std::string> warnings;  ///< below 1,000 values the outer quantiles are the extremes
};
daq::Result<PercentileCapability> percentile_capability(std::span<const double> values,
                                                        const SpecificationLimits& limits,
                                                        const BootstrapOptions& options = {});

}  // namespace strigil::protocols
