#include "protocols/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;
constexpr double kTare_s = 0.5;
/// What a move over the phantom may take beyond its own time: acceleration, reports, the settling of the stage.
constexpr double kMoveOverhead_s = 0.4;
/// A press is a handful of small steps, each a move and a look.
constexpr double kPress_s = 1.5;
/// Coming free: the look at the zero after a retract (runner.cpp).
constexpr double kZeroLook_s = 0.16;
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
/// Rest at both ends of a tap, and two reports that the stage stands still.
constexpr double kTapRests_s = 0.6;
constexpr std::size_t kMostConditions = 10000;

double mm(double m) { return m * kMillimetresPerMetre; }
/// A cell of the dry run's table; empty where the step leaves it as it is.
std::string cell(bool has, double v) { return has ? fmt::format("{:.2f}", v) : std::string("-"); }

class Expander {
 public:
  Expander(const Protocol& p, const PlanLimits& l) { plan_.protocol = p, plan_.limits = l; }

  daq::Result<Plan> run() {
    if (auto checked = check(); !checked) return checked.error();
    const auto& p = plan_.protocol;
    add_taps(0);
    for (const double force : p.normal_force_N) {
      for (const double speed : p.stroke_speed_m_s) {
        for (int repeat = 1; repeat <= p.repeats; ++repeat) {
          add_strokes(force, speed, repeat);
          if (plan_.conditions.size() > kMostConditions) {
            return refuse(fmt::format("the lists expand to more than {} strokes", kMostConditions));
          }
        }
      }
    }
    add_taps(condition());
    for (auto& s : plan_.steps) {
      if (s.timeout_s == 0) s.timeout_s = kTimeoutFloor_s + kTimeoutFactor * longest_step_s(s);
    }
    return plan_;
  }

