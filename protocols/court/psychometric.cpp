#include "protocols/court/psychometric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "protocols/court/bootstrap.hpp"
#include "protocols/court/distributions.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Location, ln of steepness, lapse. Both shapes are F(steepness (g - location)), g = ln x (Weibull) or x (probit).
using Point = std::array<double, 3>;

struct Problem {
  PsychometricOptions options;
  std::vector<double> g;
  std::vector<double> correct;
  std::vector<double> trials;
  double low = 0;  // of g
  double high = 0;
};

double shape_cdf(PsychometricShape shape, double eta) {
  return shape == PsychometricShape::kWeibull ? -std::expm1(-std::exp(eta)) : normal_cdf(eta);
}

double log_likelihood(const Problem& problem, const Point& p) {
  const double lapse = problem.options.lapse.value_or(p[2]);
  const double range = problem.high - problem.low;
  // Beyond these the curve is a step or a line within the sizes tested, and the likelihood flat.
  if (lapse < 0 || (!problem.options.lapse && lapse > problem.options.most_lapse) ||
      std::abs(p[1] + std::log(range)) > 7 || p[0] < problem.low - 3 * range || p[0] > problem.high + 3 * range) {
    return -kInfinity;
  }
  const double steepness = std::exp(p[1]);
  double sum = 0;
  for (std::size_t i = 0; i < problem.g.size(); ++i) {
    const double f = shape_cdf(problem.options.shape, steepness * (problem.g[i] - p[0]));
    const double psi = problem.options.guess + (1 - problem.options.guess - lapse) * f;
    if (problem.correct[i] > 0) sum += problem.correct[i] * std::log(psi);
    if (problem.correct[i] < problem.trials[i]) sum += (problem.trials[i] - problem.correct[i]) * std::log1p(-psi);
  }
  return std::isnan(sum) ? -kInfinity : sum;
}

/// Nelder & Mead's simplex of the free parameters, started anew from its own end until that moves no more.
Point climb(const Problem& problem, Point start) {
  const std::size_t free = problem.options.lapse ? 2 : 3;
  const double range = problem.high - problem.low;
  double before = -kInfinity;
  for (int restart = 0; restart < 6; ++restart) {
    std::vector<Point> simplex(free + 1, start);
    simplex[1][0] += 0.2 * range;
    simplex[2][1] += 0.5;
    if (free == 3)
      simplex[3][2] = start[2] < 0.5 * problem.options.most_lapse ? start[2] + 0.3 * problem.options.most_lapse
                                                                  : start[2] - 0.3 * problem.options.most_lapse;
    std::vector<double> value;
    for (const auto& p : simplex) value.push_back(log_likelihood(problem, p));
    for (int step = 0; step < 600; ++step) {
      std::size_t best = 0;
      std::size_t worst = 0;
      for (std::size_t i = 1; i <= free; ++i) {
        if (value[i] > value[best]) best = i;
        if (value[i] <= value[worst]) worst = i;
      }
      if (value[best] - value[worst] < 1e-11 * (1 + std::abs(value[best]))) break;
      Point centre{};
      for (std::size_t i = 0; i <= free; ++i) {
        for (std::size_t k = 0; k < 3; ++k) centre[k] += i == worst ? 0 : simplex[i][k] / static_cast<double>(free);
      }
      const auto try_at = [&](double t) {
        Point p{};
        for (std::size_t k = 0; k < 3; ++k) p[k] = centre[k] + t * (simplex[worst][k] - centre[k]);
        return std::pair{p, log_likelihood(problem, p)};
      };
      auto tried = try_at(-1);
      if (tried.second > value[best]) {
        if (auto further = try_at(-2); further.second > tried.second) tried = further;
      } else if (!(tried.second > value[worst])) {
        tried = try_at(0.5);
      }
      if (tried.second > value[worst]) {
        simplex[worst] = tried.first;
        value[worst] = tried.second;
        continue;
      }
      for (std::size_t i = 0; i <= free; ++i) {
        if (i == best) continue;
        for (std::size_t k = 0; k < 3; ++k) simplex[i][k] = 0.5 * (simplex[i][k] + simplex[best][k]);
        value[i] = log_likelihood(problem, simplex[i]);
      }
    }
    const auto best = static_cast<std::size_t>(std::max_element(value.begin(), value.end()) - value.begin());
    start = simplex[best];
    if (value[best] - before < 1e-9) break;
    before = value[best];
  }
  return start;
}

