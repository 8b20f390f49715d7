#include "daq/codec/zaber_session.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::daq {
namespace {

constexpr double kMicrometre = 1e-6;
constexpr double kMost = std::numeric_limits<std::int32_t>::max();
constexpr auto kLongestRound = std::chrono::milliseconds(100);  // positions farther apart make no sample
constexpr auto kSilentFor = std::chrono::milliseconds(500);     // until we say that nobody answers
constexpr double kRearmsPerSilence = 3;
// What a position may have moved beyond its axis' greatest speed: rounding, a ramp's overshoot.
constexpr double kSpeedMargin = 1.25;
constexpr double kStepMargin = 32;
constexpr std::size_t kMostFlags = 20;  // of one answer

}  // namespace

ZaberSession::ZaberSession(const ZaberSessionConfig& config) : config_(config) {
  auto& d = description_;
  d.id = config.position_stream;
  d.name = "position";
  d.device = "Zaber stage";
  d.quantity = "position";
  d.rate_Hz = config.position_rate_Hz;
  for (const char* axis : {"x", "y", "z"}) d.channels.push_back({axis, "m", kMicrometre, 0});
  for (std::size_t a = 0; a < kStageAxes; ++a) {
    auto& axis = axes_[a];
    axis.reading.present = config.axes[a].present;
    if (!axis.reading.present) {
      axis.reading.condition = AxisCondition::kIdle;
      continue;
    }
    std::size_t device = 0;
    while (device < device_count_ && devices_[device].address != config.axes[a].device) ++device;
    if (device == device_count_) devices_[device_count_++].address = config.axes[a].device;
    axis.device = static_cast<std::uint8_t>(device);
  }
}

// --- commands --------------------------------------------------------------------------------------------------------

bool ZaberSession::may_move(std::size_t axis) const noexcept {
  if (axis >= kStageAxes || !ready_) return false;
  const auto& a = axes_[axis];
  return a.reading.present && a.reading.fault == 0 && !a.searching && a.wish != Wish::kHome;
}

bool ZaberSession::wish(std::size_t axis, Wish kind, double value, double speed_m_s, HostTime now,
                        SessionOutput& out) noexcept {
  if (!may_move(axis)) return false;
  auto& a = axes_[axis];
  a.wish = kind;
  a.value = value;
  a.speed_m_s = std::min(speed_m_s, config_.axes[axis].max_speed_m_s);
  a.wished = now;
  ++a.serial;
  send_next(now, out);
  return true;
}

bool ZaberSession::set_velocity(std::size_t axis, double velocity_m_s, HostTime now, SessionOutput& out) noexcept {
  if (axis >= kStageAxes || !std::isfinite(velocity_m_s)) return false;
  const double most = config_.axes[axis].max_speed_m_s;
  return wish(axis, Wish::kVelocity, std::clamp(velocity_m_s, -most, most), most, now, out);
}

bool ZaberSession::move_to(std::size_t axis, double target_m, double speed_m_s, HostTime now,
                           SessionOutput& out) noexcept {
  if (axis >= kStageAxes || !(speed_m_s > 0)) return false;
  if (!(std::abs(target_m * config_.axes[axis].microsteps_per_m) <= kMost)) return false;
  return wish(axis, Wish::kMove, target_m, speed_m_s, now, out);
}

bool ZaberSession::home(std::size_t axis, HostTime now, SessionOutput& out) noexcept {
  return axis < kStageAxes && wish(axis, Wish::kHome, 0, config_.axes[axis].max_speed_m_s, now, out);
}

bool ZaberSession::stop_axes(HostTime now, SessionOutput& out) noexcept { return want_stop(StopWish::kSoft, now, out); }
bool ZaberSession::stop_hard(HostTime now, SessionOutput& out) noexcept { return want_stop(StopWish::kHard, now, out); }

bool ZaberSession::clear_faults(HostTime now, SessionOutput& out) noexcept {
  if (!ready_) return false;
  for (std::size_t d = 0; d < device_count_; ++d) devices_[d].clear_wanted = true;
  for (auto& a : axes_) a.driver_wanted = (a.reading.fault & zaber_driver_faults()) != 0;
  send_next(now, out);
  return true;
}

