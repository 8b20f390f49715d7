// Clock fit: device ticks to host time, by following the earliest arrivals (docs/time.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daq/time.hpp"

namespace strigil::daq {

/// Transport delay is one-sided: nothing arrives before it is sent, so the least (received - ticks / rate) of a window
/// is the best estimate of the offset. This first estimator holds the rate at its nominal value and takes the minimum
/// over a sliding window, which follows drift as fast as the window forgets. Issue 3 widens it (drift, bound, hull)
/// behind the same interface. Deterministic, noexcept, no allocation; one thread.
class ClockFit {
 public:
  /// Precondition: tick_rate_Hz > 0.
  explicit ClockFit(double tick_rate_Hz) noexcept;
  /// One pair: the device's counter at a sample, and when its bytes arrived.
  void update(DeviceTicks ticks, HostTime received) noexcept;
  /// The estimated instant of `ticks`. Before the first update: HostTime{}.
  [[nodiscard]] HostTime to_host(DeviceTicks ticks) const noexcept;
  /// True when enough pairs over enough time were seen for the offset to be trusted.
  [[nodiscard]] bool locked() const noexcept { return locked_; }
  [[nodiscard]] double period_ns() const noexcept { return ns_per_tick_; }
  /// Forgets everything: the device restarted its counter.
  void reset() noexcept;

 private:
  [[nodiscard]] std::int64_t device_ns(DeviceTicks ticks) const noexcept;
  static constexpr std::size_t kWindows = 8;
  double ns_per_tick_;
  bool seen_ = false;
  bool locked_ = false;
  DeviceTicks base_;
  HostTime first_;
  HostTime window_began_;
  std::size_t window_ = 0;
  std::array<std::int64_t, kWindows> least_{};  // least offset of each sub-window, ns
  std::int64_t offset_ns_ = 0;                  // least of least_
};

}  // namespace strigil::daq
