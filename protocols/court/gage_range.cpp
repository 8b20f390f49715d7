#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "protocols/court/gage_table.hpp"
#include "protocols/court/range_distribution.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kMost = 25;
// AIAG MSA 4th ed., metrology.md 5.1: by trials, by appraisers, by parts, from 2 on.
constexpr std::array kTrialFactors{0.8862, 0.5908};
constexpr std::array kAppraiserFactors{0.7071, 0.5231};
constexpr std::array kPartFactors{0.7071, 0.5231, 0.4467, 0.4030, 0.3742, 0.3534, 0.3375, 0.3249, 0.3146};

template <std::size_t n>
double factor(const std::array<double, n>& table, std::size_t size, std::size_t ranges) {
  return size - 2 < n ? table[size - 2] : 1 / d2_star(size, ranges);
}

double range(std::span<const double> v) {
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  return *high - *low;
}

}  // namespace

daq::Result<GageRange> gage_range(std::span<const GageReading> readings, const GageOptions& o) {
  if (auto good = checked(o); !good) return good.error();
  const auto t = gage_table(readings);
  if (!t) return t.error();
  const std::size_t p = t->parts.size();
  const std::size_t a = t->appraisers.size();
  if (std::max({p, a, t->trials}) > kMost) {
    return daq::Error{fmt::format("{} parts, {} appraisers, {} trials: ranges waste too much beyond {}, use ANOVA", p,
                                  a, t->trials, kMost)};
  }
  GageRange out;
  out.appraiser = t->appraisers;
  out.mean_range.assign(a, 0);
  out.mean.assign(a, 0);
  std::vector<double> part_mean(p, 0);
  for (std::size_t i = 0; i < p; ++i) {
    for (std::size_t j = 0; j < a; ++j) {
      double sum = 0;
      for (const double v : t->cell(i, j)) sum += v;
      out.mean_range[j] += range(t->cell(i, j)) / static_cast<double>(p);
      out.mean[j] += sum / static_cast<double>(p * t->trials);
      part_mean[i] += sum / static_cast<double>(a * t->trials);
    }
  }
  for (const double r : out.mean_range) out.grand_mean_range += r / static_cast<double>(a);
  out.difference_of_means = range(out.mean);
  out.range_of_parts = range(part_mean);
  out.k1 = factor(kTrialFactors, t->trials, p * a);
  out.k2 = a > 1 ? factor(kAppraiserFactors, a, 1) : 0;
  out.k3 = factor(kPartFactors, p, 1);
  const auto f = range_factors(t->trials);
  out.range_limit = (1 + 3 * f.d3 / f.d2) * out.grand_mean_range;
  for (std::size_t j = 0; j < a; ++j) {
    for (std::size_t i = 0; i < p; ++i) {
      const double r = range(t->cell(i, j));
      if (r > out.range_limit) out.out_of_control.push_back({t->appraisers[j], t->parts[i], r});
    }
  }
  out.ev = out.grand_mean_range * out.k1;
  const double av =
      std::pow(out.difference_of_means * out.k2, 2) - out.ev * out.ev / static_cast<double>(p * t->trials);
  out.av_clamped = a > 1 && av < 0;
  out.av = a > 1 ? std::sqrt(std::max(0.0, av)) : 0;
  out.grr = std::hypot(out.ev, out.av);
  out.pv = out.range_of_parts * out.k3;
  out.tv = std::hypot(out.grr, out.pv);
  out.ev_pct = 100 * out.ev / out.tv;
  out.av_pct = 100 * out.av / out.tv;
  out.grr_pct = 100 * out.grr / out.tv;
  out.pv_pct = 100 * out.pv / out.tv;
  if (o.tolerance) out.grr_tolerance_pct = 100 * o.study_width * out.grr / *o.tolerance;
  out.ndc_unrounded = out.grr > 0 ? 1.41 * out.pv / out.grr : std::numeric_limits<double>::infinity();
  out.ndc = static_cast<std::uint64_t>(std::clamp(std::floor(out.ndc_unrounded), 1.0, 1e9));
  out.verdict = gage_verdict(out.grr_pct);
  return out;
}

}  // namespace strigil::protocols
