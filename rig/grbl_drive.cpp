#include "rig/grbl_drive.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

constexpr double kMillimetresPerMetre = 1e3;
constexpr double kSecondsPerMinute = 60;
/// One jog's worth of motion, and how much may be given away ahead of time.
constexpr double kSegment_s = 0.08;
constexpr double kLookAhead_s = 0.24;
constexpr double kShortest_m = 1e-6;
/// A jog cancel that has not brought the stage to rest by then is sent again.
constexpr daq::Duration kCancelAgain = std::chrono::milliseconds(500);
/// Reports that must follow the last answer before Idle is believed: one may have been under way.
constexpr std::uint64_t kReportsToBelieve = 2;

double distance(const Position& a, const Position& b) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < kAxes; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

}  // namespace

DriveAbility GrblDrive::ability() const noexcept {
  return {.streams_velocity = true,
          .period_s = kStreamPeriod_s,
          .delay_s = kStreamAhead_s + 2 * kStreamPeriod_s,
          .max_speed_m_s = stage_.max_speed_m_s,
          .max_acceleration_m_s2 = stage_.acceleration_m_s2,
          .homes_at_once = true};
}

void GrblDrive::report(Readings& r) const noexcept {
  switch (session_.state()) {
    case daq::GrblState::kUnknown:
      r.stage = StageState::kUnknown;
      break;
    case daq::GrblState::kIdle:
      r.stage = StageState::kIdle;
      break;
    case daq::GrblState::kRun:
    case daq::GrblState::kJog:
    case daq::GrblState::kHome:
      r.stage = StageState::kMoving;
      break;
    case daq::GrblState::kHold:
    case daq::GrblState::kDoor:
      r.stage = StageState::kHolding;
      break;
    case daq::GrblState::kAlarm:
      r.stage = StageState::kAlarm;
      break;
    case daq::GrblState::kCheck:
    case daq::GrblState::kSleep:
      r.stage = StageState::kOther;
      break;
  }
  // The stage's word lags by a report: what we are doing counts as moving.
  if (phase_ != Phase::kRest && r.stage == StageState::kIdle) r.stage = StageState::kMoving;
  if (phase_ == Phase::kHoming) r.stage = StageState::kHoming;
  r.finished_move = finished_move_;
  r.stage_restarts = session_.restarts();
  r.refused_move = std::max(r.refused_move, refused_move_);
}

bool GrblDrive::at_rest_since(std::uint64_t reports) const noexcept {
  return session_.state() == daq::GrblState::kIdle && session_.outstanding_lines() == 0 &&
         session_.reports() >= reports + kReportsToBelieve;
}

double GrblDrive::look_ahead_s(double speed_m_s) const noexcept {
  double slowest_m_s2 = 0;
  for (const double a_mm_s2 : session_.settings().acceleration_mm_s2) {
    const double a = a_mm_s2 / kMillimetresPerMetre;
    if (a > 0 && (slowest_m_s2 == 0 || a < slowest_m_s2)) slowest_m_s2 = a;
  }
  // To run at v the planner must hold the braking distance v^2 / 2a ahead: v / 2a seconds of motion, and some spare.
  const double braking_s = slowest_m_s2 > 0 ? speed_m_s / (2 * slowest_m_s2) : 0;
  return kLookAhead_s + braking_s;
}

void GrblDrive::write(const PermittedSetpoint& permitted, const Readings& readings, daq::HostTime now,
                      daq::SessionOutput& out) noexcept {
  const Setpoint& s = permitted.get();
  switch (s.kind) {
    case SetpointKind::kEmergencyStop:
      if (!emergency_sent_) emergency_sent_ = session_.send_realtime(daq::GrblRealtime::kReset, out);
      phase_ = Phase::kRest;
      return;
    case SetpointKind::kVelocity:
      retracting_ = false;
      stream(s, now, out);
      return;
    case SetpointKind::kStop:
      retracting_ = false;
      move_ = {};
      if (busy()) cancel(now, out);
      // Nothing less ends a search; the stage is locked after it.
      if (phase_ == Phase::kHoming && session_.soft_reset(out)) phase_ = Phase::kRest;
      break;
    case SetpointKind::kHome:
      if (s.move_id != last_id_) begin_search(s, now, out);
      break;
    case SetpointKind::kMove:
      if (s.move_id != last_id_) begin(s, readings, now, out);
      break;
    case SetpointKind::kRetract:
      if (!retracting_) begin(s, readings, now, out);
      break;
    case SetpointKind::kHold:
      if (phase_ == Phase::kStreaming) cancel(now, out);
      break;
  }
  carry_on(now, out);
}

