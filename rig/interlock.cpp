#include "rig/interlock.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace strigil::rig {
namespace {

struct FaultWords {
  Fault bit;
  const char* name;
  const char* advice;
};

constexpr std::array kFaultWords{
    FaultWords{kNotReset, "not_reset", "Reset the interlock."},
    FaultWords{kForceLimit, "force_limit",
               "Check the phantom's height and stiffness and the protocol's force against [interlock] max_force_N."},
    FaultWords{kForceStale, "force_stale", "Check the force sensor's power, cable and network address."},
    FaultWords{kForceGap, "force_gap", "Force samples were lost: check the network between sensor and computer."},
    FaultWords{kForceSaturated, "force_saturated", "The force sensor is at its range: unload it and check for damage."},
    FaultWords{kForceDeviceFault, "force_device_fault", "The force sensor reports a fault: read its status page."},
    FaultWords{kVibrationStale, "vibration_stale", "Check the accelerometer's cable and its microcontroller."},
    FaultWords{kStageStale, "stage_stale", "The stage no longer reports its position: check its power and USB cable."},
    FaultWords{kStageAlarm, "stage_alarm", "The stage is in alarm: free it, home it and reset the alarm."},
    FaultWords{kTravel, "travel", "The stage stands outside [stage] travel: home it and check the travel limits."},
    FaultWords{kEmergencyStop, "emergency_stop", "Release the emergency stop, then home the stage."},
    FaultWords{kForceStuck, "force_stuck", "The force counts never change: no live sensor does that; power-cycle it."},
    FaultWords{kLinkClosed, "link_closed", "A device was unplugged or its program ended: see the events for which."},
    FaultWords{kVibrationGap, "vibration_gap", "Vibration samples were lost: check the serial line's speed and load."},
    FaultWords{kVibrationStuck, "vibration_stuck",
               "The accelerometer's counts never change: no live sensor does that; power-cycle it."},
    FaultWords{kStageRestarted, "stage_restarted",
               "The stage's controller restarted in the run: check its power, then home it."},
    FaultWords{
        kStageStalled, "stage_stalled",
        "The stage was told to move and its position does not change: check its motors' power and what blocks it."},
    FaultWords{
        kHostStalled, "host_stalled",
        "This computer stood still for longer than a force may be old: end what else it does, see strigil qualify."},
    FaultWords{kVibrationSaturated, "vibration_saturated",
               "The accelerometer is at its range: check its mounting, or take one with a greater range."},
    FaultWords{kVibrationDeviceFault, "vibration_device_fault",
               "The accelerometer doubts its own samples: see the device_status events, and power-cycle it."},
};

/// With these the stage cannot be trusted to lift: it is told to stop instead.
constexpr std::uint32_t kCannotRetract = kStageStale | kStageAlarm | kEmergencyStop | kStageRestarted;

}  // namespace

double stopping_speed(double way_m, double reaction_s, double braking_m_s2) noexcept {
  if (!(way_m > 0)) return 0;
  // v t + v^2 / 2a = way
  return braking_m_s2 * (std::sqrt(reaction_s * reaction_s + 2 * way_m / braking_m_s2) - reaction_s);
}

Interlock::Interlock(const InterlockConfig& limits, const StageConfig& stage, RigPurpose purpose)
    : limits_(limits), stage_(stage), purpose_(purpose) {}

bool Interlock::within_travel(const Position& p, double margin_m) const noexcept {
  for (std::size_t a = 0; a < kAxes; ++a) {
    if (!(p[a] >= stage_.travel_min_m[a] - margin_m && p[a] <= stage_.travel_max_m[a] + margin_m)) return false;
  }
  return true;
}

