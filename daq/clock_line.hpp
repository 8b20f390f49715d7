// Clock line: the straight line under a window of (device time, arrival) pairs, and how far it may be wrong
// (docs/time.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace strigil::daq {

/// One arrival. Both in ns since the fit's base.
struct ClockPair {
  double device_ns = 0;  ///< the device's ticks at their nominal rate
  double late_ns = 0;    ///< receive time minus device_ns: offset plus drift plus a delay that is never negative
};

inline constexpr std::size_t kMaxClockPairs = 512;

/// What a window says of the two clocks. Times in ns.
struct ClockLine {
  bool fits = false;      ///< enough pairs and a possible slope
  double at_ns = 0;       ///< device time where offset_ns holds and bound_ns is meant
  double offset_ns = 0;   ///< estimated late_ns of an undelayed arrival at at_ns
  double slope = 0;       ///< drift: change of late_ns per ns of device time (1e-6 = 1 ppm)
  double bound_ns = 0;    ///< 95 % bound of offset_ns at at_ns
  double spacing_ns = 0;  ///< mean distance between the earliest arrivals: what decides the bound
  double median_ns = 0;   ///< median residual
  double span_ns = 0;     ///< device time from the first to the last pair

  double spacings = 0;  ///< of which the bound is made

  /// A greater spacing is known from elsewhere: the bound grows with it.
  void widen(double spacing) noexcept;
  [[nodiscard]] double late_at(double device_ns) const noexcept { return offset_ns + slope * (device_ns - at_ns); }
};

/// Fits and judges. The bound is meant at `at_ns`: the window's end (causal) or its middle (two-sided), where it is
/// less. `pairs`: in order of device_ns, at most kMaxClockPairs. No allocation, noexcept; not for two threads at once
/// (scratch).
class ClockLineFitter {
 public:
  ClockLine fit(std::span<const ClockPair> pairs, double at_ns) noexcept;
  /// The fit with the least bound of windows of 16 to 1 s about `at_ns`, of which `past_share` lies before it (1:
  /// causal, 0.5: two-sided). `spread_ns` is what the link's delays are known to be spread over (spacing times pairs):
  /// kept from call to call, since a lucky few pairs in a short window are no better link. `.fits` false: no window
  /// lies on a line.
  ClockLine best(std::span<const ClockPair> pairs, double at_ns, double past_share, double& spread_ns) noexcept;

 private:
  std::array<std::uint16_t, kMaxClockPairs> hull_{};
  std::array<double, kMaxClockPairs> residual_{};
};

}  // namespace strigil::daq
