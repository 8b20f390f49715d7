#include "daq/clock_line.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace strigil::daq {
namespace {

constexpr std::size_t kLeastPairs = 12;
/// No crystal or resonator in use is worse [A]; a greater slope means a jump inside the window.
constexpr double kGreatestSlope = 300e-6;
/// Assumed greatest change of drift [A]: 0.5 ppm/s, a small crystal warming by about 1 K/s (docs/time.md).
constexpr double kDriftChange_per_ns = 0.5e-6 / 1e9;
/// The earliest arrivals taken for the spacing: few, since only near the line is the density of delays even.
constexpr std::size_t kRank = 10;
/// The earliest arrivals still are late: by one spacing where delays are even down to zero, by more where they thin
/// out towards it. Taken off the line as its bias.
constexpr double kBiasSpacings = 3;
/// Bound over spacing: 3 is the 95 % point of one exponential spacing; the slope takes its share too, which at the
/// window's end is the greater. Set by 300 random worlds (tests/daq/clock_world.hpp), held by 2,000 others.
constexpr double kSpacingsAtEnd = 14;
constexpr double kSpacingsAtMiddle = 8;
/// A quarter of the window whose least residual is more than this many of its own spacings above the line hangs.
constexpr double kHangsInTheAir = 8.0;
/// Windows tried, each half of the one before.
constexpr double kLongestWindow_ns = 16e9;
constexpr double kShortestWindow_ns = 1e9;
/// Resolution of receive times: below this nothing is claimed.
constexpr double kFloor_ns = 2000;

}  // namespace

void ClockLine::widen(double spacing) noexcept {
  if (spacing <= spacing_ns) return;
  bound_ns += spacings * (spacing - spacing_ns);
  spacing_ns = spacing;
}

ClockLine ClockLineFitter::fit(std::span<const ClockPair> pairs, double at_ns) noexcept {
  assert(pairs.size() <= kMaxClockPairs);
  ClockLine line;
  if (pairs.size() < kLeastPairs) return line;
  const double first = pairs.front().device_ns;
  const double span = pairs.back().device_ns - first;
  if (!(span > 0)) return line;
  line.span_ns = span;
  // Lower hull by monotone chain.
  std::size_t n = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    while (n >= 2) {
      const auto& a = pairs[hull_[n - 2]];
      const auto& b = pairs[hull_[n - 1]];
      const double cross = (b.device_ns - a.device_ns) * (pairs[i].late_ns - a.late_ns) -
                           (pairs[i].device_ns - a.device_ns) * (b.late_ns - a.late_ns);
      if (cross > 0) break;
      --n;
    }
    hull_[n++] = static_cast<std::uint16_t>(i);
  }
  // The hull's edge over the middle of the window is the line under all pairs with the least sum of residuals.
  const double middle = first + span / 2;
  std::size_t e = 0;
  while (e + 2 < n && pairs[hull_[e + 1]].device_ns < middle) ++e;
  const auto& a = pairs[hull_[e]];
  const auto& b = pairs[hull_[e + 1]];
  line.slope = (b.late_ns - a.late_ns) / (b.device_ns - a.device_ns);
  line.at_ns = at_ns;
  line.offset_ns = a.late_ns + line.slope * (line.at_ns - a.device_ns);
  if (!(std::abs(line.slope) <= kGreatestSlope)) return line;

  std::array<double, 4> least;
  least.fill(1e300);
  std::array<std::size_t, 4> members{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double r = pairs[i].late_ns - line.late_at(pairs[i].device_ns);
    residual_[i] = r;
    const auto quarter = std::min<std::size_t>(3, static_cast<std::size_t>(4 * (pairs[i].device_ns - first) / span));
    least[quarter] = std::min(least[quarter], r);
    ++members[quarter];
  }
  const std::size_t rank = std::clamp<std::size_t>(pairs.size() / 8, 4, kRank);
  const auto end = residual_.begin() + static_cast<std::ptrdiff_t>(pairs.size());
  std::nth_element(residual_.begin(), residual_.begin() + static_cast<std::ptrdiff_t>(rank), end);
  line.spacing_ns = std::max(0.0, residual_[rank]) / static_cast<double>(rank - 1);  // two lie on the line itself
  const auto half = residual_.begin() + static_cast<std::ptrdiff_t>(pairs.size() / 2);
  std::nth_element(residual_.begin(), half, end);
  line.median_ns = *half;
  const double curvature = kDriftChange_per_ns * span * span / 8;
  line.offset_ns -= kBiasSpacings * line.spacing_ns;
  const double off_middle = std::min(1.0, std::abs(at_ns - middle) / (span / 2));
  line.spacings = kSpacingsAtMiddle + (kSpacingsAtEnd - kSpacingsAtMiddle) * off_middle;
  line.bound_ns = kFloor_ns + curvature + line.spacings * line.spacing_ns;
  // A quarter of the window that hangs above the line: the drift changed, a clock jumped or nothing came undelayed.
  // Whichever it was, the line may be wrong by that much.
  double lift = 0;
  for (std::size_t q = 0; q < 4; ++q) {
    if (members[q] == 0) continue;
    const double share = static_cast<double>(pairs.size()) / static_cast<double>(members[q]);
    lift = std::max(lift, least[q] - kHangsInTheAir * share * line.spacing_ns - curvature - kFloor_ns);
  }
  line.bound_ns += lift;
  line.fits = true;
  return line;
}

ClockLine ClockLineFitter::best(std::span<const ClockPair> pairs, double at_ns, double past_share,
                                double& spread_ns) noexcept {
  ClockLine best;
  const auto before = [](const ClockPair& p, double x) { return p.device_ns < x; };
  auto first = pairs.begin();
  auto last = pairs.end();
  bool whole = true;
  for (double window = kLongestWindow_ns; window >= kShortestWindow_ns; window /= 2) {
    const auto from = std::lower_bound(first, last, at_ns - window * past_share, before);
    // One past the end: `at_ns` itself belongs to a causal window.
    auto to = std::lower_bound(from, last, at_ns + window * (1 - past_share) + 1, before);
    if (to - from > static_cast<std::ptrdiff_t>(kMaxClockPairs)) to = from + kMaxClockPairs;
    if (!whole && from == first && to == last) continue;  // the same pairs as before
    first = from;
    last = to;
    auto line = fit({from, to}, at_ns);
    const bool longest = std::exchange(whole, false);
    if (!line.fits) continue;
    const auto count = static_cast<double>(to - from);
    if (longest || !best.fits) spread_ns = std::max(line.spacing_ns * count, longest ? 0 : spread_ns);
    line.widen(spread_ns / count);
    if (!best.fits || line.bound_ns < best.bound_ns) best = line;
  }
  return best;
}

}  // namespace strigil::daq