std::uint32_t Interlock::judge(const Readings& r, std::uint32_t sensed, daq::HostTime now) const noexcept {
  std::uint32_t faults = sensed;
  // What came meanwhile may be fresh: but in between nobody looked at the force. The stage was not asked in that time.
  const bool stood_still = judged_once_ && now - judged_ > limits_.force_stale;
  if (stood_still) faults |= kHostStalled;
  const auto asked_since = stood_still ? now : woke_;
  if (!r.force_seen || now - r.force_received > limits_.force_stale) faults |= kForceStale;
  // Untared: what strains the instrument and the sensor is the whole load. NaN must trip, hence the negation.
  if (r.force_seen && !(std::abs(r.untared_normal_force_N) <= limits_.max_force_N &&
                        std::abs(r.tangential_force_N) <= limits_.max_force_N)) {
    faults |= kForceLimit;
  }
  if (!r.vibration_seen || now - r.vibration_received > limits_.vibration_stale) faults |= kVibrationStale;
  if (!r.stage_seen || now - std::max(r.position_received, asked_since) > limits_.stage_stale) faults |= kStageStale;
  if (r.stage == StageState::kAlarm) faults |= kStageAlarm;
  if (r.stage_restarts != restarts_at_reset_) faults |= kStageRestarted;
  if (r.stage_seen && !within_travel(r.counted_m(), limits_.travel_margin_m)) faults |= kTravel;
  if (stalled(r, asked_since, now)) faults |= kStageStalled;
  if (purpose_ == RigPurpose::kHome) {
    // Where it stands is not known, it may be locked until it is homed, and Grbl says nothing while it looks. It runs
    // into its switches, which shakes the accelerometer; the force is what is watched.
    faults &=
        ~static_cast<std::uint32_t>(kTravel | kStageAlarm | kStageRestarted | kStageStalled | kVibrationStale |
                                    kVibrationGap | kVibrationStuck | kVibrationSaturated | kVibrationDeviceFault);
    if (r.stage == StageState::kHoming) faults &= ~static_cast<std::uint32_t>(kStageStale);
  }
  return faults;
}

void Interlock::follow(const Setpoint& s, const Readings& r) noexcept {
  auto& f = following_;
  const Position seen_m = r.counted_m();
  const auto tell = [&](bool place_known) {
    const bool same = f.told && f.place_known == place_known && (!place_known || f.target_m == s.target_m);
    if (!same || f.seen_m != seen_m) {
      f.since = f.asked = r.now;
      f.asked_m = {};
    }
    f.told = true;
    f.place_known = place_known;
    f.target_m = s.target_m;
    f.seen_m = seen_m;
  };
  switch (s.kind) {
    case SetpointKind::kMove:
    case SetpointKind::kRetract:
      return tell(true);
    case SetpointKind::kVelocity:
      tell(false);
      for (std::size_t a = 0; a < kAxes; ++a) f.asked_m[a] += s.velocity_m_s[a] * daq::seconds(r.now - f.asked);
      f.asked = r.now;
      return;
    case SetpointKind::kHold:  // what was told stands
      if (f.seen_m != seen_m) f.since = r.now;
      f.seen_m = seen_m;
      return;
    case SetpointKind::kStop:
    case SetpointKind::kEmergencyStop:
    case SetpointKind::kHome:
      f.told = false;
      return;
  }
}

bool Interlock::stalled(const Readings& r, daq::HostTime asked_since, daq::HostTime now) const noexcept {
  // A stage that decelerates, answers and begins anew needs about 0.3 s; and reports may be as far apart as allowed.
  constexpr daq::Duration kStall = std::chrono::milliseconds(500);
  // Velocities may come and go, and add up to nothing: what counts is how far they would have led.
  constexpr double kUnseen_m = 0.25e-3;
  const auto& f = following_;
  const Position seen_m = r.counted_m();
  if (!f.told || seen_m != f.seen_m ||
      now - std::max(f.since, asked_since) <= std::max(kStall, limits_.stage_stale))
    return false;
  if (!f.place_known) return std::hypot(f.asked_m[kX], f.asked_m[kY], f.asked_m[kZ]) > kUnseen_m;
  for (std::size_t a = 0; a < kAxes; ++a) {
    if (std::abs(seen_m[a] - f.target_m[a]) > stage_.in_position_m) return true;
  }
  return false;
}

