// TmclSession: what is sent next, and the setting-up of the module.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "daq/codec/tmcl_session.hpp"

namespace strigil::daq {
namespace {

constexpr auto kSetUpPause = std::chrono::seconds(1);
constexpr double kHeartbeatsPerSilence = 4;

// Steps of the setting-up. Each axis has kAxisSteps of them; the last reads the marker back.
constexpr std::size_t kVersionStep = 0;
constexpr std::size_t kSilenceStep = 1;
constexpr std::size_t kLastMarkerStep = 2;
constexpr std::size_t kHomedStep = 3;
constexpr std::size_t kAxesStep = 4;
constexpr std::size_t kAxisSteps = 9;
constexpr std::size_t kEndSearchStep = 0;  // within an axis
constexpr std::size_t kRestStep = 1;
constexpr std::size_t kUnitModeStep = 2;
constexpr std::size_t kErrorsStep = kAxisSteps - 1;
constexpr std::size_t kMarkerStep = kAxesStep + kStageAxes * kAxisSteps;
constexpr std::size_t kMarkerCheckStep = kMarkerStep + 1;
constexpr std::size_t kSetUpSteps = kMarkerCheckStep + 1;

// One turn of polls: each axis' speed (or search) and error flags, the marker, and one of the slow ones.
constexpr std::size_t kErrorItems = kStageAxes;
constexpr std::size_t kMarkerItem = 2 * kStageAxes;
constexpr std::size_t kSlowItem = kMarkerItem + 1;
constexpr std::size_t kPollItems = kSlowItem + 1;
constexpr std::size_t kSlowItems = 3 * kStageAxes;

TmclRequest global(TmclCommand command, std::uint8_t bank, std::uint8_t parameter, std::int32_t value = 0) {
  return {.command = command, .type = parameter, .motor = bank, .value = value};
}

}  // namespace

bool TmclSession::set_up_done() const noexcept { return set_up_ >= kSetUpSteps; }

void TmclSession::begin_again() noexcept {
  set_up_ = 0;
  ready_ = false;
  round_axis_ = first_axis();
}

void TmclSession::write_marker_again() noexcept { set_up_ = kMarkerStep; }

bool TmclSession::ask(Kind kind, std::size_t axis, const TmclRequest& request, HostTime now,
                      SessionOutput& out) noexcept {
  if (!exchange_.send(request, now, out)) return false;
  const bool of_stop = kind == Kind::kStop || kind == Kind::kReferenceStop;
  asked_ = {kind, static_cast<std::uint8_t>(axis), of_stop ? axes_[axis].stop_serial : axes_[axis].serial};
  return true;
}

bool TmclSession::ask_axis(Kind kind, std::size_t axis, TmclAxis parameter, HostTime now, SessionOutput& out) noexcept {
  return ask(kind, axis,
             {.command = TmclCommand::kGetAxis,
              .type = static_cast<std::uint8_t>(parameter),
              .motor = config_.axes[axis].motor},
             now, out);
}

bool TmclSession::send_homed(HostTime now, SessionOutput& out) noexcept {
  if (homed_told_ == homed_axes()) return false;
  const auto value = homed_axes();
  if (!ask(Kind::kHomed, 0, global(TmclCommand::kSetGlobal, kTmclUserBank, kTmclHomedVariable, value), now, out))
    return false;
  homed_asked_ = value;
  return true;
}

std::int32_t TmclSession::homed_axes() const noexcept {
  std::int32_t bits = 0;
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    if (config_.axes[i].present && axes_[i].reading.homed) bits |= 1 << i;
  }
  return kTmclHomed | bits;
}

bool TmclSession::ask_marker(HostTime now, SessionOutput& out) noexcept {
  return ask(Kind::kMarker, 0, global(TmclCommand::kGetGlobal, kTmclUserBank, kTmclMarkerVariable), now, out);
}

