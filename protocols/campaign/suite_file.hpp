// The suite file (docs/suite_file.md): a campaign as a person writes it, in TOML. Immutable once read.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/design.hpp"

namespace strigil::protocols {

/// A closed interval; infinite where one end is free.
struct Band {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  [[nodiscard]] bool holds(double value) const noexcept { return value >= low && value <= high; }  // NaN: no
};

enum class Statistic : std::uint8_t { kWorst, kMean };

/// [[measure]]: a number of each stroke, its limits, and the band inside them in which it is marginal.
struct MeasureRule {
  std::string name;   ///< of measure_names()
  std::string phase;  ///< strokes of this phase alone; empty: all
  Statistic statistic = Statistic::kWorst;
  Band limits;
  double marginal = 0;  ///< that near to a limit it passes, and is told
  bool fails = true;    ///< outside the limits the trial fails; false: it is told
};

/// [[during]]: holds while something else does. "For 3 s, the force within 0.5 N while the speed is above 50 mm/s."
struct DuringRule {
  std::string name;  ///< for people
  std::string phase;
  std::string signal;  ///< of signal_names()
  Band band;
  std::string guard;  ///< likewise; empty: always
  Band guard_band;
  double for_s = 0;  ///< unbroken, in time in which the guard holds; 0: all of that time
};

/// [[accept]]: what a detector must reach. `figure` is a name of the court's, e.g. "auc".
struct AcceptRule {
  std::string detector;
  std::string figure;
  Band limits;
  bool by_interval = false;  ///< the whole interval must lie within the limits, not only the value
};

/// [until]: the campaign ends when the mean of a measure over the trials is decided
/// (protocols/court/trial_planner.hpp), or the verdict on the gage of [gage] is.
struct UntilRule {
  std::string measure;      ///< as MeasureResult::name; with `gage`, that of [gage]
  bool gage = false;        ///< until the interval of GRR % lies within one class
  double half_width = 0;    ///< known to +- this, > 0; nothing with `gage`
  std::uint64_t looks = 5;  ///< evenly over the planned trials, the last one at their end
  double confidence = 0.95;
};

/// [gage]: one measure's readings as a gage R&R study.
struct GageRule {
  std::string measure;
  std::string part;       ///< name of a factor
  std::string appraiser;  ///< likewise
  std::optional<double> tolerance;
};

/// [setup], [teardown]: what is done before the first trial of a session and after its last, whatever happened.
struct Surroundings {
  std::string home;      ///< axes that look for their references; empty: none
  std::string protocol;  ///< carried out on what lies there; empty: none
};

/// [dataset]: what `strigil collect` tells of it.
struct DatasetText {
  std::string title;
  std::string description;
  std::vector<std::string> creators;  ///< "Family, Given"
  std::vector<std::string> keywords;
  std::string licence = "CC-BY-4.0";  ///< SPDX identifier
  double train_percent = 60;          ///< of the phantoms; the rest, but `test_percent`, is for validation
  double test_percent = 20;
};

/// A detector in another process (docs/detectors.md): what a report calls it, and what starts it.
struct CommandedDetector {
  std::string name;
  std::string command;  ///< with {endpoint} and {answers}
};

struct Suite {
  std::string name;
  std::string title;
  std::string description;
  std::string version;
  std::string file;
  std::string text;      ///< as read
  std::string bench;     ///< name or path
  std::string protocol;  ///< likewise, or "of_phantom": the one that goes with the trial's phantom
  bool virtual_time = false;
  std::vector<std::string> keep_phases;  ///< of a protocol with phases; empty: all
  int attempts = 2;                      ///< of a trial that ends INVALID, the first included
  int give_up_after = 0;                 ///< trials in a row that stayed INVALID end the campaign; 0: never

  std::string phantom;  ///< [specimen]: of every trial, where it is no factor; empty: as the bench file says
  std::string instrument;
  std::string emollient;
  std::string change_protocol;  ///< TOML laid over the protocol of every trial
  std::string change_bench;     ///< and over the bench

  Design design;
  std::vector<MeasureRule> measures;
  std::vector<DuringRule> durings;
  std::vector<std::string> detectors;        ///< of ours, to be judged
  std::vector<CommandedDetector> commanded;  ///< and others; each hears every run again
  std::vector<AcceptRule> accepts;
  double valid_percent = 100;  ///< of the trials that must be valid, or the campaign is INVALID
  double pass_percent = 100;   ///< of the valid trials that must pass, or it is a FAIL
  std::optional<UntilRule> until;
  std::optional<GageRule> gage;
  Surroundings setup;
  Surroundings teardown;
  DatasetText dataset;
};

inline constexpr std::string_view kProtocolOfPhantom = "of_phantom";

/// Refuses unknown keys, wrong types, values out of range and what contradicts itself, with file, line and column. Does
/// not look for benches, protocols or phantoms. Off the loop.
daq::Result<Suite> parse_suite(std::string_view text, const std::string& file);
/// The name under which a measure's results are told: "scan/force_rms_N", or without a phase "force_rms_N".
std::string key_of(const MeasureRule& rule);
/// Factors that a suite may have, beside "protocol.TABLE.KEY" and "bench.TABLE.KEY": any number of either file.
std::vector<std::string> factor_names();

}  // namespace strigil::protocols