std::size_t ZaberSession::pending() const noexcept {
  std::size_t n = 0;
  for (const auto& a : axes_) n += a.wish != Wish::kNone ? 1U : 0U;
  for (const auto& d : devices_) n += d.stop != StopWish::kNone ? 1U : 0U;
  return n;
}

// --- answers ---------------------------------------------------------------------------------------------------------

void ZaberSession::on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept {
  counts_.bytes += chunk.size;
  if (chunk.refused_before > 0 || chunk.kind == ChunkKind::kTruncated) reader_.forget();
  if (chunk.kind != ChunkKind::kTruncated) {
    for (const auto b : chunk.data()) {
      if (const auto line = reader_.push(b)) take_line(*line, chunk.received, out);
    }
  }
  reject(now, out);
  on_time(now, out);
}

void ZaberSession::on_time(HostTime now, SessionOutput& out) noexcept {
  if (asked_.kind != Kind::kNothing && now - asked_.sent >= config_.answer_timeout) lose();
  if (heard_ == HostTime{}) heard_ = now;
  if (!told_silent_ && now - heard_ >= kSilentFor) {
    told_silent_ = true;
    report(EventCode::kNoAnswer, Severity::kWarning, seconds(now - heard_), "the controller does not answer", now, out);
  }
  send_next(now, out);
}

void ZaberSession::lose() noexcept {
  ++lost_;
  ++lost_in_a_row_;
  clear_line_ = true;
  asked_ = {};
  // One that was reset meanwhile answers, perhaps, without checksums: only the first step takes that.
  if (!set_up_done() && lost_in_a_row_ % kLostForDoubt == 0) begin_again();
}

void ZaberSession::reject(HostTime at, SessionOutput& out) noexcept {
  const auto all = reader_.rejected();
  if (all == told_rejected_) return;
  counts_.rejected += all - told_rejected_;
  told_rejected_ = all;
  report(EventCode::kDecodeError, Severity::kWarning, static_cast<double>(counts_.rejected), {}, at, out);
}

void ZaberSession::take_line(std::string_view line, HostTime received, SessionOutput& out) noexcept {
  const auto m = decode_zaber_message(line);
  if (!m) {
    ++counts_.rejected;
    report(EventCode::kDecodeError, Severity::kWarning, static_cast<double>(counts_.rejected), {}, received, out);
    return;
  }
  ++counts_.records;
  if (m->kind != ZaberKind::kReply) return;  // nothing that we rely on
  if (asked_.kind == Kind::kNothing || m->id != asked_.id || m->device != asked_.device || m->axis != asked_.axis)
    return;  // of a request that was given up, or of another host's
  const bool of_checksums = asked_.kind == Kind::kChecksum || (asked_.kind == Kind::kSetUp && set_up_step_ == 0);
  if (!m->checked && !of_checksums) {
    ++counts_.rejected;
    return;
  }
  const Asked asked = asked_;
  asked_ = {};
  lost_in_a_row_ = 0;
  heard_ = received;
  told_silent_ = false;
  answered(*m, asked, received, out);
}

void ZaberSession::answered(const ZaberMessage& m, const Asked& asked, HostTime received, SessionOutput& out) noexcept {
  if (asked.kind == Kind::kSetUp) return set_up_answered(m, received, out);
  if (!m.ok) return refused_by(m, asked, received, out);
  switch (asked.kind) {
    case Kind::kPosition:
      return take_positions(m, asked, received, out);
    case Kind::kMarker:
      return take_marker(m, asked, received, out);
    case Kind::kChecksum:
      devices_[asked.index].marker_wanted = true;  // it may have restarted
      return;
    case Kind::kCountdown:
      return take_countdown(m, asked.index, received, out);
    case Kind::kRearm: {
      auto& d = devices_[asked.index];
      d.armed = asked.sent;
      d.count_read = false;
      d.next_rearm = asked.sent + from_seconds(config_.host_silence_s / kRearmsPerSilence);
      break;
    }
    case Kind::kFlags:
      return take_flags(asked.index, m, received, out);
    case Kind::kStop:
      if (asked.serial == devices_[asked.index].stop_serial) devices_[asked.index].stop = StopWish::kNone;
      break;
    case Kind::kClear:
      devices_[asked.index].clear_wanted = false;
      for (auto& a : axes_) {
        if (a.reading.present && a.device == asked.index) forgive(a);
      }
      return;
    case Kind::kDriver:
      axes_[asked.index].driver_wanted = false;
      return forgive(axes_[asked.index]);
    case Kind::kMaxSpeed:
    case Kind::kMotion:
      motion_answered(m, asked);
      break;
    case Kind::kNothing:
    case Kind::kSetUp:
      return;
  }
  take_status(m, received, out);
}