/// Each of these has sent a request when it returns true.
void TmclSession::send_next(HostTime now, SessionOutput& out) noexcept {
  if (!exchange_.may_send()) return;
  if (send_stop(false, now, out)) return;
  if (!set_up_done()) {
    if (send_stop(true, now, out)) return;
    if (now >= set_up_after_) (void)send_set_up(now, out);
    return;
  }
  if (verify_) {
    (void)ask_marker(now, out);
    return;
  }
  const bool position_due = round_axis_ != first_axis() || now >= next_round_;
  if (position_due && !position_last_ && send_position(now, out)) {
    position_last_ = true;
    return;
  }
  // A stop that was sent and not answered has probably been obeyed: it goes on with the positions in turn, so that on
  // a bad line both get through. Polls and motion take turns, so that on a slow line neither keeps the other from it.
  const bool sent =
      send_stop(true, now, out) || send_heartbeat(now, out) || send_homed(now, out) ||
      (poll_last_ ? send_motion(now, out) || send_poll(now, out) : send_poll(now, out) || send_motion(now, out));
  position_last_ = false;
  if (!sent && position_due) position_last_ = send_position(now, out);
}

/// Stops that have not been sent yet; `again`: the others.
bool TmclSession::send_stop(bool again, HostTime now, SessionOutput& out) noexcept {
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    auto& a = axes_[i];
    if (a.stop_wanted && a.stop_tried == again && !a.may_search) {
      a.stop_tried = true;
      return ask(Kind::kStop, i, {.command = TmclCommand::kMotorStop, .motor = config_.axes[i].motor}, now, out);
    }
  }
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    if (axes_[i].stop_wanted && axes_[i].stop_tried == again) {
      return ask(Kind::kReferenceStop, i,
                 {.command = TmclCommand::kReference, .type = kTmclReferenceStop, .motor = config_.axes[i].motor}, now,
                 out);
    }
  }
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    auto& a = axes_[i];
    if (!a.hard_wanted || a.hard_tried != again) continue;
    a.hard_tried = true;
    // Set before the answer: it may be lost, and the module have done it.
    a.hard_set = true;
    const TmclRequest request{.command = TmclCommand::kSetAxis,
                              .type = static_cast<std::uint8_t>(TmclAxis::kMaxAcceleration),
                              .motor = config_.axes[i].motor,
                              .value = std::abs(pulses_of(i, config_.axes[i].hard_deceleration_m_s2))};
    return ask(Kind::kHardDeceleration, i, request, now, out);
  }
  return false;
}

bool TmclSession::send_blind_stops(HostTime now, SessionOutput& out) noexcept {
  std::array<std::byte, 2 * kStageAxes * kTmclBytes> all{};
  std::size_t size = 0;
  const auto add = [&](TmclRequest request) {
    request.address = config_.exchange.module_address;
    const auto bytes = encode_tmcl(request);
    std::copy(bytes.begin(), bytes.end(), all.begin() + size);
    size += bytes.size();
  };
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    const auto motor = config_.axes[i].motor;
    if (!axes_[i].stop_wanted) continue;
    if (axes_[i].may_search) add({.command = TmclCommand::kReference, .type = kTmclReferenceStop, .motor = motor});
    add({.command = TmclCommand::kMotorStop, .motor = motor});
  }
  exchange_.lose_step(now);
  if (!out.send(std::span(all).first(size))) return false;
  ++blind_stops_;
  for (auto& a : axes_) a.stop_tried = true;
  return true;
}

bool TmclSession::send_position(HostTime now, SessionOutput& out) noexcept {
  const bool begins = round_axis_ == first_axis();
  if (round_axis_ >= kStageAxes || !ask_axis(Kind::kPosition, round_axis_, TmclAxis::kActualPosition, now, out))
    return false;
  if (begins) {
    const auto period = from_seconds(1 / config_.position_rate_Hz);
    next_round_ = next_round_ + period;
    if (next_round_ <= now) next_round_ = now + period;
  }
  return true;
}

