#include "daq/codec/tmcl_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::daq {
namespace {

constexpr double kMicrometre = 1e-6;
constexpr double kMostPulses = std::numeric_limits<std::int32_t>::max();
// What a position may have moved beyond its axis' greatest speed: rounding, a ramp's overshoot, a host that is late.
constexpr double kSpeedMargin = 1.25;
constexpr double kPulseMargin = 32;
constexpr auto kLongestRound = std::chrono::milliseconds(100);  // positions farther apart make no sample
constexpr int kMostBlindStops = 3;                              // for one stop: a bad line must carry other things too
constexpr auto kSilentFor = std::chrono::milliseconds(500);     // until we say that nobody answers

}  // namespace

TmclSession::TmclSession(const TmclSessionConfig& config)
    : config_(config), exchange_([&] {
        auto exchange = config.exchange;
        exchange.step_variable = kTmclMarkerVariable;
        return exchange;
      }()) {
  auto& d = description_;
  d.id = config.position_stream;
  d.name = "position";
  d.device = "Trinamic TMCL stage";
  d.quantity = "position";
  d.rate_Hz = config.position_rate_Hz;
  for (const char* axis : {"x", "y", "z"}) d.channels.push_back({axis, "m", kMicrometre, 0});
  for (std::size_t a = 0; a < kStageAxes; ++a) {
    axes_[a].reading.present = config.axes[a].present;
    if (!config.axes[a].present) axes_[a].reading.condition = AxisCondition::kIdle;
  }
  round_axis_ = first_axis();
}

std::size_t TmclSession::first_axis() const noexcept {
  std::size_t a = 0;
  while (a < kStageAxes && !config_.axes[a].present) ++a;
  return a;
}

// --- commands --------------------------------------------------------------------------------------------------------

std::int32_t TmclSession::pulses_of(std::size_t axis, double metres) const noexcept {
  return static_cast<std::int32_t>(
      std::lround(std::clamp(metres * config_.axes[axis].pulses_per_m, -kMostPulses, kMostPulses)));
}

bool TmclSession::may_move(std::size_t axis) const noexcept {
  if (axis >= kStageAxes || !ready_) return false;
  const auto& a = axes_[axis];
  return a.reading.present && a.reading.fault == 0 && a.search == Search::kNone && a.wish != Wish::kHome;
}

bool TmclSession::wish(std::size_t axis, Wish kind, double value, double speed_m_s, HostTime now,
                       SessionOutput& out) noexcept {
  if (!may_move(axis)) return false;
  auto& a = axes_[axis];
  a.wish = kind;
  a.value = value;
  a.speed_m_s = std::min(speed_m_s, config_.axes[axis].max_speed_m_s);
  a.speed_set = false;
  a.wished = now;
  ++a.serial;
  send_next(now, out);
  return true;
}

bool TmclSession::set_velocity(std::size_t axis, double velocity_m_s, HostTime now, SessionOutput& out) noexcept {
  if (axis >= kStageAxes || !std::isfinite(velocity_m_s)) return false;
  const double most = config_.axes[axis].max_speed_m_s;
  return wish(axis, Wish::kVelocity, std::clamp(velocity_m_s, -most, most), most, now, out);
}

bool TmclSession::move_to(std::size_t axis, double target_m, double speed_m_s, HostTime now,
                          SessionOutput& out) noexcept {
  if (axis >= kStageAxes || !(speed_m_s > 0)) return false;
  if (!(std::abs(target_m * config_.axes[axis].pulses_per_m) <= kMostPulses)) return false;
  return wish(axis, Wish::kMove, target_m, speed_m_s, now, out);
}

bool TmclSession::home(std::size_t axis, HostTime now, SessionOutput& out) noexcept {
  return wish(axis, Wish::kHome, 0, 0, now, out);
}

void TmclSession::forget_wishes() noexcept {
  for (auto& a : axes_) a.wish = Wish::kNone;
}

void TmclSession::want_stop() noexcept {
  for (auto& a : axes_) {
    a.stop_wanted = a.reading.present;
    a.stop_tried = false;
    ++a.stop_serial;
  }
  blind_stops_ = 0;
  forget_wishes();
}

/// The module must not look on when nobody wants to know any more.
void TmclSession::want_search_stopped(Axis& a) noexcept {
  a.search = Search::kNone;
  if (!a.may_search) return;
  a.stop_wanted = true;
  a.stop_tried = false;
  ++a.stop_serial;
}

bool TmclSession::stops_wanted() const noexcept {
  return std::any_of(axes_.begin(), axes_.end(), [](const Axis& a) { return a.stop_wanted; });
}

