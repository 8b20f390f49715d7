#include "protocols/court/golden_envelope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kFewestInBand = 3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double real(std::size_t n) { return static_cast<double>(n); }

/// Ranks that reject among n + 1: rounding must not cost one where the product is whole.
std::size_t rejecting(double rate, std::size_t n) {
  return static_cast<std::size_t>(std::floor(rate * real(n + 1) + 1e-9));
}

/// Mean and sum of squares about it at every point of every channel, from which one run can be taken.
class Band {
 public:
  Band(std::size_t channels, std::size_t points)
      : mean_(channels, std::vector<double>(points, 0)), squares_(channels, std::vector<double>(points, 0)) {}

  void add(const GoldenRun& run) {
    ++count_;
    each(run, [&](double x, double& mean, double& squares) {
      const double d = x - mean;
      mean += d / real(count_);
      squares += d * (x - mean);
    });
  }

  /// Greatest deviation of `run` from the band of the others, `run` being one of those added (`inside`) or not.
  [[nodiscard]] double deviation(const GoldenRun& run, bool inside, std::span<const GoldenChannelName> channels) const {
    double worst = 0;
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      for (std::size_t i = 0; i < mean_[c].size(); ++i) {
        const auto [centre, spread] = without(run.channel[c][i], c, i, inside, channels[c].resolution);
        const double d = std::abs(run.channel[c][i] - centre);
        worst = std::max(worst, d == 0 ? 0 : d / spread);
      }
    }
    return worst;
  }
  /// Mean and spread at a point, less the value `x` where it is inside.
  [[nodiscard]] std::pair<double, double> without(double x, std::size_t c, std::size_t i, bool inside,
                                                  double resolution) const {
    double mean = mean_[c][i];
    double squares = squares_[c][i];
    double n = real(count_);
    if (inside) {
      const double d = x - mean;
      squares = std::max(0.0, squares - d * d * n / (n - 1));
      mean -= d / (n - 1);
      n -= 1;
    }
    return {mean, std::sqrt(squares / (n - 1) + resolution * resolution)};
  }

 private:
  template <typename Visit>
  void each(const GoldenRun& run, Visit&& visit) {
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      for (std::size_t i = 0; i < mean_[c].size(); ++i) visit(run.channel[c][i], mean_[c][i], squares_[c][i]);
    }
  }
  std::vector<std::vector<double>> mean_;
  std::vector<std::vector<double>> squares_;
  std::size_t count_ = 0;
};

/// The k-th greatest (k from 1).
double kth_greatest(std::vector<double> v, std::size_t k) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(k - 1), v.end(), std::greater<>());
  return v[k - 1];
}

daq::Result<void> fits(const GoldenRun& run, const std::string& who, std::size_t channels, std::size_t points) {
  if (run.channel.size() != channels) {
    return daq::Error{fmt::format("{} has {} channels where {} are expected", who, run.channel.size(), channels)};
  }
  for (std::size_t c = 0; c < channels; ++c) {
    if (run.channel[c].size() != points) {
      return daq::Error{
          fmt::format("{}, channel {}: {} points where the grid has {}", who, c, run.channel[c].size(), points)};
    }
    for (std::size_t i = 0; i < points; ++i) {
      if (!std::isfinite(run.channel[c][i])) {
        return daq::Error{fmt::format("{}, channel {}, point {}: {} was not measured", who, c, i, run.channel[c][i])};
      }
    }
  }
  return {};
}

daq::Result<void> checked(const GoldenGrid& grid, std::span<const GoldenChannelName> channels) {
  if (grid.at.empty() || channels.empty()) return daq::Error{"an envelope needs a grid and a channel"};
  for (std::size_t i = 0; i < grid.at.size(); ++i) {
    if (!std::isfinite(grid.at[i]) || (i > 0 && !(grid.at[i] > grid.at[i - 1]))) {
      return daq::Error{fmt::format("the grid does not ascend at point {}", i)};
    }
  }
  for (const auto& c : channels) {
    if (!(c.resolution >= 0) || std::isinf(c.resolution)) {
      return daq::Error{fmt::format("channel '{}' has a resolution of {}", c.name, c.resolution)};
    }
  }
  return {};
}

}  // namespace

std::size_t references_needed(double false_reject, GoldenMethod method) {
  auto n = static_cast<std::size_t>(std::ceil(1 / false_reject - 1 - 1e-9));
  n = std::max<std::size_t>(n, method == GoldenMethod::kFull ? 3 : 1);
  return method == GoldenMethod::kFull ? n : n + kFewestInBand;
}

