// Trial planner: stop when the interval is narrow enough to decide, and how many more trials that is likely to take.
//
// Looking again and again at the same limit would find chance results sooner or later: a campaign says beforehand how
// often it will look at most, and each look gets its share of the error (Bonferroni), so the whole errs no oftener than
// promised. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protocols/court/gage_study.hpp"

namespace strigil::protocols {

enum class TrialDecision : std::uint8_t { kMet, kNotMet, kUndecided };
const char* name_of(TrialDecision decision) noexcept;

struct PlanOptions {
  double confidence = 0.95;            ///< that no look decides wrongly
  std::uint64_t looks = 1;             ///< planned at most
  std::uint64_t most_trials = 10'000;  ///< of all: no plan goes beyond
};

struct TrialPlan {
  TrialDecision decision = TrialDecision::kUndecided;
  Interval interval;              ///< at this look's level, 1 - (1 - confidence) / looks
  std::uint64_t trials = 0;       ///< so far
  std::uint64_t more_trials = 0;  ///< expected if what was seen so far is the truth; 0: decided
  bool reachable = true;          ///< false: not within `most_trials`, `more_trials` is what is left of them
  std::string words;              ///< for a person
};

/// Is the probability at least `threshold`? Clopper-Pearson.
daq::Result<TrialPlan> plan_proportion(std::uint64_t hits, std::uint64_t trials, double threshold,
                                       const PlanOptions& options = {});
/// Does the mean lie within the limits (one may be missing)? Student's t; at least 2 values.
daq::Result<TrialPlan> plan_mean(std::span<const double> values, std::optional<double> lower,
                                 std::optional<double> upper, const PlanOptions& options = {});
/// Is the mean known to +- `half_width` (> 0)? Met or undecided.
daq::Result<TrialPlan> plan_precision(std::span<const double> values, double half_width,
                                      const PlanOptions& options = {});

/// Is the verdict on a gage certain? Counts parts, which say most about GRR % of TV: `more_trials` are readings of
/// further parts by all appraisers. Met: certainly acceptable; not met: certainly marginal, or reject.
daq::Result<TrialPlan> plan_gage(std::span<const GageReading> readings, const GageOptions& gage = {},
                                 const PlanOptions& options = {});

}  // namespace strigil::protocols