bool TmclSession::stop_axes(HostTime now, SessionOutput& out) noexcept {
  want_stop();
  if (!exchange_.in_step()) return send_blind_stops(now, out);
  send_next(now, out);
  return true;
}

bool TmclSession::stop_hard(HostTime now, SessionOutput& out) noexcept {
  for (std::size_t a = 0; a < kStageAxes; ++a) {
    axes_[a].hard_tried = false;
    axes_[a].hard_wanted =
        axes_[a].reading.present && config_.axes[a].hard_deceleration_m_s2 > config_.axes[a].acceleration_m_s2;
  }
  return stop_axes(now, out);
}

bool TmclSession::clear_faults(HostTime, SessionOutput&) noexcept {
  if (!ready_) return false;
  // Reading the flags has cleared them in the module; those of its power stage come again while they last.
  for (auto& a : axes_) {
    a.reading.fault = 0;
    show(a);
  }
  return true;
}

std::size_t TmclSession::pending() const noexcept {
  std::size_t n = 0;
  for (const auto& a : axes_) {
    if (a.wish != Wish::kNone) ++n;
    if (a.stop_wanted) ++n;
  }
  return n;
}

// --- answers ---------------------------------------------------------------------------------------------------------

void TmclSession::on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept {
  counts_.bytes += chunk.size;
  if (chunk.refused_before > 0 || chunk.kind == ChunkKind::kTruncated) exchange_.lose_step(chunk.received);
  if (const auto reply = exchange_.take(chunk.data(), chunk.received)) {
    ++counts_.records;
    answered(*reply, chunk.received, out);
  }
  look_for_losses(now, out);
  send_next(now, out);
}

void TmclSession::on_time(HostTime now, SessionOutput& out) noexcept {
  exchange_.on_time(now, out);
  look_for_losses(now, out);
  send_next(now, out);
}

void TmclSession::look_for_losses(HostTime now, SessionOutput& out) noexcept {
  if (asked_.kind != Kind::kNothing && !exchange_.outstanding()) {
    if (asked_.kind == Kind::kHeartbeat) next_heartbeat_ = now;
    asked_ = {};
  }
  const bool in_step = exchange_.in_step();
  if (was_in_step_ && !in_step) {
    out_since_ = now;
    if (stops_wanted() && blind_stops_ < kMostBlindStops) (void)send_blind_stops(now, out);
  }
  if (in_step) told_silent_ = false;
  was_in_step_ = in_step;
  if (!in_step && !told_silent_ && now - out_since_ >= kSilentFor) {
    told_silent_ = true;
    report(EventCode::kNoAnswer, Severity::kWarning, seconds(now - out_since_), "the module does not answer", now, out);
  }
  if (exchange_.rejected() != told_rejected_) {
    counts_.rejected += exchange_.rejected() - told_rejected_;
    told_rejected_ = exchange_.rejected();
    report(EventCode::kDecodeError, Severity::kWarning, static_cast<double>(counts_.rejected), {}, now, out);
  }
}

void TmclSession::answered(const TmclReply& reply, HostTime received, SessionOutput& out) noexcept {
  const Asked asked = asked_;
  asked_ = {};
  if (asked.kind == Kind::kNothing) {
    // The step was found again by the marker: a reset meanwhile is seen before anything else is believed.
    if (set_up_done()) take_marker(reply.value, received, out);
    return;
  }
  if (asked.kind == Kind::kSetUp) return answered_set_up(reply, received, out);
  if (reply.status != TmclStatus::kOk) return refused_by(reply, asked, received, out);
  auto& a = axes_[asked.axis];
  switch (asked.kind) {
    case Kind::kPosition:
      return take_position(asked.axis, reply.value, received, out);
    case Kind::kMarker:
      return take_marker(reply.value, received, out);
    case Kind::kSpeed:
      return take_speed(asked.axis, reply.value);
    case Kind::kErrorFlags:
      take_faults(asked.axis, tmcl_faults_of_errors(reply.value), received, out);
      if (a.search == Search::kCheckErrors) a.search = Search::kCheckMarker;
      return;
    case Kind::kDriverFlags:
      return take_faults(asked.axis, tmcl_faults_of_driver(reply.value), received, out);
    case Kind::kLeftLimit:
      a.left_limit = reply.value != 0;
      return;
    case Kind::kRightLimit:
      a.right_limit = reply.value != 0;
      return;
    case Kind::kReferenceStatus:
      if (a.search == Search::kUnderWay && reply.value == 0) a.search = Search::kCheckErrors;
      return;
    case Kind::kHomed:
      homed_told_ = homed_asked_;
      return;
    case Kind::kNothing:
    case Kind::kSetUp:
    case Kind::kHeartbeat:
      return;
    default:
      return motion_answered(asked);
  }
}