/// The fault is taken back; if it lasts, the flags that are asked for next tell it again.
void ZaberSession::forgive(Axis& a) noexcept {
  a.reading.fault = 0;
  a.flags_known = false;
  if (a.reading.condition == AxisCondition::kFault) a.reading.condition = AxisCondition::kUnknown;
}

void ZaberSession::refused_by(const ZaberMessage& m, const Asked& asked, HostTime received,
                              SessionOutput& out) noexcept {
  ++refused_;
  report(EventCode::kStageError, Severity::kWarning, static_cast<double>(asked.kind), zaber_refusal_words(m.data),
         received, out);
  switch (asked.kind) {
    case Kind::kMaxSpeed:
    case Kind::kMotion:
      if (asked.serial == axes_[asked.index].serial) axes_[asked.index].wish = Wish::kNone;
      axes_[asked.index].flags_known = false;  // they may say why
      return;
    case Kind::kClear:
      devices_[asked.index].clear_wanted = false;
      return;
    case Kind::kDriver:
      axes_[asked.index].driver_wanted = false;
      return;
    case Kind::kMarker:
      return doubt_marker(asked.index, received, out);
    case Kind::kCountdown:
    case Kind::kRearm:
    case Kind::kPosition:
      // It was set up for these: it has restarted, or harm on the way made another command of one.
      devices_[asked.index].marker_wanted = true;
      return;
    default:
      return;  // a stop that is refused is asked for again, and again: there is nothing better to do
  }
}

void ZaberSession::motion_answered(const ZaberMessage& m, const Asked& asked) noexcept {
  auto& a = axes_[asked.index];
  if (asked.kind == Kind::kMaxSpeed) {
    a.max_speed_set = a.max_speed_asked;
    return;
  }
  if (asked.velocity) {
    a.runs = true;
    a.runs_at = a.run_asked;
    a.told = asked.sent;
  }
  if (asked.serial == a.serial && a.wish != Wish::kNone) {
    if (a.wish == Wish::kHome) a.searching = true;
    a.wish = Wish::kNone;
  }
  show(a, m.busy);
}

/// What an answer says beside its data.
void ZaberSession::take_status(const ZaberMessage& m, HostTime received, SessionOutput& out) noexcept {
  const bool of_axis = m.axis != 0;
  for (std::size_t d = 0; d < device_count_ && !of_axis; ++d) {
    if (devices_[d].address != m.device) continue;
    devices_[d].busy = m.busy;
    if (devices_[d].flag == m.flag) break;
    // Of a device it is one axis', or several: which, their own flags say.
    devices_[d].flag = m.flag;
    for (auto& a : axes_) {
      if (a.device == d) a.next_flags = received;
    }
  }
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    auto& a = axes_[i];
    const auto& c = config_.axes[i];
    if (!c.present || c.device != m.device || (of_axis && c.axis != m.axis)) continue;
    if (of_axis) take_fault(i, zaber_fault_bit(m.flag), received, out);
    if (m.flag == kZaberNoFlag && a.flags_known && !a.searching && a.wish != Wish::kHome) a.reading.homed = true;
    if (m.busy && !of_axis) continue;  // another one may be meant
    if (!m.busy && a.searching) {
      a.flags_known = false;  // whether it found its reference
    } else {
      show(a, m.busy);
    }
  }
}

