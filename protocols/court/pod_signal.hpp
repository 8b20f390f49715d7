// POD from a signal: size of the response against size of the target (a-hat vs a), censored below noise and above
// range.
//
// metrology.md 6.1; censored regression (Tobit) in Olsen's parameters (1978), where the likelihood has one maximum. POD
// is the chance that the response exceeds the decision threshold; the chance that noise does is PFA. Pure, any thread.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "protocols/court/binomial.hpp"
#include "protocols/court/pod_hit_miss.hpp"

namespace strigil::protocols {

struct SignalRow {
  double size = 0;
  double response = 0;  ///< as read; at or beyond a limit below: only that it is beyond is used
};

struct SignalOptions {
  SizeScale size_scale = SizeScale::kLog;
  SizeScale response_scale = SizeScale::kIdentity;
  double decision = 0;                                            ///< response above which the answer is yes
  double noise_floor = -std::numeric_limits<double>::infinity();  ///< responses at or below are left-censored
  double saturation = std::numeric_limits<double>::infinity();    ///< at or above: right-censored
  double pod = 0.90;
  double confidence = 0.95;
};

struct SignalFit {
  double b0 = 0;  ///< response = b0 + b1 size + error, on the scales chosen
  double b1 = 0;
  double sigma = 0;  ///< of the error. Nothing censored: with n - 2 (least squares); else greatest likelihood
  double covariance[3][3] = {};  ///< of b0, b1, sigma
  double log_likelihood = 0;
  double mu = 0;         ///< of POD: (decision - b0) / b1
  double pod_sigma = 0;  ///< sigma / b1
  double a50 = 0;
  double a90 = 0;
  double a90_95 = 0;  ///< Wald, on the scale of size
  std::size_t rows = 0;
  std::size_t censored_low = 0;
  std::size_t censored_high = 0;
  std::vector<PodExcluded> excluded;
  std::vector<std::string> warnings;
};
/// Refused: fewer than 5 rows or 3 uncensored ones, one size only, a slope whose interval (two-sided `confidence`) is
/// not above 0, a decision threshold that is NaN or outside the censoring limits (there POD is not measured).
daq::Result<SignalFit> fit_signal(std::span<const SignalRow> rows, const SignalOptions& options);

/// How often noise alone exceeds the threshold: counted with its exact interval, and as a normal distribution has it.
struct FalseAlarmShare {
  Proportion counted;
  double normal = 0;  ///< 1 - Phi((decision - mean) / s)
};
/// At least two values, finite. On the scale of `decision`.
daq::Result<FalseAlarmShare> false_alarm_share(std::span<const double> noise, double decision, double level = 0.95);

}  // namespace strigil::protocols
