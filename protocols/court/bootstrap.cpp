#include "protocols/court/bootstrap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>

#include "protocols/court/distributions.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMostUndefined = 0.05;
constexpr std::size_t kFewPhantoms = 8;

using Phantoms = std::vector<std::vector<std::size_t>>;

void resample(const Phantoms& phantoms, Resampling how, Draws& draws, std::vector<std::size_t>& out) {
  out.clear();
  for (std::size_t i = 0; i < phantoms.size(); ++i) {
    const auto& strokes = phantoms[phantoms.size() == 1 ? 0 : draws.below(phantoms.size())];
    if (how == Resampling::kPhantoms && phantoms.size() > 1) {
      out.insert(out.end(), strokes.begin(), strokes.end());
    } else {
      for (std::size_t k = 0; k < strokes.size(); ++k) out.push_back(strokes[draws.below(strokes.size())]);
    }
  }
}

/// Skewness of the influence of each part, over 6: Efron's acceleration, 0 where it cannot be told.
double acceleration(const Phantoms& phantoms, const StrokeStatistic& statistic) {
  Phantoms parts = phantoms;
  if (phantoms.size() == 1) {
    parts.clear();
    for (const auto s : phantoms[0]) parts.push_back({s});
  }
  constexpr std::size_t kMostParts = 200;
  if (parts.size() > kMostParts) {
    Phantoms groups(kMostParts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto& group = groups[i * kMostParts / parts.size()];
      group.insert(group.end(), parts[i].begin(), parts[i].end());
    }
    parts = std::move(groups);
  }
  std::vector<double> without;
  std::vector<std::size_t> rows;
  for (std::size_t leave = 0; leave < parts.size(); ++leave) {
    rows.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i != leave) rows.insert(rows.end(), parts[i].begin(), parts[i].end());
    }
    const double v = rows.empty() ? std::nan("") : statistic(rows);
    if (std::isfinite(v)) without.push_back(v);
  }
  if (without.size() < 3) return 0;
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / static_cast<double>(without.size());
  double square = 0;
  double cube = 0;
  for (const double v : without) {
    square += (mean - v) * (mean - v);
    cube += (mean - v) * (mean - v) * (mean - v);
  }
  return square > 0 ? cube / (6 * std::pow(square, 1.5)) : 0;
}

daq::Result<void> finite(std::span<const double> values) {
  for (const double v : values) {
    if (!std::isfinite(v)) return daq::Error{fmt::format("{} is no value to permute", v)};
  }
  return {};
}

/// Sums equal but for rounding count as reached: else an exact test would leave out the arrangement seen itself.
bool reached(double permuted, double seen, double scale) {
  return std::abs(permuted) >= std::abs(seen) - 1e-12 * scale;
}

}  // namespace

double quantile_of_sorted(std::span<const double> sorted, double p) noexcept {
  assert(!sorted.empty() && p >= 0 && p <= 1);
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  if (i + 1 >= sorted.size()) return sorted.back();
  const double part = at - static_cast<double>(i);
  return part > 0 ? sorted[i] + part * (sorted[i + 1] - sorted[i]) : sorted[i];
}