/// Best of a coarse grid of starts: where guesses and lapses flatten the likelihood, one start may stay where it is.
daq::Result<Point> fitted(const Problem& problem) {
  const double range = problem.high - problem.low;
  Point best{};
  double value = -kInfinity;
  for (const double at : {0.15, 0.4, 0.65, 0.9}) {
    for (const double steep : {0.5, 1.5, 2.5}) {
      const Point p{problem.low + at * range, steep - std::log(range), 0.01};
      if (const double v = log_likelihood(problem, p); v > value) {
        value = v;
        best = p;
      }
    }
  }
  if (value == -kInfinity) return daq::Error{"no curve of this shape can have given these answers"};
  best = climb(problem, best);
  // A curve three times as steep that fits as well: between two sizes all changes, and how steeply is not seen.
  auto steeper = best;
  steeper[1] = std::min(best[1] + 1.1, 7 - std::log(range));
  if (log_likelihood(problem, best) - log_likelihood(problem, steeper) < 1e-4) {
    return daq::Error{
        "the answers rise in one step: test sizes between the largest that is missed and the smallest that is "
        "found"};
  }
  return best;
}

double deviance(const Problem& problem, const Point& p) {
  double saturated = 0;
  for (std::size_t i = 0; i < problem.g.size(); ++i) {
    const double share = problem.correct[i] / problem.trials[i];
    if (share > 0) saturated += problem.correct[i] * std::log(share);
    if (share < 1) saturated += (problem.trials[i] - problem.correct[i]) * std::log1p(-share);
  }
  return 2 * (saturated - log_likelihood(problem, p));
}

struct Named {
  double threshold;
  double slope;
  double at_target;
};
Named named(const PsychometricOptions& o, const Point& p) {
  const double steepness = std::exp(p[1]);
  if (o.shape == PsychometricShape::kWeibull) {
    return {std::exp(p[0]), steepness, std::exp(p[0] + std::log(-std::log1p(-o.target)) / steepness)};
  }
  return {p[0], 1 / steepness, p[0] + normal_quantile(o.target) / steepness};
}

daq::Result<Problem> problem_of(std::span<const PsychometricLevel> levels, const PsychometricOptions& o) {
  if (!(o.guess >= 0 && o.guess < 1) || !(o.most_lapse > 0 && o.most_lapse < 1 - o.guess) ||
      (o.lapse && !(*o.lapse >= 0 && *o.lapse < 1 - o.guess))) {
    return daq::Error{fmt::format("guess rate {} and lapse rate leave no room for a curve", o.guess)};
  }
  if (!(o.target > 0 && o.target < 1) || !(o.level > 0 && o.level < 1)) {
    return daq::Error{fmt::format("target {} or level {} is not in (0, 1)", o.target, o.level)};
  }
  if (o.resamples > 100'000) return daq::Error{fmt::format("{} resamples are more than 100,000", o.resamples)};
  Problem out;
  out.options = o;
  out.low = kInfinity;
  out.high = -kInfinity;
  for (const auto& l : levels) {
    if (l.correct > l.trials) return daq::Error{fmt::format("{} right answers of {} cannot be", l.correct, l.trials)};
    if (l.trials == 0) continue;
    if (!std::isfinite(l.x) || (o.shape == PsychometricShape::kWeibull && l.x <= 0)) {
      return daq::Error{fmt::format("size {} has no place on the curve: Weibull's needs sizes above 0", l.x)};
    }
    out.g.push_back(o.shape == PsychometricShape::kWeibull ? std::log(l.x) : l.x);
    out.correct.push_back(static_cast<double>(l.correct));
    out.trials.push_back(static_cast<double>(l.trials));
    out.low = std::min(out.low, out.g.back());
    out.high = std::max(out.high, out.g.back());
  }
  if (!(out.high > out.low)) return daq::Error{"a curve needs trials at two sizes at least"};
  return out;
}

}  // namespace

