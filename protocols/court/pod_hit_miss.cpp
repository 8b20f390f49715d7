#include "protocols/court/pod_hit_miss.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kHandbookTargets = 60;  // metrology.md 6.1 [M]

double scaled(SizeScale scale, double size) { return scale == SizeScale::kLog ? std::log(size) : size; }
double unscaled(SizeScale scale, double x) { return scale == SizeScale::kLog ? std::exp(x) : x; }

struct Usable {
  std::vector<LinkPoint> points;
  std::vector<std::uint64_t> target;
  std::vector<PodExcluded> excluded;
};

Usable usable(std::span<const HitMiss> rows, SizeScale scale) {
  Usable out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& r = rows[i];
    if (std::isnan(r.size)) {
      out.excluded.push_back({i, "size is not known"});
    } else if (std::isinf(r.size)) {
      out.excluded.push_back({i, "size is infinite"});
    } else if (scale == SizeScale::kLog && r.size <= 0) {
      out.excluded.push_back({i, fmt::format("size {} has no logarithm", r.size)});
    } else {
      out.points.push_back({scaled(scale, r.size), r.hit ? 1.0 : 0.0, 1});
      out.target.push_back(r.target);
    }
  }
  return out;
}

/// Rows of one size as one point: the likelihood is the same, and repeated inspections cost nothing.
std::vector<LinkPoint> by_size(std::vector<LinkPoint> points) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  std::vector<LinkPoint> out;
  for (const auto& p : points) {
    if (out.empty() || out.back().x != p.x) {
      out.push_back(p);
    } else {
      out.back().hits += p.hits;
      out.back().trials += p.trials;
    }
  }
  return out;
}

/// Sandwich over targets: A^-1 (sum of u u') A^-1 G / (G - 1), A^-1 the model's covariance.
void make_robust(PodFit& fit, const Usable& data) {
  struct Sum {
    double g0 = 0;
    double g1 = 0;
  };
  std::map<std::uint64_t, Sum> clusters;
  for (std::size_t i = 0; i < data.points.size(); ++i) {
    const auto& p = data.points[i];
    const auto s = link_score(fit.options.link, p, fit.line.b0 + fit.line.b1 * p.x);
    auto& c = clusters[data.target[i]];
    c.g0 += s.slope;
    c.g1 += s.slope * p.x;
  }
  // Per cluster A^-1 u first: the products stay small, and so does what rounding takes from them.
  const auto& l = fit.line;
  double v00 = 0;
  double v01 = 0;
  double v11 = 0;
  for (const auto& [target, c] : clusters) {
    const double d0 = l.var_b0 * c.g0 + l.cov_b0_b1 * c.g1;
    const double d1 = l.cov_b0_b1 * c.g0 + l.var_b1 * c.g1;
    v00 += d0 * d0;
    v01 += d0 * d1;
    v11 += d1 * d1;
  }
  const double groups = static_cast<double>(clusters.size());
  const double correction = groups / (groups - 1);
  fit.var_b0 = v00 * correction;
  fit.cov_b0_b1 = v01 * correction;
  fit.var_b1 = v11 * correction;
}

/// Variance of x_p = (quantile - b0) / b1 by the delta method.
double variance_of_size(double quantile, double b0, double b1, double v00, double v01, double v11) {
  const double x = (quantile - b0) / b1;
  return (v00 + 2 * x * v01 + x * x * v11) / (b1 * b1);
}

/// One-sided quantile of normal or, with few clusters, Student's t.
double one_sided(const PodFit& fit, double confidence) {
  return fit.options.repeated ? student_quantile(confidence, static_cast<double>(fit.targets - 1))
                              : normal_quantile(confidence);
}