 private:
  [[nodiscard]] daq::Error refuse(const std::string& why) const {
    return {fmt::format("{}: {}. Nothing was moved", plan_.protocol.file, why)};
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
    for (const double force : p.normal_force_N) {
      if (force * (1 + p.press_tolerance) > p.max_force_N) {
        return refuse(fmt::format("a normal force of {:g} N (+{:g} %) exceeds [limits] max_force_N of {:g} N", force,
                                  p.press_tolerance * 100, p.max_force_N));
      }
      if (force <= p.contact_force_N) {
        return refuse(
            fmt::format("a normal force of {:g} N is not above the contact force of {:g} N", force, p.contact_force_N));
      }
    }
    for (const double speed : p.stroke_speed_m_s) {
      if (speed > l.max_speed_m_s) {
        return refuse(
            fmt::format("a stroke speed of {:g} mm/s exceeds the stage's {:g} mm/s", mm(speed), mm(l.max_speed_m_s)));
      }
      const double reports = kMiddle * p.stroke_length_m / speed * l.position_rate_Hz;
      if (l.position_rate_Hz > 0 && reports < kFewestReports) {
        return refuse(
            fmt::format("a stroke of {:g} mm at {:g} mm/s is over before the stage, at {:g} reports a second, has told "
                        "its speed; make it longer or slower",
                        mm(p.stroke_length_m), mm(speed), l.position_rate_Hz));
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
    return check_point("the end of the stroke", {p.start_x_m + p.stroke_length_m, p.start_y_m, p.start_z_m});
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

  void add_strokes(double force, double speed, int repeat) {
    const auto& p = plan_.protocol;
    const auto& l = plan_.limits;
    plan_.conditions.push_back({force, speed, true, repeat});
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
    add(StepKind::kDwell).duration_s = p.dwell_s;
    add(StepKind::kStroke) = {
        StepKind::kStroke, condition(), {p.start_x_m + p.stroke_length_m, 0, 0}, speed, force, 0, 0};
    if (p.directions == Directions::kBoth) {
      plan_.conditions.push_back({force, speed, false, repeat});
      add(StepKind::kPress) = {StepKind::kPress, condition(), {0, 0, p.deepest_z_m}, p.approach_speed_m_s, force, 0,
                               p.press_timeout_s};
      add(StepKind::kDwell).duration_s = p.dwell_s;
      add(StepKind::kStroke) = {StepKind::kStroke, condition(), {p.start_x_m, 0, 0}, speed, force, 0, 0};
    }
    add(StepKind::kRetract) = {StepKind::kRetract, condition(), {0, 0, l.clear_z_m}, transit, 0, 0, 0};
  }

  [[nodiscard]] std::size_t condition() const { return plan_.conditions.size() - 1; }

  Plan plan_;
};

}  // namespace

std::string_view name_of(StepKind kind) noexcept {
  switch (kind) {
    case StepKind::kLift:
      return "lift";
    case StepKind::kGoTo:
      return "go to";
    case StepKind::kTare:
      return "tare";
    case StepKind::kApproach:
      return "approach";
    case StepKind::kPress:
      return "press";
    case StepKind::kDwell:
      return "dwell";
    case StepKind::kStroke:
      return "stroke";
    case StepKind::kRetract:
      return "retract";
    case StepKind::kTap:
      return "tap";
  }
  return "unknown";
}

std::string Condition::name() const {
  return fmt::format("{:g} N, {:g} mm/s, {}, repeat {}", normal_force_N, mm(speed_m_s),
                     forward ? "forward" : "backward", repeat);
}

std::string Plan::belongs_to(const Step& step) const {
  return step.timing ? "taps" : conditions[step.condition].name();
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
      return kPress_s;
    case StepKind::kStroke:
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

daq::Result<Plan> expand(const Protocol& protocol, const PlanLimits& limits) {
  return Expander(protocol, limits).run();
}

std::string to_text(const Plan& plan) {
  const auto& p = plan.protocol;
  const auto& l = plan.limits;
  std::string out = fmt::format("{}: {}\n", p.name, p.title);
  out += fmt::format("{} strokes, {} steps, about {:.0f} s\n", plan.conditions.size(), plan.steps.size(),
                     plan.estimated_duration_s());
  out += fmt::format("limits: force {:g} N (bench {:g} N), speed {:g} mm/s, x {:g}..{:g} mm, z {:g}..{:g} mm\n",
                     p.max_force_N, l.max_force_N, mm(l.max_speed_m_s), mm(l.travel_min_m[rig::kX]),
                     mm(l.travel_max_m[rig::kX]), mm(l.travel_min_m[rig::kZ]), mm(l.travel_max_m[rig::kZ]));
  out += " step  kind      to x    to z mm   mm/s  force N   about s  at most s  stroke\n";
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& s = plan.steps[i];
    const bool along_x = s.kind == StepKind::kGoTo || s.kind == StepKind::kApproach || s.kind == StepKind::kStroke;
    const bool along_z = s.speed_m_s > 0 && s.kind != StepKind::kStroke;
    out += fmt::format("{:5}  {:<8} {:>6}  {:>7}  {:>6}  {:>7}  {:8.1f}  {:9.1f}  {}\n", i + 1, name_of(s.kind),
                       cell(along_x, mm(s.target_m[rig::kX])), cell(along_z, mm(s.target_m[rig::kZ])),
                       cell(s.speed_m_s > 0, mm(s.speed_m_s)), cell(s.force_N > 0, s.force_N), plan.estimated_step_s(s),
                       s.timeout_s, plan.belongs_to(s));
  }
  return out;
}

std::string to_json(const Plan& plan) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const auto& s : plan.steps) {
    steps.push_back({{"kind", name_of(s.kind)},
                     {"condition", s.condition},
                     {"timing", s.timing},
                     {"target_m", s.target_m},
                     {"speed_m_s", s.speed_m_s},
                     {"force_N", s.force_N},
                     {"duration_s", s.duration_s},
                     {"timeout_s", s.timeout_s}});
  }
  nlohmann::ordered_json conditions = nlohmann::ordered_json::array();
  for (const auto& c : plan.conditions) {
    conditions.push_back({{"name", c.name()},
                          {"normal_force_N", c.normal_force_N},
                          {"speed_m_s", c.speed_m_s},
                          {"forward", c.forward},
                          {"repeat", c.repeat}});
  }
  return nlohmann::ordered_json{{"protocol", plan.protocol.name},
                                {"estimated_duration_s", plan.estimated_duration_s()},
                                {"limits",
                                 {{"max_force_N", plan.protocol.max_force_N},
                                  {"bench_max_force_N", plan.limits.max_force_N},
                                  {"max_speed_m_s", plan.limits.max_speed_m_s},
                                  {"travel_min_m", plan.limits.travel_min_m},
                                  {"travel_max_m", plan.limits.travel_max_m},
                                  {"clear_z_m", plan.limits.clear_z_m}}},
                                {"conditions", conditions},
                                {"steps", steps}}
      .dump(1);
}

}  // namespace strigil::protocols
