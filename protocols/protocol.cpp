#include "protocols/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <numbers>

#include "daq/strict_toml.hpp"

namespace strigil::protocols {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr double kMillimetre = 1e-3;
constexpr double kMillisecond = 1e-3;
constexpr double kPercent = 1e-2;
constexpr double kDegree = std::numbers::pi / 180;
/// A pass this slow learns a surface that one at 100 mm/s would have to follow unseen (docs/force_control.md) [C].
constexpr double kSurvey_m_s = 25e-3;
constexpr double kDwell_s = 0.2;
constexpr std::size_t kMostPhases = 20;
constexpr Range kAnywhere_mm{-2000, 2000};
// science.md 1.1: clinical strokes are 0.3-125 N (Everingham 2019); 1.2: 25-400 mm/s, here with room below for tests.
constexpr Range kForce_N{0.2, 125};
constexpr Range kSpeed_mm_s{1, 400};

bool valid_name(const std::string& name) {
  constexpr std::size_t kLongestName = 64;
  constexpr std::string_view kMay = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= kLongestName && name.find_first_not_of(kMay) == std::string::npos;
}

void read_approach(StrictTable t, Protocol& p) {
  p.start_x_m = t.number("start_x_mm", kAnywhere_mm) * kMillimetre;
  p.start_y_m = t.number("start_y_mm", kAnywhere_mm, 0.0) * kMillimetre;
  p.start_z_m = t.number("start_z_mm", kAnywhere_mm) * kMillimetre;
  p.deepest_z_m = t.number("deepest_z_mm", kAnywhere_mm) * kMillimetre;
  if (t.has("start_z_mm") && t.has("deepest_z_mm") && p.deepest_z_m >= p.start_z_m)
    t.refuse("deepest_z_mm", "'deepest_z_mm' must lie below 'start_z_mm'");
  p.approach_speed_m_s = t.number("speed_mm_s", {0.1, 10}, 5.0) * kMillimetre;  // science.md 4.2
  p.contact_force_N = t.number("contact_force_N", {0.05, 5}, 0.3);              // science.md 4.2
  t.finish();
}

/// Keys that mean nothing while the stage holds its depth: who writes them expects something else.
void only_with_force(StrictTable& t, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (t.has(key)) t.refuse(key, fmt::format("'{}' needs [press] hold = \"force\"", key));
  }
}

std::vector<double> in_si(std::vector<double> values, double unit) {
  for (double& v : values) v *= unit;
  return values;
}

/// Each of [[phases]] may say it for itself; with none of them, a file must say it here.
std::optional<std::vector<double>> nothing_if(bool phases) {
  return phases ? std::optional(std::vector<double>{}) : std::nullopt;
}

/// How the force goes along the way of a stroke.
void read_force_shape(StrictTable& t, Protocol& p) {
  const auto shape = t.text("force_profile", "constant");
  if (shape == "ramp") {
    p.force_shape = ForceShape::kRamp;
  } else if (shape == "trapezoid") {
    p.force_shape = ForceShape::kTrapezoid;
  } else if (shape == "half_sine") {
    p.force_shape = ForceShape::kHalfSine;
  } else if (shape != "constant") {
    t.refuse("force_profile", "'force_profile' is \"constant\", \"ramp\", \"trapezoid\" or \"half_sine\"");
  }
  if (p.force_shape != ForceShape::kConstant) p.edge_fraction = t.number("edge_percent", {5, 100}, 30.0) * kPercent;
  if (p.force_shape == ForceShape::kTrapezoid) p.rise_fraction = t.number("rise_percent", {1, 50}, 30.0) * kPercent;
}

