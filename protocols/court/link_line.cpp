#include "protocols/court/link_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr int kMostSteps = 200;
constexpr int kMostHalvings = 60;

double log_cdf(Link link, double eta) noexcept {
  switch (link) {
    case Link::kLogit:
      return std::min(eta, 0.0) - std::log1p(std::exp(-std::abs(eta)));
    case Link::kProbit:
      return log_normal_cdf(eta);
    case Link::kCloglog:
      return std::log(-std::expm1(-std::exp(eta)));
  }
  return 0;
}

double log_survival(Link link, double eta) noexcept {
  return link == Link::kCloglog ? -std::exp(eta) : log_cdf(link, -eta);  // logit and probit are symmetric
}

/// ln of the density dF/deta.
double log_density(Link link, double eta) noexcept {
  switch (link) {
    case Link::kLogit:
      return log_cdf(link, eta) + log_cdf(link, -eta);
    case Link::kProbit:
      return -0.5 * eta * eta - 0.91893853320467274178;
    case Link::kCloglog:
      return eta - std::exp(eta);
  }
  return 0;
}

double log_likelihood_at(const LinkPoint& p, Link link, double eta) noexcept {
  double sum = 0;
  if (p.hits > 0) sum += p.hits * log_cdf(link, eta);
  if (p.hits < p.trials) sum += (p.trials - p.hits) * log_survival(link, eta);
  return sum;
}

/// Information about (a, c), summed.
struct Information {
  double aa = 0;
  double ac = 0;
  double cc = 0;
};

/// Reweighted least squares as glm steps: from mu = (hits + 1/2) / (trials + 1) until the deviance moves by less than
/// 1e-8 (|deviance| + 0.1), 25 steps at most. The weights of the last step are those of the point before it.
Information stopped_as_glm(std::span<const LinkPoint> points, Link link, double& a, double& c) {
  std::vector<double> eta;
  for (const auto& p : points) eta.push_back(link_quantile(link, (p.hits + 0.5) / (p.trials + 1)));
  double before = std::numeric_limits<double>::infinity();
  Information sum;
  for (int step = 0; step < 25; ++step) {
    sum = {};
    double az = 0;
    double cz = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto& p = points[i];
      const auto s = link_score(link, p, eta[i]);
      if (!(s.information > 0)) continue;
      const double z = eta[i] + s.slope / s.information;  // of the expected weight: slope = w (z - eta)
      sum.aa += s.information;
      sum.ac += s.information * p.x;
      sum.cc += s.information * p.x * p.x;
      az += s.information * z;
      cz += s.information * z * p.x;
    }
    const double det = sum.aa * sum.cc - sum.ac * sum.ac;
    a = (sum.cc * az - sum.ac * cz) / det;
    c = (sum.aa * cz - sum.ac * az) / det;
    for (std::size_t i = 0; i < points.size(); ++i) eta[i] = a + c * points[i].x;
    double deviance = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto& p = points[i];
      deviance -= 2 * log_likelihood_at(p, link, eta[i]);
      for (const double k : {p.hits, p.trials - p.hits}) deviance += k > 0 ? 2 * k * std::log(k / p.trials) : 0;
    }
    if (std::abs(deviance - before) < 1e-8 * (std::abs(deviance) + 0.1)) break;
    before = deviance;
  }
  return sum;
}