void TmclSession::refused_by(const TmclReply& reply, const Asked& asked, HostTime received,
                             SessionOutput& out) noexcept {
  if (asked.kind == Kind::kDriverFlags) config_.driver_flags = false;  // this module has none
  if (asked.kind == Kind::kLeftLimit || asked.kind == Kind::kRightLimit || asked.kind == Kind::kDriverFlags) return;
  ++refused_;
  report(EventCode::kStageError, Severity::kWarning, static_cast<double>(reply.status), tmcl_status_words(reply.status),
         received, out);
  if (asked.kind == Kind::kHomed) homed_told_ = homed_asked_;  // it does not remember: the next host homes again
  auto& a = axes_[asked.axis];
  if (asked.kind == Kind::kHardDeceleration) a.hard_wanted = false;
  const bool of_wish =
      asked.kind == Kind::kAcceleration || asked.kind == Kind::kMaxSpeed || asked.kind == Kind::kMotion;
  if (of_wish && asked.serial == a.serial) {
    if (a.wish == Wish::kHome) a.may_search = false;
    a.wish = Wish::kNone;
  }
  // A stop that is refused is asked for again, and again: there is nothing better to do.
}

void TmclSession::motion_answered(const Asked& asked) noexcept {
  auto& a = axes_[asked.axis];
  const bool newest = asked.serial == a.serial;
  switch (asked.kind) {
    case Kind::kAcceleration:
      a.hard_set = false;
      break;
    case Kind::kMaxSpeed:
      if (newest) a.speed_set = true;
      break;
    case Kind::kMotion:
      a.still = 0;
      if (!newest || a.wish == Wish::kNone) break;
      if (a.wish == Wish::kHome) a.search = Search::kUnderWay;
      a.wish = Wish::kNone;
      break;
    case Kind::kReferenceStop:
      a.search = Search::kNone;
      a.may_search = false;
      break;
    case Kind::kStop:
      if (asked.serial == a.stop_serial) a.stop_wanted = false;
      break;
    case Kind::kHardDeceleration:
      a.hard_wanted = false;
      break;
    default:
      break;
  }
  show(a);
}

bool TmclSession::reachable(std::size_t axis, std::int32_t from, HostTime then, std::int32_t to, HostTime at,
                            Duration half_trip) const noexcept {
  const auto& c = config_.axes[axis];
  const double longest_s = seconds(at - then + half_trip + axes_[axis].half_trip);
  const double most = std::abs(c.pulses_per_m) * c.max_speed_m_s * kSpeedMargin * longest_s + kPulseMargin;
  return std::abs(static_cast<double>(to) - static_cast<double>(from)) <= most;
}

void TmclSession::take_position(std::size_t axis, std::int32_t pulses, HostTime received, SessionOutput& out) noexcept {
  auto& a = axes_[axis];
  const auto half_trip = (received - exchange_.sent()) / 2;
  const HostTime at = exchange_.sent() + half_trip;
  if (a.placed && !reachable(axis, a.pulses, a.reading.acquired, pulses, at, half_trip)) {
    const bool agrees =
        a.suspected && a.suspect_checked && reachable(axis, a.suspect, a.suspect_at, pulses, at, half_trip);
    if (!agrees) {
      ++counts_.rejected;
      a.suspected = true;
      a.suspect_checked = false;
      a.suspect = pulses;
      a.suspect_at = at;
      verify_ = true;
      round_axis_ = first_axis();
      return;
    }
  }
  if (a.suspected) a.line.forget();  // it has another zero now
  a.placed = true;
  a.suspected = false;
  a.pulses = pulses;
  a.half_trip = half_trip;
  auto& r = a.reading;
  r.position_m = pulses / config_.axes[axis].pulses_per_m;
  r.acquired = at;
  r.received = received;
  ++r.reports;
  a.line.add(r.position_m, at);
  if (axis == first_axis()) round_began_ = exchange_.sent();
  if (exchange_.sent() - round_began_ > kLongestRound) {
    round_axis_ = first_axis();
    return;
  }
  do {
    ++round_axis_;
  } while (round_axis_ < kStageAxes && !config_.axes[round_axis_].present);
  if (round_axis_ >= kStageAxes) finish_round(received, out);
}

