// Protocol: the experiment as a person writes it (docs/protocol_file.md). Never a "wire protocol": those are codecs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/dose_account.hpp"

namespace strigil::protocols {

enum class Directions : std::uint8_t { kForward, kBoth };
/// What is held during a stroke.
enum class Hold : std::uint8_t { kDepth, kForce };
/// The way of a stroke over the phantom (stroke_path.hpp).
/// Force over the way of a stroke (force_profile.hpp).
enum class ForceShape : std::uint8_t { kConstant, kRamp, kTrapezoid, kHalfSine };
enum class StrokeShape : std::uint8_t { kStraight, kFan, kFrame, kHook, kScoop };

/// A part of a protocol with forces and speeds of its own, over the same way: scan, treat, rescan. All of its own
/// contacts come before those of the next.
struct ProtocolPhase {
  std::string name;  ///< empty: the protocol has no phases
  std::vector<double> normal_force_N;
  std::vector<double> stroke_speed_m_s;
  Directions directions = Directions::kForward;
  int repeats = 1;
  double dwell_s = 0;
  double survey_speed_m_s = 0;  ///< Hold::kForce, see Protocol
  /// When an area has received this part of any limit of [dose], the contacts that are left in this phase are left
  /// out; 0: never. Needs [dose].
  double dose_fraction = 0;
};

/// As read, in SI. Lists expand to the full factorial (plan.hpp).
struct Protocol {
  std::string name;
  std::string title;
  std::string description;
  std::string version;
  std::string file;

  double start_x_m = 0;
  double start_y_m = 0;
  double start_z_m = 0;           ///< where the slow approach begins; must be free of the phantom
  double approach_speed_m_s = 0;  ///< science.md 4.2: at most 5-10 mm/s
  double contact_force_N = 0;     ///< guard; science.md 4.2: 0.2-0.5 N
  double deepest_z_m = 0;         ///< the approach gives up here

  std::vector<ProtocolPhase> phases;  ///< as read; empty: all at once (phases_of())
  std::vector<double> normal_force_N;
  double press_tolerance = 0;  ///< of the force, as a fraction
  double press_timeout_s = 0;
  Hold hold = Hold::kDepth;
  ForceShape force_shape = ForceShape::kConstant;  ///< Hold::kForce; of kScoop its own
  double edge_fraction = 1;                        ///< force at both ends (kRamp: at the beginning), of normal_force_N
  double rise_fraction = 0.3;                      ///< kTrapezoid: of the way, for the rise and for the fall
  double force_rate_N_s = 0;                       ///< Hold::kForce: of the ramp; science.md 4.2 [M]: 10-20 N/s

  double stroke_length_m = 0;
  std::vector<double> stroke_speed_m_s;
  Directions directions = Directions::kForward;
  int repeats = 1;
  double dwell_s = 0;
  /// Strokes at the bench's clear height that touch nothing: what the machine makes by itself, and a control for
  /// detectors. Force and what is held mean nothing then.
  bool in_air = false;

  // Hold::kForce only
  StrokeShape shape = StrokeShape::kStraight;
  double heading_rad = 0;           ///< from +x towards +y
  double survey_speed_m_s = 0;      ///< of the pass before, that learns the surface; 0: none
  double acceleration_m_s2 = 0;     ///< along the way
  double jerk_m_s3 = 0;             ///< likewise
  int fan_strokes = 0;              ///< kFan
  double fan_spread_rad = 0;        ///< kFan
  double frame_width_m = 0;         ///< kFrame
  double corner_radius_m = 0;       ///< kFrame
  double hook_radius_m = 0;         ///< kHook
  double hook_sweep_rad = 0;        ///< kHook
  double scoop_enter_fraction = 0;  ///< kScoop: force at both ends, of the force in the middle
  double angle_rad = 0;             ///< of the instrument against the surface: set by hand, recorded

  std::optional<DoseLimits> dose;  ///< without: nothing is counted against a limit
  EdgeContact edge;                ///< what touches, for the dose account
  double dose_area_side_m = 0;

  double suspend_hold_s = 5;       ///< so long a suspended run stays in contact; then the instrument is lifted
  double suspend_longest_s = 600;  ///< so long a run may be suspended; then it ends

  double max_force_N = 0;  ///< the protocol's own limit; no more than the bench's

  // what a PASS needs
  double force_tolerance = 0;       ///< mean normal force of each stroke within this fraction of the wish
  double min_contact_fraction = 0;  ///< of a stroke's force samples
  double max_position_error_m = 0;  ///< of a stroke's start and end against the wish
  double speed_tolerance = 0;       ///< speed over the middle 60 % within this fraction of the wish
  double min_vibration_m_s2 = 0;    ///< RMS below which the accelerometer did not feel the stroke
  double max_force_rms_N = 0;       ///< Hold::kForce: RMS error of the force while moving; 0: not judged
  double max_overshoot = 0;         ///< Hold::kForce: of the first contact, as a fraction of the force
};

/// Refuses unknown keys, wrong types, wrong units and values out of range with file, line and column. Off the loop.
daq::Result<Protocol> parse_protocol(std::string_view text, const std::string& file);
/// Its phases; where it has none, one without a name that does what the protocol says. Pure.
std::vector<ProtocolPhase> phases_of(const Protocol& protocol);

}  // namespace strigil::protocols
