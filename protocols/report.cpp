#include "protocols/report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

/// Findings of one test case as JUnit elements.
std::string findings(const Verdict& verdict, std::size_t condition) {
  std::string out;
  for (const auto& r : verdict.reasons) {
    if (r.condition != condition || r.weight == Judgement::kPass) continue;
    const char* element = r.weight == Judgement::kFail ? "failure" : "error";
    out += fmt::format("      <{0} message=\"{1}\">{1}</{0}>\n", element, escaped(r.text));
  }
  return out;
}

/// JSON has no NaN: a number nobody measured is null.
nlohmann::ordered_json number(double v) {
  return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::string to_junit(const Plan& plan, const Verdict& verdict, double duration_s) {
  const auto& suite = plan.protocol.name;
  std::string cases;
  std::size_t failures = 0;
  std::size_t errors = 0;
  const auto add = [&](const std::string& name, std::size_t condition) {
    const auto found = findings(verdict, condition);
    if (found.find("<error") != std::string::npos) {
      ++errors;
    } else if (found.find("<failure") != std::string::npos) {
      ++failures;
    }
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\">\n{}    </testcase>\n", escaped(suite),
                         escaped(name), found);
  };
  add("the run as a whole", Reason::kNoCondition);
  for (std::size_t c = 0; c < plan.conditions.size(); ++c) add(plan.conditions[c].name(), c);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" time=\"{:.3f}\">\n    <properties>\n      <property name=\"verdict\" value=\"{}\"/>\n    "
      "</properties>\n{}  </testsuite>\n</testsuites>\n",
      escaped(suite), plan.conditions.size() + 1, failures, errors, duration_s, name_of(verdict.judgement), cases);
}

std::string to_json(const Plan& plan, const Verdict& verdict) {
  nlohmann::ordered_json reasons = nlohmann::ordered_json::array();
  for (const auto& r : verdict.reasons) {
    nlohmann::ordered_json j{{"weight", name_of(r.weight)}, {"text", r.text}};
    if (r.condition != Reason::kNoCondition) j["stroke"] = plan.conditions[r.condition].name();
    reasons.push_back(j);
  }
  nlohmann::ordered_json strokes = nlohmann::ordered_json::array();
  for (const auto& s : verdict.strokes) {
    strokes.push_back({{"stroke", plan.conditions[s.condition].name()},
                       {"judgement", name_of(s.judgement)},
                       {"mean_normal_force_N", number(s.mean_normal_force_N)},
                       {"deviation_N", number(s.deviation_N)},
                       {"peak_N", number(s.peak_N)},
                       {"mean_tangential_force_N", number(s.mean_tangential_force_N)},
                       {"contact_fraction", number(s.contact_fraction)},
                       {"length_m", number(s.length_m)},
                       {"speed_m_s", number(s.speed_m_s)},
                       {"vibration_m_s2", number(s.vibration_m_s2)}});
  }
  return nlohmann::ordered_json{{"judgement", name_of(verdict.judgement)}, {"reasons", reasons}, {"strokes", strokes}}
      .dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_text(const Plan& plan, const Verdict& verdict) {
  std::string out;
  if (!verdict.strokes.empty()) {
    out += fmt::format("{:<40} {:>8} {:>7} {:>7} {:>8} {:>8} {:>8}  {}\n", "stroke", "mean N", "sd N", "peak N",
                       "drag N", "mm", "m/s2", "");
  }
  for (const auto& s : verdict.strokes) {
    out += fmt::format("{:<40} {:>8.3f} {:>7.3f} {:>7.2f} {:>8.3f} {:>8.2f} {:>8.3f}  {}\n",
                       plan.conditions[s.condition].name(), s.mean_normal_force_N, s.deviation_N, s.peak_N,
                       s.mean_tangential_force_N, s.length_m * kMillimetresPerMetre, s.vibration_m_s2,
                       name_of(s.judgement));
  }
  for (const auto& r : verdict.reasons) out += fmt::format("{}: {}\n", name_of(r.weight), r.text);
  out += fmt::format("VERDICT: {}\n", name_of(verdict.judgement));
  return out;
}

}  // namespace strigil::protocols