void read_press(StrictTable t, Protocol& p, bool phases) {
  p.normal_force_N = t.numbers("normal_force_N", kForce_N, nothing_if(phases));
  p.press_tolerance = t.number("tolerance_percent", {0.5, 50}, 5.0) * kPercent;
  p.press_timeout_s = t.number("timeout_s", {1, 120}, 20.0);
  const auto hold = t.text("hold", "depth");
  if (hold == "force") {
    p.hold = Hold::kForce;
  } else if (hold != "depth") {
    t.refuse("hold", "'hold' is \"depth\" or \"force\"");
  }
  p.force_rate_N_s = t.number("rate_N_s", {0.1, 200}, 20.0);  // science.md 4.2 [M]
  read_force_shape(t, p);
  if (p.hold != Hold::kForce) only_with_force(t, {"rate_N_s", "force_profile"});
  t.finish();
}

Directions read_directions(StrictTable& t, Directions otherwise) {
  const auto word = t.text("directions", otherwise == Directions::kBoth ? "both" : "forward");
  if (word == "both") return Directions::kBoth;
  if (word != "forward") t.refuse("directions", "'directions' is \"forward\" or \"both\"");
  return Directions::kForward;
}

int read_repeats(StrictTable& t, int otherwise) { return static_cast<int>(t.integer("repeats", {1, 1000}, otherwise)); }

double read_dwell(StrictTable& t, double otherwise_s) {
  return t.has("dwell_ms") ? t.number("dwell_ms", {0, 60000}) * kMillisecond : (t.pass_over("dwell_ms"), otherwise_s);
}

double read_survey_speed(StrictTable& t, double otherwise_m_s) {
  constexpr std::string_view kKey = "survey_speed_mm_s";
  return t.has(kKey) ? t.number(kKey, {0, 100}) * kMillimetre : (t.pass_over(kKey), otherwise_m_s);
}

/// The shapes and the ways of going along them that need the force held.
void read_held_stroke(StrictTable& t, Protocol& p) {
  struct Named {
    std::string_view name;
    StrokeShape shape;
  };
  constexpr std::array kShapes{Named{"straight", StrokeShape::kStraight}, Named{"fan", StrokeShape::kFan},
                               Named{"frame", StrokeShape::kFrame}, Named{"j", StrokeShape::kHook},
                               Named{"scoop", StrokeShape::kScoop}};
  const auto shape = t.text("shape", "straight");
  const auto* named = std::find_if(kShapes.begin(), kShapes.end(), [&](const Named& n) { return n.name == shape; });
  if (named == kShapes.end()) {
    t.refuse("shape", "'shape' is \"straight\", \"fan\", \"frame\", \"j\" or \"scoop\"");
  } else {
    p.shape = named->shape;
  }
  p.heading_rad = t.number("heading_deg", {-180, 180}, 0.0) * kDegree;
  p.survey_speed_m_s = read_survey_speed(t, kSurvey_m_s);
  p.acceleration_m_s2 = t.number("acceleration_mm_s2", {10, 50e3}, 1000.0) * kMillimetre;
  p.jerk_m_s3 = t.number("jerk_mm_s3", {100, 5e6}, 50e3) * kMillimetre;
  if (p.shape == StrokeShape::kFan) {
    p.fan_strokes = static_cast<int>(t.integer("fan_strokes", {2, 100}, 5));
    p.fan_spread_rad = t.number("fan_spread_deg", {1, 360}, 60.0) * kDegree;
  } else if (p.shape == StrokeShape::kFrame) {
    p.frame_width_m = t.number("frame_width_mm", {1, 1000}) * kMillimetre;
    p.corner_radius_m = t.number("corner_radius_mm", {0, 500}, 5.0) * kMillimetre;
  } else if (p.shape == StrokeShape::kHook) {
    p.hook_radius_m = t.number("hook_radius_mm", {1, 500}, 15.0) * kMillimetre;
    p.hook_sweep_rad = t.number("hook_sweep_deg", {-360, 360}, 180.0) * kDegree;
  } else if (p.shape == StrokeShape::kScoop) {
    if (p.force_shape != ForceShape::kConstant) {
      t.refuse("shape", "a scoop has a force profile of its own: leave [press] force_profile out");
    }
    p.scoop_enter_fraction = t.number("scoop_enter_percent", {5, 100}, 30.0) * kPercent;
  }
}

