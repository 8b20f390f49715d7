#include "protocols/runner.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

using daq::Duration;
using rig::Demand;
using rig::DemandKind;
using rig::kX;
using rig::kY;
using rig::kZ;

/// Samples in a row that make a contact: one alone may be noise.
constexpr int kTouches = 3;
/// The foundation rings after a step of the stage; contact resonance is 8-28 Hz (science.md 1.4) [C].
constexpr Duration kSettle = std::chrono::milliseconds(60);
constexpr Duration kWindow = std::chrono::milliseconds(60);
/// The first press step, before any stiffness is known, and the largest ever.
constexpr double kFirstStep_m = 0.1e-3;
constexpr double kLargestStep_m = 0.5e-3;
/// Stiffness of phantoms and tissue under an edge: 0.27-4.3 N/mm (science.md 2.4 and 2.6), here a decade wider.
constexpr double kSoftest_N_m = 30;
constexpr double kStiffest_N_m = 40e3;
/// A step covers this part of the error: the foundation stiffens as it is pressed.
constexpr double kCaution = 0.8;
/// The fast way down is guarded at this many times the contact force: braking shakes the instrument [A].
constexpr double kEarlyGuard = 3;
/// A readback this far from an end of the stroke is on its way (the stage's own tolerance is a tenth of it).
constexpr double kUnderWay_m = 0.2e-3;
/// Rest at the bottom of a tap: the level from which the instant of coming to rest is told (tap_timing.hpp).
constexpr Duration kTapRest = std::chrono::milliseconds(100);
constexpr Duration kZeroWindow = std::chrono::milliseconds(100);

}  // namespace

std::string_view name_of(StepOutcome outcome) noexcept {
  switch (outcome) {
    case StepOutcome::kDone:
      return "done";
    case StepOutcome::kNoContact:
      return "no contact";
    case StepOutcome::kTooSoft:
      return "too soft";
    case StepOutcome::kTooStiff:
      return "too stiff";
    case StepOutcome::kTimeout:
      return "timeout";
    case StepOutcome::kMoveRefused:
      return "move refused";
    case StepOutcome::kInterlock:
      return "interlock";
    case StepOutcome::kEarlyContact:
      return "early contact";
    case StepOutcome::kOverforce:
      return "overforce";
    case StepOutcome::kLostContact:
      return "lost contact";
    case StepOutcome::kCannotHold:
      return "cannot hold";
    case StepOutcome::kDose:
      return "dose reached";
    case StepOutcome::kInterrupted:
      return "interrupted";
    case StepOutcome::kSuspendedTooLong:
      return "suspended too long";
  }
  return "unknown";
}

Runner::Runner(const Plan& plan) : plan_(plan) {
  results_.reserve(plan.steps.size() + kMostSuspensions * longest_contact(plan));
  progress_.steps = plan.steps.size();
  left_s_.resize(plan.steps.size());
  double left_s = 0;
  for (std::size_t i = plan.steps.size(); i-- > 0;) left_s_[i] = left_s += plan.estimated_step_s(plan.steps[i]);
  progress_.estimated_s = left_s;
  if (plan.steps.empty()) state_ = rig::BehaviourState::kDone;
  if (plan.dose) dose_ = DoseAccount::make(*plan.dose).value();  // checked when the plan was made
}

void Runner::enter(Phase phase, daq::HostTime now) noexcept {
  phase_ = phase;
  phase_began_ = now;
  if (phase == Phase::kMeasuring) window_ = {};
}

Demand Runner::step(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  if (state_ != rig::BehaviourState::kRunning) return {.kind = DemandKind::kRetract};
  if (!begun_) start(r, now, events);
  if (suspension_ != Suspension::kNone) resume(r, now, events);
  observe(r);
  progress_.elapsed_s = daq::seconds(now - run_began_);
  const Step s = step_;
  Demand demand;
  const StepOutcome danger_now = danger(s, r);
  if (r.latched_faults != 0) {
    end(StepOutcome::kInterlock, now, events);
  } else if (danger_now != StepOutcome::kDone) {
    end(danger_now, now, events);
  } else if (now - step_began_ > daq::from_seconds(s.timeout_s)) {
    end(StepOutcome::kTimeout, now, events);
  } else if (move_ != 0 && r.refused_move == move_) {
    end(StepOutcome::kMoveRefused, now, events);
  } else {
    demand = carry_out(s, r, now, events);
  }
  if (state_ == rig::BehaviourState::kFailed) return {.kind = DemandKind::kRetract};
  if (!open_ && state_ == rig::BehaviourState::kRunning) begin(r, now, events);
  return demand;
}

