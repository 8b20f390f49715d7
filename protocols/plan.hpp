// Plan: a protocol expanded and checked against a bench, before anything moves. Immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/force_profile.hpp"
#include "protocols/path_follower.hpp"
#include "protocols/protocol.hpp"
#include "protocols/stroke_path.hpp"
#include "rig/bench.hpp"
#include "rig/force_control.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

/// What the bench permits.
struct PlanLimits {
  rig::Position travel_min_m{};
  rig::Position travel_max_m{};
  double clear_z_m = 0;
  double max_speed_m_s = 0;
  double max_force_N = 0;
  std::optional<rig::ForceControlConfig> hold = std::nullopt;  ///< without: this stage cannot hold a force
  double position_rate_Hz = 0;  ///< of the stage's reports; 0: not known, then short strokes are not refused beforehand
  std::optional<rig::TapConfig> taps =
      std::nullopt;      ///< before and after the strokes, where the bench has a place for them
  double angle_rad = 0;  ///< at which the instrument is held; 0: not known, then any is taken
};

enum class StepKind : std::uint8_t { kLift, kGoTo, kTare, kApproach, kPress, kDwell, kStroke, kRetract, kTap, kSurvey };
std::string_view name_of(StepKind kind) noexcept;

/// One step. Which fields mean something depends on the kind.
struct Step {
  StepKind kind = StepKind::kLift;
  std::size_t condition = 0;  ///< index into Plan::conditions
  rig::Position target_m{};   ///< kGoTo, kApproach (deepest), kStroke (x only), kRetract and kLift (z only); kTap: z,
                              ///< how far up from where it stands, and back
  double speed_m_s = 0;
  double force_N = 0;     ///< kApproach: guard; kPress: wish; held: in the middle of the way
  double duration_s = 0;  ///< kTare, kDwell; kTap: pause before it
  double timeout_s = 0;
  double from_clear_s = 0;  ///< kApproach, held kPress: how much more, when it begins at the clear height
  /// kPress, kDwell, kSurvey, kStroke: the force is held by control, and the next step takes it over.
  bool held = false;
  std::size_t way = 0;  ///< of these: index into Plan::ways
  bool forward = true;  ///< kSurvey and held kStroke: from the way's beginning to its end
  bool timing = false;  ///< belongs to the taps that prove the timeline and to no stroke
};

/// One cell of the factorial.
struct Condition {
  double normal_force_N = 0;  ///< 0: in the air
  double speed_m_s = 0;
  bool forward = true;
  int repeat = 1;
  int stroke = 0;                          ///< of a fan, from 1; 0: there is but one
  std::size_t phase = 0;                   ///< index into Plan::phases
  std::string phase_name = {};             ///< empty: the protocol has no phases
  [[nodiscard]] std::string name() const;  ///< e.g. "scan: 6 N, 100 mm/s, forward, repeat 1"
};

/// A way over the phantom with the force along it, for strokes that hold a force.
struct PlannedWay {
  StrokePath path;
  ForceProfile force;
};

struct Plan {
  Protocol protocol;
  PlanLimits limits;
  std::vector<PlannedWay> ways;
  std::optional<DoseConfig> dose;  ///< over all ways; of [dose]
  std::vector<ProtocolPhase> phases;
  std::vector<Condition> conditions;
  std::vector<Step> steps;
  /// Sum of the steps' expected durations, s. The phantom is taken to be met half-way down the approach.
  [[nodiscard]] double estimated_duration_s() const;
  [[nodiscard]] double estimated_step_s(const Step& step) const;
  /// What the step belongs to, for people: its condition's name, or "taps".
  [[nodiscard]] std::string belongs_to(const Step& step) const;
  /// The part of the dose at which the contacts left in the step's phase are left out; 0: never.
  [[nodiscard]] double dose_fraction(const Step& step) const noexcept;
  /// RMS error of the force up to which a held stroke is begun.
  [[nodiscard]] double largest_error_N(const Step& step) const;
  /// How a held stroke or survey goes along its way.
  [[nodiscard]] FollowLimits follow_limits(const Step& step) const;
};

/// How near the press before the taps must come to [taps] force_N, as a fraction of it.
inline constexpr double kTapTolerance = 0.1;

/// The ways of a protocol's strokes with this force in the middle: one, or each stroke of a fan.
daq::Result<std::vector<PlannedWay>> ways_of(const Protocol& protocol, double force_N);
/// Expands the lists and checks every limit. Errors say which limit, by how much, and where to change it.
daq::Result<Plan> expand(const Protocol& protocol, const PlanLimits& limits);
/// For people (dry run) and for the run file.
std::string to_text(const Plan& plan);
std::string to_json(const Plan& plan);

}  // namespace strigil::protocols
