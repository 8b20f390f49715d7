#include "protocols/plan_times.hpp"

#include "protocols/plan.hpp"

namespace strigil::protocols {
namespace {

/// A press is a handful of small steps, each a move and a look.
constexpr double kPress_s = 1.5;
/// A stroke under force goes by its profile, and then waits for the readback.
constexpr double kHeldOverhead_s = 0.1;
/// Coming free: the look at the zero after a retract (runner.cpp).
constexpr double kZeroLook_s = 0.16;
/// Rest at both ends of a tap, and two reports that the stage stands still.
constexpr double kTapRests_s = 0.6;

}  // namespace

FollowLimits Plan::follow_limits(const Step& s) const {
  FollowLimits f;
  f.profile = {s.speed_m_s, protocol.acceleration_m_s2, protocol.jerk_m_s3};
  f.max_centripetal_m_s2 = protocol.acceleration_m_s2;
  f.drive_delay_s = limits.hold ? limits.hold->drive_delay_s : 0;
  return f;
}

double Plan::dose_fraction(const Step& s) const noexcept { return phases[conditions[s.condition].phase].dose_fraction; }

double Plan::largest_error_N(const Step& s) const {
  return protocol.max_force_rms_N > 0 ? protocol.max_force_rms_N : protocol.force_tolerance * s.force_N;
}

double Plan::estimated_step_s(const Step& s) const {
  const auto& p = protocol;
  const double start_z_m = s.timing && limits.taps ? limits.taps->start_z_m : p.start_z_m;
  const double deepest_z_m = s.timing && limits.taps ? limits.taps->deepest_z_m : p.deepest_z_m;
  const double middle_z_m = (start_z_m + deepest_z_m) / 2;
  switch (s.kind) {
    case StepKind::kTare:
    case StepKind::kDwell:
      return s.duration_s;
    case StepKind::kPress:
      if (!s.held) return kPress_s;
      return kPress_s + s.force_N / p.force_rate_N_s +
             (start_z_m - middle_z_m) / rig::ForceControl(*limits.hold).approach_speed(s.force_N, s.speed_m_s);
    case StepKind::kSurvey:
    case StepKind::kStroke:
      if (s.held) return PathFollower::duration_s(ways[s.way].path, follow_limits(s)) + kHeldOverhead_s;
      return p.stroke_length_m / s.speed_m_s + kMoveOverhead_s;
    case StepKind::kApproach:
      return (start_z_m - middle_z_m) / s.speed_m_s + kMoveOverhead_s;
    case StepKind::kLift:
      return kMoveOverhead_s;
    case StepKind::kGoTo:
      return (s.target_m[rig::kZ] < limits.clear_z_m ? limits.clear_z_m - start_z_m : p.stroke_length_m) / s.speed_m_s +
             kMoveOverhead_s;
    case StepKind::kRetract:
      return (limits.clear_z_m - middle_z_m) / s.speed_m_s + kMoveOverhead_s + kZeroLook_s;
    case StepKind::kTap:
      return s.duration_s + 2 * s.target_m[rig::kZ] / s.speed_m_s + kTapRests_s;
  }
  return 0;
}

double Plan::estimated_duration_s() const {
  double sum = 0;
  for (const auto& s : steps) sum += estimated_step_s(s);
  return sum;
}

}  // namespace strigil::protocols