void Runner::start(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  begun_ = true;
  run_began_ = now;
  force_samples_ = r.force_samples;
  vibration_samples_ = r.vibration_samples;
  begin(r, now, events);
}

void Runner::begin(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  const Step& s = step_ = step_on(plan_, way_, index_);
  open_ = true;
  step_began_ = now;
  StepResult& result = results_.emplace_back();  // reserved: no allocation
  result.step = index_;
  result.kind = s.kind;
  result.condition = s.condition;
  result.repeated = index_ < repeats_before_;
  result.began = now;
  result.ended = now;
  result.from_m = r.position_m;
  result.to_m = r.position_m;
  result.low_m = result.high_m = r.position_m;
  progress_.step = index_;
  progress_.kind = s.kind;
  progress_.condition = s.condition;
  progress_.estimated_s = daq::seconds(now - run_began_) + left_s_[index_];
  touching_ = 0;
  early_ = 0;
  over_ = 0;
  same_ = 0;
  under_way_ = false;
  arrived_ = false;
  middle_ = planned_middle_ = {};
  last_report_ = r.position_received;
  window_known_ = false;
  if (s.kind == StepKind::kApproach) stiffness_N_m_ = 0;  // another place, maybe another thing: a hard one
  enter(Phase::kBegin, now);
  events.event({.at = now,
                .code = daq::EventCode::kStepBegan,
                .arguments = {static_cast<double>(index_), static_cast<double>(s.kind)}});
}

void Runner::end(StepOutcome outcome, daq::HostTime now, rig::EventSink& events) noexcept {
  auto& result = results_.back();
  open_ = false;
  result.outcome = outcome;
  result.ended = now;
  result.to_m = last_m_;
  result.middle_reports = middle_.count();
  result.middle_speed_m_s = std::abs(middle_.value());
  result.planned_middle_speed_m_s = std::abs(planned_middle_.value());
  if (taring_) tared_ = true;
  taring_ = false;
  events.event({.at = now,
                .code = daq::EventCode::kStepEnded,
                .severity = outcome == StepOutcome::kDone ? daq::Severity::kInfo : daq::Severity::kFault,
                .arguments = {static_cast<double>(index_), static_cast<double>(outcome)}});
  if (outcome != StepOutcome::kDone) {
    state_ = rig::BehaviourState::kFailed;
    return;
  }
  index_ = step_after(plan_, way_, index_);
  if (way_.pass && index_ > *way_.pass) way_ = {};
  while (!way_.pass && index_ < plan_.steps.size() && dosed(plan_.steps[index_])) leave_out_phase();
  enter(Phase::kBegin, now);
  if (index_ == plan_.steps.size()) state_ = rig::BehaviourState::kDone;
}

void Runner::observe(const rig::Readings& r) noexcept {
  last_m_ = r.position_m;
  progress_.normal_force_N = r.normal_force_N;
  auto& result = results_.back();
  if (open_) {
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      result.low_m[a] = std::min(result.low_m[a], r.position_m[a]);
      result.high_m[a] = std::max(result.high_m[a], r.position_m[a]);
    }
    if (result.kind == StepKind::kStroke && !step_.held) observe_stroke_position(r, result);
  }
  if (r.force_samples != force_samples_) observe_force(r);
  if (!open_) {
    vibration_samples_ = r.vibration_samples;
    return;
  }
  if (r.vibration_samples != vibration_samples_) {
    vibration_samples_ = r.vibration_samples;
    result.vibration_m_s2.add(r.vibration_rms_m_s2);
    if (under_way_) result.moving_vibration_m_s2.add(r.vibration_rms_m_s2);
  }
}

void Runner::observe_force(const rig::Readings& r) noexcept {
  const auto& p = plan_.protocol;
  const double force = r.normal_force_N;
  const bool contact = force >= p.contact_force_N / 2;
  const auto samples = r.force_samples - force_samples_;
  force_samples_ = r.force_samples;
  same_ = same_ > 0 && force == last_force_N_ ? same_ + 1 : 1;
  last_force_N_ = force;
  add_dose(r);
  touching_ = force >= p.contact_force_N ? touching_ + 1 : 0;
  early_ = force >= kEarlyGuard * p.contact_force_N ? early_ + 1 : 0;
  over_ = force > p.max_force_N ? over_ + 1 : 0;
  if (!open_) return;  // what a suspension brings is no step's
  auto& result = results_.back();
  result.force_samples += samples;
  result.longest_same = std::max(result.longest_same, same_);
  result.normal_force_N.add(force);
  result.tangential_force_N.add(r.tangential_force_N);
  if (contact) ++result.in_contact;
  if (under_way_) {
    result.moving_normal_force_N.add(force);
    result.moving_tangential_force_N.add(r.tangential_force_N);
    if (step_.held) result.moving_force_error_N.add(force - wished_N_);
    if (contact) ++result.moving_in_contact;
  }
  if (phase_ == Phase::kMeasuring) window_.add(force);
}

