// Two-sided clock fit of a whole recording: arrivals before and after an instant speak for it (docs/time.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "daq/clock_fit.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

/// One raw pair as recorded.
struct TickPair {
  DeviceTicks ticks;
  HostTime received;
};

/// The fit at one instant; between knots of one segment it is linear.
struct ClockKnot {
  DeviceTicks ticks;
  HostTime host;
  double drift_ppm = 0;
  double bound_s = 0;         ///< 95 %
  double residual_s = 0;      ///< median
  std::uint32_t segment = 0;  ///< counts clock jumps and restarts: no line crosses from one into the next
  bool locked = false;        ///< bound_s is within the configuration's lock bound
};

struct ClockRetiming {
  std::vector<ClockKnot> knots;  ///< in order; every half second, and at both ends of each segment
  /// Instant of `ticks` of segment `segment` and its bound: between knots linear, beyond the ends by the end's drift.
  [[nodiscard]] HostTime to_host(DeviceTicks ticks, std::uint32_t segment) const;
  [[nodiscard]] double bound_s(DeviceTicks ticks, std::uint32_t segment) const;
  [[nodiscard]] bool locked(DeviceTicks ticks, std::uint32_t segment) const;
  std::vector<std::uint32_t> segment_of;  ///< of each pair given

 private:
  [[nodiscard]] const ClockKnot* knot_before(DeviceTicks ticks, std::uint32_t segment) const;
};

/// `pairs` in the order of arrival; `restarts[i]`: the device restarted before pair i (empty: never). Clock jumps are
/// found as ClockFit finds them. Any thread; allocates.
ClockRetiming retime(std::span<const TickPair> pairs, const std::vector<bool>& restarts, const ClockFitConfig& config);

}  // namespace strigil::daq
