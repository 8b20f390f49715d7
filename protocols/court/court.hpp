// Court: strokes that detectors have heard, and the truth under them, become numbers with intervals and accusations.
//
// Wires up the statistics of this folder (docs/court_statistics.md, The court). Phantoms are what is drawn from: every
// interval is over phantoms, never over samples. Pure, any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/froc.hpp"
#include "protocols/court/pod_hit_miss.hpp"
#include "protocols/court/psychometric.hpp"
#include "protocols/court/roc.hpp"
#include "protocols/court/run_strokes.hpp"
#include "protocols/court/score_calibration.hpp"
#include "protocols/court/timeliness.hpp"

namespace strigil::protocols {

/// What was stroked in a run.
enum class RunGround : std::uint8_t {
  kTissue,  ///< targets that differ count; those on paper are what the check on blanks asks for
  kAir,     ///< nothing was touched: all targets are on paper
};

struct CourtRun {
  HeardRun heard;
  std::string phantom;                         ///< what is drawn from; empty: heard.phantom
  std::map<std::string, std::string> factors;  ///< of the campaign, for the report
  RunGround ground = RunGround::kTissue;
};

struct CourtOptions {
  MatchingOptions matching;
  double deadline_s = 1;  ///< from the instrument's coming over a target to the answer
  double level = 0.95;
  double blank_level = 0.99;         ///< of the check on blanks; shared among its two comparisons
  std::size_t blanks_of_target = 8;  ///< blank cases for each target, at most
  BootstrapOptions bootstrap;
  std::size_t least_targets_for_pod = 30;  ///< [A] half of the handbook's 60
  std::size_t least_sizes_for_pod = 3;
};

/// A figure with its interval over phantoms. NaN: not known, and `why` says so.
struct CourtFigure {
  double value = std::numeric_limits<double>::quiet_NaN();
  Interval interval;
  std::string why;
};

/// What the court holds against a detector.
enum class Accusation : std::uint8_t {
  kClairvoyant,  ///< answered before the data
  kAskedForTruth,
  kConstantAnswer,    ///< the same marks whatever lies there
  kWorksOnNothing,    ///< AUC on air or contrast 1.0 shown above one half
  kBrokeTheContract,  ///< in another process: the desk's finding (docs/detectors.md)
};
std::string_view name_of(Accusation accusation) noexcept;

struct Accused {
  Accusation of = Accusation::kClairvoyant;
  std::string evidence;  ///< in words, with numbers
};

struct BlankArea {
  std::string against;  ///< "the same place on other phantoms", "other places in the air"
  std::optional<RocArea> area;
  std::string why;  ///< there is none
};

struct DetectorJudgement {
  std::string detector;
  std::size_t runs = 0;
  std::size_t phantoms = 0;
  std::size_t strokes = 0;
  std::size_t targets = 0;
  std::size_t blanks = 0;  ///< of ROC
  double stroked_m = 0;
  std::size_t marks = 0;

  std::optional<RocArea> roc;  ///< clustered by phantom
  std::vector<RocPoint> roc_curve;
  CourtFigure auc_bootstrap;  ///< the same area, resampled over phantoms
  std::optional<PrecisionRecall> precision_recall;
  std::vector<FrocPoint> froc_curve;
  std::optional<FrocArea> wafroc;
  std::vector<OperatingPoint> operating;  ///< at 0.1, 1 and 10 false alarms a metre
  std::optional<SpreadOfErrors> localisation_mm;
  std::optional<Reaction> reaction;
  std::optional<PodFit> pod_size;  ///< a90/95 in mm, at the threshold of one false alarm a metre
  std::optional<PodFit> pod_contrast;
  std::optional<PsychometricFit> psychometric_contrast;
  std::vector<PsychometricLevel> contrast_levels;  ///< found of those there
  std::optional<Reliability> calibration;  ///< of scores by Platt's map, fitted on the other half of the phantoms
  std::vector<BlankArea> on_blanks;
  std::vector<Accused> accused;
  std::vector<std::string> notes;  ///< why a figure is not there, and what limits it
};

/// Of two detectors on the cases both have.
struct CourtComparison {
  std::string first;
  std::string second;
  std::size_t cases = 0;
  std::optional<RocComparison> delong;  ///< as if cases were independent: too narrow where they share phantoms
  CourtFigure difference;               ///< of AUC, over phantoms: the one to quote
  std::string why;                      ///< there is none
};

struct CourtJudgement {
  CourtOptions options;
  std::vector<DetectorJudgement> detectors;  ///< by falling AUC
  std::vector<CourtComparison> comparisons;  ///< all pairs, in that order
  std::vector<std::string> notes;
};
/// Refused: no run, a run with strokes and no truth, options out of range. What the data cannot carry is left out of
/// the result with a note.
daq::Result<CourtJudgement> judge_detectors(std::span<const CourtRun> runs, const CourtOptions& options = {});
/// JSON; what is not finite is null.
std::string to_json(const CourtJudgement& judgement);

}  // namespace strigil::protocols