daq::Result<void> checked(std::span<const LinkPoint> points) {
  double lowest_hit = std::numeric_limits<double>::infinity();
  double highest_hit = -lowest_hit;
  double lowest_miss = lowest_hit;
  double highest_miss = -lowest_hit;
  for (const auto& p : points) {
    if (!std::isfinite(p.x) || !(p.trials > 0) || !(p.hits >= 0 && p.hits <= p.trials) || std::isinf(p.trials)) {
      return daq::Error{fmt::format("{} hits of {} trials at {} cannot be fitted", p.hits, p.trials, p.x)};
    }
    if (p.hits > 0) {
      lowest_hit = std::min(lowest_hit, p.x);
      highest_hit = std::max(highest_hit, p.x);
    }
    if (p.hits < p.trials) {
      lowest_miss = std::min(lowest_miss, p.x);
      highest_miss = std::max(highest_miss, p.x);
    }
  }
  if (highest_hit < lowest_hit) return daq::Error{"nothing was hit: no curve can be fitted, try larger targets"};
  if (highest_miss < lowest_miss) return daq::Error{"nothing was missed: no curve can be fitted, try smaller targets"};
  if (std::max(highest_hit, highest_miss) <= std::min(lowest_hit, lowest_miss)) {
    return daq::Error{fmt::format("all targets have the one size {}: a curve needs several", lowest_hit)};
  }
  if (lowest_hit >= highest_miss || lowest_miss >= highest_hit) {
    const bool rising = lowest_hit >= highest_miss;
    return daq::Error{fmt::format(
        "hits and misses do not overlap (hits {} to {}, misses {} to {}): any curve that rises between {} and {} fits "
        "as well, however steep. Test sizes in between",
        lowest_hit, highest_hit, lowest_miss, highest_miss, rising ? highest_miss : highest_hit,
        rising ? lowest_hit : lowest_miss)};
  }
  return {};
}

}  // namespace

const char* name_of(Link link) noexcept {
  switch (link) {
    case Link::kLogit:
      return "logit";
    case Link::kProbit:
      return "probit";
    case Link::kCloglog:
      return "cloglog";
  }
  return "";
}

double link_cdf(Link link, double eta) noexcept { return std::exp(log_cdf(link, eta)); }

double link_quantile(Link link, double p) {
  assert(p > 0 && p < 1);
  switch (link) {
    case Link::kLogit:
      return std::log(p / (1 - p));
    case Link::kProbit:
      return normal_quantile(p);
    case Link::kCloglog:
      return std::log(-std::log1p(-p));
  }
  return 0;
}

double log_likelihood(std::span<const LinkPoint> points, Link link, double b0, double b1) noexcept {
  double sum = 0;
  for (const auto& p : points) sum += log_likelihood_at(p, link, b0 + b1 * p.x);
  return sum;
}

LinkScore link_score(Link link, const LinkPoint& p, double eta) noexcept {
  if (link == Link::kLogit) {  // canonical: no quotients
    const double e = std::exp(-std::abs(eta));
    const double share = (eta > 0 ? 1 : e) / (1 + e);
    return {p.hits - p.trials * share, p.trials * e / ((1 + e) * (1 + e))};
  }
  const double density = log_density(link, eta);
  const double hit = log_cdf(link, eta);
  const double miss = log_survival(link, eta);
  LinkScore out;
  if (p.hits > 0) out.slope += p.hits * std::exp(density - hit);
  if (p.hits < p.trials) out.slope -= (p.trials - p.hits) * std::exp(density - miss);
  const double information = p.trials * std::exp(2 * density - hit - miss);
  out.information = std::isfinite(information) ? information : 0;  // 0/0 far out: nothing is learned there
  if (!std::isfinite(out.slope)) out.slope = 0;
  return out;
}

