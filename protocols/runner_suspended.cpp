// The runner while the run is suspended: what is done with the contact, for how long, and where the plan goes on.
#include <algorithm>

#include "protocols/runner.hpp"

namespace strigil::protocols {
namespace {

using rig::Demand;
using rig::DemandKind;
using rig::kX;
using rig::kY;
using rig::kZ;

/// As the supervisor's for the retract at a run's end.
constexpr auto kLiftTimeout = std::chrono::seconds(15);
/// As near as this to the clear height is there.
constexpr double kClear_m = 0.2e-3;

}  // namespace

std::string_view name_of(Suspension suspension) noexcept {
  switch (suspension) {
    case Suspension::kNone:
      return "none";
    case Suspension::kHolding:
      return "holding";
    case Suspension::kLifting:
      return "lifting";
    case Suspension::kClear:
      return "clear";
  }
  return "unknown";
}

Demand Runner::suspended(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  if (state_ != rig::BehaviourState::kRunning) return {.kind = DemandKind::kRetract};
  if (!begun_) start(r, now, events);
  const bool first = suspension_ == Suspension::kNone;
  if (first) suspend(r, now, events);
  observe(r);
  const auto& p = plan_.protocol;
  const bool holding = suspension_ == Suspension::kHolding;
  progress_.elapsed_s = daq::seconds(now - run_began_);
  progress_.suspension = suspension_;
  progress_.suspension_left_s = (holding ? p.suspend_hold_s : p.suspend_longest_s) - daq::seconds(now - suspended_at_);
  if (const auto outcome = suspended_danger(r, now); outcome != StepOutcome::kDone) {
    fail_suspended(outcome, now, events);
    return {.kind = DemandKind::kRetract};
  }
  switch (suspension_) {
    case Suspension::kHolding:
      if (first && !step_.held) return {.kind = DemandKind::kStop};
      return hold_on(r, now, events);
    case Suspension::kLifting:
      if (r.position_m[kZ] >= plan_.limits.clear_z_m - kClear_m && r.stage == rig::StageState::kIdle) {
        suspension_ = Suspension::kClear;
        return {};
      }
      return {.kind = DemandKind::kRetract};
    default:
      return {};
  }
}

void Runner::suspend(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  ++suspensions_;
  suspended_at_ = now;
  const bool pass = step_.kind == StepKind::kStroke || step_.kind == StepKind::kSurvey;
  const bool by_force = step_.held && r.contact.active && r.contact.phase == rig::ContactPhase::kPressing;
  const bool at_depth = !step_.held && (pass || step_.kind == StepKind::kDwell);
  suspension_ = Suspension::kHolding;
  if (pass) {
    if (step_.held && phase_ == Phase::kMoving) follower_.brake(now);
    interrupt(now, events);
  }
  if (!(by_force || at_depth) || plan_.protocol.suspend_hold_s <= 0) lift(now, events);
}

/// The step is lost: its result says so, and nothing more is added to it.
void Runner::interrupt(daq::HostTime now, rig::EventSink& events) noexcept {
  if (!open_) return;
  auto& result = results_.back();
  open_ = false;
  taring_ = false;
  under_way_ = false;
  result.outcome = StepOutcome::kInterrupted;
  result.ended = now;
  result.to_m = last_m_;
  events.event({.at = now,
                .code = daq::EventCode::kStepEnded,
                .severity = daq::Severity::kWarning,
                .arguments = {static_cast<double>(index_), static_cast<double>(StepOutcome::kInterrupted)}});
}

void Runner::lift(daq::HostTime now, rig::EventSink& events) noexcept {
  interrupt(now, events);
  suspension_ = Suspension::kLifting;
  lifting_at_ = now;
  follow_ = {};
}

/// The force goes on being held, while the stroke comes to rest and then where it stands; or the depth.
Demand Runner::hold_on(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  const bool touches = !step_.held || (r.contact.active && r.contact.phase == rig::ContactPhase::kPressing);
  const bool enough = now - suspended_at_ >= daq::from_seconds(plan_.protocol.suspend_hold_s);
  if (!touches || enough || r.position_m[kZ] < plan_.protocol.deepest_z_m) {
    lift(now, events);
    return {.kind = DemandKind::kRetract};
  }
  if (!step_.held) return {};
  Demand d;
  d.kind = DemandKind::kForce;
  d.speed_m_s = step_.speed_m_s;
  d.force_rate_N_s = plan_.protocol.force_rate_N_s;
  d.passes = passes_;
  d.force_N = wished_N_ = held_force_N_;
  if (!open_ && phase_ == Phase::kMoving) {
    follow_ = follower_.follow(r, now);
    d.velocity_m_s = follow_.velocity_m_s;
    d.along_m_s = follow_.along_m_s;
    d.place_m = follow_.place_m;
  }
  return d;
}

StepOutcome Runner::suspended_danger(const rig::Readings& r, daq::HostTime now) const noexcept {
  if (r.latched_faults != 0) return StepOutcome::kInterlock;
  if (now - suspended_at_ > daq::from_seconds(plan_.protocol.suspend_longest_s)) return StepOutcome::kSuspendedTooLong;
  if (suspension_ == Suspension::kLifting && now - lifting_at_ > kLiftTimeout) return StepOutcome::kTimeout;
  if (suspension_ != Suspension::kHolding) return StepOutcome::kDone;
  if (dose_ && step_.held && dose_->ended_under(r.position_m[kX], r.position_m[kY]) != 0) return StepOutcome::kDose;
  return danger(step_, r);
}

/// What ended the run goes into the step in which it was suspended, though that one had been interrupted before.
void Runner::fail_suspended(StepOutcome outcome, daq::HostTime now, rig::EventSink& events) noexcept {
  suspended_for_ += now - suspended_at_;
  taring_ = false;
  end(outcome, now, events);
  results_.back().while_suspended = true;
}

void Runner::resume(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  const auto lasted = now - suspended_at_;
  suspended_for_ += lasted;
  const bool lifted = suspension_ != Suspension::kHolding;
  suspension_ = progress_.suspension = Suspension::kNone;
  progress_.suspension_left_s = 0;
  if (open_) {  // held, and goes on where it was
    results_.back().suspended_s += daq::seconds(lasted);
    step_began_ = step_began_ + lasted;
    if (phase_ == Phase::kMeasuring) enter(Phase::kMeasuring, now);
    return;
  }
  if (lifted) dose_interrupt();
  follow_ = {};
  repeats_before_ = std::max(repeats_before_, index_ + 1);
  if (!way_.pass) way_ = resumption_of(plan_, index_);  // else: again the way on which it was
  index_ = way_.from;
  begin(r, now, events);
}

}  // namespace strigil::protocols
