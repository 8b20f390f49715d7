#include "protocols/court/capability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocols/court/distributions.hpp"
#include "protocols/court/range_distribution.hpp"

namespace strigil::protocols {
namespace {

daq::Result<void> checked(std::span<const double> values, const SpecificationLimits& l, double level) {
  if (!l.lower && !l.upper) return daq::Error{"no specification limit: capability of what?"};
  for (const auto& limit : {l.lower, l.upper, l.target}) {
    if (limit && !std::isfinite(*limit)) return daq::Error{fmt::format("{} is no limit or target", *limit)};
  }
  if (l.lower && l.upper && !(*l.lower < *l.upper)) {
    return daq::Error{fmt::format("limits {} and {} leave no room", *l.lower, *l.upper)};
  }
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  for (const double v : values) {
    if (!std::isfinite(v)) return daq::Error{fmt::format("{} is no value", v)};
  }
  return {};
}

double mean_of(std::span<const double> v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}
double squares_of(std::span<const double> v) {
  const double mean = mean_of(v);
  double sum = 0;
  for (const double x : v) sum += (x - mean) * (x - mean);
  return sum;
}
double range_of(std::span<const double> v) {
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  return *high - *low;
}

struct Within {
  double sd = 0;
  double dof = 0;
};

/// Degrees of freedom of a mean of k independent estimates, each with relative variance `v`: 1 / (2 v / k) to first
/// order.
double dof_of(double relative_variance, double k) { return k / (2 * relative_variance); }

Within within(std::span<const double> values, std::size_t size, WithinSpread how, bool table_d2) {
  const auto d2_of = [&](double d2) { return table_d2 ? std::round(1000 * d2) / 1000 : d2; };
  const std::size_t groups = values.size() / size;
  const auto k = static_cast<double>(groups);
  Within out;
  if (size == 1) {
    double sum = 0;
    for (std::size_t i = 1; i < values.size(); ++i) sum += std::abs(values[i] - values[i - 1]);
    // Overlapping ranges tell each other's values: relative variance (0.8264 n - 1.082) / (n - 1)^2 of Cryer & Ryan
    // 1990.
    const auto n = static_cast<double>(values.size());
    out.sd = sum / (n - 1) / d2_of(range_factors(2).d2);
    out.dof = (n - 1) * (n - 1) / (2 * (0.8264 * n - 1.082));
    return out;
  }
  const auto n = static_cast<double>(size);
  double sum = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto part = values.subspan(g * size, size);
    switch (how) {
      case WithinSpread::kMeanRange:
        sum += range_of(part);
        break;
      case WithinSpread::kMeanDeviation:
        sum += std::sqrt(squares_of(part) / (n - 1));
        break;
      case WithinSpread::kPooled:
        sum += squares_of(part);
        break;
    }
  }
  switch (how) {
    case WithinSpread::kMeanRange: {
      const auto f = range_factors(size);
      out.sd = sum / k / d2_of(f.d2);
      out.dof = dof_of(f.d3 * f.d3 / (f.d2 * f.d2), k);
      break;
    }
    case WithinSpread::kMeanDeviation: {
      const double c4 = c4_factor(size);
      out.sd = sum / k / c4;
      out.dof = dof_of((1 - c4 * c4) / (c4 * c4), k);
      break;
    }
    case WithinSpread::kPooled:
      out.dof = k * (n - 1);
      out.sd = std::sqrt(sum / out.dof);
      break;
  }
  return out;
}

CapabilityIndex two_sided(double value, double dof, double level) {
  return {value,
          {value * std::sqrt(chi_squared_quantile(0.5 - level / 2, dof) / dof),
           value * std::sqrt(chi_squared_quantile(0.5 + level / 2, dof) / dof), level}};
}

/// Bissell 1990 for the nearer limit.
CapabilityIndex nearer(double value, double n, double dof, double level) {
  const double half = two_sided_z(level) * std::sqrt(1 / (9 * n) + value * value / (2 * dof));
  return {value, {value - half, value + half, level}};
}

}  // namespace

