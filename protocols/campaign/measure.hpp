// Measures: numbers of each stroke with limits, and conditions that hold during a phase. Pure, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "protocols/campaign/suite_file.hpp"
#include "protocols/detectors/detector.hpp"
#include "protocols/plan.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {

/// kMarginal passes, and is told. kUnjudged: there was nothing to judge by, so the trial is INVALID.
enum class Finding : std::uint8_t { kGood, kMarginal, kBad, kUnjudged };
std::string_view name_of(Finding finding) noexcept;

struct MeasureResult {
  std::string name;
  double value = 0;  ///< of the rule's statistic; NaN: unjudged
  Finding finding = Finding::kUnjudged;
  bool fails = true;
  std::string words;
};

/// Names that [[measure]] knows, and those that [[during]] knows as signals.
std::vector<std::string> measure_names();
std::vector<std::string> signal_names();

/// By the strokes of a run's verdict.
MeasureResult evaluate(const MeasureRule& rule, const Plan& plan, const Verdict& verdict);

/// A stroke's samples with what was wished; in the order of time.
struct StrokeSignals {
  std::string phase;
  double wished_force_N = 0;
  std::span<const ContactSample> samples;
};
/// One rule over the strokes of one run, fed one after the other.
class DuringWatch {
 public:
  explicit DuringWatch(const DuringRule& rule) : rule_(rule) {}
  /// A stroke of another phase than the rule's is passed over.
  void feed(const StrokeSignals& stroke);
  [[nodiscard]] MeasureResult result() const;

 private:
  DuringRule rule_;
  double guarded_s_ = 0;  ///< in which the guard held
  double held_s_ = 0;     ///< of that, in which the condition holds without a break
  double longest_s_ = 0;
  double worst_ = 0;  ///< greatest way out of the band
  double worst_at_s_ = 0;
  std::size_t samples_ = 0;
};

}  // namespace strigil::protocols
