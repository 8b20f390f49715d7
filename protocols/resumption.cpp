#include "protocols/resumption.hpp"

#include <algorithm>

namespace strigil::protocols {
namespace {

bool is_pass(StepKind kind) noexcept { return kind == StepKind::kSurvey || kind == StepKind::kStroke; }

/// The lift with which the contact of this step begins.
std::size_t lift_before(const Plan& plan, std::size_t step) noexcept {
  while (step > 0 && plan.steps[step].kind != StepKind::kLift) --step;
  return step;
}

/// On the way to a repeated stroke: what is not needed for it.
bool left_out(const Plan& plan, std::size_t pass, std::size_t step) noexcept {
  const auto& s = plan.steps[step];
  const auto later_press = [&] {
    for (std::size_t i = step + 1; i < pass; ++i) {
      if (plan.steps[i].kind == StepKind::kPress) return true;
    }
    return false;
  };
  switch (s.kind) {
    case StepKind::kSurvey:
    case StepKind::kStroke:
      return true;
    case StepKind::kDwell:
      return step + 1 != pass;
    case StepKind::kPress:
      return later_press();
    case StepKind::kGoTo:
      return s.target_m[rig::kZ] < plan.limits.clear_z_m;  // the fast way down
    default:
      return false;
  }
}

/// Where a stroke begins.
void begin_of(const Plan& plan, const Step& s, rig::Position& at) noexcept {
  if (s.held) {
    const auto& path = plan.ways[s.way].path;
    const auto begin = path.at(s.forward ? 0 : path.length_m()).position;
    at[rig::kX] = begin.x_m;
    at[rig::kY] = begin.y_m;
  } else {
    const bool forward = plan.conditions[s.condition].forward;
    at[rig::kX] = plan.protocol.start_x_m + (forward ? 0 : plan.protocol.stroke_length_m);
    at[rig::kY] = plan.protocol.start_y_m;
  }
}

}  // namespace

Resumption resumption_of(const Plan& plan, std::size_t interrupted) noexcept {
  const auto& steps = plan.steps;
  if (steps[interrupted].kind == StepKind::kRetract) return {interrupted, {}};
  const auto lift = lift_before(plan, interrupted);
  const auto next_pass = [&](std::size_t from) {
    while (from < steps.size() && !is_pass(steps[from].kind) && steps[from].kind != StepKind::kRetract) ++from;
    return from;
  };
  const auto pass = next_pass(interrupted);
  const bool stroke = pass < steps.size() && steps[pass].kind == StepKind::kStroke;
  // A surface that was not learned to its end is learned anew.
  if (!stroke || next_pass(lift) == pass) return {lift, {}};
  return {lift, pass};
}

std::size_t step_after(const Plan& plan, const Resumption& way, std::size_t step) noexcept {
  ++step;
  if (!way.pass) return step;
  while (step < *way.pass && left_out(plan, *way.pass, step)) ++step;
  return step;
}

Step step_on(const Plan& plan, const Resumption& way, std::size_t step) noexcept {
  Step s = plan.steps[step];
  if (!way.pass || step >= *way.pass) return s;
  if (s.kind == StepKind::kGoTo || s.kind == StepKind::kApproach) begin_of(plan, plan.steps[*way.pass], s.target_m);
  if (s.kind == StepKind::kApproach || s.kind == StepKind::kPress) s.timeout_s += s.from_clear_s;
  return s;
}

std::size_t longest_contact(const Plan& plan) noexcept {
  std::size_t longest = 0;
  std::size_t length = 0;
  for (const auto& s : plan.steps) {
    length = s.kind == StepKind::kLift ? 1 : length + 1;
    longest = std::max(longest, length);
  }
  return longest;
}

}  // namespace strigil::protocols