/// With all that the protocol says.
ProtocolPhase phase_of(const Protocol& p) {
  return {.name = {},
          .normal_force_N = p.normal_force_N,
          .stroke_speed_m_s = p.stroke_speed_m_s,
          .directions = p.directions,
          .repeats = p.repeats,
          .dwell_s = p.dwell_s,
          .survey_speed_m_s = p.survey_speed_m_s};
}

void read_stroke(StrictTable t, Protocol& p, bool phases) {
  p.stroke_length_m = t.number("length_mm", {1, 1000}) * kMillimetre;
  p.stroke_speed_m_s = in_si(t.numbers("speed_mm_s", kSpeed_mm_s, nothing_if(phases)), kMillimetre);
  p.directions = read_directions(t, Directions::kForward);
  p.repeats = read_repeats(t, 1);
  p.dwell_s = read_dwell(t, kDwell_s);
  p.angle_rad = t.number("angle_deg", {30, 90}, 90.0) * kDegree;  // science.md 1.3: 30-90 degrees
  p.in_air = t.boolean("in_air", false);
  read_held_stroke(t, p);
  if (p.in_air && (p.shape != StrokeShape::kStraight || p.heading_rad != 0))
    t.refuse("in_air", "strokes in the air go straight along x: leave 'shape' and 'heading_deg' out");
  if (p.hold != Hold::kForce) {
    only_with_force(t, {"shape", "heading_deg", "survey_speed_mm_s", "acceleration_mm_s2", "jerk_mm_s3"});
  }
  t.finish();
}

/// Numbers of a phase, else those of the protocol, else it lacks them.
std::vector<double> read_own(StrictTable& t, std::string_view key, daq::Range range, double unit,
                             const std::vector<double>& otherwise) {
  if (t.has(key) || otherwise.empty()) return in_si(t.numbers(key, range), unit);
  t.pass_over(key);
  return otherwise;
}

ProtocolPhase read_phase(StrictTable& t, const Protocol& p) {
  auto phase = phase_of(p);
  phase.name = t.text("name");
  if (t.has("name") && !valid_name(phase.name))
    t.refuse("name", "a phase's 'name' is 1 to 64 of a-z, A-Z, 0-9, '_' and '-'");
  phase.normal_force_N = read_own(t, "normal_force_N", kForce_N, 1, p.normal_force_N);
  phase.stroke_speed_m_s = read_own(t, "speed_mm_s", kSpeed_mm_s, kMillimetre, p.stroke_speed_m_s);
  phase.directions = read_directions(t, p.directions);
  phase.repeats = read_repeats(t, p.repeats);
  phase.dwell_s = read_dwell(t, p.dwell_s);
  phase.survey_speed_m_s = read_survey_speed(t, p.survey_speed_m_s);
  if (p.hold != Hold::kForce) only_with_force(t, {"survey_speed_mm_s", "dose_percent"});
  phase.dose_fraction = t.number("dose_percent", {1, 100}, 0.0) * kPercent;
  if (phase.dose_fraction > 0 && !p.dose)
    t.refuse("dose_percent", "'dose_percent' is of the limits of [dose], which is not there");
  t.finish();
  return phase;
}

void read_phases(StrictTable& root, Protocol& p) {
  auto tables = root.tables("phases");
  if (tables.size() > kMostPhases)
    root.refuse("phases", fmt::format("at most {} phases; there are {}", kMostPhases, tables.size()));
  for (auto& t : tables) {
    auto phase = read_phase(t, p);
    const auto same = [&](const ProtocolPhase& other) { return other.name == phase.name; };
    if (std::any_of(p.phases.begin(), p.phases.end(), same))
      t.refuse("name", fmt::format("two phases are called '{}'", phase.name));
    p.phases.push_back(std::move(phase));
  }
}

