// ROC: how well a score tells targets from the rest, with intervals, tests and the precision-recall view.
//
// metrology.md 6.3. AUC = P(X > Y) + P(X = Y) / 2; variance by DeLong's placements (DeLong, DeLong & Clarke-Pearson
// 1988), from midranks in O((m + n) log(m + n)) (Sun & Xu 2014). Scores may be infinite (-inf: said nothing), never
// NaN. Pure, any thread. Cases are taken as independent: where strokes share phantoms, use clustered_roc_area or
// bootstrap.hpp.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/interval.hpp"

namespace strigil::protocols {

/// One detector's scores; higher: rather a target.
struct LabelledScores {
  std::vector<double> targets;
  std::vector<double> others;
};

/// AUC of one detector. With one case in either class the variance is NaN and the intervals are not known.
struct RocArea {
  double auc = 0;
  double variance = 0;  ///< DeLong; 0 where targets and others do not overlap at all, or all scores are the same
  Interval plain;       ///< normal, clipped to [0, 1]
  Interval logit;       ///< normal on the logit scale; not known at variance 0
  Interval score;       ///< Newcombe (2006) method 5: needs no variance, so it holds at AUC 0 and 1 as well
  Interval interval;    ///< the one to quote: logit; score where variance is 0
  std::size_t targets = 0;
  std::size_t others = 0;
};
daq::Result<RocArea> roc_area(const LabelledScores& scores, double level = 0.95);

/// The area alone, for statistics that are resampled. NaN where either class is empty or a score is NaN.
double roc_auc(const LabelledScores& scores);

/// roc_area with DeLong's variance over independent clusters (phantoms), within which cases may depend on each other
/// (Obuchowski 1997). `*_cluster`: a number for each score, same sizes. At least two clusters.
daq::Result<RocArea> clustered_roc_area(const LabelledScores& scores, std::span<const std::size_t> target_cluster,
                                        std::span<const std::size_t> other_cluster, double level = 0.95);

/// AUCs of k detectors on the same cases in the same order, and their k x k covariance, row by row.
struct RocCovariance {
  std::vector<double> auc;
  std::vector<double> covariance;
};
daq::Result<RocCovariance> roc_covariance(std::span<const LabelledScores> detectors);

/// first - second. `z` has a normal distribution (paired) or Student's t with `dof` (unpaired) when they are the same.
struct RocComparison {
  double first_auc = 0;
  double second_auc = 0;
  double difference = 0;
  double standard_error = 0;
  double z = 0;
  double dof = 0;     ///< infinite for paired
  double p = 1;       ///< two-sided
  Interval interval;  ///< of the difference
};
/// On the same cases in the same order. Refused where the difference has no variance and is not 0: permute instead.
daq::Result<RocComparison> compare_paired(const LabelledScores& first, const LabelledScores& second,
                                          double level = 0.95);
/// On different cases; degrees of freedom as pROC has them (Welch-Satterthwaite).
daq::Result<RocComparison> compare_unpaired(const LabelledScores& first, const LabelledScores& second,
                                            double level = 0.95);

/// Curve from (0, 0) to (1, 1): a point for each distinct score, an alarm being score >= threshold.
struct RocPoint {
  double threshold = 0;
  double false_positive = 0;
  double true_positive = 0;
};
daq::Result<std::vector<RocPoint>> roc_curve(const LabelledScores& scores);

/// Area over false-positive rates in [0, up_to], ties as straight lines.
struct PartialArea {
  double area = 0;
  double standardised = 0;  ///< McClish 1989: 0.5 by chance, 1 at best
};
daq::Result<PartialArea> partial_roc_area(const LabelledScores& scores, double up_to);

/// Recall and precision where an alarm is score >= threshold; falling thresholds.
struct PrecisionPoint {
  double threshold = 0;
  double recall = 0;
  double precision = 0;
};
struct PrecisionRecall {
  std::vector<PrecisionPoint> curve;
  double average_precision = 0;  ///< sum of precision x recall step: no line is drawn between points
  double interpolated_area = 0;  ///< between points as Davis & Goadrich 2006: counts in line, not precision
  double chance = 0;             ///< share of targets: what a blind detector reaches
};
daq::Result<PrecisionRecall> precision_recall(const LabelledScores& scores);

/// Sensitivity index of yes/no trials, z(hits) - z(false alarms), and its criterion, -(sum) / 2. With the log-linear
/// rule
/// (+1/2, +1; Hautus 1995), so that 0 and 100 % have one too.
struct Sensitivity {
  double d_prime = 0;
  double criterion = 0;
  double standard_error = 0;  ///< of d', Gourevitch & Galanter 1967
};
daq::Result<Sensitivity> sensitivity_index(std::size_t hits, std::size_t targets, std::size_t false_alarms,
                                           std::size_t others);

}  // namespace strigil::protocols
