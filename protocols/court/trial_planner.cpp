#include "protocols/court/trial_planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "protocols/court/binomial.hpp"
#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

daq::Result<double> level_of_look(const PlanOptions& o) {
  if (!(o.confidence > 0 && o.confidence < 1)) {
    return daq::Error{fmt::format("confidence {} is not between 0 and 1", o.confidence)};
  }
  if (o.looks == 0) return daq::Error{"a campaign that never looks decides nothing: looks must be 1 at least"};
  if (o.most_trials == 0 || o.most_trials > 100'000'000) {
    return daq::Error{fmt::format("{} trials are not between 1 and 100,000,000", o.most_trials)};
  }
  return 1 - (1 - o.confidence) / static_cast<double>(o.looks);
}

/// Smallest n in (from, most] that decides; `most` + 1 where none does. Deciding is taken to stay so as n grows.
std::uint64_t first_that(std::uint64_t from, std::uint64_t most, const std::function<bool(std::uint64_t)>& decides) {
  if (from >= most) return most + 1;
  std::uint64_t low = from;
  std::uint64_t step = 1;
  std::uint64_t high = from + 1;
  while (!decides(high)) {
    if (high == most) return most + 1;
    low = high;
    step *= 2;
    high = std::min(most, high + step);
  }
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (decides(middle) ? high : low) = middle;
  }
  return high;
}

void plan(TrialPlan& out, std::uint64_t needed, std::uint64_t most) {
  out.reachable = needed <= most;
  out.more_trials = std::min(needed, most) - std::min(out.trials, most);
}

std::string words_of(const TrialPlan& p, const std::string& question) {
  auto out = fmt::format("{}: {} after {} trials, {:.6g} to {:.6g} at {:.6g} %", question, name_of(p.decision),
                         p.trials, p.interval.low, p.interval.high, 100 * p.interval.level);
  if (p.decision != TrialDecision::kUndecided) return out;
  return out + (p.reachable ? fmt::format("; about {} more", p.more_trials)
                            : fmt::format("; not within the {} trials that are left", p.more_trials));
}

struct Sample {
  double n = 0;
  double mean = 0;
  double sd = 0;
};
daq::Result<Sample> sample_of(std::span<const double> values) {
  if (values.size() < 2)
    return daq::Error{fmt::format("{} values: at least 2 are needed to see a spread", values.size())};
  Sample s;
  s.n = static_cast<double>(values.size());
  for (const double v : values) {
    if (!std::isfinite(v)) return daq::Error{fmt::format("{} is no value", v)};
    s.mean += v / s.n;
  }
  for (const double v : values) s.sd += (v - s.mean) * (v - s.mean);
  s.sd = std::sqrt(s.sd / (s.n - 1));
  return s;
}

double half_width(double sd, double n, double level) {
  return student_quantile(0.5 + level / 2, n - 1) * sd / std::sqrt(n);
}

}  // namespace

const char* name_of(TrialDecision decision) noexcept {
  switch (decision) {
    case TrialDecision::kMet:
      return "met";
    case TrialDecision::kNotMet:
      return "not met";
    case TrialDecision::kUndecided:
      return "undecided";
  }
  return "";
}

daq::Result<TrialPlan> plan_proportion(std::uint64_t hits, std::uint64_t trials, double threshold,
                                       const PlanOptions& o) {
  const auto level = level_of_look(o);
  if (!level) return level.error();
  if (!(threshold > 0 && threshold < 1))
    return daq::Error{fmt::format("threshold {} is not between 0 and 1", threshold)};
  const auto now = proportion(hits, trials, *level);
  if (!now) return now.error();
  const auto decided = [&](const Interval& i) {
    if (i.low >= threshold) return TrialDecision::kMet;
    return i.high < threshold ? TrialDecision::kNotMet : TrialDecision::kUndecided;
  };
  TrialPlan out;
  out.interval = now->interval;
  out.trials = trials;
  out.decision = decided(now->interval);
  if (out.decision == TrialDecision::kUndecided) {
    // Drawn a little to the middle, as 0 or 100 % of a few trials are not to be counted on.
    const double share = (static_cast<double>(hits) + 0.5) / (static_cast<double>(trials) + 1);
    plan(out,
         first_that(trials, o.most_trials,
                    [&](std::uint64_t n) {
                      const auto more =
                          static_cast<std::uint64_t>(std::llround(share * static_cast<double>(n - trials)));
                      const auto then = proportion(hits + more, n, *level);
                      return then.ok() && decided(then->interval) != TrialDecision::kUndecided;
                    }),
         o.most_trials);
  }
  out.words = words_of(out, fmt::format("share of hits at least {:g}", threshold));
  return out;
}

