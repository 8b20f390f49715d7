// Baseline: what the court's numbers were when they were good, and whether they are worse now.
//
// Decided by intervals and not by which number is smaller: the interval of the difference is composed from both (MOVER,
// Zou & Donner 2008), so asymmetric ones keep their shape. Pure, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/interval.hpp"

namespace strigil::protocols {

struct BaselineMetric {
  std::string name;  ///< "glr/auc"
  double value = 0;
  Interval interval;  ///< holds the value; both bounds the value itself: exact, nothing is left to chance
  bool higher_is_better = true;
  double margin = 0;  ///< loss that is tolerated, >= 0
};
struct Baseline {
  std::string origin;  ///< what it was made of: suite, code version, seed
  std::vector<BaselineMetric> metrics;
};

/// JSON of format 1; unknown or missing keys, NaN, bounds in the wrong order, a name twice are refused in words.
daq::Result<Baseline> read_baseline(std::string_view json);
std::string write_baseline(const Baseline& baseline);

enum class Change : std::uint8_t {
  kBetter,     ///< shown to be better
  kNotWorse,   ///< shown to have lost no more than the margin
  kUndecided,  ///< neither: more strokes are needed
  kWorse,      ///< shown to have lost more than the margin: fails
  kMissing,    ///< in the baseline and not measured now: fails
  kNew,        ///< measured now and not in the baseline
};
const char* name_of(Change change) noexcept;

struct MetricChange {
  std::string name;
  double before = 0;
  double now = 0;
  double difference = 0;  ///< now - before
  Interval interval;      ///< of it, as if both were measured apart from each other
  Change change = Change::kUndecided;
  std::string words;
};
struct BaselineComparison {
  std::vector<MetricChange> changes;  ///< in the baseline's order, then the new ones
  bool failed = false;                ///< any worse or missing
};
/// Direction and margin are the baseline's. Refused: intervals of different levels, names twice, NaN.
daq::Result<BaselineComparison> compare_with_baseline(const Baseline& baseline, std::span<const BaselineMetric> now);

}  // namespace strigil::protocols
