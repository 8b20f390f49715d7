#include "protocols/calibrate/procedure_runner.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::protocols {
namespace {

/// A move may take so much longer than its way at its speed.
constexpr double kMoveSlack_s = 10;
/// The lift to the clear height, m/s [A].
constexpr double kLift_m_s = 10e-3;
constexpr double kTwice = 2;

double way_m(const rig::Position& a, const rig::Position& b) {
  return std::hypot(a[rig::kX] - b[rig::kX], a[rig::kY] - b[rig::kY], a[rig::kZ] - b[rig::kZ]);
}

double speed_of(const ProcedureStep& step) {
  return step.kind == ProcedureStepKind::kLift ? kLift_m_s : step.speed_m_s;
}

bool moves(const ProcedureStep& step) {
  return step.kind == ProcedureStepKind::kLift || step.kind == ProcedureStepKind::kMove;
}

}  // namespace

std::string_view name_of(ProcedureOutcome outcome) noexcept {
  switch (outcome) {
    case ProcedureOutcome::kUnderWay:
      return "under way";
    case ProcedureOutcome::kDone:
      return "done";
    case ProcedureOutcome::kMoveRefused:
      return "the interlock or the stage refused a move";
    case ProcedureOutcome::kMoveTimeout:
      return "a move did not arrive in time";
    case ProcedureOutcome::kInterlock:
      return "the interlock tripped";
    case ProcedureOutcome::kGivenUp:
      return "it was given up by hand";
    case ProcedureOutcome::kNothingThere:
      return "it pressed as deep as it may, or as long, and the force did not come";
  }
  return "unknown";
}

ProcedureRunner::ProcedureRunner(const std::vector<ProcedureStep>& steps, double clear_z_m)
    : steps_(steps), clear_z_m_(clear_z_m) {
  done_.reserve(steps.size());
  if (steps.empty()) outcome_ = ProcedureOutcome::kDone;
}

rig::BehaviourState ProcedureRunner::state() const noexcept {
  if (outcome_ == ProcedureOutcome::kUnderWay) return rig::BehaviourState::kRunning;
  return outcome_ == ProcedureOutcome::kDone ? rig::BehaviourState::kDone : rig::BehaviourState::kFailed;
}

bool ProcedureRunner::waiting() const noexcept {
  return outcome_ == ProcedureOutcome::kUnderWay && begun_ && steps_[at_].kind == ProcedureStepKind::kHands &&
         !answered_;
}

void ProcedureRunner::answer(const HandsAnswer& answer) noexcept {
  assert(waiting());
  answer_ = answer;
  answered_ = true;
}

rig::Position ProcedureRunner::target(const rig::Readings& r) const noexcept {
  if (steps_[at_].kind == ProcedureStepKind::kMove) {
    auto to = steps_[at_].target_m;
    if (steps_[at_].level) to[rig::kZ] = r.position_m[rig::kZ];
    return to;
  }
  auto up = r.position_m;
  up[rig::kZ] = std::max(up[rig::kZ], clear_z_m_);
  return up;
}

void ProcedureRunner::begin(const rig::Readings& r, daq::HostTime now) noexcept {
  begun_ = true;
  answered_ = false;
  zero_sum_N_ = 0;
  zero_ticks_ = 0;
  done_.emplace_back().began = now;
  down_ = r.normal_force_N - zero_N_ < steps_[at_].force_N;
  way_m_ = std::abs(r.position_m[rig::kZ] - steps_[at_].target_m[rig::kZ]);
  if (!moves(steps_[at_])) return;
  ++move_;
  target_m_ = target(r);
  way_m_ = way_m(r.position_m, target_m_);
}

void ProcedureRunner::end(const rig::Readings& r, daq::HostTime now) noexcept {
  auto& done = done_.back();
  done.ended = now;
  done.position_m = r.position_m;
  done.answer = answer_.value;
  if (steps_[at_].kind == ProcedureStepKind::kZero) zero_N_ = zero_sum_N_ / zero_ticks_;
  begun_ = false;
  if (++at_ == steps_.size()) outcome_ = ProcedureOutcome::kDone;
}

rig::Demand ProcedureRunner::press(const rig::Readings& r, daq::HostTime now, double passed_s) noexcept {
  const auto& step = steps_[at_];
  const double force_N = r.normal_force_N - zero_N_;
  const bool there = down_ ? force_N >= step.force_N : force_N <= step.force_N;
  if (there) {
    end(r, now);
    return {.kind = rig::DemandKind::kStop};
  }
  const bool deepest = down_ && r.position_m[rig::kZ] <= step.target_m[rig::kZ];
  const bool highest = !down_ && r.position_m[rig::kZ] >= clear_z_m_;
  if (deepest || highest || passed_s > kTwice * way_m_ / step.speed_m_s + kMoveSlack_s) {
    outcome_ = ProcedureOutcome::kNothingThere;
    return {.kind = rig::DemandKind::kStop};
  }
  rig::Demand demand{.kind = rig::DemandKind::kVelocity};
  demand.velocity_m_s[rig::kZ] = down_ ? -step.speed_m_s : step.speed_m_s;
  return demand;
}

rig::Demand ProcedureRunner::step(const rig::Readings& r, daq::HostTime now, rig::EventSink&) noexcept {
  now_ = now;
  if (outcome_ != ProcedureOutcome::kUnderWay) return {.kind = rig::DemandKind::kStop};
  if (r.latched_faults != 0) {
    outcome_ = ProcedureOutcome::kInterlock;
    return {.kind = rig::DemandKind::kStop};
  }
  if (!begun_) begin(r, now);
  const auto& step = steps_[at_];
  const double passed_s = daq::seconds(now - done_.back().began);
  if (moves(step)) {
    const rig::Demand move{
        .kind = rig::DemandKind::kMove, .move_id = move_, .target_m = target_m_, .speed_m_s = speed_of(step)};
    if (r.refused_move == move_) outcome_ = ProcedureOutcome::kMoveRefused;
    if (r.finished_move == move_) {
      end(r, now);
    } else if (passed_s > kTwice * way_m_ / speed_of(step) + kMoveSlack_s) {
      outcome_ = ProcedureOutcome::kMoveTimeout;
    }
    return move;
  }
  if (step.kind == ProcedureStepKind::kPress) return press(r, now, passed_s);
  if (step.kind == ProcedureStepKind::kZero) {
    zero_sum_N_ += r.normal_force_N;
    ++zero_ticks_;
  }
  if (step.kind == ProcedureStepKind::kHands) {
    if (answered_ && answer_.given_up) outcome_ = ProcedureOutcome::kGivenUp;
    if (answered_ && !answer_.given_up) end(r, now);
  } else if (passed_s >= step.duration_s) {
    end(r, now);
  }
  return {.kind = rig::DemandKind::kHold};
}

double ProcedureRunner::left_s(double hands_s) const noexcept {
  double left = 0;
  for (std::size_t i = at_; i < steps_.size(); ++i) {
    if (steps_[i].kind == ProcedureStepKind::kHands) left += hands_s;
    left += steps_[i].duration_s;
  }
  if (begun_ && at_ < steps_.size() && steps_[at_].kind != ProcedureStepKind::kHands) {
    left -= std::min(daq::seconds(now_ - done_.back().began), steps_[at_].duration_s);
  }
  return left;
}

}  // namespace strigil::protocols
