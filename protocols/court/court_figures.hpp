// Court figures: the numbers of one detector. Inside the court.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "protocols/court/court.hpp"
#include "protocols/court/court_cases.hpp"

namespace strigil::protocols {

/// Strokes of one detector that it is judged by. One that answers for a lane has its case at the lane's end.
struct CourtHearing {
  std::vector<CourtStroke> strokes;
  std::size_t phantoms = 0;  ///< numbers in use over all runs
};
CourtHearing hearing_of(std::span<const CourtRun> runs, const std::string& detector);

/// The cases of ROC among the strokes that touched something, as one detector scored them.
struct ScoredCases {
  CourtCases cases;
  CaseScores scores;
};
ScoredCases scored_cases(const CourtHearing& hearing, const CourtOptions& options);

/// Of the phantoms of these strokes, drawn with replacement: `statistic` is given their numbers.
CourtFigure over_phantoms(const CourtHearing& hearing,
                          const std::function<double(std::span<const std::size_t>)>& statistic,
                          const CourtOptions& options);

/// All figures but the accusations. Errors: positions or scores that are not numbers.
daq::Result<DetectorJudgement> figures_of(const CourtHearing& hearing, const std::string& detector,
                                          const CourtOptions& options);

}  // namespace strigil::protocols
