#include "daq/clock_fit.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace strigil::daq {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
/// Eight sub-windows of 250 ms: at 50 ppm the minimum is stale by at most 0.1 ms.
constexpr Duration kSubWindow = std::chrono::milliseconds(250);
/// Half a second has seen hundreds of arrivals of any stream we know, some of them undelayed.
constexpr Duration kLockAfter = std::chrono::milliseconds(500);

}  // namespace

ClockFit::ClockFit(double tick_rate_Hz) noexcept : ns_per_tick_(1e9 / tick_rate_Hz) {
  assert(tick_rate_Hz > 0);
  reset();
}

void ClockFit::reset() noexcept {
  seen_ = false;
  locked_ = false;
  window_ = 0;
  least_.fill(kNone);
}

std::int64_t ClockFit::device_ns(DeviceTicks ticks) const noexcept {
  const auto since = static_cast<std::int64_t>(ticks.count - base_.count);
  return static_cast<std::int64_t>(std::llround(static_cast<double>(since) * ns_per_tick_));
}

void ClockFit::update(DeviceTicks ticks, HostTime received) noexcept {
  if (!seen_) {
    seen_ = true;
    base_ = ticks;
    first_ = window_began_ = received;
  }
  while (received - window_began_ >= kSubWindow) {
    window_ = (window_ + 1) % kWindows;
    least_[window_] = kNone;
    window_began_ = window_began_ + kSubWindow;
    // After a silence longer than the whole window every sub-window is stale: begin again at `received`.
    if (received - window_began_ >= kSubWindow * kWindows) window_began_ = received;
  }
  least_[window_] = std::min(least_[window_], received.ns - device_ns(ticks));
  offset_ns_ = *std::min_element(least_.begin(), least_.end());
  if (received - first_ >= kLockAfter) locked_ = true;
}

HostTime ClockFit::to_host(DeviceTicks ticks) const noexcept {
  return seen_ ? HostTime{offset_ns_ + device_ns(ticks)} : HostTime{};
}

}  // namespace strigil::daq