void ZaberSession::take_flags(std::size_t axis, const ZaberMessage& m, HostTime received, SessionOutput& out) noexcept {
  auto& a = axes_[axis];
  const auto count = zaber_number(zaber_word(m.data, 0)).value_or(-1);
  if (count < 0 || count > static_cast<std::int64_t>(kMostFlags)) {
    ++counts_.rejected;
    return;
  }
  std::uint32_t faults = 0;
  bool no_reference = false;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto word = zaber_word(m.data, static_cast<std::size_t>(i) + 1);
    if (word.size() != 2) continue;
    const auto flag = zaber_flag(word[0], word[1]);
    faults |= zaber_fault_bit(flag);
    no_reference = no_reference || flag == kZaberNoReference;
  }
  const bool was_homed = a.reading.homed;
  if (no_reference && was_homed) devices_[a.device].marker_wanted = true;
  if (!m.busy || faults != 0) a.searching = false;
  a.flags_known = true;
  a.reading.homed = !no_reference && !a.searching && a.wish != Wish::kHome;
  take_fault(axis, faults, received, out);
  show(a, m.busy);
}

void ZaberSession::take_fault(std::size_t axis, std::uint32_t faults, HostTime received, SessionOutput& out) noexcept {
  auto& a = axes_[axis];
  const auto fresh = faults & ~a.reading.fault;
  if (fresh == 0) return;
  ++counts_.device_faults;
  a.reading.fault |= fresh;
  a.wish = Wish::kNone;
  a.searching = a.runs = false;
  report(EventCode::kStageAlarm, Severity::kFault, fresh, zaber_fault_words(fresh), received, out);
}

bool ZaberSession::reachable(std::size_t axis, std::int64_t to, const Asked& asked, HostTime received) const noexcept {
  const auto& c = config_.axes[axis];
  const auto& r = axes_[axis].reading;
  // From the earliest that it may have stood there to the latest that it may stand here.
  const double longest_s =
      seconds(received - asked.sent) + seconds(asked.sent - r.acquired) + seconds(r.received - r.acquired);
  const double most = std::abs(c.microsteps_per_m) * c.max_speed_m_s * kSpeedMargin * longest_s + kStepMargin;
  return std::abs(static_cast<double>(to) - r.position_m * c.microsteps_per_m) <= most;
}

void ZaberSession::take_positions(const ZaberMessage& m, const Asked& asked, HostTime received,
                                  SessionOutput& out) noexcept {
  auto& device = devices_[asked.index];
  std::array<std::int64_t, kStageAxes> found{};
  bool all_homed = true;
  bool jumped = false;
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    if (!config_.axes[i].present || axes_[i].device != asked.index) continue;
    const auto number = zaber_number(zaber_word(m.data, config_.axes[i].axis - 1U));
    if (!number || std::abs(*number) > static_cast<std::int64_t>(kMost)) {
      ++counts_.rejected;
      return;
    }
    found[i] = *number;
    all_homed = all_homed && axes_[i].reading.homed && axes_[i].flags_known;
    jumped = jumped || (axes_[i].placed && !reachable(i, *number, asked, received));
  }
  if (jumped && !device.jump_checked) {
    ++counts_.rejected;
    device.jumped = device.marker_wanted = true;
  }
  // Since when it has no reference must be known before its positions are believed.
  if (m.flag == kZaberNoReference && all_homed) device.marker_wanted = true;
  if (device.marker_wanted) return;
  device.jumped = device.jump_checked = false;
  if (asked.index == 0) {
    round_began_ = asked.sent;
    round_bound_ = (received - asked.sent) / 2;
  }
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    if (!config_.axes[i].present || axes_[i].device != asked.index) continue;
    auto& r = axes_[i].reading;
    r.position_m = static_cast<double>(found[i]) / config_.axes[i].microsteps_per_m;
    r.acquired = asked.sent + (received - asked.sent) / 2;
    r.received = received;
    ++r.reports;
    if (jumped) axes_[i].line.forget();  // it has another zero now
    axes_[i].line.add(r.position_m, r.acquired);
    axes_[i].placed = true;
  }
  take_status(m, received, out);
  if (asked.sent - round_began_ > kLongestRound) {
    round_device_ = 0;
    return;
  }
  ++round_device_;
  if (round_device_ >= device_count_) finish_round(received, out);
}

