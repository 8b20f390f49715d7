// Gage R&R: how much of what is measured is the measuring. Crossed studies by ANOVA and by ranges.
//
// AIAG MSA 4th ed. as metrology.md 5.1 has it. Balanced studies only: every appraiser (operator, fixture, session)
// reads every part equally often. Negative components are set to 0 and flagged, never in silence; nothing is rounded
// before a limit. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/variance_component.hpp"

namespace strigil::protocols {

struct GageReading {
  std::string part;
  std::string appraiser;
  double value = 0;
};

/// What ANOVA does with parts x appraisers.
enum class Interaction : std::uint8_t {
  kPoolIfWeak,  ///< into repeatability if its p exceeds `pool_above`
  kKeep,
  kPool,
};

struct GageOptions {
  Interaction interaction = Interaction::kPoolIfWeak;
  double pool_above = 0.25;         ///< AIAG; Minitab has 0.05
  std::optional<double> tolerance;  ///< USL - LSL, > 0
  double study_width = 6;           ///< standard deviations: 6, formerly 5.15
  double level = 0.95;
  std::uint64_t seed = 1;  ///< of the generalised intervals
};

struct AnovaLine {
  double sum_of_squares = 0;
  double dof = 0;
  double mean_square = 0;
  double f = 0;  ///< NaN where nothing is tested
  double p = 0;  ///< likewise
};

/// One source of variation.
struct GageLine {
  VarianceComponent component;
  double contribution_pct = 0;          ///< of variance
  double study_pct = 0;                 ///< of standard deviation, total 100
  std::optional<double> tolerance_pct;  ///< study_width x sd / tolerance
};

enum class GageVerdict : std::uint8_t { kAccept, kMarginal, kReject };  ///< below 10 %, to 30 %, above

struct GageStudy {
  std::size_t parts = 0;
  std::size_t appraisers = 0;
  std::size_t trials = 0;
  AnovaLine part;
  AnovaLine appraiser;
  AnovaLine interaction;  ///< as tested, whether pooled afterwards or not
  AnovaLine repeatability;
  AnovaLine total;
  bool pooled = false;
  GageLine equipment;                          ///< EV: repeatability
  GageLine appraisers_variation;               ///< AV; not estimable with one appraiser
  GageLine interaction_variation;              ///< INT; not estimable if pooled
  GageLine gage;                               ///< GRR
  GageLine parts_variation;                    ///< PV
  GageLine total_variation;                    ///< TV
  double ndc_unrounded = 0;                    ///< 1.41 PV / GRR; infinite at GRR 0
  std::uint64_t ndc = 1;                       ///< truncated, at least 1
  Interval gage_study_pct;                     ///< of GRR % of TV
  Interval ndc_interval;                       ///< of the unrounded
  GageVerdict verdict = GageVerdict::kReject;  ///< of GRR % of TV, by the estimate
  bool decided = false;  ///< `gage_study_pct` lies within one class: more trials would not change the verdict
  std::vector<std::string> warnings;
};
/// Refused: unbalanced (which cell has how many), fewer than two parts or two trials, values that are not finite or all
/// the same. One appraiser is allowed: an automatic gage.
daq::Result<GageStudy> gage_anova(std::span<const GageReading> readings, const GageOptions& options = {});

/// The range method, with its factors. AIAG's four-digit factors where it has them, else 1 / d2*(n, g).
struct GageRange {
  std::vector<std::string> appraiser;  ///< in the order of appearance
  std::vector<double> mean_range;      ///< of each appraiser
  std::vector<double> mean;            ///< likewise
  double grand_mean_range = 0;
  double difference_of_means = 0;  ///< X diff
  double range_of_parts = 0;       ///< Rp
  double k1 = 0;
  double k2 = 0;
  double k3 = 0;
  double range_limit = 0;  ///< D4 x mean range
  struct Out {
    std::string appraiser;
    std::string part;
    double range = 0;
  };
  std::vector<Out> out_of_control;  ///< ranges above the limit
  double ev = 0;
  double av = 0;
  bool av_clamped = false;
  double grr = 0;
  double pv = 0;
  double tv = 0;
  double ev_pct = 0;
  double av_pct = 0;
  double grr_pct = 0;
  double pv_pct = 0;
  std::optional<double> grr_tolerance_pct;
  double ndc_unrounded = 0;
  std::uint64_t ndc = 1;
  GageVerdict verdict = GageVerdict::kReject;
};
/// Refused as gage_anova, and above 25 trials, appraisers or parts. One appraiser: K2 and AV are 0.
daq::Result<GageRange> gage_range(std::span<const GageReading> readings, const GageOptions& options = {});

GageVerdict gage_verdict(double grr_pct) noexcept;
const char* name_of(GageVerdict verdict) noexcept;

}  // namespace strigil::protocols