daq::Result<Capability> capability(std::span<const double> values, std::size_t size, const SpecificationLimits& limits,
                                   const CapabilityOptions& o) {
  if (auto good = checked(values, limits, o.level); !good) return good.error();
  constexpr std::size_t kMostInRange = 25;
  if (size == 0 || (size > kMostInRange && o.within == WithinSpread::kMeanRange)) {
    return daq::Error{fmt::format("subgroups of {}: ranges are for 1 to {}, take deviations or the pooled variance",
                                  size, kMostInRange)};
  }
  if (values.size() < std::max<std::size_t>(size, 2) || (size == 1 && values.size() < 3) || values.size() % size != 0) {
    return daq::Error{fmt::format("{} values do not make whole subgroups of {} with a spread", values.size(), size)};
  }
  Capability out;
  out.n = values.size();
  out.subgroups = values.size() / size;
  const auto n = static_cast<double>(out.n);
  out.mean = mean_of(values);
  out.sd_overall = std::sqrt(squares_of(values) / (n - 1));
  const auto spread = within(values, size, o.within, o.table_d2);
  out.sd_within = spread.sd;
  out.within_dof = spread.dof;
  if (!(out.sd_within > 0)) return daq::Error{"the values do not differ within their subgroups: no spread to judge"};
  const double dof = o.effective_dof ? spread.dof : n - 1;

  const bool both = limits.lower && limits.upper;
  const auto one_sided = [&](double room, double sd, double degrees) {
    return nearer(room / (3 * sd), n, degrees, o.level);
  };
  if (limits.lower) out.cpl = one_sided(out.mean - *limits.lower, out.sd_within, dof);
  if (limits.upper) out.cpu = one_sided(*limits.upper - out.mean, out.sd_within, dof);
  const bool low_is_nearer = out.cpl && (!out.cpu || out.cpl->value <= out.cpu->value);
  out.cpk = low_is_nearer ? *out.cpl : *out.cpu;
  const double room = low_is_nearer ? out.mean - *limits.lower : *limits.upper - out.mean;
  out.ppk = one_sided(room, out.sd_overall, n - 1);
  if (both) {
    const double width = *limits.upper - *limits.lower;
    out.cp = two_sided(width / (6 * out.sd_within), dof, o.level);
    out.pp = two_sided(width / (6 * out.sd_overall), n - 1, o.level);
    const double target = limits.target.value_or(0.5 * (*limits.lower + *limits.upper));
    const double off = std::pow((out.mean - target) / out.sd_within, 2);
    out.cpm = two_sided(out.cp->value / std::sqrt(1 + off), (dof + 1) * (1 + off) * (1 + off) / (1 + 2 * off), o.level);
  }
  std::size_t outside = 0;
  for (const double v : values) {
    outside += (limits.lower && v < *limits.lower) || (limits.upper && v > *limits.upper) ? 1 : 0;
  }
  out.outside = static_cast<double>(outside) / n;
  if (limits.lower) out.outside_expected += normal_cdf((*limits.lower - out.mean) / out.sd_overall);
  if (limits.upper) out.outside_expected += normal_cdf((out.mean - *limits.upper) / out.sd_overall);
  if (out.sd_overall > 1.5 * out.sd_within) {
    out.warnings.push_back(
        fmt::format("subgroups differ: the overall deviation {:.4g} is {:.2g} times that within, so Cpk "
                    "promises what only Ppk keeps",
                    out.sd_overall, out.sd_overall / out.sd_within));
  }
  constexpr double kUsual = 30;
  if (n < kUsual) out.warnings.push_back(fmt::format("{} values are fewer than the usual {:.0f}", out.n, kUsual));
  return out;
}

daq::Result<PercentileCapability> percentile_capability(std::span<const double> values,
                                                        const SpecificationLimits& limits,
                                                        const BootstrapOptions& options) {
  if (auto good = checked(values, limits, options.level); !good) return good.error();
  if (values.size() < 3) return daq::Error{fmt::format("{} values have no percentiles worth the name", values.size())};
  constexpr double kTail = 0.00135;
  PercentileCapability out;
  const auto judge = [&](std::vector<double>& v) {
    std::sort(v.begin(), v.end());
    out.low = quantile_of_sorted(v, kTail);
    out.median = quantile_of_sorted(v, 0.5);
    out.high = quantile_of_sorted(v, 1 - kTail);
    double nearest = std::numeric_limits<double>::infinity();
    if (limits.lower) nearest = std::min(nearest, (out.median - *limits.lower) / (out.median - out.low));
    if (limits.upper) nearest = std::min(nearest, (*limits.upper - out.median) / (out.high - out.median));
    return nearest;
  };
  std::vector<std::size_t> each(values.size());
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = i;
  std::vector<double> drawn;
  auto over = bootstrap(
      each,
      [&](std::span<const std::size_t> rows) {
        drawn.clear();
        for (const auto i : rows) drawn.push_back(values[i]);
        return judge(drawn);
      },
      options);
  if (!over) return over.error();
  std::vector<double> all(values.begin(), values.end());
  out.ppk = judge(all);
  out.ppk_interval = over->interval;
  if (limits.lower && limits.upper) out.pp = (*limits.upper - *limits.lower) / (out.high - out.low);
  constexpr std::size_t kEnough = 1'000;
  if (values.size() < kEnough) {
    out.warnings.push_back(
        fmt::format("{} values: below {} the percentiles 0.135 and 99.865 are hardly more than the "
                    "extremes seen, and the index flatters",
                    values.size(), kEnough));
  }
  return out;
}

}  // namespace strigil::protocols