bool Interlock::evaluate(Readings& r, std::uint32_t sensed, daq::HostTime now) noexcept {
  restarts_ = r.stage_restarts;
  current_ = judge(r, sensed, now);
  if ((current_ & kHostStalled) != 0) woke_ = now;
  judged_ = now;
  judged_once_ = true;
  const bool armed = (latched_ & kNotReset) == 0;
  const std::uint32_t fresh = armed ? (current_ & ~latched_) : 0;
  if (!evidence_frozen_) {
    evidence_[evidence_rows_ % kEvidenceRows] = {now, r.normal_force_N, r.position_m[kX], r.position_m[kZ], current_};
    ++evidence_rows_;
  }
  if (fresh != 0) {
    if (latched_ == 0) {
      first_cause_ = fresh;
      evidence_frozen_ = true;
    }
    latched_ |= fresh;
  }
  r.faults = current_;
  r.latched_faults = latched_;
  return fresh != 0;
}

bool Interlock::reset() noexcept {
  // A reset is the operator's word that the stage stands where it says: a restart before it counts no more.
  if ((current_ & ~static_cast<std::uint32_t>(kNotReset | kStageRestarted)) != 0) return false;
  restarts_at_reset_ = restarts_;
  latched_ = 0;
  first_cause_ = 0;
  evidence_frozen_ = false;
  evidence_rows_ = 0;
  return true;
}

Setpoint Interlock::respond(const Readings& r) noexcept {
  Setpoint s;
  if (purpose_ == RigPurpose::kHome || ((latched_ | r.faults) & kCannotRetract) != 0) {
    s.kind = SetpointKind::kStop;
    return s;
  }
  s.kind = SetpointKind::kRetract;
  s.target_m = r.counted_m();
  s.target_m[kZ] = std::max(stage_.clear_z_m, s.target_m[kZ]);  // a retract never goes down
  s.speed_m_s = stage_.retract_speed_m_s;
  return s;
}

double Interlock::fastest_down_m_s() const noexcept {
  return std::sqrt(2 * limits_.max_impact_J / stage_.moving_mass_kg);
}

Setpoint Interlock::permit_velocity(const Demand& demand, const Readings& r) noexcept {
  Setpoint s;
  s.kind = SetpointKind::kStop;
  if (latched_ != 0 || !r.stage_seen || !r.force_seen) return s;
  double speed = 0;
  for (const double v : demand.velocity_m_s) {
    if (!std::isfinite(v)) return s;
    speed = std::hypot(speed, v);
  }
  s.kind = SetpointKind::kVelocity;
  s.velocity_m_s = demand.velocity_m_s;
  bool limited = speed > stage_.max_speed_m_s;
  if (limited) {
    for (double& v : s.velocity_m_s) v *= stage_.max_speed_m_s / speed;
  }
  const auto bound = [&](double& v, double least, double most) {
    const double bounded = std::clamp(v, least, most);
    limited = limited || bounded != v;
    v = bounded;
  };
  // Travel: readback is as old as it is, and the stage may have moved on since.
  const double reaction_s = stage_.reaction_s + std::max(0.0, daq::seconds(r.now - r.position_t0));
  const Position counted_m = r.counted_m();
  for (std::size_t a = 0; a < kAxes; ++a) {
    const double down_m = counted_m[a] - stage_.travel_min_m[a];
    const double up_m = stage_.travel_max_m[a] - counted_m[a];
    bound(s.velocity_m_s[a], -stopping_speed(down_m, reaction_s, stage_.acceleration_m_s2),
          stopping_speed(up_m, reaction_s, stage_.acceleration_m_s2));
  }
  // Force: on the stiffest thing there may be, the way to rest must not carry the load past its limit. Energy: what the
  // moving mass would bring into something hard.
  const double spare_m = (limits_.max_force_N - std::abs(r.untared_normal_force_N)) / limits_.stiffest_N_m;
  const double force_reaction_s = stage_.reaction_s + std::max(0.0, daq::seconds(r.now - r.force_t0));
  const double by_force = stopping_speed(spare_m, force_reaction_s, stage_.acceleration_m_s2);
  bound(s.velocity_m_s[kZ], -std::min(by_force, fastest_down_m_s()), stage_.max_speed_m_s);
  if (limited) ++limited_;
  return s;
}

