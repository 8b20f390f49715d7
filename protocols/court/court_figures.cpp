#include "protocols/court/court_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace strigil::protocols {
namespace {

/// Each stroke against the targets that are there.
struct Matched {
  std::vector<Matching> matchings;
  std::vector<FrocCase> froc;
  std::vector<std::size_t> phantom;
};

daq::Result<Matched> matched(const CourtHearing& hearing, const CourtOptions& options) {
  Matched out;
  for (const auto& s : hearing.strokes) {
    std::vector<TruthTarget> targets;
    for (const auto& t : s.heard->targets) {
      if (is_asked_for(s, t, AskedFor::kTargets)) targets.push_back(t.where);
    }
    const auto& h = s.heard->hearing;
    auto m = match(h.detections, targets, options.matching);
    if (!m) {
      return daq::Error{fmt::format("{}, stroke of step {}: {}", h.detector, h.planned.step, m.error().message)};
    }
    out.froc.push_back(froc_case(*m, h.detections, targets, h.length_m));
    out.matchings.push_back(std::move(*m));
    out.phantom.push_back(s.phantom);
  }
  return out;
}

/// Keeps a result, or says why there is none.
template <typename T>
std::optional<T> kept(daq::Result<T> result, const char* what, std::vector<std::string>& notes) {
  if (result) return std::move(*result);
  notes.push_back(fmt::format("{}: {}", what, result.error().message));
  return std::nullopt;
}

void judge_roc(DetectorJudgement& j, const CourtHearing& hearing, const ScoredCases& c, const CourtOptions& o) {
  j.targets = c.cases.targets.size();
  j.blanks = c.cases.blanks.size();
  if (c.cases.stand_ins > 0) {
    j.notes.push_back(fmt::format(
        "{} of {} blank cases lie beside the target on its own stroke: no other phantom has that place free",
        c.cases.stand_ins, j.blanks));
  }
  if (c.cases.without_blank > 0)
    j.notes.push_back(fmt::format("{} of {} targets have no blank case", c.cases.without_blank, j.targets));
  const auto& scores = c.scores.scores;
  constexpr std::size_t kFewPhantoms = 10;  // [A] below, the spread between phantoms is itself hardly known
  const std::set<std::size_t> with_target(c.scores.target_phantom.begin(), c.scores.target_phantom.end());
  const std::set<std::size_t> with_blank(c.scores.blank_phantom.begin(), c.scores.blank_phantom.end());
  if (std::min(with_target.size(), with_blank.size()) < kFewPhantoms) {
    j.notes.push_back(
        fmt::format("{} phantoms have targets and {} have blank cases: with fewer than {} of each, intervals "
                    "over phantoms are too narrow",
                    with_target.size(), with_blank.size(), kFewPhantoms));
  }
  auto area = clustered_roc_area(scores, c.scores.target_phantom, c.scores.blank_phantom, o.level);
  if (!area && !scores.targets.empty() && !scores.others.empty()) {
    j.notes.push_back(fmt::format("AUC as if cases were independent: {}", area.error().message));
    area = roc_area(scores, o.level);
  }
  j.roc = kept(std::move(area), "AUC", j.notes);
  if (!j.roc) {
    j.auc_bootstrap.why = "no AUC";
    return;
  }
  if (auto curve = roc_curve(scores); curve) j.roc_curve = std::move(*curve);
  j.precision_recall = kept(precision_recall(scores), "precision and recall", j.notes);
  const PhantomAuc by_phantom(c.scores, hearing.phantoms);
  j.auc_bootstrap = over_phantoms(
      hearing, [&](std::span<const std::size_t> drawn) { return by_phantom.of(drawn); }, o);
}

void judge_froc(DetectorJudgement& j, const Matched& heard, const CourtOptions& o) {
  j.wafroc = kept(froc_area(heard.froc, FrocMerit::kWafroc, o.level), "wAFROC", j.notes);
  if (auto curve = froc_curve(heard.froc); curve) j.froc_curve = std::move(*curve);
  auto options = o.bootstrap;
  options.level = o.level;
  for (const double allowed : {0.1, 1.0, 10.0}) {
    auto point = found_at(heard.froc, allowed, heard.phantom, options);
    if (!point) point = found_at(heard.froc, allowed, {}, options);
    if (auto good = kept(std::move(point), "Pd", j.notes)) j.operating.push_back(std::move(*good));
  }
}

std::optional<PodFit> pod_of(DetectorJudgement& j, const std::vector<HitMiss>& rows, std::size_t targets,
                             const char* what, const CourtOptions& o) {
  std::set<double> sizes;
  for (const auto& r : rows) sizes.insert(r.size);
  if (targets < o.least_targets_for_pod || sizes.size() < o.least_sizes_for_pod) {
    j.notes.push_back(fmt::format("{}: {} targets of {} values are too few for a curve ({} of {} are needed)", what,
                                  targets, sizes.size(), o.least_targets_for_pod, o.least_sizes_for_pod));
    return std::nullopt;
  }
  PodOptions p;
  p.repeated = true;
  p.confidence = o.level;
  return kept(fit_hit_miss(rows, p), what, j.notes);
}

void judge_psychometric(DetectorJudgement& j, const ScoredCases& c, double threshold, const CourtOptions& o) {
  if (j.contrast_levels.size() < o.least_sizes_for_pod) return;
  // Over ln(contrast): where there is no contrast there is no signal.
  std::vector<PsychometricLevel> logs;
  for (const auto& level : j.contrast_levels) {
    if (level.x > 1) logs.push_back({std::log(level.x), level.correct, level.trials});
  }
  const auto& blanks = c.scores.scores.others;
  const auto false_hits = std::count_if(blanks.begin(), blanks.end(), [&](double s) { return s >= threshold; });
  PsychometricOptions p;
  p.guess = blanks.empty() ? 0 : static_cast<double>(false_hits) / static_cast<double>(blanks.size());
  p.seed = o.bootstrap.seed;
  p.level = o.level;
  j.psychometric_contrast = kept(fit_psychometric(logs, p), "psychometric curve over contrast", j.notes);
}

/// At the threshold of one false alarm a metre: how far off, how late, from what size on.
void judge_found(DetectorJudgement& j, const CourtHearing& hearing, const Matched& heard, const ScoredCases& c,
                 const CourtOptions& o) {
  const auto one =
      std::find_if(j.operating.begin(), j.operating.end(), [](const auto& p) { return p.allowed_per_m == 1; });
  if (one == j.operating.end()) return;
  if (std::isinf(one->threshold)) {
    j.notes.emplace_back("at one false alarm a metre it finds nothing: no error, no reaction, no POD");
    return;
  }
  std::vector<StrokeErrors> errors;
  auto found = heard.matchings;
  std::vector<HitMiss> by_size;
  std::vector<HitMiss> by_contrast;
  std::map<double, PsychometricLevel> levels;
  std::map<std::pair<std::size_t, std::string>, std::uint64_t> numbers;  // a target is one over all its strokes
  for (std::size_t s = 0; s < hearing.strokes.size(); ++s) {
    const auto& stroke = hearing.strokes[s];
    errors.push_back({stroke.phantom, {}});
    std::size_t t = 0;
    for (const auto& target : stroke.heard->targets) {
      if (!is_asked_for(stroke, target, AskedFor::kTargets)) continue;
      auto& m = found[s].targets[t++];
      const bool hit = m.detection && m.score >= one->threshold;
      if (hit) {
        errors.back().errors.push_back(m.error_mm);
      } else {
        m = {};
      }
      const auto number = numbers.try_emplace({stroke.phantom, target.name}, numbers.size()).first->second;
      const double contrast = std::exp(std::abs(std::log(target.contrast)));  // softer is as far from 1 as harder
      by_size.push_back({target.size_mm, hit, number});
      by_contrast.push_back({contrast, hit, number});
      auto& level = levels[contrast];
      level.x = contrast;
      ++level.trials;
      level.correct += hit ? 1 : 0;
    }
  }
  auto options = o.bootstrap;
  options.level = o.level;
  j.localisation_mm = kept(spread_of_errors(errors, options), "localisation", j.notes);
  j.reaction = kept(reaction(found, o.deadline_s, o.level), "reaction time", j.notes);
  j.pod_size = pod_of(j, by_size, numbers.size(), "POD over size", o);
  j.pod_contrast = pod_of(j, by_contrast, numbers.size(), "POD over contrast", o);
  for (const auto& [contrast, level] : levels) j.contrast_levels.push_back(level);
  judge_psychometric(j, c, one->threshold, o);
}

/// Scores become probabilities by Platt's map, fitted on the other half of the phantoms; are they true?
void judge_calibration(DetectorJudgement& j, const ScoredCases& c, const CourtOptions& o) {
  const auto& all = c.scores;
  double least = std::numeric_limits<double>::infinity();
  for (const auto* list : {&all.scores.targets, &all.scores.others}) {
    for (const double s : *list) {
      if (std::isfinite(s)) least = std::min(least, s);
    }
  }
  if (!std::isfinite(least)) {
    j.notes.emplace_back("calibration of scores: it never answered within a case");
    return;
  }
  std::array<std::vector<ScoredOutcome>, 2> halves;
  const auto put = [&](const std::vector<double>& scores, const std::vector<std::size_t>& phantoms, bool target) {
    // Silence is as low as the lowest mark.
    for (std::size_t i = 0; i < scores.size(); ++i)
      halves[phantoms[i] % 2].push_back({std::isfinite(scores[i]) ? scores[i] : least, target});
  };
  put(all.scores.targets, all.target_phantom, true);
  put(all.scores.others, all.blank_phantom, false);
  std::vector<Judged> judged;
  for (std::size_t half = 0; half < 2; ++half) {
    const auto map = kept(fit_platt(halves[1 - half]), "calibration of scores", j.notes);
    if (!map) return;
    for (const auto& s : halves[half]) judged.push_back({map->at(s.score), s.target});
  }
  constexpr std::size_t kBins = 10;
  j.calibration = kept(reliability(judged, kBins, Binning::kEqualCount, o.level), "calibration of scores", j.notes);
}

}  // namespace