void Runner::observe_stroke_position(const rig::Readings& r, StepResult& result) noexcept {
  const double x = r.position_m[kX];
  const double target = plan_.steps[result.step].target_m[kX];
  if (std::abs(target - x) <= kUnderWay_m) arrived_ = true;
  under_way_ = !arrived_ && std::abs(x - result.from_m[kX]) > kUnderWay_m;
  if (r.position_received == last_report_) return;
  last_report_ = r.position_received;
  const double length = target - result.from_m[kX];
  const double part = length != 0 ? (x - result.from_m[kX]) / length : 0;
  if (part >= kMiddleFrom && part <= kMiddleTo) middle_.add(daq::seconds(r.position_received - result.began), x);
}

/// What must end the step at once, whatever it is doing; kDone when nothing.
StepOutcome Runner::danger(const Step& s, const rig::Readings& r) const noexcept {
  if (const auto dose = dose_danger(s, r); dose != StepOutcome::kDone) return dose;
  switch (s.kind) {
    case StepKind::kGoTo:
      return tared_ && early_ >= kTouches ? StepOutcome::kEarlyContact : StepOutcome::kDone;
    case StepKind::kStroke:
      if (plan_.protocol.in_air && early_ >= kTouches) return StepOutcome::kEarlyContact;
      [[fallthrough]];
    case StepKind::kApproach:
    case StepKind::kPress:
    case StepKind::kDwell:
    case StepKind::kSurvey:
    case StepKind::kTap:
      return over_ >= kTouches ? StepOutcome::kOverforce : StepOutcome::kDone;
    default:
      return StepOutcome::kDone;
  }
}

Demand Runner::go(const rig::Position& target, double speed_m_s) noexcept {
  ++move_;
  return {DemandKind::kMove, move_, target, speed_m_s};
}

rig::Position Runner::target_of(const Step& s, const rig::Readings& r) const noexcept {
  rig::Position target = s.target_m;
  switch (s.kind) {
    case StepKind::kLift:
    case StepKind::kRetract:
      target[kX] = r.position_m[kX];
      target[kY] = r.position_m[kY];
      target[kZ] = std::max(s.target_m[kZ], r.position_m[kZ]);  // never down
      break;
    case StepKind::kStroke:
      target[kY] = r.position_m[kY];
      target[kZ] = r.position_m[kZ];
      break;
    default:
      break;
  }
  return target;
}

Demand Runner::carry_out(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  if (s.held) return held(s, r, now, events);
  switch (s.kind) {
    case StepKind::kTare:
      taring_ = true;
      return wait(s, now, events);
    case StepKind::kDwell:
      return wait(s, now, events);
    case StepKind::kApproach:
      return approach(s, r, now, events);
    case StepKind::kPress:
      return press(s, r, now, events);
    case StepKind::kTap:
      return tap(s, r, now, events);
    case StepKind::kRetract:
      return retract(s, r, now, events);
    case StepKind::kLift:
    case StepKind::kGoTo:
    case StepKind::kStroke:
    case StepKind::kSurvey:
      break;
  }
  if (phase_ == Phase::kBegin) {
    enter(Phase::kMoving, now);
    return go(target_of(s, r), s.speed_m_s);
  }
  if (r.finished_move == move_) end(StepOutcome::kDone, now, events);
  return {};
}

Demand Runner::retract(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  switch (phase_) {
    case Phase::kBegin:
      enter(Phase::kMoving, now);
      return go(target_of(s, r), s.speed_m_s);
    case Phase::kMoving:
      if (r.finished_move == move_) enter(Phase::kSettling, now);
      return {};
    case Phase::kSettling:
      if (now - phase_began_ >= kSettle) enter(Phase::kMeasuring, now);
      return {};
    default:
      if (now - phase_began_ >= kZeroWindow && window_.count() > 0) {
        results_.back().zero_N = window_.mean();
        end(StepOutcome::kDone, now, events);
      }
      return {};
  }
}

