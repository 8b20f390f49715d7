#include "rig/loop.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

constexpr double kMicro = 1e-6;
constexpr std::uint16_t kSetpointChannels = 2 * kAxes + 5;
constexpr daq::Duration kTellCounts = std::chrono::milliseconds(100);

std::int32_t micro(double v) noexcept { return static_cast<std::int32_t>(std::lround(v / kMicro)); }

}  // namespace

void Loop::tick(daq::HostTime now) noexcept {
  watch_lateness(now);
  parts_.intake.drain(now, readings_);
  parts_.drive.report(readings_);
  if (parts_.interlock.evaluate(readings_, parts_.intake.take_sensed(), now)) {
    event({.at = now,
           .code = daq::EventCode::kInterlockTrip,
           .severity = daq::Severity::kFault,
           .arguments = {static_cast<double>(readings_.latched_faults), readings_.untared_normal_force_N,
                         readings_.position_m[kX], readings_.position_m[kZ]}});
  }
  apply_commands(now);
  readings_.latched_faults = parts_.interlock.latched();
  const Demand wished = wish(now);
  const Demand demand = correct(steer(wished, now), wished.kind == DemandKind::kForce, now);
  parts_.supervisor.advance(readings_, parts_.behaviour.state(), now);
  report_supervisor(now);
  const PermittedSetpoint setpoint =
      parts_.supervisor.emergency() ? parts_.interlock.emergency_stop() : parts_.interlock.permit(demand, readings_);
  if (parts_.interlock.refused_move() != 0) readings_.refused_move = parts_.interlock.refused_move();
  if (parts_.force_control != nullptr && setpoint.get().kind == SetpointKind::kVelocity) {
    parts_.force_control->permitted(-setpoint.get().velocity_m_s[kZ]);
  }
  record_setpoint(setpoint.get(), now);
  parts_.drive.write(setpoint, readings_, now, parts_.intake.output_of(parts_.stage_link));
  tell_counts(now);
  ++ticks_;
  latest_.store({readings_, parts_.supervisor.state(), ticks_});
  parts_.intake.wake_sinks();  // last: nothing that moves waits for it
}

void Loop::apply_commands(daq::HostTime now) noexcept {
  Command command{};
  while (commands_.pop(command)) {
    const bool able = command != Command::kSuspend || parts_.behaviour.may_suspend();
    if (!able || !parts_.supervisor.apply(command, parts_.interlock, now)) {
      refused_commands_.fetch_add(1, std::memory_order_relaxed);
    } else if (command == Command::kReset) {
      event({.at = now, .code = daq::EventCode::kInterlockReset});
    }
  }
}

Demand Loop::wish(daq::HostTime now) noexcept {
  switch (parts_.supervisor.state()) {
    case SupervisorState::kRunning: {
      const Demand demand = parts_.behaviour.step(readings_, now, *this);
      (void)parts_.intake.tare(parts_.behaviour.wants_tare(), now);
      return demand;
    }
    case SupervisorState::kSuspended: {
      const Demand demand = parts_.behaviour.suspended(readings_, now, *this);
      (void)parts_.intake.tare(parts_.behaviour.wants_tare(), now);
      return demand;
    }
    case SupervisorState::kAborting:
      return {.kind = DemandKind::kRetract};
    default:
      return {.kind = DemandKind::kHold};
  }
}

/// Before the interlock: it judges what goes to the wire.
Demand Loop::correct(const Demand& demand, bool pressed, daq::HostTime now) noexcept {
  if (parts_.stage_map == nullptr) return demand;
  return correction_.apply(*parts_.stage_map, demand, readings_, now, pressed);
}

Demand Loop::steer(const Demand& demand, daq::HostTime now) noexcept {
  auto* control = parts_.force_control;
  if (control == nullptr) return demand;
  Demand steered = demand;
  if (demand.kind == DemandKind::kForce && readings_.latched_faults == 0) {
    steered = control->update(demand, readings_, now);
  } else {
    control->rest();
  }
  readings_.contact = control->reading();
  return steered;
}

