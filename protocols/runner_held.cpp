// The runner's steps that hold a force: press, dwell, survey and stroke. Each tick's wish is a force and a velocity
// over the phantom; force control (rig/force_control.hpp) makes the way down out of it. From the press to the retract
// there is no tick without such a wish, or the control would begin with an approach again.
#include <algorithm>
#include <cmath>

#include "protocols/runner.hpp"

namespace strigil::protocols {
namespace {

using rig::ContactPhase;
using rig::Demand;
using rig::DemandKind;
using rig::kX;
using rig::kY;
using rig::kZ;

/// The press is over when the mean over this time is what was wished.
constexpr daq::Duration kHeldWindow = std::chrono::milliseconds(100);
/// The ramp has come to its end when it is this near.
constexpr double kAtGoal_N = 1e-6;

}  // namespace

Demand Runner::held(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept {
  Demand d;
  d.kind = DemandKind::kForce;
  d.speed_m_s = s.speed_m_s;
  d.force_rate_N_s = plan_.protocol.force_rate_N_s;
  d.passes = passes_;
  d.force_N = wished_N_ = held_force_N_;
  if (r.position_m[kZ] < plan_.protocol.deepest_z_m) {
    const bool never = s.kind == StepKind::kPress && r.contact.phase == ContactPhase::kFree;
    const bool lost = r.contact.phase == ContactPhase::kLost;
    end(never ? StepOutcome::kNoContact : lost ? StepOutcome::kLostContact : StepOutcome::kTooSoft, now, events);
    return d;
  }
  switch (s.kind) {
    case StepKind::kPress:
      press_held(s, r, now, events, d);
      break;
    case StepKind::kDwell:
      (void)wait(s, now, events);
      break;
    default:
      stroke_held(s, r, now, events, d);
      break;
  }
  return d;
}

void Runner::press_held(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events,
                        Demand& d) noexcept {
  // Where the next pass begins: a stroke back that is made again begins at the end of the way.
  const bool at_end = way_.pass && !plan_.steps[*way_.pass].forward;
  d.force_N = wished_N_ = held_force_N_ = plan_.ways[s.way].force.force_N(at_end ? 1 : 0);
  if (phase_ == Phase::kBegin) {
    d.new_contact = true;
    d.same_surface = way_.pass.has_value();
    dose_interrupt();
    enter(Phase::kMoving, now);
    return;
  }
  if (phase_ == Phase::kMoving && r.contact.phase != ContactPhase::kFree) {
    enter(Phase::kSettling, now);
    events.event({.at = now,
                  .code = daq::EventCode::kContact,
                  .arguments = {r.normal_force_N, r.position_m[kX], r.position_m[kZ]}});
  }
  const bool pressed =
      r.contact.phase == ContactPhase::kPressing && std::abs(r.contact.reference_N - held_force_N_) <= kAtGoal_N;
  if (phase_ == Phase::kSettling && pressed) enter(Phase::kMeasuring, now);
  if (phase_ != Phase::kMeasuring || now - phase_began_ < kHeldWindow || window_.count() == 0) return;
  if (std::abs(window_.mean() - held_force_N_) <= plan_.protocol.press_tolerance * held_force_N_) {
    results_.back().stiffness_N_m = r.contact.stiffness_N_m;
    results_.back().wished_N = held_force_N_;
    end(StepOutcome::kDone, now, events);
  } else {
    enter(Phase::kMeasuring, now);  // looked at anew
  }
}

void Runner::stroke_held(const Step& s, const rig::Readings& r, daq::HostTime now, rig::EventSink& events,
                         Demand& d) noexcept {
  const PlannedWay& way = plan_.ways[s.way];
  if (phase_ == Phase::kBegin) {
    const double error_N = rig::expected_force_error_N(*plan_.limits.hold, r.contact.stiffness_N_m, s.speed_m_s);
    results_.back().stiffness_N_m = r.contact.stiffness_N_m;
    results_.back().expected_error_N = error_N;
    if (s.kind == StepKind::kStroke && error_N > plan_.largest_error_N(s)) {
      end(StepOutcome::kCannotHold, now, events);
      return;
    }
    follower_.begin(way.path, s.forward, plan_.follow_limits(s), now);
    enter(Phase::kMoving, now);
  }
  const FollowPoint p = follower_.follow(r, now);
  follow_ = p;
  d.velocity_m_s = p.velocity_m_s;
  d.along_m_s = p.along_m_s;
  d.place_m = p.place_m;
  d.force_N = wished_N_ = held_force_N_ = way.force.force_N(p.fraction);
  const double length_m = way.path.length_m();
  const double gone_m = s.forward ? p.place_m : length_m - p.place_m;
  under_way_ = gone_m > kHeldUnderWay_m && gone_m < length_m - kHeldUnderWay_m;
  if (r.position_received != last_report_) {
    last_report_ = r.position_received;
    const double part = gone_m / length_m;
    if (part >= kMiddleFrom && part <= kMiddleTo) {
      middle_.add(daq::seconds(r.position_t0 - results_.back().began), gone_m);
      planned_middle_.add(daq::seconds(now - results_.back().began), s.forward ? p.way_m : length_m - p.way_m);
    }
  }
  if (follower_.over(now) && p.deviation_m <= plan_.protocol.max_position_error_m / 2) {
    ++passes_;
    follow_ = {};
    end(StepOutcome::kDone, now, events);
  }
}

void Runner::dose_interrupt() noexcept {
  if (dose_) dose_->interrupt();
}

/// A contact would begin here, in a phase that has used up its part of the dose.
bool Runner::dosed(const Step& s) const noexcept {
  if (!dose_ || s.timing || s.kind != StepKind::kLift) return false;
  const double part = plan_.dose_fraction(s);
  return part > 0 && dose_->used() >= part;
}

/// On to the first step of something else: another phase, or the taps.
void Runner::leave_out_phase() noexcept {
  const auto phase = plan_.conditions[plan_.steps[index_].condition].phase;
  while (index_ < plan_.steps.size() && !plan_.steps[index_].timing &&
         plan_.conditions[plan_.steps[index_].condition].phase == phase) {
    ++index_;
  }
}

void Runner::add_dose(const rig::Readings& r) noexcept {
  if (!dose_ || step_.timing) return;  // the stop for the taps is no phantom
  dose_->add({.at = r.force_t0,
              .x_m = r.position_m[kX],
              .y_m = r.position_m[kY],
              .normal_force_N = r.normal_force_N,
              .tangential_force_N = r.tangential_force_N,
              .speed_m_s = std::abs(follow_.along_m_s)});
  if (r.now - dose_told_ < kTellDose) return;
  dose_told_ = r.now;
  dose_picture_.store(picture_of(*dose_));
}

StepOutcome Runner::dose_danger(const Step& s, const rig::Readings& r) const noexcept {
  if (!dose_ || !s.held) return StepOutcome::kDone;
  if (dose_->over_pressure()) return StepOutcome::kDose;
  const bool slides = s.kind == StepKind::kStroke || s.kind == StepKind::kSurvey;
  return slides && dose_->ended_under(r.position_m[kX], r.position_m[kY]) != 0 ? StepOutcome::kDose
                                                                               : StepOutcome::kDone;
}

std::string Runner::dose_reason() const {
  if (!dose_) return {};
  for (std::size_t area = 0; area <= dose_->outside(); ++area) {
    if (dose_->ended(area) != 0) return dose_->reason(area);
  }
  return {};
}

}  // namespace strigil::protocols
