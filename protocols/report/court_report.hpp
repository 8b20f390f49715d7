// Court report: everything that is said of a campaign, as plain values. The campaign fills it, the writers beside this
// file (JUnit, JSON, HTML) say it; none of them computes.
//
// Every number may name its evidence: a set of sample ranges in run files. Numbers that rest on the same samples share
// one set, so a report of 10,000 strokes names each of them once. Strings may hold anything: the writers escape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calibration/certificate/svg_plot.hpp"
#include "protocols/court/baseline.hpp"
#include "protocols/court/interval.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {

inline constexpr std::size_t kNoEvidence = static_cast<std::size_t>(-1);

/// Samples of one channel of one run, both ends included.
struct SampleRange {
  std::string run;          ///< run file, relative to the report
  std::string stream;       ///< "force"; empty: the whole run
  std::string channel;      ///< "Fz"; empty: all of the stream
  std::uint64_t first = 0;  ///< row of the stream's counts
  std::uint64_t last = 0;
  std::string what;  ///< "stroke 3, forward"; may be empty
};
struct EvidenceSet {
  std::string name;  ///< "glr: all strokes"
  std::vector<SampleRange> ranges;
};

enum class MetricStatus : std::uint8_t {
  kNoLimit,    ///< for information
  kMet,        ///< the whole interval (without one, the value) within the limits
  kMarginal,   ///< within the limits, but in the marginal band
  kUndecided,  ///< a limit lies inside the interval
  kMissed,     ///< the whole interval (without one, the value) beyond a limit
  kUnknown,    ///< not measured; `words` says why
};
const char* name_of(MetricStatus status) noexcept;

struct Metric {
  std::string name;  ///< "AUC", "found at 1 false alarm per metre", "normal force"
  double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN: not known
  std::string unit;                                         ///< empty: none
  Interval interval = {};                                   ///< not known(): none
  std::optional<double> lower_limit = {};                   ///< acceptance
  std::optional<double> upper_limit = {};
  double marginal = 0;  ///< width of the band inside each limit that counts as marginal, >= 0
  MetricStatus status = MetricStatus::kNoLimit;
  std::string words = {};  ///< how it was found, or why it is not known; may be empty
  std::size_t evidence = kNoEvidence;
};
/// What interval (or value), limits and marginal band say. For whoever fills a metric.
MetricStatus status_of(const Metric& metric) noexcept;

/// Part of a report: a detector, a comparison, a study of the measurement system, a noise fingerprint.
struct ReportSection {
  std::string name;
  std::string about = {};  ///< version, where it ran, what was done; may be empty
  std::optional<Judgement> verdict = {};
  std::vector<Metric> metrics = {};
  std::vector<calibration::SvgPlot> plots = {};  ///< ROC, FROC, POD with band, histograms, score calibration ...
};

/// Something that should not be: a cheating or hung detector, a number too good to be true.
struct Flag {
  std::string name;  ///< "truth peeker"
  std::string who;   ///< detector or trial
  std::string evidence_words;
  Judgement weight = Judgement::kFail;
  std::size_t evidence = kNoEvidence;
};

enum class TrialState : std::uint8_t { kDone, kInvalid, kLeft };
const char* name_of(TrialState state) noexcept;

/// One planned trial.
struct TrialReport {
  std::string id;
  std::string group;  ///< JUnit's test suite, e.g. the phantom; may be empty
  std::vector<std::pair<std::string, std::string>> factors = {};  ///< all trials have the same, in the same order
  TrialState state = TrialState::kLeft;
  Judgement verdict = Judgement::kInvalid;  ///< where it was done
  std::vector<std::string> reasons = {};    ///< in order of weight
  std::string run = {};                     ///< run file, relative to the report; empty: none
  std::string run_sha256 = {};
  std::size_t attempts = 0;
  double duration_s = 0;
  std::vector<Metric> measures = {};
  std::size_t evidence = kNoEvidence;
};

struct ReportReason {
  Judgement weight = Judgement::kInvalid;  ///< kPass: to be known, no fault
  std::string text;
  std::size_t evidence = kNoEvidence;
};

struct CourtReport {
  std::string title;
  std::string suite;     ///< name of the suite or its file
  std::string software;  ///< code version
  std::string began;     ///< ISO 8601
  std::string ended;
  std::uint64_t seed = 0;
  Judgement verdict = Judgement::kInvalid;
  std::vector<ReportReason> reasons = {};  ///< in order of weight
  std::vector<TrialReport> trials = {};
  std::vector<ReportSection> detectors = {};
  std::vector<ReportSection> comparisons = {};
  std::vector<ReportSection> studies = {};  ///< gage R&R, control charts, noise fingerprint, golden strokes
  std::vector<Flag> flags = {};
  std::string baseline_origin = {};
  std::optional<BaselineComparison> baseline = {};
  std::vector<calibration::SvgPlot> plots = {};  ///< of the campaign as a whole
  std::vector<EvidenceSet> evidence = {};
};

/// Counted from the trials.
struct TrialCounts {
  std::size_t planned = 0;
  std::size_t done = 0;  ///< with a verdict PASS or FAIL
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t invalid = 0;
  std::size_t left = 0;
};
TrialCounts count_trials(const CourtReport& report) noexcept;

/// Every evidence index in range, limits and intervals in order, factors alike. Errors say which number is wrong.
daq::Result<void> check_report(const CourtReport& report);

}  // namespace strigil::protocols
