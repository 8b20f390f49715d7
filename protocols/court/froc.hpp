// FROC: targets found against false alarms, where a detector marks places and not cases.
//
// metrology.md 6.3. Case: one stroke (or one phantom, as the caller cuts it). Chakraborty's figures of merit with marks
// not made as -inf: a target not marked and a blank case without a mark are a tie, worth 1/2. Pure, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocols/court/binomial.hpp"
#include "protocols/court/bootstrap.hpp"
#include "protocols/court/matching.hpp"

namespace strigil::protocols {

/// What the detector scored on one case. Scores are not NaN; -inf: no mark.
struct FrocCase {
  std::vector<double> target_scores;   ///< one for each target, -inf where it was missed
  std::vector<double> target_weights;  ///< empty: equal; else > 0, one each, scaled to a sum of 1
  std::vector<double> false_scores;    ///< of marks that hit nothing
  double length_m = 0;                 ///< stroked, > 0
};
/// The case of a stroke that was matched.
FrocCase froc_case(const Matching& matching, std::span<const Detection> detections,
                   std::span<const TruthTarget> targets, double length_m);

enum class FrocMerit : std::uint8_t {
  kAfroc,   ///< each target counts alike
  kWafroc,  ///< each case with targets counts alike, its targets by weight
};
struct FrocArea {
  double theta = 0;
  double variance = 0;  ///< over independent cases, of placements (Hajek projection); NaN with one case in a class
  Interval interval;    ///< normal, clipped to [0, 1]; over phantoms use bootstrap()
  std::size_t cases_with_targets = 0;
  std::size_t blank_cases = 0;
};
/// theta = mean over cases with targets and blank cases of w psi(target score, highest false score). Blank: without
/// target. Refused without one of each.
daq::Result<FrocArea> froc_area(std::span<const FrocCase> cases, FrocMerit merit = FrocMerit::kWafroc,
                                double level = 0.95);

struct FrocPoint {
  double threshold = 0;
  double false_alarms_per_m = 0;
  double found = 0;  ///< share of targets
};
daq::Result<std::vector<FrocPoint>> froc_curve(std::span<const FrocCase> cases);

/// Pd with at most so many false alarms per metre: the lowest threshold that keeps to it. False alarms are those of all
/// cases.
struct OperatingPoint {
  double allowed_per_m = 0;
  double threshold = 0;                                  ///< +inf: no threshold keeps to it but silence
  Proportion found;                                      ///< Clopper-Pearson, as if targets were independent
  Rate false_alarms;                                     ///< at that threshold, exact Poisson
  std::optional<BootstrapInterval> found_over_phantoms;  ///< threshold chosen anew in each resample
  std::vector<std::string> warnings;                     ///< "12 m stroked cannot show 0.1 per metre"
};
/// `phantom_of_case`: one for each case, or empty: no bootstrap.
daq::Result<OperatingPoint> found_at(std::span<const FrocCase> cases, double allowed_per_m,
                                     std::span<const std::size_t> phantom_of_case = {},
                                     const BootstrapOptions& options = {});

}  // namespace strigil::protocols