bool TmclSession::send_heartbeat(HostTime now, SessionOutput& out) noexcept {
  if (config_.host_silence != TmclHostSilence::kProgram || now < next_heartbeat_) return false;
  const auto ticks = static_cast<std::int32_t>(std::ceil(config_.host_silence_s / kTmclHeartbeatTick_s));
  if (!ask(Kind::kHeartbeat, 0, global(TmclCommand::kSetGlobal, kTmclUserBank, kTmclHeartbeatVariable, ticks), now,
           out))
    return false;
  next_heartbeat_ = now + from_seconds(config_.host_silence_s / kHeartbeatsPerSilence);
  return true;
}

bool TmclSession::send_poll(HostTime now, SessionOutput& out) noexcept {
  if (now < next_poll_) return false;
  for (std::size_t tries = 0; tries < kPollItems; ++tries) {
    const auto item = poll_item_;
    poll_item_ = (poll_item_ + 1) % kPollItems;
    if (!send_poll_item(item, now, out)) continue;
    const auto period = from_seconds(1 / (config_.status_rate_Hz * kPollItems));
    next_poll_ = next_poll_ + period;
    if (next_poll_ <= now) next_poll_ = now + period;
    poll_last_ = true;
    return true;
  }
  return false;
}

bool TmclSession::send_poll_item(std::size_t item, HostTime now, SessionOutput& out) noexcept {
  if (item == kMarkerItem) return ask_marker(now, out);
  if (item == kSlowItem) {
    const auto slow = slow_item_;
    slow_item_ = (slow_item_ + 1) % kSlowItems;
    const auto a = slow % kStageAxes;
    if (!config_.axes[a].present) return false;
    if (slow < kStageAxes)
      return config_.driver_flags && ask_axis(Kind::kDriverFlags, a, TmclAxis::kDriverFlags, now, out);
    if (slow < 2 * kStageAxes) return ask_axis(Kind::kLeftLimit, a, TmclAxis::kLeftLimit, now, out);
    return ask_axis(Kind::kRightLimit, a, TmclAxis::kRightLimit, now, out);
  }
  const auto a = item % kStageAxes;
  if (!config_.axes[a].present) return false;
  if (item >= kErrorItems) return ask_axis(Kind::kErrorFlags, a, TmclAxis::kErrorFlags, now, out);
  switch (axes_[a].search) {
    case Search::kNone:
      return ask_axis(Kind::kSpeed, a, TmclAxis::kActualSpeed, now, out);
    case Search::kUnderWay:
      return ask(Kind::kReferenceStatus, a,
                 {.command = TmclCommand::kReference, .type = kTmclReferenceStatus, .motor = config_.axes[a].motor},
                 now, out);
    case Search::kCheckErrors:
      return ask_axis(Kind::kErrorFlags, a, TmclAxis::kErrorFlags, now, out);
    case Search::kCheckMarker:
      return ask_marker(now, out);
  }
  return false;
}

bool TmclSession::send_motion(HostTime now, SessionOutput& out) noexcept {
  for (std::size_t tries = 0; tries < kStageAxes; ++tries) {
    const auto axis = motion_axis_;
    motion_axis_ = (motion_axis_ + 1) % kStageAxes;
    auto& a = axes_[axis];
    if (a.wish == Wish::kNone) continue;
    if (now - a.wished > longest_wish(config_.exchange.answer_timeout)) {
      a.wish = Wish::kNone;
      want_search_stopped(a);
      ++dropped_;
      report(EventCode::kNoAnswer, Severity::kWarning, seconds(now - a.wished), "a wish came too late to be sent", now,
             out);
      continue;
    }
    if (!send_wish(axis, now, out)) continue;
    poll_last_ = false;
    return true;
  }
  return false;
}

