// POD from hit and miss: probability of detection against size, a90 and the size that is found at 90 % with 95 %
// confidence.
//
// metrology.md 6.1 (method of MIL-HDBK-1823A from memory; coefficients against published ones). Pure, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "protocols/court/binomial.hpp"
#include "protocols/court/link_line.hpp"

namespace strigil::protocols {

enum class SizeScale : std::uint8_t { kLog, kIdentity };

/// One inspection of one target.
struct HitMiss {
  double size = 0;  ///< mm, contrast, depth: any quantity that POD rises with. NaN: not known
  bool hit = false;
  std::uint64_t target = 0;  ///< inspections of the same target depend on each other; used by `repeated`
};

/// How the upper bound of a90 is found.
enum class PodBound : std::uint8_t {
  kLikelihoodRatio,  ///< largest size whose profile likelihood is not refuted; chi-squared, 1 degree of freedom
  kChengIles,        ///< the same from the joint region of both parameters, 2 degrees of freedom: wider
  kWald,             ///< delta method on the scale of the fit
  kFieller,          ///< where the lower band of the fitted line meets the quantile
};
const char* name_of(PodBound bound) noexcept;

struct PodOptions {
  Link link = Link::kLogit;
  SizeScale scale = SizeScale::kLog;
  double pod = 0.90;         ///< of a90
  double confidence = 0.95;  ///< of a90/95, one-sided
  PodBound bound = PodBound::kLikelihoodRatio;
  /// True: rows of one target are a cluster; variances from the sandwich estimator (Liang & Zeger 1986) with
  /// G / (G - 1), quantiles of Student's t with G - 1, likelihood ratios scaled by the widening.
  bool repeated = false;
  LinkStop stop = LinkStop::kConverged;
};

/// A row that could not be used, and why ("size 0 has no logarithm"). Never dropped in silence.
struct PodExcluded {
  std::size_t row = 0;
  std::string reason;
};

struct PodFit {
  PodOptions options;
  LinkLine line;      ///< on ln(size) or size; covariance by the model
  double var_b0 = 0;  ///< the ones used: of the model, or robust
  double var_b1 = 0;
  double cov_b0_b1 = 0;
  double mu = 0;     ///< -b0 / b1
  double sigma = 0;  ///< 1 / b1
  double a50 = 0;
  double a90 = 0;     ///< at `options.pod`
  double a90_95 = 0;  ///< its upper bound at `options.confidence`
  /// sqrt(robust / model variance of ln a90 or a90): what ignoring repetition would have understated; 1 if not
  /// repeated.
  double widening = 1;
  double largest = 0;    ///< of the sizes used: a90/95 above it is an extrapolation
  std::size_t rows = 0;  ///< used
  std::size_t hits = 0;
  std::size_t targets = 0;  ///< distinct, where repeated; else rows
  std::vector<PodExcluded> excluded;
  std::vector<std::string> warnings;  ///< "below the handbook's 60 targets", "beyond the largest size tested", ...
};
/// Refused: separation and the like (link_line.hpp), a slope that is not shown to rise (its likelihood-ratio test at
/// two-sided `confidence`), a bound that does not exist.
daq::Result<PodFit> fit_hit_miss(std::span<const HitMiss> rows, const PodOptions& options = {});

/// POD at a size with a two-sided interval, Wald on the link's scale. Size > 0 where the fit is on its logarithm.
struct PodAt {
  double size = 0;
  double pod = 0;
  Interval interval;
};
daq::Result<PodAt> pod_at(const PodFit& fit, double size, double level = 0.95);
/// Upper bound of the size found at `options.pod` by another method or another confidence, from the same rows.
daq::Result<double> pod_size_bound(const PodFit& fit, std::span<const HitMiss> rows, PodBound bound, double confidence);

}  // namespace strigil::protocols
