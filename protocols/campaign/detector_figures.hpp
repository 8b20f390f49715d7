// Detector figures: the court's numbers by name, for a suite's [[accept]], for baselines, and for reports.
#pragma once

#include <string>
#include <vector>

#include "protocols/campaign/suite_file.hpp"
#include "protocols/court/baseline.hpp"
#include "protocols/court/court.hpp"
#include "protocols/report/court_report.hpp"

namespace strigil::protocols {

/// Names that [[accept]] knows: "auc", "found_at_1_per_m", ...
std::vector<std::string> figure_names();

struct DetectorFigure {
  std::string name;
  double value = 0;  ///< NaN: not known
  std::string unit;
  Interval interval;
  bool higher_is_better = true;
  std::string why;  ///< not known, in words
};
/// All of figure_names(), in their order.
std::vector<DetectorFigure> figures_of(const DetectorJudgement& judgement);

/// Those that are known, as "glr/auc".
std::vector<BaselineMetric> baseline_metrics(const CourtJudgement& court);

/// The court's judgement as parts of a report, with the suite's limits: figures, plots, and what is held against each.
struct CourtParts {
  std::vector<ReportSection> detectors;
  std::vector<ReportSection> comparisons;
  std::vector<Flag> flags;
  std::vector<ReportReason> reasons;  ///< limits missed, or not to be decided
};
CourtParts court_parts(const CourtJudgement& court, const Suite& suite);

}  // namespace strigil::protocols