bool TmclSession::send_wish(std::size_t axis, HostTime now, SessionOutput& out) noexcept {
  auto& a = axes_[axis];
  const auto& c = config_.axes[axis];
  const auto set = [&](Kind kind, TmclAxis parameter, double per_m) {
    return ask(kind, axis,
               {.command = TmclCommand::kSetAxis,
                .type = static_cast<std::uint8_t>(parameter),
                .motor = c.motor,
                .value = std::max(1, std::abs(pulses_of(axis, per_m)))},
               now, out);
  };
  if (a.hard_set) return set(Kind::kAcceleration, TmclAxis::kMaxAcceleration, c.acceleration_m_s2);
  TmclRequest request{.motor = c.motor};
  switch (a.wish) {
    case Wish::kNone:
      return false;
    case Wish::kVelocity: {
      const auto pulses_s = pulses_of(axis, a.value);
      request.command = pulses_s == 0  ? TmclCommand::kMotorStop
                        : pulses_s > 0 ? TmclCommand::kRotateRight
                                       : TmclCommand::kRotateLeft;
      request.value = std::abs(pulses_s);
      break;
    }
    case Wish::kMove:
      // Always: the stand-alone program may have set another speed since.
      if (!a.speed_set) return set(Kind::kMaxSpeed, TmclAxis::kMaxSpeed, a.speed_m_s);
      request.command = TmclCommand::kMoveTo;
      request.type = kTmclAbsolute;
      request.value = pulses_of(axis, a.value);
      break;
    case Wish::kHome:
      // The module forgets the old reference before it looks for a new one, or one broken off would count as found.
      a.reading.homed = false;
      if (send_homed(now, out)) return true;
      request.command = TmclCommand::kReference;
      request.type = kTmclReferenceStart;
      break;
  }
  if (!ask(Kind::kMotion, axis, request, now, out)) return false;
  if (a.wish == Wish::kHome) a.may_search = true;
  return true;
}

// --- setting up ------------------------------------------------------------------------------------------------------

std::optional<TmclRequest> TmclSession::set_up_request(std::size_t step) const noexcept {
  if (step == kVersionStep) return TmclRequest{.command = TmclCommand::kGetVersion, .type = kTmclVersionBinary};
  if (step == kSilenceStep) {
    switch (config_.host_silence) {
      case TmclHostSilence::kProgram:
        return global(TmclCommand::kGetGlobal, kTmclModuleBank, kTmclApplicationStatus);
      case TmclHostSilence::kSerialHeartbeat:
        return global(TmclCommand::kSetGlobal, kTmclModuleBank, kTmclSerialHeartbeat,
                      static_cast<std::int32_t>(std::lround(config_.host_silence_s * 1000)));
      case TmclHostSilence::kNothing:
        return std::nullopt;
    }
  }
  if (step == kLastMarkerStep) return global(TmclCommand::kGetGlobal, kTmclUserBank, kTmclMarkerVariable);
  if (step == kHomedStep) return global(TmclCommand::kGetGlobal, kTmclUserBank, kTmclHomedVariable);
  if (step == kMarkerStep) return global(TmclCommand::kSetGlobal, kTmclUserBank, kTmclMarkerVariable, kTmclMarker);
  if (step == kMarkerCheckStep) return global(TmclCommand::kGetGlobal, kTmclUserBank, kTmclMarkerVariable);
  const auto axis = (step - kAxesStep) / kAxisSteps;
  const auto& c = config_.axes[axis];
  if (!c.present) return std::nullopt;
  const auto set = [&](TmclAxis parameter, std::int32_t value) -> std::optional<TmclRequest> {
    if (value == 0) return std::nullopt;
    return TmclRequest{.command = TmclCommand::kSetAxis,
                       .type = static_cast<std::uint8_t>(parameter),
                       .motor = c.motor,
                       .value = std::abs(value)};
  };
  const auto get = [&](TmclAxis parameter) -> std::optional<TmclRequest> {
    return TmclRequest{
        .command = TmclCommand::kGetAxis, .type = static_cast<std::uint8_t>(parameter), .motor = c.motor};
  };
  switch ((step - kAxesStep) % kAxisSteps) {
    case kEndSearchStep:
      // An earlier host may have left it running, and our heartbeat would keep it so. A program that found that host
      // gone has stopped the stage already, and its lift is not to be broken off.
      if (program_stopped_) return std::nullopt;
      return TmclRequest{.command = TmclCommand::kReference, .type = kTmclReferenceStop, .motor = c.motor};
    case kRestStep:
      if (program_stopped_) return std::nullopt;
      return TmclRequest{.command = TmclCommand::kMotorStop, .motor = c.motor};
    case kUnitModeStep:
      return config_.unit_parameter ? get(TmclAxis::kUnitMode) : std::nullopt;
    case 3:
      return set(TmclAxis::kMaxAcceleration, pulses_of(axis, c.acceleration_m_s2));
    case 4:
      return set(TmclAxis::kMaxSpeed, pulses_of(axis, c.max_speed_m_s));
    case 5:
      return set(TmclAxis::kReferenceMode, c.reference_mode);
    case 6:
      return set(TmclAxis::kReferenceSpeed, pulses_of(axis, c.reference_speed_m_s));
    case 7:
      return set(TmclAxis::kReferenceSlowSpeed, pulses_of(axis, c.reference_slow_m_s));
    default:
      return get(TmclAxis::kErrorFlags);  // those from before are history: this clears them
  }
}

