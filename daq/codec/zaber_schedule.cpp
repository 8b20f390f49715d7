// ZaberSession: what is sent next, and the setting-up of the controllers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "daq/codec/zaber_session.hpp"

namespace strigil::daq {
namespace {

constexpr auto kToldLately = std::chrono::milliseconds(60);
constexpr auto kSetUpPause = std::chrono::seconds(1);
constexpr auto kMarkerEvery = std::chrono::seconds(1);
constexpr std::size_t kZ = 2;
constexpr std::uint8_t kRequestsPerPosition = 3;  // while wishes wait

// Steps of the setting-up of one controller. Each axis has kAxisSteps of them; the last reads the marker back.
constexpr std::size_t kChecksumStep = 0;
constexpr std::size_t kAlertStep = 1;
constexpr std::size_t kVersionStep = 2;
constexpr std::size_t kAxesStep = 3;
constexpr std::size_t kAxisSteps = 2;
constexpr std::size_t kTriggersStep = kAxesStep + kStageAxes * kAxisSteps;
constexpr std::size_t kTriggerSteps = 9;
constexpr std::size_t kMarkerStep = kTriggersStep + kTriggerSteps;
constexpr std::size_t kMarkerCheckStep = kMarkerStep + 1;
constexpr std::size_t kSetUpSteps = kMarkerCheckStep + 1;
constexpr std::int64_t kOldestFirmware = 7;

/// Words put together without allocation.
class Words {
 public:
  template <typename... Values>
  explicit Words(fmt::format_string<Values...> format, Values&&... values) noexcept {
    const auto end = fmt::format_to_n(text_.data(), text_.size(), format, std::forward<Values>(values)...);
    size_ = std::min(end.size, text_.size());
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 80> text_{};
  std::size_t size_ = 0;
};

std::int64_t rounded(double value) noexcept {
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  return std::llround(std::clamp(value, -kMost, kMost));
}

}  // namespace

std::int64_t ZaberSession::speed_of(std::size_t axis, double speed_m_s) const noexcept {
  return rounded(speed_m_s * config_.axes[axis].microsteps_per_m * kZaberSpeed);
}

bool ZaberSession::ask(Kind kind, std::size_t index, std::uint8_t device, std::uint8_t axis, std::string_view words,
                       HostTime now, SessionOutput& out) noexcept {
  // Controllers take commands without a checksum as well: were the colon lost, a checksum of digits only would make a
  // number longer. The id is chosen so that it has a letter.
  ZaberLine line;
  for (std::uint8_t tries = 0; tries < kZaberIds; ++tries) {
    line = encode_zaber(ZaberCommand{.device = device, .axis = axis, .id = next_id_, .words = words});
    const auto sum = line.text().substr(line.text().find(':') + 1, 2);
    if (std::any_of(sum.begin(), sum.end(), [](char c) { return c >= 'A'; })) break;
    next_id_ = static_cast<std::uint8_t>((next_id_ + 1) % kZaberIds);
  }
  // An end more is nothing to a controller, and parts us from what it may hold.
  std::array<std::byte, kZaberLine + 3> bytes{};
  std::size_t size = 0;
  if (clear_line_) bytes[size++] = std::byte{'\n'};
  for (const auto b : line.bytes()) bytes[size++] = b;
  if (!out.send(std::span(bytes).first(size))) return false;
  clear_line_ = false;
  const auto serial = kind == Kind::kStop                                ? devices_[index].stop_serial
                      : kind == Kind::kMaxSpeed || kind == Kind::kMotion ? axes_[index].serial
                                                                         : 0U;
  asked_ = {kind, static_cast<std::uint8_t>(index), device, axis, next_id_, serial, now, words.starts_with("move vel")};
  next_id_ = static_cast<std::uint8_t>((next_id_ + 1) % kZaberIds);
  return true;
}

bool ZaberSession::ask_device(Kind kind, std::size_t device, std::string_view words, HostTime now,
                              SessionOutput& out) noexcept {
  return ask(kind, device, devices_[device].address, 0, words, now, out);
}

bool ZaberSession::ask_axis(Kind kind, std::size_t axis, std::string_view words, HostTime now,
                            SessionOutput& out) noexcept {
  return ask(kind, axis, config_.axes[axis].device, config_.axes[axis].axis, words, now, out);
}

/// Each of these has sent a request when it returns true.
void ZaberSession::send_next(HostTime now, SessionOutput& out) noexcept {
  if (asked_.kind != Kind::kNothing) return;
  if (send_stop(false, now, out)) return;
  if (!set_up_done()) {
    if (send_stop(true, now, out)) return;
    if (now >= set_up_after_) (void)send_set_up(now, out);
    return;
  }
  if (lost_in_a_row_ >= kLostForDoubt) {
    const auto device = lost_in_a_row_ % device_count_;
    (void)ask_device(Kind::kChecksum, device, "set comm.checksum 1", now, out);
    return;
  }
  if (send_halt(now, out)) return;
  const bool position_due = round_device_ != 0 || now >= next_round_;
  if (position_due && since_position_ + 1 >= kRequestsPerPosition && send_position(now, out)) return;
  // What looks after the controller and new velocities take turns, so that on a slow line neither keeps the other from
  // it; what an axis has been told before waits for both.
  const auto look_after = [&] { return background_last_ = send_background(now, out); };
  const auto tell_news = [&] {
    const bool sent = send_motion(Errand::kNews, now, out);
    if (sent) background_last_ = false;
    return sent;
  };
  const bool sent = (background_last_ ? tell_news() || look_after() : look_after() || tell_news()) ||
                    send_motion(Errand::kReminder, now, out) ||
                    (!position_due && send_motion(Errand::kRepetition, now, out));
  if (sent) {
    since_position_ = static_cast<std::uint8_t>(std::min<int>(since_position_ + 1, kRequestsPerPosition));
  } else if (position_due) {
    (void)send_position(now, out);
  }
}

bool ZaberSession::send_background(HostTime now, SessionOutput& out) noexcept {
  return send_stop(true, now, out) || send_marker(now, out) || send_rearm(now, out) || send_clear(now, out) ||
         send_flags(now, out);
}

bool ZaberSession::want_stop(StopWish how, HostTime now, SessionOutput& out) noexcept {
  for (std::size_t d = 0; d < device_count_; ++d) {
    devices_[d].stop = how;
    devices_[d].stop_tried = false;
    ++devices_[d].stop_serial;
  }
  for (auto& a : axes_) {
    a.wish = Wish::kNone;
    a.searching = a.runs = false;
  }
  // What is outstanding is given up for it: its answer will have another id. What it wanted is asked for again.
  asked_ = {};
  while (send_stop(false, now, out)) {
    if (std::any_of(devices_.begin(), devices_.begin() + static_cast<std::ptrdiff_t>(device_count_),
                    [](const Device& d) { return d.stop != StopWish::kNone && !d.stop_tried; })) {
      asked_ = {};  // of several controllers, the last one's answer is waited for first
    }
  }
  return true;
}

/// Stops that have not been sent yet; `again`: the others.
bool ZaberSession::send_stop(bool again, HostTime now, SessionOutput& out) noexcept {
  for (std::size_t d = 0; d < device_count_; ++d) {
    auto& device = devices_[d];
    if (device.stop == StopWish::kNone || device.stop_tried != again) continue;
    if (!ask_device(Kind::kStop, d, device.stop == StopWish::kHard ? "estop" : "stop", now, out)) return false;
    device.stop_tried = true;
    return true;
  }
  return false;
}

bool ZaberSession::send_position(HostTime now, SessionOutput& out) noexcept {
  if (!ask_device(Kind::kPosition, round_device_, "get pos", now, out)) return false;
  since_position_ = 0;
  if (round_device_ == 0) {
    const auto period = from_seconds(1 / config_.position_rate_Hz);
    next_round_ = next_round_ + period;
    if (next_round_ <= now) next_round_ = now + period;
  }
  return true;
}

bool ZaberSession::send_rearm(HostTime now, SessionOutput& out) noexcept {
  if (config_.host_silence != ZaberHostSilence::kTriggers) return false;
  for (std::size_t d = 0; d < device_count_; ++d) {
    auto& device = devices_[d];
    if (now < device.next_rearm) continue;
    const bool may_have_run_out = now - device.armed >= from_seconds(config_.host_silence_s);
    if (may_have_run_out && !device.count_read)
      return ask_device(Kind::kCountdown, d, Words("get {}", kZaberCountdown).view(), now, out);
    const auto ticks = std::llround(std::ceil(config_.host_silence_s * 1000 / kZaberTick_ms)) + kZaberLastTick;
    return ask_device(Kind::kRearm, d, Words("set {} {}", kZaberCountdown, ticks).view(), now, out);
  }
  return false;
}

bool ZaberSession::send_marker(HostTime now, SessionOutput& out) noexcept {
  for (std::size_t d = 0; d < device_count_; ++d) {
    auto& device = devices_[d];
    if (!device.marker_wanted && now < device.next_marker) continue;
    if (!ask_device(Kind::kMarker, d, Words("get {}", kZaberMarker).view(), now, out)) return false;
    device.next_marker = now + kMarkerEvery;
    return true;
  }
  return false;
}

bool ZaberSession::send_clear(HostTime now, SessionOutput& out) noexcept {
  for (std::size_t d = 0; d < device_count_; ++d) {
    if (devices_[d].clear_wanted) return ask_device(Kind::kClear, d, "warnings clear", now, out);
  }
  for (std::size_t a = 0; a < kStageAxes; ++a) {
    if (axes_[a].driver_wanted) return ask_axis(Kind::kDriver, a, "driver enable", now, out);
  }
  return false;
}

bool ZaberSession::send_flags(HostTime now, SessionOutput& out) noexcept {
  for (std::size_t tries = 0; tries < kStageAxes; ++tries) {
    const auto axis = flags_axis_;
    flags_axis_ = (flags_axis_ + 1) % kStageAxes;
    auto& a = axes_[axis];
    if (!a.reading.present || (a.flags_known && now < a.next_flags)) continue;
    // While its controller says nothing of any axis, there is nothing to ask for.
    const auto& device = devices_[a.device];
    const bool grave = device.flag >> 8U == 'F' || device.flag == kZaberNoReference;
    if (a.flags_known && !device.busy && !grave) continue;
    if (!ask_axis(Kind::kFlags, axis, "warnings", now, out)) return false;
    a.next_flags = now + from_seconds(1 / config_.status_rate_Hz);
    return true;
  }
  return false;
}

ZaberSession::Errand ZaberSession::errand_of(std::size_t axis, HostTime now) const noexcept {
  const auto& a = axes_[axis];
  if (a.wish != Wish::kVelocity || !a.runs || a.runs_at != speed_of(axis, a.value)) return Errand::kNews;
  return now - a.told < kToldLately ? Errand::kRepetition : Errand::kReminder;
}

/// An axis that moves and shall stand, or go elsewhere, is brought to rest before all else: it overshoots by what it is
/// told late, and a move takes two requests.
bool ZaberSession::send_halt(HostTime now, SessionOutput& out) noexcept {
  for (std::size_t axis = 0; axis < kStageAxes; ++axis) {
    auto& a = axes_[axis];
    const bool stands = a.wish == Wish::kVelocity && a.value == 0;
    if ((!stands && a.wish != Wish::kMove) || now - a.wished > longest_wish(config_.answer_timeout)) continue;
    if (a.runs ? a.runs_at == 0 : a.reading.condition == AxisCondition::kIdle) continue;
    if (!ask_axis(Kind::kMotion, axis, "move vel 0", now, out)) return false;
    a.runs = false;
    a.run_asked = 0;
    if (!stands) --asked_.serial;  // its answer does not fulfil the wish
    since_position_ = static_cast<std::uint8_t>(std::min<int>(since_position_ + 1, kRequestsPerPosition));
    return true;
  }
  return false;
}

bool ZaberSession::send_motion(Errand errand, HostTime now, SessionOutput& out) noexcept {
  for (std::size_t tries = 0; tries < kStageAxes; ++tries) {
    const auto axis = (motion_axis_ + tries) % kStageAxes;
    auto& a = axes_[axis];
    if (a.wish == Wish::kNone || errand_of(axis, now) != errand) continue;
    if (now - a.wished > longest_wish(config_.answer_timeout)) {
      a.wish = Wish::kNone;
      ++dropped_;
      report(EventCode::kNoAnswer, Severity::kWarning, seconds(now - a.wished), "a wish came too late to be sent", now,
             out);
      continue;
    }
    if (!send_wish(axis, now, out)) continue;
    motion_axis_ = (axis + 1) % kStageAxes;
    return true;
  }
  return false;
}

bool ZaberSession::send_wish(std::size_t axis, HostTime now, SessionOutput& out) noexcept {
  auto& a = axes_[axis];
  // The greatest speed of an axis is of its moves to a place; whether every firmware lets velocities pass beyond is
  // not known, so that these are given all there is.
  const auto most = std::max<std::int64_t>(1, std::abs(speed_of(axis, a.speed_m_s)));
  if (a.max_speed_set != most) {
    const bool sent = ask_axis(Kind::kMaxSpeed, axis, Words("set maxspeed {}", most).view(), now, out);
    if (sent) {
      a.max_speed_set = -1;
      a.max_speed_asked = most;
    }
    return sent;
  }
  a.runs = false;
  switch (a.wish) {
    case Wish::kNone:
      return false;
    case Wish::kVelocity:
      a.run_asked = speed_of(axis, a.value);
      return ask_axis(Kind::kMotion, axis, Words("move vel {}", a.run_asked).view(), now, out);
    case Wish::kMove:
      return ask_axis(Kind::kMotion, axis,
                      Words("move abs {}", rounded(a.value * config_.axes[axis].microsteps_per_m)).view(), now, out);
    case Wish::kHome:
      if (!ask_axis(Kind::kMotion, axis, "home", now, out)) return false;
      a.reading.homed = false;
      return true;
  }
  return false;
}

// --- setting up ------------------------------------------------------------------------------------------------------

void ZaberSession::begin_again() noexcept {
  set_up_device_ = 0;
  set_up_step_ = 0;
  ready_ = false;
  round_device_ = 0;
}

bool ZaberSession::send_set_up(HostTime now, SessionOutput& out) noexcept {
  const auto d = set_up_device_;
  const auto say = [&](std::string_view words) { return ask_device(Kind::kSetUp, d, words, now, out); };
  for (; set_up_step_ < kSetUpSteps; ++set_up_step_) {
    const auto step = set_up_step_;
    if (step == kChecksumStep) return say("set comm.checksum 1");
    if (step == kAlertStep) return say("set comm.alert 0");
    if (step == kVersionStep) return say("get version");
    if (step < kTriggersStep) {
      const auto axis = (step - kAxesStep) / kAxisSteps;
      const auto& c = config_.axes[axis];
      if (!c.present || axes_[axis].device != d) continue;
      const bool speed = (step - kAxesStep) % kAxisSteps == 0;
      const auto scale = std::abs(c.microsteps_per_m);
      const auto words =
          speed ? Words("set maxspeed {}", std::max<std::int64_t>(1, rounded(c.max_speed_m_s * scale * kZaberSpeed)))
                : Words("set accel {}",
                        std::max<std::int64_t>(1, rounded(c.acceleration_m_s2 * scale * kZaberAcceleration)));
      return ask_axis(Kind::kSetUp, axis, words.view(), now, out);
    }
    if (step < kMarkerStep) {
      if (config_.host_silence != ZaberHostSilence::kTriggers) continue;
      switch (step - kTriggersStep) {
        case 0:
          return say("trigger 2 disable");
        case 1:
          return say(Words("set {} 0", kZaberCountdown).view());
        case 2:
          return say(Words("trigger 1 when time {}", kZaberTick_ms).view());
        case 3:
          return say(Words("trigger 1 action a {} -= 1", kZaberCountdown).view());
        case 4:
          return say("trigger 1 enable");
        case 5:
          return say(Words("trigger 2 when {} == {}", kZaberCountdown, kZaberLastTick).view());
        case 6:
          return say("trigger 2 action a stop");
        case 7: {
          const auto& z = config_.axes[kZ];
          if (!z.present || axes_[kZ].device != d) return say("trigger 2 action b none");
          // A velocity: it is taken at any place, also near the end and without a reference.
          return say(Words("trigger 2 action b {} move vel {}", z.axis, speed_of(kZ, config_.lift_speed_m_s)).view());
        }
        default:
          return say("trigger 2 enable");
      }
    }
    if (step == kMarkerStep) return say(Words("set {} {}", kZaberMarker, kZaberMarkerValue).view());
    return say(Words("get {}", kZaberMarker).view());
  }
  return false;
}

void ZaberSession::set_up_answered(const ZaberMessage& m, HostTime received, SessionOutput& out) noexcept {
  const auto put_off = [&](std::string_view why, double number) {
    report(EventCode::kStageError, Severity::kFault, number, why, received, out);
    begin_again();
    set_up_after_ = received + kSetUpPause;
  };
  const auto step = set_up_step_;
  if (!m.ok) {
    ++refused_;
    return put_off(zaber_refusal_words(m.data), static_cast<double>(step));
  }
  if (step == kVersionStep) {
    const auto version = zaber_number(zaber_word(m.data, 0)).value_or(0);
    if (version < kOldestFirmware) return put_off("its firmware is older than 7", static_cast<double>(version));
    report(EventCode::kStageGreeting, Severity::kInfo, devices_[set_up_device_].address,
           Words("Zaber device {} firmware {}", m.device, zaber_word(m.data, 0)).view(), received, out);
  }
  if (step >= kAxesStep && step < kTriggersStep && (step - kAxesStep) % kAxisSteps == 0) {
    const auto axis = (step - kAxesStep) / kAxisSteps;
    axes_[axis].max_speed_set = std::abs(speed_of(axis, config_.axes[axis].max_speed_m_s));
  }
  if (step == kMarkerCheckStep && zaber_number(m.data) != kZaberMarkerValue) return begin_again();
  if (++set_up_step_ < kSetUpSteps) return;
  auto& device = devices_[set_up_device_];
  device.marker_wanted = device.marker_doubted = false;
  device.next_marker = received + kMarkerEvery;
  device.armed = device.next_rearm = received;
  device.count_read = true;
  set_up_step_ = 0;
  ++set_up_device_;
}

}  // namespace strigil::daq