daq::Result<double> likelihood_bound(const PodFit& fit, std::span<const LinkPoint> points, double allowed) {
  const auto link = fit.options.link;
  const double eta = link_quantile(link, fit.options.pod);
  const auto drop = [&](double x) {
    return 2 * (fit.line.log_likelihood - profile_log_likelihood(points, link, x, eta));
  };
  double inside = (eta - fit.line.b0) / fit.line.b1;
  double step = fit.sigma;
  double outside = inside + step;
  constexpr int kMostDoublings = 60;
  for (int i = 0; drop(outside) <= allowed; ++i) {
    if (i == kMostDoublings) {
      return daq::Error{
          fmt::format("the size found at POD {} has no upper bound: the data do not refute a curve that "
                      "hardly rises. Test more targets, and larger ones",
                      fit.options.pod)};
    }
    inside = outside;
    step *= 2;
    outside += step;
  }
  // Regula falsi with halved ends (Illinois): the drop is smooth and grows, and each look at it costs a fit.
  double below = drop(inside) - allowed;
  double above = drop(outside) - allowed;
  for (int i = 0; i < 100 && outside - inside > 1e-13 * (std::abs(inside) + fit.sigma) && below < 0; ++i) {
    const double x = inside - below * (outside - inside) / (above - below);
    const double at = drop(x) - allowed;
    if (at <= 0) {
      if (inside == x) break;
      inside = x;
      below = at;
      above /= 2;
    } else {
      if (outside == x) break;
      outside = x;
      above = at;
      below /= 2;
    }
    if (std::abs(at) < 1e-11 * allowed) return x;
  }
  return 0.5 * (inside + outside);
}

daq::Result<double> bound_on_scale(const PodFit& fit, std::span<const LinkPoint> points, PodBound bound,
                                   double confidence) {
  const double eta = link_quantile(fit.options.link, fit.options.pod);
  const double b0 = fit.line.b0;
  const double b1 = fit.line.b1;
  const double x = (eta - b0) / b1;
  const double t = one_sided(fit, confidence);
  switch (bound) {
    case PodBound::kWald:
      return x + t * std::sqrt(variance_of_size(eta, b0, b1, fit.var_b0, fit.cov_b0_b1, fit.var_b1));
    case PodBound::kFieller: {
      // (b0 + b1 x - eta)^2 = t^2 (v00 + 2 x v01 + x^2 v11), larger root.
      const double a = b1 * b1 - t * t * fit.var_b1;
      const double b = (b0 - eta) * b1 - t * t * fit.cov_b0_b1;
      const double c = (b0 - eta) * (b0 - eta) - t * t * fit.var_b0;
      const double root = b * b - a * c;
      if (!(a > 0) || !(root >= 0)) return daq::Error{"the band around the curve never reaches the POD asked for"};
      return (-b + std::sqrt(root)) / a;
    }
    case PodBound::kLikelihoodRatio:
      return likelihood_bound(fit, points, t * t * fit.widening * fit.widening);
    case PodBound::kChengIles: {
      const double two_sided = 2 * confidence - 1;  // one-sided 95 %: the joint region of 90 %
      const double allowed = fit.options.repeated
                                 ? 2 * fisher_quantile(two_sided, 2, static_cast<double>(fit.targets - 1))
                                 : chi_squared_quantile(two_sided, 2);
      return likelihood_bound(fit, points, allowed * fit.widening * fit.widening);
    }
  }
  return daq::Error{"no such bound"};
}

}  // namespace

const char* name_of(PodBound bound) noexcept {
  switch (bound) {
    case PodBound::kLikelihoodRatio:
      return "likelihood ratio, 1 degree of freedom";
    case PodBound::kChengIles:
      return "joint likelihood region, 2 degrees of freedom (Cheng & Iles)";
    case PodBound::kWald:
      return "Wald";
    case PodBound::kFieller:
      return "band of the fitted line (Fieller)";
  }
  return "";
}

