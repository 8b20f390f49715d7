#include "protocols/campaign/run_end.hpp"

#include <fmt/format.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"

namespace strigil::protocols {
namespace {

using nlohmann::json;

Judgement judgement_of(const std::string& name) {
  for (const auto j : {Judgement::kPass, Judgement::kFail, Judgement::kInvalid}) {
    if (name_of(j) == name) return j;
  }
  throw std::out_of_range(name);
}

double number(const json& j, const char* key) {
  const auto at = j.find(key);
  return at == j.end() || at->is_null() ? std::numeric_limits<double>::quiet_NaN() : at->get<double>();
}

StrokeResult stroke_of(const json& j, const std::map<std::string, std::size_t>& conditions) {
  StrokeResult s;
  s.condition = conditions.at(j.at("stroke").get<std::string>());
  s.judgement = judgement_of(j.at("judgement").get<std::string>());
  s.mean_normal_force_N = number(j, "mean_normal_force_N");
  s.deviation_N = number(j, "deviation_N");
  s.peak_N = number(j, "peak_N");
  s.mean_tangential_force_N = number(j, "mean_tangential_force_N");
  s.contact_fraction = number(j, "contact_fraction");
  s.length_m = number(j, "length_m");
  s.speed_m_s = number(j, "speed_m_s");
  s.duration_s = number(j, "duration_s");
  s.samples = j.at("samples").get<std::uint64_t>();
  s.vibration_m_s2 = number(j, "vibration_m_s2");
  s.held = j.contains("force_rms_error_N");
  s.force_rms_N = number(j, "force_rms_error_N");
  s.overshoot = number(j, "overshoot_percent") / 100;
  s.stiffness_N_m = number(j, "stiffness_N_m");
  return s;
}

}  // namespace

daq::Result<RunEnd> read_run_end(const std::string& run_file, const Plan& plan) {
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  const auto text = (*reader)->end();
  if (!text) return text.error();
  if (!*text) return daq::Error{fmt::format("the writer of '{}' never came to its end", run_file)};
  std::map<std::string, std::size_t> conditions;
  for (std::size_t c = 0; c < plan.conditions.size(); ++c) conditions[plan.conditions[c].name()] = c;
  RunEnd end;
  try {
    const auto j = daq::parse_json(**text);
    if (j.is_discarded()) return daq::Error{fmt::format("the end of '{}' is no JSON", run_file)};
    end.duration_s = j.at("duration_s").get<double>();
    const auto& verdict = j.at("verdict");
    end.verdict.judgement = judgement_of(verdict.at("judgement").get<std::string>());
    for (const auto& r : verdict.at("reasons"))
      end.verdict.reasons.push_back(
          {.weight = judgement_of(r.at("weight").get<std::string>()), .text = r.at("text").get<std::string>()});
    for (const auto& s : verdict.at("strokes")) end.verdict.strokes.push_back(stroke_of(s, conditions));
  } catch (const json::exception& e) {
    return daq::Error{fmt::format("the end of '{}' cannot be read: {}", run_file, e.what())};
  } catch (const std::out_of_range& e) {
    return daq::Error{fmt::format("'{}' is of another plan: {}", run_file, e.what())};
  }
  return end;
}

}  // namespace strigil::protocols