void GrblDrive::begin(const Setpoint& s, const Readings& readings, daq::HostTime now,
                      daq::SessionOutput& out) noexcept {
  retracting_ = s.kind == SetpointKind::kRetract;
  move_ = {};
  move_.retract = retracting_;
  move_.id = s.move_id;
  move_.from_m = readings.counted_m();
  move_.target_m = s.target_m;
  move_.speed_m_s = s.speed_m_s;
  if (!retracting_) last_id_ = s.move_id;
  if (busy() || session_.state() != daq::GrblState::kIdle) {
    cancel(now, out);  // the new move begins from where the stage comes to rest
  } else if (phase_ == Phase::kRest) {
    phase_ = Phase::kMoving;
  }
}

bool GrblDrive::busy() const noexcept {
  return phase_ == Phase::kMoving || phase_ == Phase::kArriving || phase_ == Phase::kStreaming;
}

void GrblDrive::stream(const Setpoint& s, daq::HostTime now, daq::SessionOutput& out) noexcept {
  if (phase_ != Phase::kStreaming) {
    move_ = {};
    if (busy()) cancel(now, out);
    carry_on(now, out);
    if (phase_ != Phase::kRest || session_.state() != daq::GrblState::kIdle) return;  // first it comes to rest
    phase_ = Phase::kStreaming;
    streamed_m_ = session_.position_m();
    streamed_to_ = now;
  }
  if (streamed_to_ < now) streamed_to_ = now;
  double speed_m_s = 0;
  for (const double v : s.velocity_m_s) speed_m_s = std::hypot(speed_m_s, v);
  while (daq::seconds(streamed_to_ - now) < kStreamAhead_s) {
    streamed_to_ = streamed_to_ + daq::from_seconds(kStreamPeriod_s);
    // A stage that could not keep up has more before it than it was given time for: it is let catch up.
    const double behind_m = distance(streamed_m_, session_.position_m());
    const double known_s = daq::seconds(now - session_.position_received()) + stage_.latency_s;
    if (behind_m > speed_m_s * (kStreamAhead_s + 2 * kStreamPeriod_s + known_s) + stage_.in_position_m) continue;
    Position to_m = streamed_m_;
    for (std::size_t a = 0; a < kAxes; ++a) to_m[a] += s.velocity_m_s[a] * kStreamPeriod_s;
    if (distance(to_m, streamed_m_) < kShortest_m) continue;
    daq::GrblJog jog;
    for (std::size_t a = 0; a < kAxes; ++a) jog.target_mm[a] = to_m[a] * kMillimetresPerMetre;
    jog.feed_mm_min = speed_m_s * kMillimetresPerMetre * kSecondsPerMinute;
    if (!session_.queue_jog(jog, now, out)) return;
    streamed_m_ = to_m;
  }
}

void GrblDrive::cancel(daq::HostTime now, daq::SessionOutput& out) noexcept {
  if (!session_.send_realtime(daq::GrblRealtime::kJogCancel, out)) return;  // tried again next tick: still busy
  phase_ = Phase::kCancelling;
  cancelled_at_ = now;
  reports_then_ = session_.reports();
}

void GrblDrive::carry_on(daq::HostTime now, daq::SessionOutput& out) noexcept {
  switch (phase_) {
    case Phase::kRest:
      break;
    case Phase::kCancelling:
      if (at_rest_since(reports_then_)) {
        phase_ = move_.speed_m_s > 0 && !move_.begun ? Phase::kMoving : Phase::kRest;
      } else if (now - cancelled_at_ >= kCancelAgain && session_.state() == daq::GrblState::kJog) {
        cancel(now, out);
      }
      break;
    case Phase::kMoving:
      send_segments(now, out);
      break;
    case Phase::kArriving:
      arrive();
      break;
    case Phase::kStreaming:
      break;
    case Phase::kHoming:
      search();
      break;
  }
}

