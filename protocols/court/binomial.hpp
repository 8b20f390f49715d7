// Counts of hits and of false alarms: intervals for a probability and for a rate, and demonstration tables.
//
// metrology.md 6.2. Pure, any thread. `hits` above `trials`, no trials, or a level outside (0, 1) is refused in words.
#pragma once

#include <cstdint>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/interval.hpp"

namespace strigil::protocols {

enum class ProportionMethod : std::uint8_t {
  kClopperPearson,  ///< never covers less than it says; the court's default
  kWilson,          ///< score interval, covers on average what it says
  kJeffreys,        ///< equal tails of Beta(hits + 1/2, misses + 1/2); 0 at no hit and 1 at no miss (Brown et al. 2001)
};

struct Proportion {
  std::uint64_t hits = 0;
  std::uint64_t trials = 0;
  double value = 0;
  Interval interval;
};
daq::Result<Proportion> proportion(std::uint64_t hits, std::uint64_t trials, double level = 0.95,
                                   ProportionMethod method = ProportionMethod::kClopperPearson);

/// One-sided Clopper-Pearson bounds: BetaInv(1 - confidence; k, n - k + 1), and its mirror image.
daq::Result<double> proportion_lower_bound(std::uint64_t hits, std::uint64_t trials, double confidence);
daq::Result<double> proportion_upper_bound(std::uint64_t hits, std::uint64_t trials, double confidence);

/// A rate of events per unit of `exposure` (> 0: metres, hours), with the exact Poisson interval (Garwood 1936).
struct Rate {
  std::uint64_t events = 0;
  double exposure = 0;
  double value = 0;
  Interval interval;
};
daq::Result<Rate> poisson_rate(std::uint64_t events, double exposure, double level = 0.95);

/// A row of a demonstration table: with `trials` tries and at most `misses` of them missed, POD >= `pod` is shown with
/// `confidence`. "29 of 29" is the row of misses 0, pod 0.90, confidence 0.95.
struct Demonstration {
  std::uint64_t misses = 0;
  std::uint64_t trials = 0;
  double lower_bound = 0;  ///< Clopper-Pearson, at exactly so many misses
};
/// Rows for 0 ... `most_misses`, the fewest trials each. `pod` and `confidence` in (0, 1); at most 1,000 misses.
daq::Result<std::vector<Demonstration>> demonstration_table(double pod, double confidence, std::uint64_t most_misses);
/// How likely a detector of true `pod` is to pass that demonstration.
double demonstration_power(const Demonstration& row, double pod);

}  // namespace strigil::protocols