void TmclSession::finish_round(HostTime received, SessionOutput& out) noexcept {
  round_axis_ = first_axis();
  ready_ = true;
  NewestSample newest;
  newest.stream = config_.position_stream;
  newest.channels = kStageAxes;
  newest.flags = kReceiveTimed | (restart_owed_ ? kDeviceReset : 0U);
  restart_owed_ = false;
  newest.sample = rounds_;
  const auto& first = axes_[first_axis()];
  newest.t0 = first.reading.acquired - from_seconds(config_.latency_s);
  newest.received = received;
  for (std::size_t a = 0; a < kStageAxes; ++a) {
    const double um = std::clamp(axes_[a].line.at(first.reading.acquired) / kMicrometre, -kMostPulses, kMostPulses);
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
  block_.bound = first.half_trip;
  std::copy_n(newest.counts.begin(), kStageAxes, block_.counts.begin());
  out.block(block_);
  ++rounds_;
  ++counts_.samples;
}

void TmclSession::take_marker(std::int32_t value, HostTime received, SessionOutput& out) noexcept {
  verify_ = false;
  if (value == kTmclMarkerStopped) {
    ++silences_;
    forget_wishes();
    for (auto& a : axes_) {
      a.search = Search::kNone;
      a.may_search = false;
      a.still = 0;
      show(a);
    }
    write_marker_again();
    report(EventCode::kStageMessage, Severity::kFault, 0, "host was silent: module stopped and lifted", received, out);
    return;
  }
  if (value != kTmclMarker) {
    // Twice: harm to several bytes may pass an 8-bit checksum, and a restart costs the reference.
    verify_ = !marker_doubted_;
    if (marker_doubted_) restarted(received, out);
    marker_doubted_ = verify_;
    return;
  }
  marker_doubted_ = false;
  for (auto& a : axes_) {
    a.suspect_checked = a.suspected;
    if (a.search != Search::kCheckMarker) continue;
    // The search ended, without a fault, in a module that has not been reset since.
    a.search = Search::kNone;
    a.may_search = false;
    a.reading.homed = true;
    show(a);
  }
}

void TmclSession::restarted(HostTime at, SessionOutput& out) noexcept {
  ++restarts_;
  restart_owed_ = true;
  forget_wishes();
  for (std::size_t i = 0; i < kStageAxes; ++i) {
    auto& a = axes_[i];
    if (!a.reading.present) continue;
    a.reading.homed = false;
    a.reading.fault = 0;
    a.line.forget();
    a.placed = a.suspected = a.hard_set = a.speed_known = a.may_search = false;
    a.search = Search::kNone;
    show(a);
  }
  begin_again();
  report(EventCode::kStageGreeting, Severity::kFault, 0, "module restarted: home its axes again", at, out);
}

void TmclSession::take_speed(std::size_t axis, std::int32_t pulses_s) noexcept {
  auto& a = axes_[axis];
  if (pulses_s != 0) {
    a.still = 0;
  } else if (a.still < 2) {
    a.still = a.speed_known ? static_cast<std::uint8_t>(a.still + 1) : std::uint8_t{2};
  }
  a.speed_known = true;
  show(a);
}

void TmclSession::take_faults(std::size_t axis, std::uint32_t faults, HostTime received, SessionOutput& out) noexcept {
  auto& a = axes_[axis];
  const auto fresh = faults & ~a.reading.fault;
  if (fresh == 0) return;
  ++counts_.device_faults;
  a.reading.fault |= fresh;
  a.wish = Wish::kNone;
  want_search_stopped(a);
  // Steps were lost, or may have been: the motor was without current.
  a.reading.homed = false;
  report(EventCode::kStageAlarm, Severity::kFault, fresh, tmcl_fault_words(fresh), received, out);
  show(a);
}

void TmclSession::show(Axis& a) noexcept {
  auto& r = a.reading;
  if (!r.present) return;
  if (r.fault != 0) {
    r.condition = AxisCondition::kFault;
  } else if (a.search != Search::kNone) {
    r.condition = AxisCondition::kHoming;
  } else if (!a.speed_known) {
    r.condition = AxisCondition::kUnknown;
  } else {
    r.condition = a.still >= 2 ? AxisCondition::kIdle : AxisCondition::kMoving;
  }
}

void TmclSession::report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
                         SessionOutput& out) noexcept {
  Event e{.at = at, .code = code, .severity = severity, .source = config_.link, .arguments = {number}};
  set_detail(e, detail);
  out.event(e);
}

}  // namespace strigil::daq