bool TmclSession::send_set_up(HostTime now, SessionOutput& out) noexcept {
  while (!set_up_done()) {
    if (const auto request = set_up_request(set_up_)) return ask(Kind::kSetUp, 0, *request, now, out);
    ++set_up_;
  }
  return false;
}

void TmclSession::answered_set_up(const TmclReply& reply, HostTime received, SessionOutput& out) noexcept {
  const bool ok = reply.status == TmclStatus::kOk;
  const auto put_off = [&](std::string_view why, double number) {
    report(EventCode::kStageError, Severity::kFault, number, why, received, out);
    begin_again();
    set_up_after_ = received + kSetUpPause;
  };
  const bool of_axis = set_up_ >= kAxesStep && set_up_ < kMarkerStep;
  const bool unit_mode = of_axis && (set_up_ - kAxesStep) % kAxisSteps == kUnitModeStep;
  if (!ok) {
    ++refused_;
    return put_off(tmcl_status_words(reply.status), static_cast<double>(reply.status));
  }
  if (unit_mode && reply.value != 1) return put_off("axis parameter 255 is not 1 (pulses/s)", reply.value);
  if (set_up_ == kVersionStep) {
    version_ = reply.value;
    const auto v = static_cast<std::uint32_t>(reply.value);
    std::array<char, 32> text{};
    const auto end =
        fmt::format_to_n(text.data(), text.size(), "TMCM-{} V{}.{:02}", v >> 16U, v >> 8U & 0xFFU, v & 0xFFU);
    report(EventCode::kStageGreeting, Severity::kInfo, 0, {text.data(), std::min(end.size, text.size())}, received,
           out);
  }
  if (set_up_ == kSilenceStep && config_.host_silence == TmclHostSilence::kProgram && reply.value != 1)
    return put_off("the watchdog program does not run", reply.value);
  if (set_up_ == kLastMarkerStep) {
    program_stopped_ = reply.value == kTmclMarkerStopped;
    remembers_ = program_stopped_ || reply.value == kTmclMarker;
  }
  if (set_up_ == kHomedStep) {
    const bool known = remembers_ && (reply.value & ~kTmclAllHomed) == kTmclHomed;
    homed_told_ = reply.value;
    for (std::size_t i = 0; i < kStageAxes; ++i) {
      auto& r = axes_[i].reading;
      if (r.present && r.fault == 0) r.homed = known && (reply.value >> i & 1) != 0;
    }
  }
  // Of before: its fault is history and reading clears it, but steps may have been lost.
  if (of_axis && (set_up_ - kAxesStep) % kAxisSteps == kErrorsStep && reply.value != 0)
    axes_[(set_up_ - kAxesStep) / kAxisSteps].reading.homed = false;
  if (set_up_ == kMarkerCheckStep && reply.value != kTmclMarker) return begin_again();
  ++set_up_;
  if (!set_up_done()) return;
  verify_ = false;
  next_heartbeat_ = received;
}

}  // namespace strigil::daq
