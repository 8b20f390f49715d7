#include "rig/axis_drive.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

static_assert(kAxes == daq::kStageAxes);

/// z first: on a slow line what is said first is on its way while the rest waits, and z carries the force.
constexpr std::array kInOrder{kZ, kX, kY};
/// Velocities nearer than this to what was sent last are the same.
constexpr double kSame_m_s = 1e-6;
constexpr daq::Duration kRefresh = std::chrono::milliseconds(50);
/// Position reports that must follow a move's beginning before it may be over: one may have been under way.
constexpr std::uint32_t kReportsToBelieve = 2;
/// So long a fault may take to be cleared, and a search to show that it has begun.
constexpr daq::Duration kLetGo = std::chrono::seconds(2);
/// An axis that has less than this to go is not moved: no stage here resolves it.
constexpr double kShortest_m = 0.05e-6;

}  // namespace

DriveAbility AxisDrive::ability() const noexcept {
  return {.streams_velocity = true,
          .period_s = period_s_,
          .delay_s = stage_.reaction_s,
          .max_speed_m_s = stage_.max_speed_m_s,
          .max_acceleration_m_s2 = stage_.acceleration_m_s2,
          .axes = {session_.axis(kX).present, session_.axis(kY).present, session_.axis(kZ).present}};
}

void AxisDrive::report(Readings& r) const noexcept {
  r.stage = StageState::kIdle;
  for (std::size_t a = 0; a < kAxes; ++a) {
    const auto& axis = session_.axis(a);
    if (!axis.present) continue;
    switch (axis.condition) {
      case daq::AxisCondition::kFault:
        r.stage = StageState::kAlarm;
        break;
      case daq::AxisCondition::kUnknown:
        if (r.stage != StageState::kAlarm) r.stage = StageState::kUnknown;
        break;
      case daq::AxisCondition::kMoving:
      case daq::AxisCondition::kHoming:
        if (r.stage == StageState::kIdle) r.stage = StageState::kMoving;
        break;
      case daq::AxisCondition::kIdle:
        break;
    }
  }
  // The stage's word lags by a report: what we are doing counts as moving.
  if (phase_ != Phase::kRest && r.stage == StageState::kIdle) r.stage = StageState::kMoving;
  if (phase_ == Phase::kHoming) r.stage = StageState::kHoming;
  r.finished_move = finished_move_;
  r.stage_restarts = session_.restarts();
  r.refused_move = std::max(r.refused_move, refused_move_);
}

void AxisDrive::write(const PermittedSetpoint& permitted, const Readings& readings, daq::HostTime now,
                      daq::SessionOutput& out) noexcept {
  const Setpoint& s = permitted.get();
  if (s.kind == SetpointKind::kEmergencyStop) {
    if (!emergency_sent_) emergency_sent_ = session_.stop_hard(now, out);
    phase_ = Phase::kRest;
    return;
  }
  if (s.kind != SetpointKind::kRetract && s.kind != SetpointKind::kHold) retracting_ = false;
  if (s.kind != SetpointKind::kStop) stopped_ = false;
  switch (s.kind) {
    case SetpointKind::kVelocity:
      stream(s, now, out);
      return;
    case SetpointKind::kStop:
      if (!stopped_) come_to_rest(now, out);
      break;
    case SetpointKind::kMove:
      if (s.move_id != last_id_) begin(s, readings, now, out);
      break;
    case SetpointKind::kRetract:
      if (!retracting_) begin(s, readings, now, out);
      break;
    case SetpointKind::kHold:
      if (phase_ == Phase::kStreaming) come_to_rest(now, out);
      break;
    case SetpointKind::kHome:
      if (s.move_id != last_id_) begin_search(s, now);
      break;
    case SetpointKind::kEmergencyStop:
      break;
  }
  if (phase_ == Phase::kHoming) search(now, out);
  carry_on();
}

void AxisDrive::begin_search(const Setpoint& s, daq::HostTime now) noexcept {
  last_id_ = move_id_ = s.move_id;
  search_ = {.axis = s.axis, .began = now};
  refused_then_ = session_.refused();
  phase_ = Phase::kHoming;
}

