#include "calibration/uncertainty/coverage_interval.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace strigil::calibration {
namespace {

/// The `count` smallest and largest of `values`, each by rising value.
struct Tails {
  std::vector<double> low, high;
};

void keep_smallest(std::vector<double>& values, std::size_t count) {
  if (values.size() > count) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), values.end());
    values.resize(count);
  }
  std::sort(values.begin(), values.end());
}

void keep_largest(std::vector<double>& values, std::size_t count) {
  if (values.size() > count) {
    const auto spare = static_cast<std::ptrdiff_t>(values.size() - count);
    std::nth_element(values.begin(), values.begin() + spare, values.end());
    values.erase(values.begin(), values.begin() + spare);
  }
  std::sort(values.begin(), values.end());
}

/// Tails by a threshold estimated from a few values and one pass; where the estimate was bad, by sorting all.
Tails tails_of(std::span<double> values, std::size_t count) {
  constexpr std::size_t kFew = 20'000;
  const std::size_t n = values.size();
  Tails out;
  if (n >= 10 * kFew && count < n / 4) {
    std::vector<double> few;
    for (std::size_t i = 0; i < kFew; ++i) few.push_back(values[i * (n / kFew)]);
    std::sort(few.begin(), few.end());
    const double part = static_cast<double>(count) / static_cast<double>(n);
    const double wanted = part * kFew + 6 * std::sqrt(part * kFew) + 10;
    const auto rank = std::min(kFew - 1, static_cast<std::size_t>(wanted));
    const double below = few[rank], above = few[kFew - 1 - rank];
    // Without branches: every value is written, and kept by moving on.
    const std::size_t room = n / kFew * (rank + rank / 2) + kFew;
    out.low.resize(room + 1);
    out.high.resize(room + 1);
    std::size_t lows = 0, highs = 0;
    for (const double v : values) {
      out.low[std::min(lows, room)] = v;
      lows += v <= below;
      out.high[std::min(highs, room)] = v;
      highs += v >= above;
    }
    if (lows >= count && highs >= count && lows <= room && highs <= room) {
      out.low.resize(lows);
      out.high.resize(highs);
      keep_smallest(out.low, count);
      keep_largest(out.high, count);
      return out;
    }
  }
  std::sort(values.begin(), values.end());
  out.low.assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
  out.high.assign(values.end() - static_cast<std::ptrdiff_t>(count), values.end());
  return out;
}

}  // namespace

CoverageIntervals coverage_intervals(std::span<double> values, double probability) {
  const std::size_t n = values.size();
  assert(probability > 0 && probability < 1 && static_cast<double>(n) * (1 - probability) >= 2 * (1 - 1e-12));
  // q values are covered: the interval from the r-th to the (r+q)-th, r = 1..n-q (JCGM 101 7.7.1).
  const auto q = std::min(n - 1, static_cast<std::size_t>(probability * static_cast<double>(n) + 0.5));
  const std::size_t positions = n - q;
  const Tails t = tails_of(values, positions);
  CoverageIntervals out;
  const std::size_t middle = (positions + 1) / 2 - 1;  // r = (n-q)/2, or (n-q+1)/2 where that is odd
  out.symmetric = {t.low[middle], t.high[middle]};
  out.shortest = {t.low[0], t.high[0]};
  for (std::size_t r = 1; r < positions; ++r) {
    if (t.high[r] - t.low[r] < out.shortest.width()) out.shortest = {t.low[r], t.high[r]};
  }
  return out;
}

}  // namespace strigil::calibration