CourtHearing hearing_of(std::span<const CourtRun> runs, const std::string& detector) {
  CourtHearing out;
  std::map<std::string, std::size_t> numbers;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const auto& name = runs[r].phantom.empty() ? runs[r].heard.phantom : runs[r].phantom;
    const auto phantom = numbers.try_emplace(name, numbers.size()).first->second;
    for (const auto& s : runs[r].heard.strokes) {
      const auto& h = s.hearing;
      if (h.detector != detector || !h.counts || !(h.length_m > 0)) continue;
      if (h.per_lane && h.planned.number + 1 < h.planned.of) continue;
      out.strokes.push_back({&s, r, phantom, runs[r].ground == RunGround::kAir, runs[r].heard.instrument});
    }
  }
  out.phantoms = numbers.size();
  return out;
}

ScoredCases scored_cases(const CourtHearing& hearing, const CourtOptions& o) {
  ScoredCases out;
  out.cases = court_cases(hearing.strokes, AskedFor::kTargets, BlankPlace::kOtherPhantoms, true,
                          o.matching.tolerance_mm, o.blanks_of_target, o.bootstrap.seed);
  out.scores = score_cases(hearing.strokes, out.cases);
  return out;
}

CourtFigure over_phantoms(const CourtHearing& hearing,
                          const std::function<double(std::span<const std::size_t>)>& statistic, const CourtOptions& o) {
  std::set<std::size_t> seen;
  for (const auto& s : hearing.strokes) seen.insert(s.phantom);
  const std::vector<std::size_t> phantoms(seen.begin(), seen.end());
  CourtFigure out;
  out.value = statistic(phantoms);
  if (phantoms.size() < 2) {
    out.why = "one phantom: nothing is known of others";
    return out;
  }
  auto options = o.bootstrap;
  options.resampling = Resampling::kPhantoms;  // each is one stroke to the bootstrap: all of it or none
  options.level = o.level;
  std::vector<std::size_t> numbers;
  const auto of_drawn = [&](std::span<const std::size_t> drawn) {
    numbers.clear();
    for (const auto i : drawn) numbers.push_back(phantoms[i]);
    return statistic(numbers);
  };
  auto boot = bootstrap(phantoms, of_drawn, options);
  if (boot) {
    out.interval = boot->interval;
  } else {
    out.why = boot.error().message;
  }
  return out;
}

daq::Result<DetectorJudgement> figures_of(const CourtHearing& all, const std::string& detector,
                                          const CourtOptions& options) {
  DetectorJudgement j;
  j.detector = detector;
  auto hearing = all;
  std::erase_if(hearing.strokes, [](const CourtStroke& s) { return s.air; });  // for the check on blanks alone
  std::set<std::size_t> runs;
  std::set<std::size_t> phantoms;
  for (const auto& s : hearing.strokes) {
    runs.insert(s.run);
    phantoms.insert(s.phantom);
    j.stroked_m += s.heard->hearing.length_m;
    j.marks += s.heard->hearing.detections.size();
  }
  j.runs = runs.size();
  j.phantoms = phantoms.size();
  j.strokes = hearing.strokes.size();
  if (hearing.strokes.empty()) {
    j.notes.emplace_back("it heard no stroke over tissue");
    return j;
  }
  auto heard = matched(hearing, options);
  if (!heard) return heard.error();
  const auto cases = scored_cases(hearing, options);
  judge_roc(j, hearing, cases, options);
  judge_froc(j, *heard, options);
  judge_found(j, hearing, *heard, cases, options);
  judge_calibration(j, cases, options);
  return j;
}

}  // namespace strigil::protocols