daq::Result<BootstrapInterval> bootstrap(std::span<const std::size_t> phantom_of_stroke,
                                         const StrokeStatistic& statistic, const BootstrapOptions& options) {
  if (phantom_of_stroke.empty()) return daq::Error{"there is no stroke to resample"};
  if (options.resamples < 100 || options.resamples > 1'000'000) {
    return daq::Error{fmt::format("{} resamples are not between 100 and 1,000,000", options.resamples)};
  }
  if (!(options.level > 0 && options.level < 1)) {
    return daq::Error{fmt::format("level {} is not between 0 and 1", options.level)};
  }
  std::map<std::size_t, std::vector<std::size_t>> by_phantom;
  for (std::size_t i = 0; i < phantom_of_stroke.size(); ++i) by_phantom[phantom_of_stroke[i]].push_back(i);
  Phantoms phantoms;
  for (auto& [number, strokes] : by_phantom) phantoms.push_back(std::move(strokes));

  std::vector<std::size_t> rows(phantom_of_stroke.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  BootstrapInterval out;
  out.phantoms = phantoms.size();
  out.value = statistic(rows);
  out.interval.level = options.level;
  if (!std::isfinite(out.value)) return daq::Error{fmt::format("the statistic of all strokes is {}", out.value)};

  std::vector<double> values;
  values.reserve(options.resamples);
  for (std::size_t b = 0; b < options.resamples; ++b) {
    Draws draws(options.seed, b);
    resample(phantoms, options.resampling, draws, rows);
    const double v = statistic(rows);
    if (std::isfinite(v)) {
      values.push_back(v);
    } else {
      ++out.undefined;
    }
  }
  const auto all = static_cast<double>(options.resamples);
  if (static_cast<double>(out.undefined) > kMostUndefined * all) {
    return daq::Error{fmt::format("{} of {} resamples have no value: too few strokes carry what the statistic needs",
                                  out.undefined, options.resamples)};
  }
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double v : values) mean += v / n;
  double square = 0;
  for (const double v : values) square += (v - mean) * (v - mean);
  out.bias = mean - out.value;
  out.standard_error = std::sqrt(square / (n - 1));

  double low = 0.5 - options.level / 2;
  double high = 0.5 + options.level / 2;
  if (options.method == BootstrapMethod::kBca && values.front() < values.back()) {
    const auto below = static_cast<double>(std::lower_bound(values.begin(), values.end(), out.value) - values.begin());
    const auto up_to = static_cast<double>(std::upper_bound(values.begin(), values.end(), out.value) - values.begin());
    // Ties count half; never quite 0 or 1, where the normal quantile ends.
    const double share = std::clamp(0.5 * (below + up_to) / n, 0.5 / n, 1 - 0.5 / n);
    const double z0 = normal_quantile(share);
    const double a = acceleration(phantoms, statistic);
    const auto corrected = [&](double p) {
      const double z = z0 + normal_quantile(p);
      const double denominator = 1 - a * z;
      return denominator > 0 ? normal_cdf(z0 + z / denominator) : (z > 0 ? 1.0 : 0.0);
    };
    low = corrected(low);
    high = corrected(high);
  }
  out.interval.low = quantile_of_sorted(values, low);
  out.interval.high = quantile_of_sorted(values, high);
  if (phantoms.size() == 1) {
    out.warnings.emplace_back(
        "one phantom: the interval holds for more strokes on it, and says nothing of other phantoms");
  } else if (phantoms.size() < kFewPhantoms) {
    out.warnings.push_back(fmt::format("{} phantoms: with fewer than {} a bootstrap interval is rather too narrow",
                                       phantoms.size(), kFewPhantoms));
  }
  if (values.front() == values.back())
    out.warnings.emplace_back("all resamples gave the same value: no spread was seen");
  return out;
}

daq::Result<PermutationResult> paired_permutation(std::span<const double> differences, std::size_t permutations,
                                                  std::uint64_t seed) {
  if (differences.empty() || permutations == 0) return daq::Error{"there is nothing to permute"};
  if (auto good = finite(differences); !good) return good.error();
  const std::size_t n = differences.size();
  double seen = 0;
  double scale = 0;
  for (const double d : differences) {
    seen += d;
    scale += std::abs(d);
  }
  PermutationResult out;
  out.statistic = seen / static_cast<double>(n);
  constexpr std::size_t kExactUpTo = 16;
  std::size_t extreme = 0;
  if (n <= kExactUpTo) {
    out.exact = true;
    out.permutations = std::size_t{1} << n;
    for (std::size_t signs = 0; signs < out.permutations; ++signs) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += ((signs >> i) & 1U) != 0 ? -differences[i] : differences[i];
      if (reached(sum, seen, scale)) ++extreme;
    }
    out.p = static_cast<double>(extreme) / static_cast<double>(out.permutations);
    return out;
  }
  out.permutations = permutations;
  for (std::size_t b = 0; b < permutations; ++b) {
    Draws draws(seed, b);
    double sum = 0;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (i % 64 == 0) bits = draws.next();
      sum += (bits & 1U) != 0 ? -differences[i] : differences[i];
      bits >>= 1U;
    }
    if (reached(sum, seen, scale)) ++extreme;
  }
  out.p = static_cast<double>(extreme + 1) / static_cast<double>(permutations + 1);
  return out;
}

daq::Result<PermutationResult> unpaired_permutation(std::span<const double> first, std::span<const double> second,
                                                    std::size_t permutations, std::uint64_t seed) {
  if (first.empty() || second.empty() || permutations == 0) return daq::Error{"each group needs a value to permute"};
  for (const auto group : {first, second}) {
    if (auto good = finite(group); !good) return good.error();
  }
  const auto m = static_cast<double>(first.size());
  const auto n = static_cast<double>(second.size());
  std::vector<double> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  double total = 0;
  double scale = 0;
  for (const double v : all) {
    total += v;
    scale += std::abs(v);
  }
  const auto difference = [&](double sum_of_first) { return sum_of_first / m - (total - sum_of_first) / n; };
  PermutationResult out;
  out.statistic = difference(std::accumulate(first.begin(), first.end(), 0.0));
  out.permutations = permutations;
  std::size_t extreme = 0;
  for (std::size_t b = 0; b < permutations; ++b) {
    Draws draws(seed, b);
    double sum = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      std::swap(all[i], all[i + draws.below(all.size() - i)]);
      sum += all[i];
    }
    if (reached(difference(sum), out.statistic, scale)) ++extreme;
  }
  out.p = static_cast<double>(extreme + 1) / static_cast<double>(permutations + 1);
  return out;
}

}  // namespace strigil::protocols
