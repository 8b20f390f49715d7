// Psychometric curve: share of right answers against size or contrast, with a rate of guesses and of lapses.
//
// psi(x) = guess + (1 - guess - lapse) F(x); science.md 3.3 and metrology.md 6.3 [M]. Greatest likelihood, intervals by
// parametric bootstrap with a seed. Two-alternative forced choice: guess 1/2; yes/no: guess is the false-alarm rate.
// Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "daq/result.hpp"
#include "protocols/court/interval.hpp"

namespace strigil::protocols {

enum class PsychometricShape : std::uint8_t {
  kWeibull,  ///< F = 1 - exp(-(x / threshold)^slope), x > 0
  kProbit,   ///< F = Phi((x - threshold) / slope): there `slope` is a standard deviation
};

struct PsychometricLevel {
  double x = 0;
  std::uint64_t correct = 0;
  std::uint64_t trials = 0;
};

struct PsychometricOptions {
  PsychometricShape shape = PsychometricShape::kWeibull;
  double guess = 0.5;           ///< [0, 1)
  std::optional<double> lapse;  ///< fixed; none: fitted within [0, most_lapse]
  double most_lapse = 0.06;     ///< Wichmann & Hill 2001
  double target = 0.5;          ///< F at which `at_target` is asked for: 0.5 is half way from guess to ceiling
  std::size_t resamples = 400;  ///< 0: no intervals
  std::uint64_t seed = 1;
  double level = 0.95;
};

struct PsychometricFit {
  double threshold = 0;
  double slope = 0;
  double lapse = 0;
  double at_target = 0;  ///< x where F is `target`
  Interval threshold_interval;
  Interval slope_interval;
  Interval at_target_interval;
  double log_likelihood = 0;
  double deviance = 0;
  double deviance_p = 1;      ///< share of simulated deviances as great: small means the shape does not fit; NaN: none
  std::size_t undefined = 0;  ///< resamples that could not be fitted, left out
};
/// Refused: fewer than two levels with trials, x not above 0 for Weibull, correct > trials, a curve that does not rise,
/// more than 5 % of the resamples without a fit.
daq::Result<PsychometricFit> fit_psychometric(std::span<const PsychometricLevel> levels,
                                              const PsychometricOptions& options = {});
/// psi at x.
double psychometric(const PsychometricFit& fit, const PsychometricOptions& options, double x);
/// d' of two-alternative forced choice: sqrt(2) z(share of right answers); share in (0, 1).
double forced_choice_d_prime(double share);

}  // namespace strigil::protocols