daq::Result<TrialPlan> plan_mean(std::span<const double> values, std::optional<double> lower,
                                 std::optional<double> upper, const PlanOptions& o) {
  const auto level = level_of_look(o);
  if (!level) return level.error();
  if (!lower && !upper) return daq::Error{"no limit: nothing is to be decided"};
  if ((lower && !std::isfinite(*lower)) || (upper && !std::isfinite(*upper)) ||
      (lower && upper && !(*lower < *upper))) {
    return daq::Error{"the limits are no numbers with room between them"};
  }
  const auto s = sample_of(values);
  if (!s) return s.error();
  const auto decided = [&](double half) {
    const bool inside = (!lower || s->mean - half >= *lower) && (!upper || s->mean + half <= *upper);
    const bool outside = (lower && s->mean + half < *lower) || (upper && s->mean - half > *upper);
    return inside ? TrialDecision::kMet : outside ? TrialDecision::kNotMet : TrialDecision::kUndecided;
  };
  TrialPlan out;
  const double half = half_width(s->sd, s->n, *level);
  out.interval = {s->mean - half, s->mean + half, *level};
  out.trials = values.size();
  out.decision = decided(half);
  if (out.decision == TrialDecision::kUndecided) {
    plan(out,
         first_that(out.trials, o.most_trials,
                    [&](std::uint64_t n) {
                      return decided(half_width(s->sd, static_cast<double>(n), *level)) != TrialDecision::kUndecided;
                    }),
         o.most_trials);
  }
  const auto edge = [](const std::optional<double>& v, const char* open) { return v ? fmt::format("{:g}", *v) : open; };
  out.words = words_of(out, fmt::format("mean within {} to {}", edge(lower, "-inf"), edge(upper, "inf")));
  return out;
}

daq::Result<TrialPlan> plan_precision(std::span<const double> values, double wanted, const PlanOptions& o) {
  const auto level = level_of_look(o);
  if (!level) return level.error();
  if (!(wanted > 0) || std::isinf(wanted))
    return daq::Error{fmt::format("a half-width of {} cannot be asked for", wanted)};
  const auto s = sample_of(values);
  if (!s) return s.error();
  TrialPlan out;
  const double half = half_width(s->sd, s->n, *level);
  out.interval = {s->mean - half, s->mean + half, *level};
  out.trials = values.size();
  out.decision = half <= wanted ? TrialDecision::kMet : TrialDecision::kUndecided;
  if (out.decision == TrialDecision::kUndecided) {
    plan(out,
         first_that(out.trials, o.most_trials,
                    [&](std::uint64_t n) { return half_width(s->sd, static_cast<double>(n), *level) <= wanted; }),
         o.most_trials);
  }
  out.words = words_of(out, fmt::format("mean known to +-{:g}", wanted));
  return out;
}

daq::Result<TrialPlan> plan_gage(std::span<const GageReading> readings, const GageOptions& gage, const PlanOptions& o) {
  const auto level = level_of_look(o);
  if (!level) return level.error();
  auto options = gage;
  options.level = *level;
  const auto study = gage_anova(readings, options);
  if (!study) return study.error();
  TrialPlan out;
  out.interval = study->gage_study_pct;
  out.trials = readings.size();
  const std::uint64_t of_part = study->appraisers * study->trials;
  if (study->decided) {
    out.decision = study->verdict == GageVerdict::kAccept ? TrialDecision::kMet : TrialDecision::kNotMet;
  } else {
    // With further parts the mean squares stay what they are and gain degrees of freedom; the appraisers' gain none,
    // but their variance is divided by more readings.
    const double equipment = study->equipment.component.variance;
    const double inter = study->interaction_variation.component.variance;
    const double appraiser = study->appraisers_variation.component.variance;
    const double part = study->parts_variation.component.variance;
    const auto a = static_cast<double>(study->appraisers);
    const auto r = static_cast<double>(study->trials);
    const bool crossed = study->appraisers > 1;
    const bool with_interaction = study->interaction_variation.component.estimable;
    const auto decides = [&](std::uint64_t parts) {
      const auto p = static_cast<double>(parts);
      const double below = equipment + (with_interaction ? r * inter : 0);
      const double error_dof = p * a * (r - 1) + (crossed && !with_interaction ? (p - 1) * (a - 1) : 0);
      std::vector<MeanSquare> squares{{below + a * r * part, p - 1}, {equipment, error_dof}};
      if (crossed) squares.push_back({below + p * r * appraiser, a - 1});
      if (with_interaction) squares.push_back({below, (p - 1) * (a - 1)});
      const auto then = generalised_interval(
          squares,
          [&](std::span<const double> ms) {
            const double under = with_interaction ? ms[3] : ms[1];
            double of_gage = ms[1];
            if (crossed) of_gage += std::max(0.0, (ms[2] - under) / (p * r));
            if (with_interaction) of_gage += std::max(0.0, (ms[3] - ms[1]) / r);
            return 100 * std::sqrt(of_gage / (of_gage + std::max(0.0, (ms[0] - under) / (a * r))));
          },
          *level, 1'000, gage.seed);
      return gage_verdict(then.low) == gage_verdict(then.high);
    };
    const auto most = o.most_trials / of_part;
    const auto needed = first_that(study->parts, most, decides);
    plan(out, needed > most ? o.most_trials + 1 : needed * of_part, o.most_trials);
  }
  out.words = words_of(
      out, fmt::format("gage R&R % of total variation in one class ({} by its estimate)", name_of(study->verdict)));
  return out;
}

}  // namespace strigil::protocols
