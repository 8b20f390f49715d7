#include "daq/clock_fit.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::daq {
namespace {

constexpr double kSlot_ns = 1e9 / 32;
/// Before any window fits: an offset from the earliest arrival so far, at nominal rate.
constexpr double kNoBound_ns = 1e9;
/// An arrival earlier than the line by more than this and eight bounds is no better minimum: a clock has jumped.
constexpr double kJump_ns = 1e6;
constexpr double kJumpBounds = 8;
constexpr double kLeastLockWindow_ns = 0.9e9;
/// Slots (a tenth of a second) by which a counter may go back: late datagrams do that.
constexpr std::int64_t kSlotsBack = 3;
/// Slots (0.75 s) that must all be late before a backlog is called a jump: fewer than the shortest window holds, which
/// would lie on a line again after the jump.
constexpr std::size_t kLateSlots = 24;

}  // namespace

ClockFit::ClockFit(const ClockFitConfig& config) noexcept : config_(config), ns_per_tick_(1e9 / config.tick_rate_Hz) {
  assert(config.tick_rate_Hz > 0);
  reset();
}

void ClockFit::reset() noexcept {
  seen_ = locked_ = false;
  begin_ = end_ = 0;
  spread_ns_ = 0;
  line_ = ClockLine{};
  line_.bound_ns = kNoBound_ns;
}

double ClockFit::device_ns(DeviceTicks ticks) const noexcept {
  return static_cast<double>(static_cast<std::int64_t>(ticks.count - base_.count)) * ns_per_tick_;
}

void ClockFit::begin(DeviceTicks ticks, HostTime received) noexcept {
  reset();
  seen_ = true;
  base_ = ticks;
  base_received_ = received;
  slot_ = 0;
  open_ = {};
}

ClockFit::Update ClockFit::update(DeviceTicks ticks, HostTime received) noexcept {
  if (!seen_) {
    begin(ticks, received);
    return Update::kTaken;
  }
  const double device = device_ns(ticks);
  const ClockPair pair{device, static_cast<double>((received - base_received_).count()) - device};
  const double early = line_.late_at(device) - pair.late_ns;
  const auto slot = static_cast<std::int64_t>(std::floor(device / kSlot_ns));
  if ((line_.fits && early > kJump_ns + kJumpBounds * line_.bound_ns) || slot < slot_ - kSlotsBack) {
    ++jumps_;
    begin(ticks, received);
    return Update::kJump;
  }
  // Nothing arrives before it is made.
  if (early > 0) line_.offset_ns -= early;

  if (slot > slot_) {
    keep_slot();
    if (line_.fits && all_late()) {  // judged by the line of before: a short window would follow the jump
      ++jumps_;
      begin(ticks, received);
      return Update::kJump;
    }
    fit();
    slot_ = slot;
    open_ = pair;
  } else if (pair.late_ns - line_.slope * (pair.device_ns - open_.device_ns) < open_.late_ns) {
    open_ = pair;
  }
  return Update::kTaken;
}

bool ClockFit::all_late() const noexcept {
  if (end_ - begin_ < kLateSlots) return false;
  const double limit = kJump_ns + kJumpBounds * line_.bound_ns + 2 * line_.median_ns;
  return std::all_of(slots_.begin() + static_cast<std::ptrdiff_t>(end_ - kLateSlots),
                     slots_.begin() + static_cast<std::ptrdiff_t>(end_),
                     [&](const ClockPair& p) { return p.late_ns - line_.late_at(p.device_ns) > limit; });
}

void ClockFit::keep_slot() noexcept {
  if (end_ == slots_.size()) {
    std::copy(slots_.begin() + static_cast<std::ptrdiff_t>(end_ - kMaxClockPairs + 1), slots_.end(), slots_.begin());
    begin_ = 0;
    end_ = kMaxClockPairs - 1;
  }
  slots_[end_++] = open_;
  if (end_ - begin_ > kMaxClockPairs) ++begin_;
}

void ClockFit::fit() noexcept {
  const std::span slots(slots_.data() + begin_, end_ - begin_);
  const auto line = fitter_.best(slots, open_.device_ns, 1, spread_ns_);
  if (line.fits) {
    line_ = line;
    line_.bound_ns += config_.tick_s * 1e9;
  } else {
    // Too few pairs, or no crystal drifts so: keep the last line for what it is worth, and say how little that is.
    line_.bound_ns = line_.fits ? std::min(2 * line_.bound_ns, kNoBound_ns) : kNoBound_ns;
  }
  const double lock_ns = config_.lock_bound_s * 1e9;
  locked_ = line_.fits && line_.span_ns >= kLeastLockWindow_ns && line_.bound_ns <= (locked_ ? 1.5 * lock_ns : lock_ns);
}

HostTime ClockFit::to_host(DeviceTicks ticks) const noexcept {
  if (!seen_) return HostTime{};
  const double device = device_ns(ticks);
  return base_received_ + Duration{std::llround(device + line_.late_at(device) - config_.latency_s * 1e9)};
}

ClockState ClockFit::state() const noexcept {
  return {.locked = locked_,
          .offset_s = line_.late_at(0) * 1e-9,
          .drift_ppm = line_.slope * 1e6,
          .residual_s = line_.median_ns * 1e-9,
          .bound_s = line_.bound_ns * 1e-9,
          .window_s = line_.span_ns * 1e-9,
          .jumps = jumps_};
}

}  // namespace strigil::daq
