#include "ui/history.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace strigil::ui {
namespace {

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

/// The lower (or higher) of two where NaN is nothing.
float lower(float a, float b) { return std::isnan(a) || b < a ? b : a; }
float higher(float a, float b) { return std::isnan(a) || b > a ? b : a; }

}  // namespace

History::History(std::size_t channels, std::size_t kept) : channels_(channels), kept_(kept), levels_(kLevels) {
  assert(channels > 0 && kept > kFold);
}

void History::append(double t_s, std::span<const float> values) {
  assert(values.size() == channels_);
  if (!std::isfinite(t_s)) return;
  if (samples_ > 0 && t_s < last_s_) t_s = last_s_;
  last_s_ = t_s;
  ++samples_;
  add(0, t_s, values, values, true);
  for (std::size_t level = 1; level < kLevels; ++level) {
    auto& l = levels_[level];
    // A bin of this level is begun with the first sample of it, so that the newest is never missing from a plot.
    std::size_t samples_in_bin = 1;
    for (std::size_t i = 0; i < level; ++i) samples_in_bin *= kFold;
    const bool fresh = (samples_ - 1) % samples_in_bin == 0;
    add(level, t_s, values, values, fresh || l.bins == 0);
  }
}

void History::gap() {
  const std::vector<float> nothing(channels_, kNothing);
  if (samples_ > 0) append(last_s_, nothing);
}

void History::add(std::size_t level, double t_s, std::span<const float> low, std::span<const float> high, bool fresh) {
  auto& l = levels_[level];
  const bool finest = level == 0;
  if (fresh) {
    const std::size_t at = l.bins % kept_;
    ++l.bins;
    if (l.times_s.size() < kept_) {
      l.times_s.push_back(t_s);
      l.low.insert(l.low.end(), low.begin(), low.end());
      if (!finest) l.high.insert(l.high.end(), high.begin(), high.end());
      return;
    }
    l.times_s[at] = t_s;
    std::copy(low.begin(), low.end(), l.low.begin() + static_cast<std::ptrdiff_t>(at * channels_));
    if (!finest) std::copy(high.begin(), high.end(), l.high.begin() + static_cast<std::ptrdiff_t>(at * channels_));
    return;
  }
  const std::size_t at = (l.bins - 1) % kept_ * channels_;
  for (std::size_t c = 0; c < channels_; ++c) {
    if (std::isnan(low[c])) continue;
    l.low[at + c] = lower(l.low[at + c], low[c]);
    l.high[at + c] = higher(l.high[at + c], high[c]);
  }
}

std::uint64_t History::oldest(std::size_t level) const noexcept {
  const auto bins = levels_[level].bins;
  return bins > kept_ ? bins - kept_ : 0;
}

double History::first_s() const noexcept {
  if (samples_ == 0) return last_s_;
  double first = last_s_;
  for (std::size_t level = 0; level < kLevels; ++level) {
    first = std::min(first, levels_[level].times_s[oldest(level) % kept_]);
  }
  return first;
}

std::uint64_t History::lower_bound(std::size_t level, double t_s) const noexcept {
  const auto& l = levels_[level];
  std::uint64_t low = oldest(level);
  std::uint64_t high = l.bins;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (l.times_s[middle % kept_] < t_s) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void History::columns(std::size_t c, double from_s, double to_s, std::span<Column> columns) const {
  std::fill(columns.begin(), columns.end(), Column{kNothing, kNothing});
  if (samples_ == 0 || columns.empty() || !(to_s > from_s) || c >= channels_) return;
  std::size_t level = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  for (;; ++level) {
    first = lower_bound(level, from_s);
    last = lower_bound(level, to_s);
    const auto& l = levels_[level];
    const bool reaches = oldest(level) == 0 || l.times_s[oldest(level) % kept_] <= from_s;
    const bool few = last - first <= kFold * columns.size();
    if ((reaches && few) || level + 1 == kLevels) break;
  }
  // The bin before began earlier and may still have samples in here; of samples it has not.
  if (level > 0 && first > oldest(level)) --first;
  const auto& l = levels_[level];
  const double per_s = static_cast<double>(columns.size()) / (to_s - from_s);
  for (std::uint64_t bin = first; bin < last; ++bin) {
    const auto at = bin % kept_;
    const double place = std::max(0.0, (l.times_s[at] - from_s) * per_s);
    const auto column = std::min(columns.size() - 1, static_cast<std::size_t>(place));
    const float low = l.low[at * channels_ + c];
    const float high = level == 0 ? low : l.high[at * channels_ + c];
    if (std::isnan(low)) continue;
    columns[column].low = lower(columns[column].low, low);
    columns[column].high = higher(columns[column].high, high);
  }
}

void History::samples(std::size_t c, double from_s, std::size_t count, std::vector<double>& times_s,
                      std::vector<float>& values) const {
  times_s.clear();
  values.clear();
  if (samples_ == 0 || c >= channels_) return;
  const auto& l = levels_[0];
  const auto first = lower_bound(0, from_s);
  for (auto bin = first; bin < l.bins && bin - first < count; ++bin) {
    times_s.push_back(l.times_s[bin % kept_]);
    values.push_back(l.low[bin % kept_ * channels_ + c]);
  }
}

void History::newest(std::size_t c, std::size_t count, std::vector<double>& times_s, std::vector<float>& values) const {
  times_s.clear();
  values.clear();
  if (samples_ == 0 || c >= channels_) return;
  const auto& l = levels_[0];
  const auto first = std::max(oldest(0), l.bins > count ? l.bins - count : 0);
  for (auto bin = first; bin < l.bins; ++bin) {
    times_s.push_back(l.times_s[bin % kept_]);
    values.push_back(l.low[bin % kept_ * channels_ + c]);
  }
}

float History::value_at(std::size_t c, double t_s) const {
  if (samples_ == 0 || c >= channels_) return kNothing;
  const auto& l = levels_[0];
  auto bin = lower_bound(0, t_s);
  const bool exact = bin < l.bins && l.times_s[bin % kept_] == t_s;
  if (!exact) {
    if (bin == oldest(0)) return kNothing;
    --bin;
  }
  return l.low[bin % kept_ * channels_ + c];
}

std::size_t History::bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto& l : levels_) {
    sum += l.times_s.capacity() * sizeof(double) + (l.low.capacity() + l.high.capacity()) * sizeof(float);
  }
  return sum;
}

}  // namespace strigil::ui