daq::Result<LinkLine> fit_link_line(std::span<const LinkPoint> points, Link link, LinkStop stop) {
  if (auto good = checked(points); !good) return good.error();
  double n = 0;
  double hits = 0;
  double mean = 0;
  for (const auto& p : points) {
    n += p.trials;
    hits += p.hits;
    mean += p.trials * p.x;
  }
  mean /= n;
  double spread = 0;
  for (const auto& p : points) spread += p.trials * (p.x - mean) * (p.x - mean);
  spread = std::sqrt(spread / n);
  if (!(spread > 0) || std::isinf(spread))
    return daq::Error{"the sizes are too alike, or too far apart, to be told apart"};
  std::vector<LinkPoint> scaled(points.begin(), points.end());
  for (auto& p : scaled) p.x = (p.x - mean) / spread;

  // In u = (x - mean) / spread: eta = a + c u.
  double a = link_quantile(link, hits / n);
  double c = 0;
  const double null = log_likelihood(scaled, link, a, 0);
  double best = null;
  Information sum;
  const auto information = [&] {
    sum = {};
    double ga = 0;
    double gc = 0;
    for (const auto& p : scaled) {
      const auto s = link_score(link, p, a + c * p.x);
      ga += s.slope;
      gc += s.slope * p.x;
      sum.aa += s.information;
      sum.ac += s.information * p.x;
      sum.cc += s.information * p.x * p.x;
    }
    return std::pair{ga, gc};
  };
  bool settled = false;
  for (int step = 0; step < kMostSteps && !settled; ++step) {
    const auto [ga, gc] = information();
    const double det = sum.aa * sum.cc - sum.ac * sum.ac;
    if (!(det > 0)) break;
    double da = (sum.cc * ga - sum.ac * gc) / det;
    double dc = (sum.aa * gc - sum.ac * ga) / det;
    double reached = log_likelihood(scaled, link, a + da, c + dc);
    for (int half = 0; half < kMostHalvings && !(reached >= best); ++half) {
      da /= 2;
      dc /= 2;
      reached = log_likelihood(scaled, link, a + da, c + dc);
    }
    settled = std::abs(da) + std::abs(dc) <= 1e-13 * (1 + std::abs(a) + std::abs(c));
    if (!(reached >= best)) {  // no better step is left within rounding
      settled = true;
      break;
    }
    a += da;
    c += dc;
    best = reached;
  }
  information();
  const double det = sum.aa * sum.cc - sum.ac * sum.ac;
  constexpr double kSteepest = 1e6;  // in spreads of x: a likelihood that still rises there has no maximum
  if (!settled || !(det > 0) || std::abs(c) > kSteepest) {
    return daq::Error{"the fit did not settle: hits and misses overlap too little to tell how steep the curve is"};
  }
  double det_used = det;
  if (stop == LinkStop::kAsGlm) {
    sum = stopped_as_glm(scaled, link, a, c);
    best = log_likelihood(scaled, link, a, c);
    det_used = sum.aa * sum.cc - sum.ac * sum.ac;
  }
  const double var_a = sum.cc / det_used;
  const double var_c = sum.aa / det_used;
  const double cov = -sum.ac / det_used;
  const double m = mean / spread;
  LinkLine out;
  out.b1 = c / spread;
  out.b0 = a - c * m;
  out.var_b1 = var_c / (spread * spread);
  out.var_b0 = var_a - 2 * m * cov + m * m * var_c;
  out.cov_b0_b1 = (cov - m * var_c) / spread;
  out.log_likelihood = best;
  out.null_log_likelihood = null;
  return out;
}

double profile_log_likelihood(std::span<const LinkPoint> points, Link link, double pin_x, double pin_eta) noexcept {
  double spread = 0;
  double weight = 0;
  for (const auto& p : points) {
    spread += p.trials * (p.x - pin_x) * (p.x - pin_x);
    weight += p.trials;
  }
  spread = std::sqrt(spread / weight);
  if (!(spread > 0)) spread = 1;
  double b = 0;  // in spreads
  const auto at = [&](double slope) {
    double sum = 0;
    for (const auto& p : points) sum += log_likelihood_at(p, link, pin_eta + slope * (p.x - pin_x) / spread);
    return sum;
  };
  double best = at(b);
  for (int step = 0; step < kMostSteps; ++step) {
    double slope = 0;
    double information = 0;
    for (const auto& p : points) {
      const double u = (p.x - pin_x) / spread;
      const auto s = link_score(link, p, pin_eta + b * u);
      slope += s.slope * u;
      information += s.information * u * u;
    }
    if (!(information > 0)) break;
    double d = slope / information;
    double reached = at(b + d);
    for (int half = 0; half < kMostHalvings && !(reached >= best); ++half) {
      d /= 2;
      reached = at(b + d);
    }
    if (!(reached >= best)) break;
    b += d;
    best = reached;
    if (std::abs(d) <= 1e-12 * (1 + std::abs(b))) break;
  }
  return best;
}

}  // namespace strigil::protocols
