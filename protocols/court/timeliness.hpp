// Where and when: localisation error in millimetres, reaction time against its deadline.
//
// Pure, any thread. science.md 3.3.
#pragma once

#include <optional>
#include <span>

#include "protocols/court/binomial.hpp"
#include "protocols/court/bootstrap.hpp"
#include "protocols/court/matching.hpp"

namespace strigil::protocols {

/// Median and 95th percentile of absolute values, each with an interval over phantoms and strokes; and the mean signed
/// error, which shows a detector that is late by a constant way.
struct SpreadOfErrors {
  std::size_t count = 0;
  BootstrapInterval median;
  BootstrapInterval p95;
  BootstrapInterval mean_signed;
};
/// Errors of one stroke's matched targets (may be none), and the stroke's phantom. Refused: no error at all, NaN.
struct StrokeErrors {
  std::size_t phantom = 0;
  std::vector<double> errors;
};
daq::Result<SpreadOfErrors> spread_of_errors(std::span<const StrokeErrors> strokes,
                                             const BootstrapOptions& options = {});

struct Reaction {
  std::size_t count = 0;    ///< answers with a known reaction time
  std::size_t unknown = 0;  ///< found targets without one
  double median_s = 0;
  double p95_s = 0;
  double latest_s = 0;
  double earliest_s = 0;
  std::size_t before_the_data = 0;  ///< answers earlier than the instrument was there: clairvoyant
  Proportion in_time;               ///< answered within the deadline, and not before the data; of `count`
};
/// Refused: no reaction time known, a deadline not above 0.
daq::Result<Reaction> reaction(std::span<const Matching> strokes, double deadline_s, double level = 0.95);

}  // namespace strigil::protocols