void Loop::tell_counts(daq::HostTime now) noexcept {
  if (ticks_ > 0 && now - counted_ < kTellCounts) return;
  counted_ = now;
  IntakeCounts told;
  const auto& counts = parts_.intake.counts();
  told.count = std::min(counts.size(), IntakeCounts::kMostStreams);
  std::copy_n(counts.begin(), told.count, told.streams.begin());
  counts_.store(told);
}

void Loop::watch_lateness(daq::HostTime now) noexcept {
  const auto since = now - last_tick_;
  if (ticks_ > 0) intervals_.add(since);
  if (ticks_ > 0 && since > parts_.longest_tick) {
    overruns_.fetch_add(1, std::memory_order_relaxed);
    event({.at = now,
           .code = daq::EventCode::kOverrun,
           .severity = daq::Severity::kWarning,
           .arguments = {daq::seconds(since - parts_.longest_tick), 0, 0, 0}});
  }
  last_tick_ = now;
}

void Loop::report_supervisor(daq::HostTime now) noexcept {
  const auto state = parts_.supervisor.state();
  if (state == reported_) return;
  event({.at = now,
         .code = daq::EventCode::kSupervisorState,
         .arguments = {static_cast<double>(state), static_cast<double>(reported_), 0, 0}});
  reported_ = state;
}

void Loop::record_setpoint(const Setpoint& s, daq::HostTime now) noexcept {
  const bool fresh = s.kind != last_setpoint_.kind ||
                     (s.kind == SetpointKind::kMove && s.move_id != last_setpoint_.move_id) ||
                     (s.kind == SetpointKind::kVelocity && s.velocity_m_s != last_setpoint_.velocity_m_s);
  last_setpoint_ = s;
  if (!fresh || s.kind == SetpointKind::kHold) return;
  auto& b = setpoint_block_;
  b.stream = parts_.setpoint_stream;
  b.channels = kSetpointChannels;
  b.samples = 1;
  b.flags = daq::kReceiveTimed;
  b.first_sample = setpoints_++;
  b.received = now;
  b.t0 = now;
  for (std::size_t a = 0; a < kAxes; ++a) b.counts[a] = micro(s.target_m[a]);
  b.counts[kAxes] = micro(s.speed_m_s);
  b.counts[kAxes + 1] = static_cast<std::int32_t>(s.kind);
  const bool velocity = s.kind == SetpointKind::kVelocity;
  for (std::size_t a = 0; a < kAxes; ++a) b.counts[kAxes + 2 + a] = micro(velocity ? s.velocity_m_s[a] : 0);
  const auto& contact = readings_.contact;
  const bool pressed = velocity && contact.active;
  b.counts[kAxes * 2 + 2] = pressed ? static_cast<std::int32_t>(contact.phase) + 1 : 0;
  b.counts[kAxes * 2 + 3] = pressed ? micro(contact.reference_N) : 0;
  b.counts[kAxes * 2 + 4] = pressed ? static_cast<std::int32_t>(std::lround(contact.stiffness_N_m)) : 0;
  parts_.intake.push_own(b);
}

daq::StreamDescription describe_setpoints(daq::StreamId id) {
  daq::StreamDescription d;
  d.id = id;
  d.name = "setpoint";
  d.device = "rig";
  d.quantity = "setpoint";
  d.channels = {{"x", "m", kMicro, 0},       {"y", "m", kMicro, 0},     {"z", "m", kMicro, 0},
                {"speed", "m/s", kMicro, 0}, {"kind", "1", 1, 0},       {"vx", "m/s", kMicro, 0},
                {"vy", "m/s", kMicro, 0},    {"vz", "m/s", kMicro, 0},  {"contact", "1", 1, 0},
                {"force", "N", kMicro, 0},   {"stiffness", "N/m", 1, 0}};
  return d;
}

}  // namespace strigil::rig