void read_dose(StrictTable t, Protocol& p) {
  constexpr double kKilo = 1e3;
  DoseLimits d;
  d.max_time_s = t.number("max_time_s", {0.1, 3600}, d.max_time_s);
  d.max_strokes = static_cast<std::uint32_t>(t.integer("max_strokes", {1, 100000}, d.max_strokes));
  d.max_impulse_N_s = t.number("max_impulse_N_s", {0.01, 1e6}, d.max_impulse_N_s);
  d.max_work_J = t.number("max_work_J", {0.001, 1e6}, d.max_work_J);
  d.max_pressure_Pa = t.number("max_pressure_kPa", {0.1, 1e5}, d.max_pressure_Pa / kKilo) * kKilo;
  p.edge.length_m = t.number("edge_length_mm", {0.1, 500}, p.edge.length_m / kMillimetre) * kMillimetre;
  p.edge.width_m = t.number("edge_width_mm", {0.1, 500}, p.edge.width_m / kMillimetre) * kMillimetre;
  p.dose_area_side_m = t.number("area_mm", {1, 200}, DoseGrid{}.area_side_m / kMillimetre) * kMillimetre;
  p.dose = d;
  t.finish();
}

}  // namespace

std::vector<ProtocolPhase> phases_of(const Protocol& p) {
  return p.phases.empty() ? std::vector{phase_of(p)} : p.phases;
}

daq::Result<Protocol> parse_protocol(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  Protocol p;
  p.file = file;
  auto head = root.table("protocol", true);
  p.name = head.text("name");
  p.title = head.text("title", "");
  p.description = head.text("description", "");
  p.version = head.text("version", "");
  if (head.has("name") && !valid_name(p.name))
    head.refuse("name", "'protocol.name' is 1 to 64 of a-z, A-Z, 0-9, '_' and '-': it becomes part of file names");
  head.finish();
  read_approach(root.table("approach", true), p);
  const bool phases = root.has("phases");
  read_press(root.table("press", true), p, phases);
  read_stroke(root.table("stroke", true), p, phases);
  if (root.has("dose")) {
    auto dose = root.table("dose", true);
    if (p.hold != Hold::kForce) dose.refuse("", "[dose] needs [press] hold = \"force\"");
    read_dose(std::move(dose), p);
  }
  read_phases(root, p);
  auto suspend = root.table("suspend", false);
  // Real treatment lasts under a minute an area (science.md 1.2); 5 s and 10 minutes are [A].
  p.suspend_hold_s = suspend.number("hold_s", {0, 60}, p.suspend_hold_s);
  p.suspend_longest_s = suspend.number("longest_s", {1, 86400}, p.suspend_longest_s);
  suspend.finish();
  auto limits = root.table("limits", true);
  p.max_force_N = limits.number("max_force_N", kForce_N);
  limits.finish();
  auto verdict = root.table("verdict", true);
  p.force_tolerance = verdict.number("force_tolerance_percent", {0.5, 100}) * kPercent;
  p.min_contact_fraction = verdict.number("min_contact_percent", {1, 100}, 95.0) * kPercent;
  p.max_position_error_m = verdict.number("max_position_error_mm", {0.01, 50}, 0.5) * kMillimetre;
  p.speed_tolerance = verdict.number("speed_tolerance_percent", {1, 100}, 10.0) * kPercent;
  p.min_vibration_m_s2 = verdict.number("min_vibration_m_s2", {0, 1000}, 0.02);
  p.max_force_rms_N = verdict.number("max_force_rms_N", {0, 100}, 0.0);
  p.max_overshoot = verdict.number("max_overshoot_percent", {1, 100}, 10.0) * kPercent;
  if (p.hold != Hold::kForce) only_with_force(verdict, {"max_force_rms_N", "max_overshoot_percent"});
  verdict.finish();
  root.finish();
  if (document.error()) return *document.error();
  return p;
}

}  // namespace strigil::protocols
