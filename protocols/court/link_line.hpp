// Link line: P(hit) = F(b0 + b1 x), fitted by greatest likelihood. What POD, Platt's scaling and the logistic
// detector of one feature have in common.
//
// All three likelihoods are concave in (b0, b1): Fisher scoring with halved steps finds the one maximum, or there is
// none (separation), which is seen in the data beforehand. Pure, any thread.
#pragma once

#include <cstdint>
#include <span>

#include "daq/result.hpp"

namespace strigil::protocols {

enum class Link : std::uint8_t {
  kLogit,    ///< F = 1 / (1 + exp(-eta))
  kProbit,   ///< F = Phi(eta)
  kCloglog,  ///< F = 1 - exp(-exp(eta))
};
const char* name_of(Link link) noexcept;
double link_cdf(Link link, double eta) noexcept;
/// eta at which F is p, in (0, 1): z_90 of metrology.md 6.1.
double link_quantile(Link link, double p);

/// `trials` > 0 tries at x, of which `hits` (may be a fraction) hit.
struct LinkPoint {
  double x = 0;
  double hits = 0;
  double trials = 1;
};
double log_likelihood(std::span<const LinkPoint> points, Link link, double b0, double b1) noexcept;

/// Where the fit stops.
enum class LinkStop : std::uint8_t {
  kConverged,  ///< at the maximum
  /// Where R's glm stops by default (deviance moves by less than 1e-8), with its covariance, which is one step older.
  /// What glm and the tools built on it print, metrology.md 6.1 too, up to 5e-5 off: for comparison with their reports
  /// only.
  kAsGlm,
};

/// Covariance from the expected information.
struct LinkLine {
  double b0 = 0;
  double b1 = 0;
  double var_b0 = 0;
  double var_b1 = 0;
  double cov_b0_b1 = 0;
  double log_likelihood = 0;
  double null_log_likelihood = 0;  ///< of the best line without slope
};
/// Refused: fewer than two sizes of x, all hit, none hit, a threshold that parts hits from misses, NaN.
daq::Result<LinkLine> fit_link_line(std::span<const LinkPoint> points, Link link, LinkStop stop = LinkStop::kConverged);

/// Greatest log-likelihood of all lines with eta = `pin_eta` at `pin_x`: one-parameter profile.
double profile_log_likelihood(std::span<const LinkPoint> points, Link link, double pin_x, double pin_eta) noexcept;

/// Derivative of one point's log-likelihood in eta, and its expected information.
struct LinkScore {
  double slope = 0;
  double information = 0;
};
LinkScore link_score(Link link, const LinkPoint& point, double eta) noexcept;

}  // namespace strigil::protocols
