#include "rig/homing.hpp"

namespace strigil::rig {

std::string_view name_of(HomingOutcome outcome) noexcept {
  switch (outcome) {
    case HomingOutcome::kUnderWay:
      return "under way";
    case HomingOutcome::kDone:
      return "done";
    case HomingOutcome::kRefused:
      return "the stage refused, or found no reference";
    case HomingOutcome::kTimeout:
      return "no reference was found in time";
    case HomingOutcome::kInterlock:
      return "the interlock tripped";
  }
  return "unknown";
}

Homing::Homing(const DriveAbility& ability, const std::array<bool, kAxes>& wanted, daq::Duration timeout)
    : timeout_(timeout) {
  for (const Axis axis : {kZ, kX, kY}) {
    if (ability.axes[axis] && wanted[axis]) order_[count_++] = axis;
  }
  if (ability.homes_at_once && count_ > 1) count_ = 1;
  if (count_ == 0) outcome_ = HomingOutcome::kDone;
}

BehaviourState Homing::state() const noexcept {
  if (outcome_ == HomingOutcome::kUnderWay) return BehaviourState::kRunning;
  return outcome_ == HomingOutcome::kDone ? BehaviourState::kDone : BehaviourState::kFailed;
}

Demand Homing::step(const Readings& r, daq::HostTime now, EventSink&) noexcept {
  if (outcome_ != HomingOutcome::kUnderWay) return {.kind = DemandKind::kStop};
  const auto begin = [&] {
    ++move_;
    began_ = now;
  };
  if (move_ == 0) begin();
  if (r.latched_faults != 0) {
    outcome_ = HomingOutcome::kInterlock;
  } else if (r.refused_move == move_) {
    outcome_ = HomingOutcome::kRefused;
  } else if (now - began_ > timeout_) {
    outcome_ = HomingOutcome::kTimeout;
  } else if (r.finished_move == move_) {
    found_m_ = r.position_m;
    if (at_ + 1 == count_) {
      outcome_ = HomingOutcome::kDone;
    } else {
      ++at_;
      begin();
    }
  }
  if (outcome_ != HomingOutcome::kUnderWay) return {.kind = DemandKind::kStop};
  return {.kind = DemandKind::kHome, .move_id = move_, .axis = order_[at_]};
}

}  // namespace strigil::rig