PermittedSetpoint Interlock::permit(const Demand& demand, const Readings& r) noexcept {
  const Setpoint s = choose(demand, r);
  follow(s, r);
  return PermittedSetpoint(s);
}

Setpoint Interlock::permit_home(const Demand& demand) noexcept {
  Setpoint s;
  const bool motion = demand.kind == DemandKind::kMove || demand.kind == DemandKind::kHome;
  if (demand.kind == DemandKind::kHome && purpose_ == RigPurpose::kHome && latched_ == 0 && demand.axis < kAxes) {
    s.kind = SetpointKind::kHome;
    s.move_id = demand.move_id;
    s.axis = demand.axis;
  } else if (motion) {
    refused_move_ = demand.move_id;
  } else if (demand.kind != DemandKind::kHold) {
    s.kind = SetpointKind::kStop;
  }
  return s;
}

Setpoint Interlock::choose(const Demand& demand, const Readings& r) noexcept {
  Setpoint s;
  const std::uint32_t causes = latched_ & ~static_cast<std::uint32_t>(kNotReset);
  if (causes != 0) {
    if (demand.kind == DemandKind::kMove || demand.kind == DemandKind::kHome) refused_move_ = demand.move_id;
    return respond(r);
  }
  if (purpose_ == RigPurpose::kHome) return permit_home(demand);
  switch (demand.kind) {
    case DemandKind::kHold:
      break;
    case DemandKind::kVelocity:
      s = permit_velocity(demand, r);
      break;
    case DemandKind::kForce:  // a force is for the force control; nobody may send one to a wire
    case DemandKind::kStop:
      s.kind = SetpointKind::kStop;
      break;
    case DemandKind::kRetract:
      s = respond(r);
      break;
    case DemandKind::kHome:
      refused_move_ = demand.move_id;
      break;
    case DemandKind::kMove: {
      // What a move meets on its way down it meets at its full speed at the worst.
      const bool down = demand.target_m[kZ] < r.counted_m()[kZ];
      const bool allowed = latched_ == 0 && within_travel(demand.target_m, 0) && demand.speed_m_s > 0 &&
                           demand.speed_m_s <= stage_.max_speed_m_s &&
                           (!down || demand.speed_m_s <= fastest_down_m_s());
      if (!allowed) {
        refused_move_ = demand.move_id;
        break;
      }
      s = {SetpointKind::kMove, demand.move_id, demand.target_m, demand.speed_m_s};
      break;
    }
  }
  return s;
}

PermittedSetpoint Interlock::emergency_stop() const noexcept {
  Setpoint s;
  s.kind = SetpointKind::kEmergencyStop;
  return PermittedSetpoint(s);
}

std::vector<EvidenceRow> Interlock::evidence() const {
  std::vector<EvidenceRow> rows;
  if (!evidence_frozen_) return rows;
  const auto n = std::min<std::uint64_t>(evidence_rows_, kEvidenceRows);
  rows.reserve(n);
  for (auto i = evidence_rows_ - n; i < evidence_rows_; ++i) rows.push_back(evidence_[i % kEvidenceRows]);
  return rows;
}

std::string fault_names(std::uint32_t faults) {
  std::string out;
  for (const auto& w : kFaultWords) {
    if ((faults & w.bit) == 0) continue;
    if (!out.empty()) out += ", ";
    out += w.name;
  }
  return out;
}

std::string fault_advice(std::uint32_t faults) {
  std::string out;
  for (const auto& w : kFaultWords) {
    if ((faults & w.bit) == 0) continue;
    if (!out.empty()) out += ' ';
    out += w.advice;
  }
  return out;
}

}  // namespace strigil::rig