Demand Runner::tap(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  rig::Position target = r.position_m;
  switch (phase_) {
    case Phase::kBegin:
      if (now - phase_began_ < daq::from_seconds(s.duration_s)) return {};
      tap_bottom_m_ = r.position_m[kZ];
      target[kZ] = tap_bottom_m_ + s.target_m[kZ];
      enter(Phase::kMoving, now);
      return go(target, s.speed_m_s);
    case Phase::kMoving:
      if (r.finished_move == move_) enter(Phase::kSettling, now);
      return {};
    case Phase::kSettling:
      if (now - phase_began_ < kSettle) return {};
      target[kZ] = tap_bottom_m_;
      enter(Phase::kReturning, now);
      return go(target, s.speed_m_s);
    case Phase::kReturning:
      if (r.finished_move == move_) enter(Phase::kMeasuring, now);
      return {};
    default:
      if (now - phase_began_ >= kTapRest) end(StepOutcome::kDone, now, events);
      return {};
  }
}

Demand Runner::wait(const Step& s, daq::HostTime now, rig::EventSink& events) noexcept {
  if (now - step_began_ >= daq::from_seconds(s.duration_s)) end(StepOutcome::kDone, now, events);
  return {};
}

Demand Runner::approach(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  switch (phase_) {
    case Phase::kBegin:
      enter(Phase::kMoving, now);
      return go(s.target_m, s.speed_m_s);
    case Phase::kMoving:
      if (touching_ >= kTouches) {
        enter(Phase::kStopping, now);
        events.event({.at = now,
                      .code = daq::EventCode::kContact,
                      .arguments = {r.normal_force_N, r.position_m[kX], r.position_m[kZ]}});
        return {.kind = DemandKind::kStop};
      }
      if (r.finished_move == move_) end(StepOutcome::kNoContact, now, events);
      return {};
    case Phase::kStopping:
      if (r.stage == rig::StageState::kIdle) enter(Phase::kSettling, now);
      return {};
    default:
      if (now - phase_began_ >= kSettle) end(StepOutcome::kDone, now, events);
      return {};
  }
}

Demand Runner::press(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  switch (phase_) {
    case Phase::kBegin:
      enter(Phase::kSettling, now);
      return {};
    case Phase::kMoving:
      if (r.finished_move == move_) enter(Phase::kSettling, now);
      return {};
    case Phase::kSettling:
      if (now - phase_began_ >= kSettle) enter(Phase::kMeasuring, now);
      return {};
    default:
      if (now - phase_began_ >= kWindow && window_.count() > 0) return press_on(s, r, now, events);
      return {};
  }
}

Demand Runner::press_on(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  const double force = window_.mean();
  const double z = r.position_m[kZ];
  const double error = s.force_N - force;
  if (window_known_) {
    const double pressed_m = window_z_m_ - z;
    const double gained_N = force - window_force_N_;
    constexpr double kSeen_m = 10e-6;  // less than this is within the stage's own tolerance
    if (std::abs(pressed_m) > kSeen_m) {
      stiffness_N_m_ = std::clamp(gained_N / pressed_m, kSoftest_N_m, kStiffest_N_m);
    }
  }
  window_known_ = true;
  window_force_N_ = force;
  window_z_m_ = z;
  if (std::abs(error) <= (s.timing ? kTapTolerance : plan_.protocol.press_tolerance) * s.force_N) {
    end(StepOutcome::kDone, now, events);
    return {};
  }
  double deeper_m = stiffness_N_m_ > 0 ? kCaution * error / stiffness_N_m_ : std::copysign(kFirstStep_m, error);
  deeper_m = std::clamp(deeper_m, -kLargestStep_m, kLargestStep_m);
  // Twice the stiffness seen: a bottoming-out foundation must not carry the next step past the limit. Before any is
  // seen, the stiffest there is.
  const double expect_N_m = stiffness_N_m_ > 0 ? 2 * stiffness_N_m_ : kStiffest_N_m;
  if (deeper_m > 0 && force + expect_N_m * deeper_m > plan_.protocol.max_force_N) {
    deeper_m = (plan_.protocol.max_force_N - force) / expect_N_m;
    constexpr double kUseless_m = 1e-6;
    if (deeper_m < kUseless_m) {
      end(StepOutcome::kTooStiff, now, events);
      return {};
    }
  }
  rig::Position target = r.position_m;
  target[kZ] = z - deeper_m;
  if (target[kZ] < s.target_m[kZ]) {
    end(StepOutcome::kTooSoft, now, events);
    return {};
  }
  enter(Phase::kMoving, now);
  return go(target, s.speed_m_s);
}

}  // namespace strigil::protocols
