#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"
#include "protocols/court/stroke_feed.hpp"

namespace strigil::protocols {

daq::Result<std::map<std::size_t, PlannedStroke>> planned_strokes(const std::string& plan_json) {
  using Json = nlohmann::json;
  constexpr double kMilli = 1e3;
  const auto plan = daq::parse_json(plan_json);
  const auto refuse = [](const std::string& what) {
    return daq::Error{fmt::format("plan.json is not a plan as `strigil run` records it: {}", what)};
  };
  if (!plan.is_object()) return refuse("not an object");
  const auto steps = plan.value("steps", Json());
  const auto conditions = plan.value("conditions", Json());
  if (!steps.is_array() || !conditions.is_array()) return refuse("no lists of steps and conditions");
  const auto number = [](const Json& o, const char* key) {
    return o.is_object() && o.contains(key) && o[key].is_number() ? o[key].get<double>() : 0.0;
  };
  std::map<std::size_t, PlannedStroke> out;
  std::map<std::tuple<std::string, double, double, double>, std::size_t> lanes;
  std::vector<std::size_t> strokes_in;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& step = steps[i];
    if (!step.is_object() || !step.contains("kind") || !step["kind"].is_string()) return refuse("a step has no kind");
    if (step["kind"] != "stroke") continue;
    PlannedStroke s;
    s.step = i;
    s.condition = static_cast<std::size_t>(std::max(0.0, number(step, "condition")));
    if (s.condition >= conditions.size()) return refuse(fmt::format("step {} belongs to no condition", i));
    const auto& condition = conditions[s.condition];
    if (!condition.is_object()) return refuse("a condition is no object");
    if (condition.contains("phase") && condition["phase"].is_string()) s.phase = condition["phase"];
    s.force_N = number(condition, "normal_force_N");
    s.speed_mm_s = number(condition, "speed_m_s") * kMilli;
    const auto key = std::tuple(s.phase, s.force_N, s.speed_mm_s, number(condition, "stroke"));
    s.lane = lanes.try_emplace(key, lanes.size()).first->second;
    strokes_in.resize(lanes.size());
    s.number = strokes_in[s.lane]++;
    out[i] = s;
  }
  for (auto& [step, s] : out) s.of = strokes_in[s.lane];
  return out;
}

bool planned_in_air(const std::string& plan_json) {
  const auto plan = daq::parse_json(plan_json);
  if (!plan.is_object()) return false;
  const auto said = plan.find("in_air");
  return said != plan.end() && said->is_boolean() && said->get<bool>();
}

}  // namespace strigil::protocols