std::uint64_t GrblDrive::troubles() const noexcept {
  return session_.refused_homings() + session_.alarms() + session_.restarts();
}

void GrblDrive::begin_search(const Setpoint& s, daq::HostTime now, daq::SessionOutput& out) noexcept {
  last_id_ = s.move_id;
  move_ = {};
  move_.id = s.move_id;
  homings_then_ = session_.homings();
  troubles_then_ = troubles();
  phase_ = Phase::kHoming;
  if (!session_.home(now, out)) end(false);
}

void GrblDrive::search() noexcept {
  if (troubles() != troubles_then_) {
    end(false);
  } else if (session_.homings() == homings_then_) {
    reports_then_ = session_.reports();
  } else if (at_rest_since(reports_then_)) {
    end(true);
  }
}

void GrblDrive::send_segments(daq::HostTime now, daq::SessionOutput& out) noexcept {
  auto& m = move_;
  if (!m.begun) {
    m.begun = true;
    m.began = now;
    m.from_m = session_.position_m();
    if (m.retract) {
      // Straight up from where it stands: x and y of the wish may be older than the stage's rest.
      m.target_m[kX] = m.from_m[kX];
      m.target_m[kY] = m.from_m[kY];
      m.target_m[kZ] = std::max(m.target_m[kZ], m.from_m[kZ]);
    }
    m.length_m = distance(m.from_m, m.target_m);
    refused_jogs_then_ = session_.refused_jogs();
  }
  if (session_.refused_jogs() != refused_jogs_then_ || session_.state() == daq::GrblState::kAlarm) {
    end(false);
    return;
  }
  const double ahead_m = m.speed_m_s * look_ahead_s(m.speed_m_s);
  // How far the stage is can be no further than time allows, and is known from readback a little late.
  const double by_time_m = m.speed_m_s * daq::seconds(now - m.began);
  const double by_readback_m =
      distance(m.from_m, session_.position_m()) + m.speed_m_s * daq::seconds(now - session_.position_received());
  const double reached_m = std::min(by_time_m, by_readback_m);
  const double segment_m = m.speed_m_s * kSegment_s;
  while (m.length_m - m.sent_m > kShortest_m && m.sent_m - reached_m < ahead_m) {
    double next_m = m.sent_m + segment_m;
    if (m.length_m - next_m < segment_m / 2) next_m = m.length_m;  // no crumb at the end
    daq::GrblJog jog;
    for (std::size_t a = 0; a < kAxes; ++a) {
      const double at = m.from_m[a] + (m.target_m[a] - m.from_m[a]) * (next_m / m.length_m);
      jog.target_mm[a] = at * kMillimetresPerMetre;
    }
    jog.feed_mm_min = m.speed_m_s * kMillimetresPerMetre * kSecondsPerMinute;
    if (!session_.queue_jog(jog, now, out)) break;
    m.sent_m = next_m;
  }
  if (m.length_m - m.sent_m <= kShortest_m) {
    phase_ = Phase::kArriving;
    reports_then_ = session_.reports();
  }
}

void GrblDrive::arrive() noexcept {
  if (session_.refused_jogs() != refused_jogs_then_ || session_.state() == daq::GrblState::kAlarm) {
    end(false);
  } else if (at_rest_since(reports_then_) && distance(session_.position_m(), move_.target_m) <= stage_.in_position_m) {
    end(true);
  }
}

void GrblDrive::end(bool finished) noexcept {
  phase_ = Phase::kRest;
  if (move_.retract) {
    retracting_ = finished;  // a refused retract may be tried again; whether it arrived the supervisor sees by readback
    return;
  }
  if (finished) {
    finished_move_ = move_.id;
  } else {
    refused_move_ = move_.id;
  }
}

}  // namespace strigil::rig