daq::Result<PsychometricFit> fit_psychometric(std::span<const PsychometricLevel> levels, const PsychometricOptions& o) {
  auto problem = problem_of(levels, o);
  if (!problem) return problem.error();
  const auto best = fitted(*problem);
  if (!best) return best.error();
  const auto at_best = named(o, *best);
  double all = 0;
  double right = 0;
  for (std::size_t i = 0; i < problem->g.size(); ++i) {
    all += problem->trials[i];
    right += problem->correct[i];
  }
  const double share = right / all;
  const double flat =
      (right > 0 ? right * std::log(share) : 0) + (right < all ? (all - right) * std::log1p(-share) : 0);
  const double ratio = 2 * (log_likelihood(*problem, *best) - flat);
  if (!(ratio > chi_squared_quantile(o.level, 1))) {
    return daq::Error{fmt::format("the answers are not shown to rise with size: likelihood ratio {:.3g}", ratio)};
  }
  PsychometricFit fit;
  fit.threshold = at_best.threshold;
  fit.slope = at_best.slope;
  fit.at_target = at_best.at_target;
  fit.lapse = o.lapse.value_or((*best)[2]);
  fit.log_likelihood = log_likelihood(*problem, *best);
  fit.deviance = deviance(*problem, *best);
  fit.threshold_interval.level = fit.slope_interval.level = fit.at_target_interval.level = o.level;
  fit.deviance_p = std::numeric_limits<double>::quiet_NaN();
  if (o.resamples == 0) return fit;

  std::vector<double> thresholds;
  std::vector<double> slopes;
  std::vector<double> targets;
  std::size_t as_great = 0;
  auto drawn = *problem;
  for (std::size_t b = 0; b < o.resamples; ++b) {
    Draws draws(o.seed, b);
    for (std::size_t i = 0; i < drawn.g.size(); ++i) {
      const double x = o.shape == PsychometricShape::kWeibull ? std::exp(drawn.g[i]) : drawn.g[i];
      const double psi = psychometric(fit, o, x);
      drawn.correct[i] = 0;
      for (double k = 0; k < drawn.trials[i]; ++k) drawn.correct[i] += draws.uniform() < psi ? 1 : 0;
    }
    const auto again = fitted(drawn);
    if (!again) {
      ++fit.undefined;
      continue;
    }
    const auto n = named(o, *again);
    thresholds.push_back(n.threshold);
    slopes.push_back(n.slope);
    targets.push_back(n.at_target);
    as_great += deviance(drawn, *again) >= fit.deviance ? 1 : 0;
  }
  if (20 * fit.undefined > o.resamples) {
    return daq::Error{fmt::format("{} of {} resamples could not be fitted: the trials are too few for intervals",
                                  fit.undefined, o.resamples)};
  }
  const auto middle = [&](std::vector<double>& v) {
    std::sort(v.begin(), v.end());
    return Interval{quantile_of_sorted(v, 0.5 - o.level / 2), quantile_of_sorted(v, 0.5 + o.level / 2), o.level};
  };
  fit.deviance_p = static_cast<double>(as_great + 1) / static_cast<double>(thresholds.size() + 1);
  fit.threshold_interval = middle(thresholds);
  fit.slope_interval = middle(slopes);
  fit.at_target_interval = middle(targets);
  return fit;
}

double psychometric(const PsychometricFit& fit, const PsychometricOptions& o, double x) {
  const double eta = o.shape == PsychometricShape::kWeibull ? fit.slope * (std::log(x) - std::log(fit.threshold))
                                                            : (x - fit.threshold) / fit.slope;
  return o.guess + (1 - o.guess - fit.lapse) * shape_cdf(o.shape, eta);
}

double forced_choice_d_prime(double share) {
  assert(share > 0 && share < 1);
  return M_SQRT2 * normal_quantile(share);
}

}  // namespace strigil::protocols
