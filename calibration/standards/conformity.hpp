// Statements of conformity: which rule, what it says of a result, and at what risk. JCGM 106:2012, ILAC-G8:09/2019 and
// ISO 14253-1 as recalled (metrology.md 4.6 [M]; risk numbers [S]).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daq/result.hpp"

namespace strigil::calibration {

/// Limits that a property must keep; one side may be open. In the unit of the property.
struct Tolerance {
  std::optional<double> lower;
  std::optional<double> upper;
};

/// Words of the DCC 3.3.0 schema (pass, fail, conditionalPass, conditionalFail, noPass, noFail).
enum class Conformity : std::uint8_t { pass, conditional_pass, conditional_fail, fail, no_pass, no_fail };
/// The word as the DCC writes it.
[[nodiscard]] const char* dcc_word(Conformity c);

/// How results become statements.
enum class RuleKind : std::uint8_t {
  simple,               // inside the tolerance: pass. Risk up to 50 % at the limit
  guarded,              // inside the tolerance less the guard band: pass; else fail
  guarded_graded,       // pass, conditional pass (in the guard band inside), conditional fail (outside), fail
  prove_conformity,     // ISO 14253-1, supplier: pass when proved, fail when disproved, else noPass
  prove_nonconformity,  // ISO 14253-1, customer: the same, else noFail
};

/// A rule with its guard band w = guard_in_U * U; U is the expanded uncertainty (k = 2 unless given).
struct DecisionRule {
  RuleKind kind = RuleKind::guarded;
  double guard_in_U = 1;
  double coverage_factor = 2;
};

struct ConformityStatement {
  Conformity outcome = Conformity::fail;
  Tolerance tolerance;
  Tolerance acceptance;  // what the result was compared with; for graded rules the inner limits
  double value = 0;
  double u = 0;
  double p_conforming = 0;   // p_c for a normal result, no prior knowledge
  double specific_risk = 0;  // of the statement made: 1 - p_c when (conditionally) passed, p_c when failed; the smaller
                             // would-be risk does not hide: noPass and noFail carry 1 - p_c and p_c
  std::string rule;          // as a certificate states it (ISO/IEC 17025 7.8.6)
};

/// Judges a result. Refuses NaN, u < 0, a tolerance without a limit or with lower >= upper, negative guard bands, and a
/// guard band that leaves no acceptance zone (the uncertainty is too large for the tolerance: nothing could pass).
/// Compares unrounded numbers. Pure.
[[nodiscard]] daq::Result<ConformityStatement> judge_conformity(double value, double u, const Tolerance& tolerance,
                                                                const DecisionRule& rule);

/// Probability that a normal quantity of this value and standard uncertainty lies in the tolerance (JCGM 106 7.2).
[[nodiscard]] double conformance_probability(double value, double u, const Tolerance& tolerance);

/// Test uncertainty ratio: width of a two-sided tolerance over twice the expanded uncertainty; NaN when one-sided.
[[nodiscard]] double test_uncertainty_ratio(const Tolerance& tolerance, double expanded_uncertainty);

/// Ways to make an acceptance limit from the TUR: the half-width of the tolerance is multiplied by the factor.
enum class GuardMethod : std::uint8_t { rss, ninety_five, rp10, dobbert };
/// The factor (metrology.md 4.6): rss sqrt(1-1/TUR^2); 1-1/TUR; rp10 1.25-1/TUR; dobbert 1-M/TUR with
/// M = 1.04-exp(0.38 ln TUR - 0.54). Never above 1. Refuses a TUR at which it would not be above 0.
[[nodiscard]] daq::Result<double> guard_factor(GuardMethod method, double tur);

}  // namespace strigil::calibration
