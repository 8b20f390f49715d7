#include "calibration/standards/conformity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

/// Standard normal distribution function, good in both tails.
double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

bool inside(double v, const Tolerance& t) { return (!t.lower || v >= *t.lower) && (!t.upper || v <= *t.upper); }

/// The tolerance made narrower by `w` at each limit (wider when negative).
Tolerance narrowed(const Tolerance& t, double w) {
  Tolerance out = t;
  if (out.lower) *out.lower += w;
  if (out.upper) *out.upper -= w;
  return out;
}

std::optional<daq::Error> refuse(double value, double u, const Tolerance& t, const DecisionRule& rule) {
  constexpr double kMax = std::numeric_limits<double>::max();
  if (auto error = out_of_bounds("the value to be judged", value, -kMax, kMax)) return error;
  if (auto error = out_of_bounds("its standard uncertainty", u, 0, kMax)) return error;
  if (!t.lower && !t.upper) return daq::Error{"a tolerance without limits: there is nothing to conform to"};
  for (const auto& limit : {t.lower, t.upper}) {
    if (limit && !std::isfinite(*limit))
      return daq::Error{"a tolerance limit is not a finite number; leave an open side out"};
  }
  if (t.lower && t.upper && !(*t.lower < *t.upper)) {
    return daq::Error{fmt::format("the lower tolerance limit {:g} is not below the upper {:g}", *t.lower, *t.upper)};
  }
  if (auto error = out_of_bounds("guard_in_U", rule.guard_in_U, 0, 100)) return error;
  return out_of_bounds("coverage_factor", rule.coverage_factor, 1, 100);
}

std::string in_words(const DecisionRule& rule) {
  switch (rule.kind) {
    case RuleKind::simple:
      return "simple acceptance: pass when the result is within the tolerance, whatever its uncertainty";
    case RuleKind::guarded:
      return fmt::format(
          "guarded acceptance, guard band w = {:g} U (k = {:g}): pass when the result is within the "
          "tolerance less w",
          rule.guard_in_U, rule.coverage_factor);
    case RuleKind::guarded_graded:
      return fmt::format(
          "graded, guard band w = {:g} U (k = {:g}): within the tolerance less w pass, within the tolerance "
          "conditional pass, within the tolerance and w conditional fail, beyond fail",
          rule.guard_in_U, rule.coverage_factor);
    case RuleKind::prove_conformity:
      return fmt::format(
          "conformity must be proved, w = {:g} U (k = {:g}): pass within the tolerance less w, fail beyond the "
          "tolerance and w, otherwise neither (noPass)",
          rule.guard_in_U, rule.coverage_factor);
    case RuleKind::prove_nonconformity:
      return fmt::format(
          "nonconformity must be proved, w = {:g} U (k = {:g}): fail beyond the tolerance and w, pass within the "
          "tolerance less w, otherwise neither (noFail)",
          rule.guard_in_U, rule.coverage_factor);
  }
  return "";
}

Conformity outcome_of(double value, const Tolerance& t, double w, RuleKind kind) {
  if (kind == RuleKind::simple) return inside(value, t) ? Conformity::pass : Conformity::fail;
  if (inside(value, narrowed(t, w))) return Conformity::pass;
  if (kind == RuleKind::guarded) return Conformity::fail;
  if (!inside(value, narrowed(t, -w))) return Conformity::fail;
  if (kind == RuleKind::prove_conformity) return Conformity::no_pass;
  if (kind == RuleKind::prove_nonconformity) return Conformity::no_fail;
  return inside(value, t) ? Conformity::conditional_pass : Conformity::conditional_fail;
}

}  // namespace

const char* dcc_word(Conformity c) {
  switch (c) {
    case Conformity::pass:
      return "pass";
    case Conformity::conditional_pass:
      return "conditionalPass";
    case Conformity::conditional_fail:
      return "conditionalFail";
    case Conformity::fail:
      return "fail";
    case Conformity::no_pass:
      return "noPass";
    case Conformity::no_fail:
      return "noFail";
  }
  return "";
}

double conformance_probability(double value, double u, const Tolerance& t) {
  if (u == 0) return inside(value, t) ? 1 : 0;
  // Taken from the tail that is smaller, so that a probability near 1 or 0 keeps its digits.
  const double above = t.upper ? normal_cdf((value - *t.upper) / u) : 0;
  const double below = t.lower ? normal_cdf((*t.lower - value) / u) : 0;
  if (above < 0.5 && below < 0.5) return 1 - above - below;
  return above >= 0.5 ? normal_cdf((*t.upper - value) / u) - below : normal_cdf((value - *t.lower) / u) - above;
}

daq::Result<ConformityStatement> judge_conformity(double value, double u, const Tolerance& tolerance,
                                                  const DecisionRule& rule) {
  if (auto error = refuse(value, u, tolerance, rule)) return *error;
  const double w = rule.kind == RuleKind::simple ? 0 : rule.guard_in_U * rule.coverage_factor * u;
  ConformityStatement out;
  out.acceptance = narrowed(tolerance, w);
  if (out.acceptance.lower && out.acceptance.upper && !(*out.acceptance.lower <= *out.acceptance.upper)) {
    return daq::Error{
        fmt::format("the guard band of {:g} at both limits is wider than the tolerance of {:g}: nothing could "
                    "pass; measure better or agree on another rule",
                    w, *tolerance.upper - *tolerance.lower)};
  }
  out.outcome = outcome_of(value, tolerance, w, rule.kind);
  out.tolerance = tolerance;
  out.value = value;
  out.u = u;
  out.p_conforming = conformance_probability(value, u, tolerance);
  const bool in_favour = out.outcome == Conformity::pass || out.outcome == Conformity::conditional_pass ||
                         out.outcome == Conformity::no_pass;
  out.specific_risk = in_favour ? 1 - out.p_conforming : out.p_conforming;
  out.rule = in_words(rule);
  return out;
}

double test_uncertainty_ratio(const Tolerance& t, double expanded_uncertainty) {
  if (!t.lower || !t.upper) return std::numeric_limits<double>::quiet_NaN();
  return (*t.upper - *t.lower) / (2 * expanded_uncertainty);
}

daq::Result<double> guard_factor(GuardMethod method, double tur) {
  if (!(tur > 0) || !std::isfinite(tur))
    return daq::Error{fmt::format("a test uncertainty ratio of {:g} has no meaning", tur)};
  double factor = 0;
  switch (method) {
    case GuardMethod::rss:
      factor = tur > 1 ? std::sqrt(1 - 1 / (tur * tur)) : 0;
      break;
    case GuardMethod::ninety_five:
      factor = 1 - 1 / tur;
      break;
    case GuardMethod::rp10:
      factor = 1.25 - 1 / tur;
      break;
    case GuardMethod::dobbert:
      factor = 1 - (1.04 - std::exp(0.38 * std::log(tur) - 0.54)) / tur;
      break;
  }
  if (!(factor > 0)) {
    return daq::Error{
        fmt::format("at a test uncertainty ratio of {:g} this guard band leaves no acceptance zone", tur)};
  }
  return std::min(factor, 1.0);
}

}  // namespace strigil::calibration