daq::Result<PodFit> fit_hit_miss(std::span<const HitMiss> rows, const PodOptions& options) {
  if (!(options.pod > 0 && options.pod < 1)) return daq::Error{fmt::format("POD {} is not in (0, 1)", options.pod)};
  if (!(options.confidence > 0.5 && options.confidence < 1)) {
    return daq::Error{fmt::format("confidence {} is not in (0.5, 1)", options.confidence)};
  }
  auto data = usable(rows, options.scale);
  const auto merged = by_size(data.points);
  // Where glm stops depends on how its rows are cut: it has them one by one.
  const auto line = fit_link_line(options.stop == LinkStop::kAsGlm ? data.points : merged, options.link, options.stop);
  if (!line) return line.error();
  PodFit fit;
  fit.options = options;
  fit.line = *line;
  fit.var_b0 = line->var_b0;
  fit.var_b1 = line->var_b1;
  fit.cov_b0_b1 = line->cov_b0_b1;
  fit.rows = data.points.size();
  for (const auto& p : data.points) fit.hits += p.hits > 0 ? 1 : 0;
  fit.excluded = std::move(data.excluded);
  fit.targets = options.repeated ? std::set<std::uint64_t>(data.target.begin(), data.target.end()).size() : fit.rows;
  if (fit.targets < 2) return daq::Error{"all inspections are of one target: how much targets differ is not seen"};

  const double eta = link_quantile(options.link, options.pod);
  const auto variance = [&](double v00, double v01, double v11) {
    return variance_of_size(eta, line->b0, line->b1, v00, v01, v11);
  };
  if (options.repeated) {
    make_robust(fit, data);
    const double robust = variance(fit.var_b0, fit.cov_b0_b1, fit.var_b1);
    fit.widening = std::sqrt(robust / variance(line->var_b0, line->cov_b0_b1, line->var_b1));
  }
  // 2 (l - l_0) against chi-squared of 1: the interval of the slope, by likelihood, has 0 in it or has not. Of
  // repeated inspections by the robust standard error.
  const double two_sided = two_sided_z(options.confidence);
  const double ratio = 2 * (line->log_likelihood - line->null_log_likelihood);
  const double robust_t = line->b1 / std::sqrt(fit.var_b1);
  const bool shown = options.repeated ? std::abs(robust_t) > student_quantile(0.5 + options.confidence / 2,
                                                                              static_cast<double>(fit.targets - 1))
                                      : ratio > two_sided * two_sided;
  if (!(line->b1 > 0) || !shown) {
    return daq::Error{fmt::format(
        "POD is not shown to rise with size: slope {:.6g}, standard error {:.3g}, {}; its {:g} "
        "% interval {}. No a{:g} is given",
        line->b1, std::sqrt(fit.var_b1),
        options.repeated ? fmt::format("t = {:.3g}", robust_t) : fmt::format("likelihood ratio {:.3g}", ratio),
        100 * options.confidence, shown ? "lies below 0" : "has 0 in it", 100 * options.pod)};
  }
  fit.mu = -line->b0 / line->b1;
  fit.sigma = 1 / line->b1;
  fit.a50 = unscaled(options.scale, (link_quantile(options.link, 0.5) - line->b0) / line->b1);
  fit.a90 = unscaled(options.scale, (eta - line->b0) / line->b1);
  const auto bound = bound_on_scale(fit, merged, options.bound, options.confidence);
  if (!bound) return bound.error();
  fit.a90_95 = unscaled(options.scale, *bound);
  for (const auto& p : data.points) fit.largest = std::max(fit.largest, unscaled(options.scale, p.x));
  if (fit.targets < kHandbookTargets) {
    fit.warnings.push_back(fmt::format("{} targets are below the {} that the handbook asks of hit and miss",
                                       fit.targets, kHandbookTargets));
  }
  if (fit.a90_95 > fit.largest) {
    fit.warnings.push_back(
        fmt::format("the upper bound {:.6g} lies beyond the largest size tested, {:.6g}", fit.a90_95, fit.largest));
  }
  if (!fit.excluded.empty()) fit.warnings.push_back(fmt::format("{} rows were excluded", fit.excluded.size()));
  return fit;
}

daq::Result<PodAt> pod_at(const PodFit& fit, double size, double level) {
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  if (!std::isfinite(size) || (fit.options.scale == SizeScale::kLog && size <= 0)) {
    return daq::Error{fmt::format("no POD can be given at size {}", size)};
  }
  const double x = scaled(fit.options.scale, size);
  const double eta = fit.line.b0 + fit.line.b1 * x;
  const double half = one_sided(fit, 0.5 + level / 2) *
                      std::sqrt(std::max(0.0, fit.var_b0 + 2 * x * fit.cov_b0_b1 + x * x * fit.var_b1));
  return PodAt{size,
               link_cdf(fit.options.link, eta),
               {link_cdf(fit.options.link, eta - half), link_cdf(fit.options.link, eta + half), level}};
}

daq::Result<double> pod_size_bound(const PodFit& fit, std::span<const HitMiss> rows, PodBound bound,
                                   double confidence) {
  if (!(confidence > 0.5 && confidence < 1)) {
    return daq::Error{fmt::format("confidence {} is not in (0.5, 1)", confidence)};
  }
  const auto data = usable(rows, fit.options.scale);
  if (data.points.size() != fit.rows) return daq::Error{"these are not the rows that the curve was fitted to"};
  const auto x = bound_on_scale(fit, by_size(data.points), bound, confidence);
  if (!x) return x.error();
  return unscaled(fit.options.scale, *x);
}

}  // namespace strigil::protocols