void AxisDrive::search(daq::HostTime now, daq::SessionOutput& out) noexcept {
  const auto& axis = session_.axis(search_.axis);
  auto& s = search_;
  if (!s.taken) {
    // A fault of before keeps the axis from moving.
    if (axis.fault != 0 && !s.cleared) s.cleared = session_.clear_faults(now, out);
    s.taken = session_.home(search_.axis, now, out);
    if (s.taken) refused_then_ = session_.refused();
    if (!s.taken && now - s.began > kLetGo) end(false);
    return;
  }
  s.under_way = s.under_way || !axis.homed;
  const bool over = session_.pending() == 0 && axis.condition != daq::AxisCondition::kHoming;
  if (axis.fault != 0 || session_.refused() != refused_then_ || (over && !s.under_way)) {
    end(false);
  } else if (over && axis.homed && axis.condition == daq::AxisCondition::kIdle) {
    // Its last position may be of before, and count from elsewhere.
    if (!s.found) reports_then_[s.axis] = axis.reports;
    s.found = true;
    if (axis.reports >= reports_then_[s.axis] + kReportsToBelieve) end(true);
  } else if (over && axis.condition == daq::AxisCondition::kIdle && now - s.began > kLetGo) {
    end(false);  // it ended without a reference
  }
}

void AxisDrive::stream(const Setpoint& s, daq::HostTime now, daq::SessionOutput& out) noexcept {
  const bool again = phase_ != Phase::kStreaming || now - sent_ >= kRefresh;
  phase_ = Phase::kStreaming;
  if (again) sent_ = now;
  for (const std::size_t a : kInOrder) {
    if (!session_.axis(a).present) continue;
    if (!again && std::abs(s.velocity_m_s[a] - sent_m_s_[a]) < kSame_m_s) continue;
    if (session_.set_velocity(a, s.velocity_m_s[a], now, out)) sent_m_s_[a] = s.velocity_m_s[a];
  }
}

void AxisDrive::come_to_rest(daq::HostTime now, daq::SessionOutput& out) noexcept {
  stopped_ = session_.stop_axes(now, out);  // not taken: tried again next tick
  if (stopped_) phase_ = Phase::kRest;
}

void AxisDrive::begin(const Setpoint& s, const Readings& readings, daq::HostTime now,
                      daq::SessionOutput& out) noexcept {
  retracting_ = s.kind == SetpointKind::kRetract;
  move_id_ = retracting_ ? 0 : s.move_id;
  if (!retracting_) last_id_ = s.move_id;
  target_m_ = s.target_m;
  refused_then_ = session_.refused();
  const Position from_m = readings.counted_m();
  double length_m = 0;
  for (std::size_t a = 0; a < kAxes; ++a) {
    length_m = std::hypot(length_m, s.target_m[a] - from_m[a]);
  }
  phase_ = Phase::kMoving;
  for (const std::size_t a : kInOrder) {
    const auto& axis = session_.axis(a);
    moves_[a] = false;
    if (!axis.present) continue;
    reports_then_[a] = axis.reports;
    bool taken = true;
    if (retracting_ && a != kZ) {
      taken = session_.set_velocity(a, 0, now, out);
    } else {
      const double way_m = std::abs(s.target_m[a] - from_m[a]);
      moves_[a] = true;
      const double share = length_m > 0 ? way_m / length_m : 0;
      // An axis that is where it shall be is told so as well: it may still be moving.
      const double speed_m_s = way_m > kShortest_m ? s.speed_m_s * share : s.speed_m_s;
      taken = session_.move_to(a, s.target_m[a], speed_m_s, now, out);
    }
    if (!taken) {
      end(false);
      return;
    }
  }
}

bool AxisDrive::at_rest(std::size_t a) const noexcept {
  const auto& axis = session_.axis(a);
  return axis.condition == daq::AxisCondition::kIdle && axis.reports >= reports_then_[a] + kReportsToBelieve;
}

bool AxisDrive::arrived(std::size_t a) const noexcept {
  return at_rest(a) && std::abs(session_.axis(a).position_m - target_m_[a]) <= stage_.in_position_m;
}

void AxisDrive::carry_on() noexcept {
  if (phase_ != Phase::kMoving) return;
  if (session_.refused() != refused_then_) {
    end(false);
    return;
  }
  if (session_.pending() > 0) return;
  bool all_there = true;
  for (std::size_t a = 0; a < kAxes; ++a) {
    const auto& axis = session_.axis(a);
    // One that a retract brings to rest has no target: it is at rest when reports have come since it said so.
    if (!moves_[a] && axis.condition != daq::AxisCondition::kIdle) reports_then_[a] = axis.reports;
    all_there = all_there && (!axis.present || (moves_[a] ? arrived(a) : at_rest(a)));
  }
  if (all_there) end(true);
}

void AxisDrive::end(bool finished) noexcept {
  phase_ = Phase::kRest;
  if (move_id_ == 0) {
    retracting_ = finished;  // a refused retract may be tried again; whether it arrived the supervisor sees by readback
  } else if (finished) {
    finished_move_ = move_id_;
  } else {
    refused_move_ = move_id_;
  }
}

}  // namespace strigil::rig
