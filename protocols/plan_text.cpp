#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/plan.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;

double mm(double m) { return m * kMillimetresPerMetre; }
/// A cell of the dry run's table; empty where the step leaves it as it is.
std::string cell(bool has, double v) { return has ? fmt::format("{:.2f}", v) : std::string("-"); }

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
    case StepKind::kSurvey:
      return "survey";
  }
  return "unknown";
}

std::string Condition::name() const {
  const auto which = stroke > 0 ? fmt::format("stroke {}, ", stroke) : std::string();
  const auto force = normal_force_N > 0 ? fmt::format("{:g} N", normal_force_N) : std::string("in the air");
  return fmt::format("{}{}{}, {:g} mm/s, {}{}, repeat {}", phase_name, phase_name.empty() ? "" : ": ", force,
                     mm(speed_m_s), which, forward ? "forward" : "backward", repeat);
}

std::string Plan::belongs_to(const Step& step) const {
  return step.timing ? "taps" : conditions[step.condition].name();
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
  if (p.in_air) {
    out += "in the air, at the bench's clear height: nothing is touched\n";
  } else if (p.hold == Hold::kForce && l.hold) {
    out += fmt::format("force held by control with a delay of {:.1f} ms; ramps of {:g} N/s\n", mm(l.hold->delay_s),
                       p.force_rate_N_s);
  }
  for (const auto& phase : plan.phases) {
    if (phase.dose_fraction > 0)
      out += fmt::format("phase '{}' ends early when an area has received {:g} % of its dose\n", phase.name,
                         100 * phase.dose_fraction);
  }
  out += " step  kind      to x    to z mm   mm/s  force N   about s  at most s  stroke\n";
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& s = plan.steps[i];
    const bool along_x = s.kind == StepKind::kGoTo || s.kind == StepKind::kApproach || s.kind == StepKind::kStroke ||
                         s.kind == StepKind::kSurvey;
    const bool along_z = s.speed_m_s > 0 && s.kind != StepKind::kStroke && s.kind != StepKind::kSurvey;
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
                     {"held", s.held},
                     {"forward", s.forward},
                     {"timeout_s", s.timeout_s}});
  }
  nlohmann::ordered_json conditions = nlohmann::ordered_json::array();
  for (const auto& c : plan.conditions) {
    conditions.push_back({{"name", c.name()},
                          {"phase", c.phase_name},
                          {"normal_force_N", c.normal_force_N},
                          {"speed_m_s", c.speed_m_s},
                          {"forward", c.forward},
                          {"repeat", c.repeat},
                          {"stroke", c.stroke}});
  }
  nlohmann::ordered_json out{{"protocol", plan.protocol.name},
                             {"estimated_duration_s", plan.estimated_duration_s()},
                             {"limits",
                              {{"max_force_N", plan.protocol.max_force_N},
                               {"bench_max_force_N", plan.limits.max_force_N},
                               {"max_speed_m_s", plan.limits.max_speed_m_s},
                               {"travel_min_m", plan.limits.travel_min_m},
                               {"travel_max_m", plan.limits.travel_max_m},
                               {"clear_z_m", plan.limits.clear_z_m}}},
                             {"conditions", conditions},
                             {"steps", steps}};
  if (plan.protocol.in_air) out["in_air"] = true;
  return daq::json_text(out, 1);
}

}  // namespace strigil::protocols
