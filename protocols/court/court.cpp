#include "protocols/court/court.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "protocols/court/court_accusations.hpp"
#include "protocols/court/court_figures.hpp"

namespace strigil::protocols {
namespace {

/// The same stroke, whoever heard it.
using StrokeKey = std::tuple<std::size_t, std::size_t, std::int64_t>;
StrokeKey key_of(const CourtStroke& s) { return {s.run, s.heard->hearing.planned.step, s.heard->hearing.began.ns}; }

void keep_common(CourtHearing& mine, const CourtHearing& other) {
  std::set<StrokeKey> theirs;
  for (const auto& s : other.strokes) theirs.insert(key_of(s));
  std::erase_if(mine.strokes, [&](const CourtStroke& s) { return s.air || !theirs.contains(key_of(s)); });
  std::sort(mine.strokes.begin(), mine.strokes.end(),
            [](const auto& x, const auto& y) { return key_of(x) < key_of(y); });
}

CourtComparison compare(std::span<const CourtRun> runs, const std::string& first, const std::string& second,
                        const CourtOptions& o) {
  CourtComparison c;
  c.first = first;
  c.second = second;
  auto a = hearing_of(runs, first);
  auto b = hearing_of(runs, second);
  keep_common(a, b);
  keep_common(b, a);
  const auto x = scored_cases(a, o);
  c.cases = x.cases.targets.size() + x.cases.blanks.size();
  if (x.cases.targets.empty() || x.cases.blanks.empty()) {
    c.why = c.difference.why = "they have no targets and blanks in common";
    return c;
  }
  const auto y = score_cases(b.strokes, x.cases);
  if (auto delong = compare_paired(x.scores.scores, y.scores, o.level); delong) {
    c.delong = *delong;
  } else {
    c.why = delong.error().message;
  }
  const PhantomAuc auc_x(x.scores, a.phantoms);
  const PhantomAuc auc_y(y, a.phantoms);
  c.difference = over_phantoms(
      a, [&](std::span<const std::size_t> drawn) { return auc_x.of(drawn) - auc_y.of(drawn); }, o);
  return c;
}

std::optional<daq::Error> amiss(std::span<const CourtRun> runs, const CourtOptions& o) {
  if (runs.empty()) return daq::Error{"there is no run to judge by"};
  if (!(o.level > 0 && o.level < 1 && o.blank_level > 0 && o.blank_level < 1))
    return daq::Error{fmt::format("levels lie between 0 and 1, not {} and {}", o.level, o.blank_level)};
  if (!(o.deadline_s > 0)) return daq::Error{fmt::format("a deadline of {} s cannot be met", o.deadline_s)};
  if (!(o.matching.tolerance_mm >= 0)) return daq::Error{"the matching's tolerance is below 0"};
  if (o.blanks_of_target == 0) return daq::Error{"each target needs at least one blank case"};
  for (const auto& r : runs) {
    if (!r.heard.has_truth && !r.heard.strokes.empty()) {
      return daq::Error{fmt::format(
          "run '{}' has no ground truth: nobody can be judged by it. Run it with --phantom, or leave it out",
          r.heard.run_id)};
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(Accusation accusation) noexcept {
  switch (accusation) {
    case Accusation::kClairvoyant:
      return "clairvoyant";
    case Accusation::kAskedForTruth:
      return "asked for the truth";
    case Accusation::kConstantAnswer:
      return "constant answer";
    case Accusation::kWorksOnNothing:
      return "works on nothing";
    case Accusation::kBrokeTheContract:
      return "broke the contract";
  }
  return "unknown";
}

daq::Result<CourtJudgement> judge_detectors(std::span<const CourtRun> runs, const CourtOptions& options) {
  if (auto wrong = amiss(runs, options)) return *wrong;
  CourtJudgement out;
  out.options = options;
  std::set<std::string> names;
  for (const auto& r : runs) {
    for (const auto& s : r.heard.strokes) {
      if (!s.hearing.detector.empty()) names.insert(s.hearing.detector);
    }
    for (const auto& w : r.heard.warnings) out.notes.push_back(fmt::format("run '{}': {}", r.heard.run_id, w));
  }
  if (names.empty()) return daq::Error{"no detector has heard any stroke"};
  for (const auto& name : names) {
    const auto hearing = hearing_of(runs, name);
    auto one = figures_of(hearing, name, options);
    if (!one) return one.error();
    one->on_blanks = areas_on_blanks(hearing.strokes, options);
    if (one->on_blanks.empty())
      one->notes.emplace_back("no stroke in the air or over contrast 1.0: whether it works on nothing was not asked");
    one->accused = accuse(hearing.strokes, one->on_blanks);
    out.detectors.push_back(std::move(*one));
  }
  const auto auc = [](const DetectorJudgement& j) { return j.roc ? j.roc->auc : -1.0; };
  std::stable_sort(out.detectors.begin(), out.detectors.end(),
                   [&](const auto& a, const auto& b) { return auc(a) > auc(b); });
  for (std::size_t i = 0; i < out.detectors.size(); ++i) {
    for (std::size_t k = i + 1; k < out.detectors.size(); ++k)
      out.comparisons.push_back(compare(runs, out.detectors[i].detector, out.detectors[k].detector, options));
  }
  return out;
}

}  // namespace strigil::protocols
