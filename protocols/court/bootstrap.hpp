// Bootstrap over phantoms and strokes, and permutation: what a number would have been on other specimens.
//
// Never over samples (science.md 3.3): neighbouring samples tell each other's values. Davison & Hinkley 1997, ch. 3.8
// and 5.3 (hierarchical resampling, BCa). The same seed gives the same bits; each resample has its own stream of
// numbers. Pure, any thread; the statistic is called on the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/interval.hpp"

namespace strigil::protocols {

/// Of the strokes listed (indices, some of them more than once). NaN: has no value for them, for instance where no
/// target was drawn.
using StrokeStatistic = std::function<double(std::span<const std::size_t>)>;

enum class Resampling : std::uint8_t {
  /// Phantoms with replacement, each with all its strokes: covers what it says (Davison & Hinkley's first strategy).
  kPhantoms,
  /// Phantoms with replacement, in each its strokes with replacement: counts the strokes' spread twice, so it is too
  /// wide
  /// (99 % for 95 in docs/court_statistics.md); for few phantoms, where the other is too narrow.
  kPhantomsAndStrokes,
};
enum class BootstrapMethod : std::uint8_t {
  kBca,  ///< corrects bias and skewness; acceleration from leaving out one phantom (of more than 200: one group) at a
         ///< time
  kPercentile,  ///< the middle of the resampled values
};

struct BootstrapOptions {
  std::size_t resamples = 2'000;  ///< 100 ... 1,000,000
  std::uint64_t seed = 1;         ///< goes into the report
  double level = 0.95;
  Resampling resampling = Resampling::kPhantoms;
  BootstrapMethod method = BootstrapMethod::kBca;
};

struct BootstrapInterval {
  double value = 0;  ///< of the strokes as they are
  Interval interval;
  double bias = 0;            ///< mean of resampled values - value
  double standard_error = 0;  ///< of resampled values
  std::size_t phantoms = 0;
  std::size_t undefined = 0;          ///< resamples without a value, left out
  std::vector<std::string> warnings;  ///< "one phantom: says nothing of others", ...
};
/// `phantom_of_stroke[i]`: any number that is the same for strokes on one phantom. Refused: no stroke, a statistic
/// without value on the data, more than 5 % of the resamples without one. With one phantom its strokes are resampled,
/// and a warning says for whom that holds.
daq::Result<BootstrapInterval> bootstrap(std::span<const std::size_t> phantom_of_stroke,
                                         const StrokeStatistic& statistic, const BootstrapOptions& options = {});

struct PermutationResult {
  double statistic = 0;  ///< mean difference seen
  double p = 1;          ///< two-sided
  std::size_t permutations = 0;
  bool exact = false;  ///< all were tried
};
/// Are the differences (of two detectors on the same phantoms, one for each phantom) around 0? Signs are flipped: all
/// 2^n ways up to n = 16, else `permutations` drawn ones, with the one seen among them (Phipson & Smyth 2010).
daq::Result<PermutationResult> paired_permutation(std::span<const double> differences,
                                                  std::size_t permutations = 20'000, std::uint64_t seed = 1);
/// Do two independent groups have the same mean? Labels are drawn anew.
daq::Result<PermutationResult> unpaired_permutation(std::span<const double> first, std::span<const double> second,
                                                    std::size_t permutations = 20'000, std::uint64_t seed = 1);

/// Of values in ascending order, `p` in [0, 1], between the neighbours in line (type 7 of Hyndman & Fan 1996).
double quantile_of_sorted(std::span<const double> sorted, double p) noexcept;

}  // namespace strigil::protocols
