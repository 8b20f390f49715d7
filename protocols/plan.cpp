#include "protocols/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "protocols/plan_times.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;
constexpr double kTare_s = 0.5;
/// A speed is told from position reports in the middle 60 % of a stroke; fewer than this tell nothing.
constexpr double kMiddle = 0.6;
constexpr double kFewestReports = 3;
/// How many times its longest a step may take.
constexpr double kTimeoutFactor = 1.5;
constexpr double kTimeoutFloor_s = 5.0;
/// Onto a hard stop: the slow end of science.md 4.2, 5-10 mm/s.
constexpr double kTapApproach_m_s = 5e-3;
/// Pauses before taps are this times 0, 1, 3, 6...
constexpr double kTapPause_s = 0.03;
constexpr std::size_t kMostConditions = 10000;

double mm(double m) { return m * kMillimetresPerMetre; }

class Expander {
 public:
  Expander(const Protocol& p, const PlanLimits& l) { plan_.protocol = p, plan_.limits = l; }

  daq::Result<Plan> run() {
    if (auto checked = check(); !checked) return checked.error();
    const auto& p = plan_.protocol;
    plan_.phases = phases_of(p);
    for (const auto& phase : plan_.phases) {
      if (auto checked = check_phase(phase); !checked) return checked.error();
    }
    add_taps(0);
    for (phase_ = 0; phase_ < plan_.phases.size(); ++phase_) {
      if (auto added = add_phase(plan_.phases[phase_]); !added) return added.error();
    }
    add_taps(condition());
    if (p.dose && !p.in_air) {
      if (auto r = count_dose(); !r) return r.error();
    }
    for (auto& s : plan_.steps) {
      if (s.held && s.kind == StepKind::kPress) s.timeout_s = p.press_timeout_s + 2 * held_approach_s(s, p.deepest_z_m);
      if (s.kind == StepKind::kApproach || (s.held && s.kind == StepKind::kPress)) {
        const double speed_m_s =
            s.held ? rig::ForceControl(*plan_.limits.hold).approach_speed(s.force_N, s.speed_m_s) : s.speed_m_s;
        s.from_clear_s = 2 * std::max(0.0, plan_.limits.clear_z_m - start_z_m(s)) / speed_m_s;
      }
      if (s.timeout_s == 0) s.timeout_s = kTimeoutFloor_s + kTimeoutFactor * longest_step_s(s);
    }
    return plan_;
  }

 private:
  [[nodiscard]] daq::Error refuse(const std::string& why) const {
    return {fmt::format("{}: {}. Nothing was moved", plan_.protocol.file, why)};
  }

  daq::Result<void> add_phase(const ProtocolPhase& phase) {
    const auto& p = plan_.protocol;
    if (p.in_air) return add_air_phase(phase);
    for (const double force : phase.normal_force_N) {
      const auto first_way = plan_.ways.size();
      if (p.hold == Hold::kForce) {
        auto ways = ways_of(p, force);
        if (!ways) return refuse(ways.error().message);
        for (auto& way : *ways) {
          if (auto r = check_way(way); !r) return r.error();
          if (auto r = check_force_rate(way, phase); !r) return r.error();
          plan_.ways.push_back(std::move(way));
        }
      }
      for (const double speed : phase.stroke_speed_m_s) {
        for (int repeat = 1; repeat <= phase.repeats; ++repeat) {
          if (p.hold == Hold::kDepth) add_strokes(phase, force, speed, repeat);
          for (auto way = first_way; way < plan_.ways.size(); ++way) {
            add_held_strokes(phase, force, speed, repeat, way,
                             plan_.ways.size() - first_way > 1 ? static_cast<int>(way - first_way) + 1 : 0);
          }
          if (plan_.conditions.size() > kMostConditions) {
            return refuse(fmt::format("the lists expand to more than {} strokes", kMostConditions));
          }
        }
      }
    }
    return {};
  }

  /// Each speed over the same x as on tissue, at the clear height, by moves from point to point: whatever is heard then
  /// is the machine.
  daq::Result<void> add_air_phase(const ProtocolPhase& phase) {
    for (const double speed : phase.stroke_speed_m_s) {
      for (int repeat = 1; repeat <= phase.repeats; ++repeat) {
        add_air_strokes(phase, speed, repeat);
        if (plan_.conditions.size() > kMostConditions)
          return refuse(fmt::format("the lists expand to more than {} strokes", kMostConditions));
      }
    }
    return {};
  }

