#include "protocols/failed_step.hpp"

#include <fmt/format.h>

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;

double mm(double m) { return m * kMillimetresPerMetre; }

}  // namespace

std::string failed_step_words(const Plan& plan, const RunEvidence& evidence, const std::string& did) {
  const auto& last = evidence.steps.back();
  const auto& step = plan.steps[last.step];
  const auto where = fmt::format("step {} ({}, {}{})", last.step + 1, name_of(last.kind), plan.belongs_to(step),
                                 last.while_suspended ? ", while suspended" : "");
  switch (last.outcome) {
    case StepOutcome::kDone:
      return fmt::format("the run ended after {}", where);
    case StepOutcome::kNoContact:
      return fmt::format(
          "{}: the instrument never met the phantom down to z = {:.1f} mm; {}. "
          "Check that the phantom is in place and [approach] deepest_z_mm",
          where, mm(step.target_m[rig::kZ]), did);
    case StepOutcome::kTooSoft:
      return fmt::format(
          "{}: {:g} N were not reached down to z = {:.1f} mm (largest {:.2f} N); {}. Check "
          "the phantom and [approach] deepest_z_mm",
          where, step.force_N, mm(step.target_m[rig::kZ]), last.normal_force_N.max(), did);
    case StepOutcome::kTooStiff:
      return fmt::format(
          "{}: pressing on could have exceeded {:g} N on this phantom; {}. "
          "Check [limits] max_force_N",
          where, plan.protocol.max_force_N, did);
    case StepOutcome::kTimeout:
      return fmt::format(
          "{}: not completed within {:.1f} s (stage went from x {:.2f} z {:.2f} to x {:.2f} "
          "z {:.2f} mm by readback); {}. Check that the stage moves when told",
          where, daq::seconds(last.ended - last.began) - last.suspended_s, mm(last.from_m[rig::kX]),
          mm(last.from_m[rig::kZ]), mm(last.to_m[rig::kX]), mm(last.to_m[rig::kZ]), did);
    case StepOutcome::kMoveRefused:
      return fmt::format("{}: the stage or the interlock refused the move; the events say why", where);
    case StepOutcome::kEarlyContact:
      if (last.kind == StepKind::kStroke) {
        return fmt::format(
            "{}: in the air the instrument met something at x = {:.1f} mm ({:.2f} N); {}. Clear the way at "
            "the bench's clear_z_mm",
            where, mm(last.to_m[rig::kX]), last.normal_force_N.max(), did);
      }
      return fmt::format(
          "{}: on the fast way down to z = {:.1f} mm the instrument met something at z = {:.1f} mm "
          "({:.2f} N); {}. Raise [approach] start_z_mm above the phantom",
          where, mm(step.target_m[rig::kZ]), mm(last.to_m[rig::kZ]), last.normal_force_N.max(), did);
    case StepOutcome::kOverforce:
      return fmt::format(
          "{}: the normal force came to {:.2f} N, above [limits] max_force_N of {:g} N; {}. "
          "Check the phantom for something hard and the evenness of its surface",
          where, last.normal_force_N.max(), plan.protocol.max_force_N, did);
    case StepOutcome::kLostContact:
      return fmt::format(
          "{}: contact was lost at x = {:.1f} mm and not found again down to z = {:.1f} mm; {}. "
          "Check that the stroke stays on the phantom",
          where, mm(last.to_m[rig::kX]), mm(last.to_m[rig::kZ]), did);
    case StepOutcome::kCannotHold:
      return fmt::format(
          "{}: at {:g} mm/s over a phantom of {:.2f} N/mm this stage, {:.1f} ms late, would hold the force "
          "within {:.2f} N RMS, and {:.2f} N are allowed; {}. Stroke slower, or use a quicker stage",
          where, mm(step.speed_m_s), last.stiffness_N_m / kMillimetresPerMetre,
          plan.limits.hold ? mm(plan.limits.hold->delay_s) : 0.0, last.expected_error_N, plan.largest_error_N(step),
          did);
    case StepOutcome::kDose:
      return fmt::format("{}: treatment was ended by the dose account: {}; {}", where, evidence.dose_reason, did);
    case StepOutcome::kInterrupted:
      return fmt::format("{}: the run ended while it was suspended", where);
    case StepOutcome::kSuspendedTooLong:
      return fmt::format("{}: suspended for longer than [suspend] longest_s of {:g} s; {}", where,
                         plan.protocol.suspend_longest_s, did);
    case StepOutcome::kInterlock:
      break;  // the interlock has had its own sentence
  }
  return {};
}

}  // namespace strigil::protocols
