// Clock fit: device ticks to host time, by following the earliest arrivals (docs/time.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daq/clock_line.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

/// What is known of one stream's clock now. Fixed latency (a cable, a filter, a radio) is not seen by any fit that only
/// listens: the taps of the timing certificate measure that.
struct ClockState {
  bool locked = false;  ///< bound_ns is small enough to trust (ClockFitConfig)
  double offset_s = 0;  ///< host time of device tick 0 of this fit, minus the receive time of its first pair
  double drift_ppm = 0;
  double residual_s = 0;  ///< median residual: the usual delay above the earliest arrivals
  double bound_s = 0;     ///< 95 % bound of to_host() now
  double window_s = 0;    ///< the window the fit rests on
  std::uint32_t jumps = 0;
};

struct ClockFitConfig {
  double tick_rate_Hz = 0;  ///< > 0
  double tick_s = 0;     ///< how far a tick value may lie from its instant: one tick of a timer, 0 of a sample counter
  double latency_s = 0;  ///< from sample to earliest arrival, known from elsewhere (a data sheet, the taps)
  double lock_bound_s = 160e-6;  ///< locked at or below this bound, after a second; lost above 1.5 times this
};

/// Transport delay is one-sided: nothing arrives before it is sent. Arrivals are reduced to the earliest of each 1/32
/// s; under these, lines are laid (ClockLine) over windows of 1 to 16 s, and the one with the least bound is used: long
/// windows where delays are great, short ones where the drift changes. Causal: to_host() uses arrivals up to now only,
/// and never says that a sample was made after it arrived (save for drift over the last 1/32 s).
/// A jump of either clock is seen as arrivals that are too early at once, or too late for 0.75 s on end; then the fit
/// forgets everything and update() says so. Deterministic, noexcept, no allocation; one thread.
class ClockFit {
 public:
  enum class Update : std::uint8_t { kTaken, kJump };

  explicit ClockFit(const ClockFitConfig& config) noexcept;
  /// One pair: the device's counter (extended to 64 bits) at a sample, and when its bytes arrived.
  Update update(DeviceTicks ticks, HostTime received) noexcept;
  /// The estimated instant of `ticks`. Before the first update: HostTime{}.
  [[nodiscard]] HostTime to_host(DeviceTicks ticks) const noexcept;
  [[nodiscard]] bool locked() const noexcept { return locked_; }
  /// 95 % bound of to_host() for the newest ticks.
  [[nodiscard]] Duration bound() const noexcept { return Duration{static_cast<std::int64_t>(line_.bound_ns)}; }
  /// Host time per tick: nominal and drift.
  [[nodiscard]] double period_ns() const noexcept { return ns_per_tick_ * (1 + line_.slope); }
  [[nodiscard]] ClockState state() const noexcept;
  /// Forgets everything: the device restarted its counter.
  void reset() noexcept;

 private:
  [[nodiscard]] double device_ns(DeviceTicks ticks) const noexcept;
  void begin(DeviceTicks ticks, HostTime received) noexcept;
  void keep_slot() noexcept;
  void fit() noexcept;
  [[nodiscard]] bool all_late() const noexcept;

  ClockFitConfig config_;
  double ns_per_tick_;
  ClockLineFitter fitter_;
  // The earliest arrival of each slot, oldest first; kept contiguous (moved down when full) so that windows are spans.
  std::array<ClockPair, 2 * kMaxClockPairs> slots_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool seen_ = false;
  bool locked_ = false;
  DeviceTicks base_;
  HostTime base_received_;
  std::int64_t slot_ = 0;  // number of the open slot
  ClockPair open_;         // the earliest arrival of the open slot
  ClockLine line_;
  double spread_ns_ = 0;  // see ClockLineFitter::best
  std::uint32_t jumps_ = 0;
};

}  // namespace strigil::daq