  void add_condition(double force, double speed, bool forward, int repeat, int stroke = 0) {
    plan_.conditions.push_back({force, speed, forward, repeat, stroke, phase_, plan_.phases[phase_].name});
  }

  /// From wherever the stage may stand.
  [[nodiscard]] double longest_step_s(const Step& s) const {
    const auto& l = plan_.limits;
    double travel_m = 0;
    for (std::size_t a = 0; a < rig::kAxes; ++a) travel_m += l.travel_max_m[a] - l.travel_min_m[a];
    switch (s.kind) {
      case StepKind::kLift:
      case StepKind::kGoTo:
      case StepKind::kRetract:
        return travel_m / s.speed_m_s + kMoveOverhead_s;
      case StepKind::kApproach:
        return (start_z_m(s) - s.target_m[rig::kZ]) / s.speed_m_s + kMoveOverhead_s;
      default:
        return plan_.estimated_step_s(s);
    }
  }

  [[nodiscard]] daq::Result<void> check_point(const char* what, const rig::Position& at) const {
    const auto& l = plan_.limits;
    constexpr const char* kNames[] = {"x", "y", "z"};
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      if (at[a] < l.travel_min_m[a] || at[a] > l.travel_max_m[a]) {
        return refuse(fmt::format("{} is at {} = {:.1f} mm, outside the stage's travel of {:.1f} to {:.1f} mm", what,
                                  kNames[a], mm(at[a]), mm(l.travel_min_m[a]), mm(l.travel_max_m[a])));
      }
    }
    return {};
  }

  [[nodiscard]] daq::Result<void> check() const {
    const auto& p = plan_.protocol;
    const auto& l = plan_.limits;
    if (p.max_force_N > l.max_force_N) {
      return refuse(fmt::format("[limits] max_force_N is {:g} N; the bench's interlock trips at {:g} N", p.max_force_N,
                                l.max_force_N));
    }
    constexpr double kDegree = std::numbers::pi / 180;
    constexpr double kSetByHand_rad = 0.5 * kDegree;
    if (l.angle_rad > 0 && std::abs(p.angle_rad - l.angle_rad) > kSetByHand_rad) {
      return refuse(
          fmt::format("[stroke] angle_deg is {:g}; on this bench the instrument is held at {:g}: set it by "
                      "hand, and write it into the bench file's [instrument] angle_deg",
                      p.angle_rad / kDegree, l.angle_rad / kDegree));
    }
    if (p.hold == Hold::kForce && !p.in_air) {
      if (!l.hold) {
        return refuse(
            "[press] hold = \"force\" needs a stage that takes velocities (tmcl or zaber); the bench's moves from "
            "point to point only");
      }
      if (p.acceleration_m_s2 > l.hold->max_acceleration_m_s2) {
        return refuse(fmt::format("[stroke] acceleration_mm_s2 of {:g} exceeds the stage's {:g}",
                                  mm(p.acceleration_m_s2), mm(l.hold->max_acceleration_m_s2)));
      }
    }
    if (p.approach_speed_m_s > l.max_speed_m_s) {
      return refuse(fmt::format("an approach at {:g} mm/s exceeds the stage's {:g} mm/s", mm(p.approach_speed_m_s),
                                mm(l.max_speed_m_s)));
    }
    if (p.start_z_m > l.clear_z_m) return refuse("start_z_mm lies above the bench's clear_z_mm");
    const rig::Position start{p.start_x_m, p.start_y_m, p.start_z_m};
    if (auto r = check_point("the start", start); !r) return r;
    if (auto r = check_point("the bench's clear height", {p.start_x_m, p.start_y_m, l.clear_z_m}); !r) return r;
    if (auto r = check_taps(); !r) return r;
    if (auto r = check_point("the deepest approach", {p.start_x_m, p.start_y_m, p.deepest_z_m}); !r) return r;
    if (p.in_air)
      return check_point("the end of a stroke in the air", {p.start_x_m + p.stroke_length_m, p.start_y_m, l.clear_z_m});
    if (p.hold == Hold::kForce) return {};
    return check_point("the end of the stroke", {p.start_x_m + p.stroke_length_m, p.start_y_m, p.start_z_m});
  }

  [[nodiscard]] daq::Result<void> check_phase(const ProtocolPhase& phase) const {
    const auto& p = plan_.protocol;
    const auto& l = plan_.limits;
    for (const double force : phase.normal_force_N) {
      if (force * (1 + p.press_tolerance) > p.max_force_N) {
        return refuse(fmt::format("a normal force of {:g} N (+{:g} %) exceeds [limits] max_force_N of {:g} N", force,
                                  p.press_tolerance * 100, p.max_force_N));
      }
      if (force <= p.contact_force_N) {
        return refuse(
            fmt::format("a normal force of {:g} N is not above the contact force of {:g} N", force, p.contact_force_N));
      }
    }
    for (const double speed : phase.stroke_speed_m_s) {
      if (speed > l.max_speed_m_s) {
        return refuse(
            fmt::format("a stroke speed of {:g} mm/s exceeds the stage's {:g} mm/s", mm(speed), mm(l.max_speed_m_s)));
      }
      if (p.hold == Hold::kForce && !p.in_air)
        continue;  // a stage that takes velocities reports its place hundreds of times a second
      const double reports = kMiddle * p.stroke_length_m / speed * l.position_rate_Hz;
      if (l.position_rate_Hz > 0 && reports < kFewestReports) {
        return refuse(
            fmt::format("a stroke of {:g} mm at {:g} mm/s is over before the stage, at {:g} reports a second, has told "
                        "its speed; make it longer or slower",
                        mm(p.stroke_length_m), mm(speed), l.position_rate_Hz));
      }
    }
    return {};
  }

  [[nodiscard]] daq::Result<void> check_way(const PlannedWay& way) const {
    const auto& l = plan_.limits;
    if (auto r = check_travel(way.path, l.travel_min_m, l.travel_max_m); !r) return refuse(r.error().message);
    const auto& box = way.path.box();
    if (l.taps && l.taps->x_m >= box.min_x_m && l.taps->x_m <= box.max_x_m && l.taps->y_m >= box.min_y_m &&
        l.taps->y_m <= box.max_y_m) {
      return refuse("the way of a stroke goes over the bench's [taps]");
    }
    return {};
  }

  /// A force that changes along the way, faster than it may at any time.
  [[nodiscard]] daq::Result<void> check_force_rate(const PlannedWay& way, const ProtocolPhase& phase) const {
    const auto& p = plan_.protocol;
    const double length_m = way.path.length_m();
    for (const double speed : phase.stroke_speed_m_s) {
      if (speed <= way.force.max_speed_m_s(p.force_rate_N_s, length_m)) continue;
      return refuse(
          fmt::format("the force profile changes by up to {:.1f} N/s at {:g} mm/s; [press] rate_N_s allows {:g}: "
                      "stroke slower, or make the stroke longer or its profile flatter",
                      way.force.max_slope_N_m(length_m) * speed, mm(speed), p.force_rate_N_s));
    }
    return {};
  }

  /// One account over all ways, so that what one stroke gave counts for the next.
  daq::Result<void> count_dose() {
    const auto& p = plan_.protocol;
    PathBox box = plan_.ways.front().path.box();
    for (const auto& way : plan_.ways) {
      const auto& other = way.path.box();
      box = {std::min(box.min_x_m, other.min_x_m), std::min(box.min_y_m, other.min_y_m),
             std::max(box.max_x_m, other.max_x_m), std::max(box.max_y_m, other.max_y_m)};
    }
    DoseConfig dose;
    dose.edge = p.edge;
    dose.limits = *p.dose;
    dose.grid = grid_over(box, p.edge, p.dose_area_side_m);
    if (auto account = DoseAccount::make(dose); !account) return refuse("[dose]: " + account.error().message);
    plan_.dose = dose;
    return {};
  }

  /// From the height where the slow approach begins down to `z_m`, no faster than the first touch may be.
  [[nodiscard]] double held_approach_s(const Step& s, double z_m) const {
    const rig::ForceControl control(*plan_.limits.hold);
    return (plan_.protocol.start_z_m - z_m) / control.approach_speed(s.force_N, s.speed_m_s);
  }

  [[nodiscard]] daq::Result<void> check_taps() const {
    if (!plan_.limits.taps) return {};
    const auto& t = *plan_.limits.taps;
    if (t.force_N * (1 + kTapTolerance) > plan_.protocol.max_force_N) {
      return refuse(fmt::format("the bench's [taps] force_N of {:g} N (+{:g} %) exceeds [limits] max_force_N of {:g} N",
                                t.force_N, kTapTolerance * 100, plan_.protocol.max_force_N));
    }
    if (t.start_z_m > plan_.limits.clear_z_m) return refuse("[taps] start_z_mm lies above the bench's clear_z_mm");
    if (auto r = check_point("the tapping place", {t.x_m, t.y_m, t.start_z_m}); !r) return r;
    return check_point("the deepest tap", {t.x_m, t.y_m, t.deepest_z_m});
  }

  [[nodiscard]] double start_z_m(const Step& s) const {
    return s.timing ? plan_.limits.taps->start_z_m : plan_.protocol.start_z_m;
  }

  /// The coded contact: pressed to a force as for a stroke, then up and down with pauses of which no two are alike, so
  /// that one tap cannot be taken for another.
  void add_taps(std::size_t condition) {
    if (!plan_.limits.taps) return;
    const auto& t = *plan_.limits.taps;
    const auto& l = plan_.limits;
    const double transit = std::min(l.max_speed_m_s, 0.1);
    const auto first = plan_.steps.size();
    const auto step = [&](StepKind kind) -> Step& {
      plan_.steps.push_back({.kind = kind, .condition = condition});
      return plan_.steps.back();
    };
    const auto move = [&](StepKind kind, const rig::Position& to, double speed) {
      auto& s = step(kind);
      s.target_m = to;
      s.speed_m_s = speed;
      return &s;
    };
    move(StepKind::kLift, {0, 0, l.clear_z_m}, transit);
    move(StepKind::kGoTo, {t.x_m, t.y_m, l.clear_z_m}, transit);
    step(StepKind::kTare).duration_s = kTare_s;
    move(StepKind::kGoTo, {t.x_m, t.y_m, t.start_z_m}, transit);
    const double approach = std::min(plan_.protocol.approach_speed_m_s, kTapApproach_m_s);
    move(StepKind::kApproach, {t.x_m, t.y_m, t.deepest_z_m}, approach)->force_N = plan_.protocol.contact_force_N;
    auto* press = move(StepKind::kPress, {0, 0, t.deepest_z_m}, approach);
    press->force_N = t.force_N;
    press->timeout_s = plan_.protocol.press_timeout_s;
    for (int i = 0; i < t.count; ++i) {
      move(StepKind::kTap, {0, 0, t.height_m}, t.speed_m_s)->duration_s = kTapPause_s * i * (i + 1) / 2;
    }
    move(StepKind::kRetract, {0, 0, l.clear_z_m}, transit);
    for (auto i = first; i < plan_.steps.size(); ++i) plan_.steps[i].timing = true;
  }

  Step& add(StepKind kind) {
    plan_.steps.push_back({.kind = kind, .condition = plan_.conditions.size() - 1});
    return plan_.steps.back();
  }

  void add_air_strokes(const ProtocolPhase& phase, double speed, int repeat) {
    const auto& p = plan_.protocol;
    const auto& l = plan_.limits;
    const double transit = std::min(l.max_speed_m_s, 0.1);
    const auto move = [&](StepKind kind, double x_m, double y_m, double z_m, double speed_m_s) {
      auto& s = add(kind);
      s.target_m = {x_m, y_m, z_m};
      s.speed_m_s = speed_m_s;
    };
    add_condition(0, speed, true, repeat);
    move(StepKind::kLift, 0, 0, l.clear_z_m, transit);
    move(StepKind::kGoTo, p.start_x_m, p.start_y_m, l.clear_z_m, transit);
    add(StepKind::kTare).duration_s = kTare_s;
    add(StepKind::kDwell).duration_s = phase.dwell_s;
    move(StepKind::kStroke, p.start_x_m + p.stroke_length_m, 0, 0, speed);
    if (phase.directions == Directions::kBoth) {
      add_condition(0, speed, false, repeat);
      add(StepKind::kDwell).duration_s = phase.dwell_s;
      move(StepKind::kStroke, p.start_x_m, 0, 0, speed);
    }
    move(StepKind::kRetract, 0, 0, l.clear_z_m, transit);
  }

  void add_strokes(const ProtocolPhase& phase, double force, double speed, int repeat) {
    const auto& p = plan_.protocol;
    const auto& l = plan_.limits;
    add_condition(force, speed, true, repeat);
    const double transit = std::min(l.max_speed_m_s, 0.1);
    add(StepKind::kLift) = {StepKind::kLift, condition(), {0, 0, l.clear_z_m}, transit, 0, 0, 0};
    add(StepKind::kGoTo) = {StepKind::kGoTo, condition(), {p.start_x_m, p.start_y_m, l.clear_z_m}, transit, 0, 0, 0};
    // Tared where nothing touches: only then can the way down be guarded, and a tare in contact would hide the contact.
    add(StepKind::kTare) = {StepKind::kTare, condition(), {}, 0, 0, kTare_s, 0};
    add(StepKind::kGoTo) = {StepKind::kGoTo, condition(), {p.start_x_m, p.start_y_m, p.start_z_m}, transit, 0, 0, 0};
    add(StepKind::kApproach) = {StepKind::kApproach,
                                condition(),
                                {p.start_x_m, p.start_y_m, p.deepest_z_m},
                                p.approach_speed_m_s,
                                p.contact_force_N,
                                0,
                                0};
    add(StepKind::kPress) = {StepKind::kPress, condition(), {0, 0, p.deepest_z_m}, p.approach_speed_m_s, force, 0,
                             p.press_timeout_s};
    add(StepKind::kDwell).duration_s = phase.dwell_s;
    add(StepKind::kStroke) = {
        StepKind::kStroke, condition(), {p.start_x_m + p.stroke_length_m, 0, 0}, speed, force, 0, 0};
    if (phase.directions == Directions::kBoth) {
      add_condition(force, speed, false, repeat);
      add(StepKind::kPress) = {StepKind::kPress, condition(), {0, 0, p.deepest_z_m}, p.approach_speed_m_s, force, 0,
                               p.press_timeout_s};
      add(StepKind::kDwell).duration_s = phase.dwell_s;
      add(StepKind::kStroke) = {StepKind::kStroke, condition(), {p.start_x_m, 0, 0}, speed, force, 0, 0};
    }
    add(StepKind::kRetract) = {StepKind::kRetract, condition(), {0, 0, l.clear_z_m}, transit, 0, 0, 0};
  }

  /// One contact: pressed once, the surface learned on a slow pass there and back, then stroked.
  void add_held_strokes(const ProtocolPhase& phase, double force, double speed, int repeat, std::size_t way,
                        int stroke) {
    const auto& p = plan_.protocol;
    const auto& l = plan_.limits;
    const auto& path = plan_.ways[way].path;
    add_condition(force, speed, true, repeat, stroke);
    const double transit = std::min(l.max_speed_m_s, 0.1);
    const auto start = path.at(0).position;
    const auto move = [&](StepKind kind, double z_m) {
      auto& s = add(kind);
      s.target_m = {start.x_m, start.y_m, z_m};
      s.speed_m_s = transit;
    };
    const auto hold = [&](StepKind kind) -> Step& {
      auto& s = add(kind);
      s.held = true;
      s.force_N = force;
      s.way = way;
      return s;
    };
    const auto along = [&](StepKind kind, double speed_m_s, bool forward) {
      hold(StepKind::kDwell).duration_s = phase.dwell_s;
      auto& s = hold(kind);
      s.speed_m_s = speed_m_s;
      s.forward = forward;
      const auto end = path.at(forward ? path.length_m() : 0).position;
      s.target_m = {end.x_m, end.y_m, 0};
    };
    move(StepKind::kLift, l.clear_z_m);
    move(StepKind::kGoTo, l.clear_z_m);
    add(StepKind::kTare).duration_s = kTare_s;
    move(StepKind::kGoTo, p.start_z_m);
    auto& press = hold(StepKind::kPress);
    press.target_m[rig::kZ] = p.deepest_z_m;
    press.speed_m_s = p.approach_speed_m_s;
    if (phase.survey_speed_m_s > 0) {
      along(StepKind::kSurvey, std::min(phase.survey_speed_m_s, speed), true);
      const auto end = path.at(path.length_m()).position;
      const bool closed = std::hypot(end.x_m - start.x_m, end.y_m - start.y_m) < StrokePath::kJoined_m;
      if (!closed) along(StepKind::kSurvey, std::min(phase.survey_speed_m_s, speed), false);
    }
    along(StepKind::kStroke, speed, true);
    if (phase.directions == Directions::kBoth) {
      add_condition(force, speed, false, repeat, stroke);
      along(StepKind::kStroke, speed, false);
    }
    move(StepKind::kRetract, l.clear_z_m);
  }

  [[nodiscard]] std::size_t condition() const { return plan_.conditions.size() - 1; }

  Plan plan_;
  std::size_t phase_ = 0;  // being added
};

}  // namespace

daq::Result<Plan> expand(const Protocol& protocol, const PlanLimits& limits) {
  return Expander(protocol, limits).run();
}

}  // namespace strigil::protocols