daq::Result<GoldenEnvelope> learn_envelope(const GoldenGrid& grid, std::span<const GoldenChannelName> channels,
                                           std::span<const GoldenRun> references, const GoldenOptions& o) {
  if (auto good = checked(grid, channels); !good) return good.error();
  if (!(o.false_reject > 0 && o.false_reject <= 0.5)) {
    return daq::Error{fmt::format("a false-reject rate of {} is not in (0, 0.5]", o.false_reject)};
  }
  if (const auto needed = references_needed(o.false_reject, o.method); references.size() < needed) {
    return daq::Error{
        fmt::format("{} references cannot promise {:g} % of false rejects: {} are needed, or a rate of {:.3g} %",
                    references.size(), 100 * o.false_reject, needed, 100 / real(references.size() + 1))};
  }
  for (std::size_t r = 0; r < references.size(); ++r) {
    if (auto good = fits(references[r], fmt::format("reference {}", r), channels.size(), grid.at.size()); !good) {
      return good.error();
    }
  }
  GoldenEnvelope out;
  out.grid = grid;
  out.channels.assign(channels.begin(), channels.end());
  out.method = o.method;
  out.asked = o.false_reject;
  out.references = out.calibrating = references.size();

  std::vector<std::size_t> order(references.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::size_t in_band = references.size();
  if (o.method == GoldenMethod::kSplit) {
    Draws draws(o.seed);
    for (std::size_t i = 0; i + 1 < order.size(); ++i) std::swap(order[i], order[i + draws.below(order.size() - i)]);
    // About half make the band; of the sizes near it the one whose ranks come closest to the rate asked for.
    const auto fewest = static_cast<std::size_t>(std::ceil(1 / o.false_reject - 1 - 1e-9));
    const auto most =
        references.size() - std::max(kFewestInBand, std::min(references.size() - fewest, references.size() / 3));
    double best = -1;
    for (std::size_t n = fewest; n <= most; ++n) {
      const double rate = real(rejecting(o.false_reject, n)) / real(n + 1);
      if (rate >= best - 1e-12) {
        best = rate;
        out.calibrating = n;
      }
    }
    in_band = references.size() - out.calibrating;
  }
  Band band(channels.size(), grid.at.size());
  for (std::size_t k = 0; k < in_band; ++k) band.add(references[order[k]]);
  std::vector<double> deviations;
  if (o.method == GoldenMethod::kFull) {
    for (const auto& r : references) deviations.push_back(band.deviation(r, true, channels));
    out.kept.assign(references.begin(), references.end());
  } else {
    for (std::size_t k = in_band; k < order.size(); ++k) {
      deviations.push_back(band.deviation(references[order[k]], false, channels));
    }
  }
  const auto k = rejecting(o.false_reject, out.calibrating);
  out.promised = real(k) / real(out.calibrating + 1);
  out.limit = kth_greatest(deviations, k);
  for (std::size_t c = 0; c < channels.size(); ++c) {
    std::vector<double> centre;
    std::vector<double> spread;
    for (std::size_t i = 0; i < grid.at.size(); ++i) {
      const auto [m, s] = band.without(0, c, i, false, channels[c].resolution);
      if (!(s > 0)) {
        return daq::Error{
            fmt::format("all references of '{}' are the same at {:g} {}: give the channel's resolution, or no "
                        "run will ever do",
                        channels[c].name, grid.at[i], grid.unit)};
      }
      centre.push_back(m);
      spread.push_back(s);
    }
    out.low.emplace_back();
    out.high.emplace_back();
    for (std::size_t i = 0; i < centre.size(); ++i) {
      out.low.back().push_back(centre[i] - out.limit * spread[i]);
      out.high.back().push_back(centre[i] + out.limit * spread[i]);
    }
    out.centre.push_back(std::move(centre));
    out.spread.push_back(std::move(spread));
  }
  return out;
}

daq::Result<GoldenJudgement> judge_run(const GoldenEnvelope& e, const GoldenRun& run) {
  if (auto good = fits(run, "the run", e.channels.size(), e.grid.at.size()); !good) return good.error();
  GoldenJudgement out;
  for (std::size_t c = 0; c < e.channels.size(); ++c) {
    for (std::size_t i = 0; i < e.grid.at.size(); ++i) {
      const double d = std::abs(run.channel[c][i] - e.centre[c][i]);
      out.deviation = std::max(out.deviation, d / e.spread[c][i]);
    }
  }
  out.limit = e.limit;
  if (e.method == GoldenMethod::kFull) {
    Band with_run(e.channels.size(), e.grid.at.size());
    for (const auto& r : e.kept) with_run.add(r);
    with_run.add(run);
    std::vector<double> others;
    std::size_t as_far = 1;
    for (const auto& r : e.kept) {
      others.push_back(with_run.deviation(r, true, e.channels));
      as_far += others.back() >= out.deviation ? 1 : 0;
    }
    out.p = real(as_far) / real(e.references + 1);
    out.limit = kth_greatest(others, rejecting(e.asked, e.references));
    out.accepted = !(out.deviation > out.limit);
  } else {
    out.accepted = !(out.deviation > e.limit);
    out.p = std::numeric_limits<double>::quiet_NaN();
  }
  for (std::size_t c = 0; c < e.channels.size(); ++c) {
    std::size_t outside = 0;
    for (std::size_t i = 0; i < e.grid.at.size(); ++i) {
      const double x = run.channel[c][i];
      const double half = out.limit * e.spread[c][i];
      const double off = x - e.centre[c][i];
      if (out.accepted || !(std::abs(off) > half)) continue;
      ++outside;
      Divergence d;
      d.channel = c;
      d.point = i;
      d.at = e.grid.at[i];
      d.value = x;
      d.low = e.centre[c][i] - half;
      d.high = e.centre[c][i] + half;
      d.beyond = off > 0 ? x - d.high : x - d.low;
      d.half_widths = half > 0 ? std::abs(off) / half : kInfinity;
      if (!out.first || i < out.first->point || (i == out.first->point && d.half_widths > out.first->half_widths)) {
        out.first = d;
      }
      if (!out.worst || d.half_widths > out.worst->half_widths) out.worst = d;
    }
    out.outside_share.push_back(real(outside) / real(e.grid.at.size()));
  }
  const auto say = [&](std::optional<Divergence>& d, const char* how) {
    if (!d) return;
    const auto& channel = e.channels[d->channel];
    d->words = fmt::format(
        "{} {} at {:.6g} {}: {:.6g} {}, envelope {:.6g} to {:.6g}, too {} by {:.4g} {} ({:.3g} half-widths "
        "from the centre)",
        channel.name, how, d->at, e.grid.unit, d->value, channel.unit, d->low, d->high, d->beyond > 0 ? "high" : "low",
        std::abs(d->beyond), channel.unit, d->half_widths);
  };
  say(out.first, "first leaves its envelope");
  say(out.worst, "is farthest out");
  return out;
}

}  // namespace strigil::protocols