void ZaberSession::finish_round(HostTime received, SessionOutput& out) noexcept {
  round_device_ = 0;
  ready_ = std::all_of(axes_.begin(), axes_.end(),
                       [](const Axis& a) { return !a.reading.present || a.flags_known || a.reading.fault != 0; }) ||
           ready_;
  NewestSample newest;
  newest.stream = config_.position_stream;
  newest.channels = kStageAxes;
  newest.flags = kReceiveTimed | (restart_owed_ ? kDeviceReset : 0U);
  restart_owed_ = false;
  newest.sample = rounds_;
  const HostTime first = round_began_ + round_bound_;
  newest.t0 = first - from_seconds(config_.latency_s);
  newest.received = received;
  for (std::size_t a = 0; a < kStageAxes; ++a) {
    const double um = std::clamp(axes_[a].line.at(first) / kMicrometre, -kMost, kMost);
    newest.counts[a] = static_cast<std::int32_t>(std::lround(um));
  }
  out.newest(newest);
  block_.stream = newest.stream;
  block_.channels = kStageAxes;
  block_.samples = 1;
  block_.flags = newest.flags;
  block_.first_sample = rounds_;
  block_.received = received;
  block_.t0 = newest.t0;
  block_.bound = round_bound_;
  std::copy_n(newest.counts.begin(), kStageAxes, block_.counts.begin());
  out.block(block_);
  ++rounds_;
  ++counts_.samples;
}

void ZaberSession::take_marker(const ZaberMessage& m, const Asked& asked, HostTime received,
                               SessionOutput& out) noexcept {
  auto& device = devices_[asked.index];
  device.marker_wanted = false;
  if (zaber_number(m.data) == kZaberMarkerValue) {
    device.marker_doubted = false;
    device.jump_checked = device.jumped;
    // What is said of its axes now is of a controller that has not been reset.
    if (m.flag == kZaberNoReference) {
      for (auto& a : axes_) {
        if (a.reading.present && a.device == asked.index) a.flags_known = false;
      }
    }
    return take_status(m, received, out);
  }
  doubt_marker(asked.index, received, out);
}

void ZaberSession::doubt_marker(std::size_t device, HostTime at, SessionOutput& out) noexcept {
  auto& d = devices_[device];
  // Twice: harm to several bytes may pass an 8-bit checksum, and a restart costs the reference.
  if (d.marker_doubted) return restarted(device, at, out);
  d.marker_doubted = d.marker_wanted = true;
}

void ZaberSession::take_countdown(const ZaberMessage& m, std::size_t device, HostTime received,
                                  SessionOutput& out) noexcept {
  devices_[device].count_read = true;
  if (zaber_number(m.data).value_or(0) > kZaberLastTick) return;
  ++silences_;
  for (auto& a : axes_) {
    a.wish = Wish::kNone;
    a.searching = a.runs = false;
  }
  report(EventCode::kStageMessage, Severity::kFault, 0, "host was silent: stage stopped and lifted", received, out);
}

void ZaberSession::restarted(std::size_t device, HostTime at, SessionOutput& out) noexcept {
  ++restarts_;
  restart_owed_ = true;
  for (auto& a : axes_) {
    a.wish = Wish::kNone;
    if (!a.reading.present || a.device != device) continue;
    a.reading.homed = false;
    a.reading.fault = 0;
    a.reading.condition = AxisCondition::kUnknown;
    a.line.forget();
    a.searching = a.flags_known = a.driver_wanted = a.placed = a.runs = false;
    a.max_speed_set = -1;
  }
  begin_again();
  report(EventCode::kStageGreeting, Severity::kFault, devices_[device].address,
         "controller restarted: home its axes again", at, out);
}

void ZaberSession::show(Axis& a, bool busy) noexcept {
  auto& r = a.reading;
  if (!r.present) return;
  if (r.fault != 0) {
    r.condition = AxisCondition::kFault;
  } else if (a.searching) {
    r.condition = AxisCondition::kHoming;
  } else {
    r.condition = busy ? AxisCondition::kMoving : AxisCondition::kIdle;
  }
}

void ZaberSession::report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
                          SessionOutput& out) noexcept {
  Event e{.at = at, .code = code, .severity = severity, .source = config_.link, .arguments = {number}};
  set_detail(e, detail);
  out.event(e);
}

}  // namespace strigil::daq
