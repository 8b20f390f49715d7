// Plan: a protocol expanded and checked against a bench, before anything moves. Immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/protocol.hpp"
#include "rig/bench.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

/// What the bench permits.
struct PlanLimits {
  rig::Position travel_min_m{};
  rig::Position travel_max_m{};
  double clear_z_m = 0;
  double max_speed_m_s = 0;
  double max_force_N = 0;
  double position_rate_Hz = 0;  ///< of the stage's reports; 0: not known, then short strokes are not refused beforehand
  std::optional<rig::TapConfig> taps =
      std::nullopt;  ///< before and after the strokes, where the bench has a place for them
};

enum class StepKind : std::uint8_t { kLift, kGoTo, kTare, kApproach, kPress, kDwell, kStroke, kRetract, kTap };
std::string_view name_of(StepKind kind) noexcept;

/// One step. Which fields mean something depends on the kind.
struct Step {
  StepKind kind = StepKind::kLift;
  std::size_t condition = 0;  ///< index into Plan::conditions
  rig::Position target_m{};   ///< kGoTo, kApproach (deepest), kStroke (x only), kRetract and kLift (z only); kTap: z,
                              ///< how far up from where it stands, and back
  double speed_m_s = 0;
  double force_N = 0;     ///< kApproach: guard; kPress: wish
  double duration_s = 0;  ///< kTare, kDwell; kTap: pause before it
  double timeout_s = 0;
  bool timing = false;  ///< belongs to the taps that prove the timeline and to no stroke
};

/// One cell of the factorial.
struct Condition {
  double normal_force_N = 0;
  double speed_m_s = 0;
  bool forward = true;
  int repeat = 1;
  [[nodiscard]] std::string name() const;  ///< e.g. "6 N, 100 mm/s, forward, repeat 1"
};

struct Plan {
  Protocol protocol;
  PlanLimits limits;
  std::vector<Condition> conditions;
  std::vector<Step> steps;
  /// Sum of the steps' expected durations, s. The phantom is taken to be met half-way down the approach.
  [[nodiscard]] double estimated_duration_s() const;
  [[nodiscard]] double estimated_step_s(const Step& step) const;
  /// What the step belongs to, for people: its condition's name, or "taps".
  [[nodiscard]] std::string belongs_to(const Step& step) const;
};

/// How near the press before the taps must come to [taps] force_N, as a fraction of it.
inline constexpr double kTapTolerance = 0.1;

/// Expands the lists and checks every limit. Errors say which limit, by how much, and where to change it.
daq::Result<Plan> expand(const Protocol& protocol, const PlanLimits& limits);
/// For people (dry run) and for the run file.
std::string to_text(const Plan& plan);
std::string to_json(const Plan& plan);

}  // namespace strigil::protocols
