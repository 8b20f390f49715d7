#include "protocols/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "calibration/certificate/xml_text.hpp"
#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;

struct JUnitCounts {
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
};

/// Findings of one test case as JUnit elements; empty when there are none.
std::string findings(const Verdict& verdict, std::size_t condition, JUnitCounts& counts) {
  std::string out;
  Judgement worst = Judgement::kPass;
  for (const auto& r : verdict.reasons) {
    if (r.condition != condition || r.weight == Judgement::kPass) continue;
    worst = std::max(worst, r.weight);
    const char* element = r.weight == Judgement::kFail ? "failure" : "error";
    out += fmt::format("      <{0} message=\"{1}\">{1}</{0}>\n", element, calibration::xml_escaped(r.text));
  }
  if (worst == Judgement::kInvalid) ++counts.errors;
  if (worst == Judgement::kFail) ++counts.failures;
  return out;
}

std::string plus_minus(const StrokeResult& s) {
  return std::isfinite(s.force_uncertainty.expanded_N)
             ? fmt::format(" +- {:.3f} N (k = 2)", s.force_uncertainty.expanded_N)
             : std::string(" N (uncalibrated)");
}

/// Of its vibration; nothing where that is not calibrated.
std::string plus_minus_vibration(const StrokeResult& s) {
  const double u_m_s2 = s.vibration_uncertainty.expanded_m_s2;
  return std::isfinite(u_m_s2) && u_m_s2 > 0 ? fmt::format(" +- {:.3f}", u_m_s2) : std::string();
}

/// JSON has no NaN: a number nobody measured is null.
nlohmann::ordered_json number(double v) {
  return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::string to_junit(const Plan& plan, const Verdict& verdict, double duration_s) {
  const auto suite = calibration::xml_escaped(plan.protocol.name);
  JUnitCounts counts;
  std::string cases = fmt::format(
      "    <testcase classname=\"{}\" name=\"the run as a whole\" time=\"{:.3f}\">\n{}    "
      "</testcase>\n",
      suite, duration_s, findings(verdict, Reason::kNoCondition, counts));
  for (std::size_t c = 0; c < plan.conditions.size(); ++c) {
    const auto measured = std::find_if(verdict.strokes.begin(), verdict.strokes.end(),
                                       [c](const StrokeResult& s) { return s.condition == c; });
    std::string inside = findings(verdict, c, counts);
    // A stroke without findings has passed only if it was made, and in a run that can be trusted.
    if (inside.empty() && (measured == verdict.strokes.end() || verdict.judgement == Judgement::kInvalid)) {
      ++counts.skipped;
      const bool left_out = std::count(verdict.left_out.begin(), verdict.left_out.end(), c) > 0;
      inside = fmt::format("      <skipped message=\"{}\"/>\n",
                           left_out                            ? "left out: its phase had given its part of the dose"
                           : measured == verdict.strokes.end() ? "the stroke was not delivered"
                                                               : "measured, but the run as a whole is INVALID");
    }
    if (measured != verdict.strokes.end()) {
      inside += fmt::format(
          "      <system-out>normal force {:.3f}{} (sd {:.3f}, peak {:.2f}), drag {:.3f} N, contact {:.2f} %, {:.2f} "
          "mm "
          "at {:.1f} mm/s, vibration {:.3f}{} m/s2, {} samples</system-out>\n",
          measured->mean_normal_force_N, plus_minus(*measured), measured->deviation_N, measured->peak_N,
          measured->mean_tangential_force_N, 100 * measured->contact_fraction,
          measured->length_m * kMillimetresPerMetre, measured->speed_m_s * kMillimetresPerMetre,
          measured->vibration_m_s2, plus_minus_vibration(*measured), measured->samples);
    }
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n{}    </testcase>\n", suite,
                         calibration::xml_escaped(plan.conditions[c].name()),
                         measured != verdict.strokes.end() ? measured->duration_s : 0.0, inside);
  }
  std::string stage;
  const auto property = [&](const char* name, const std::string& text) {
    stage += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, calibration::xml_escaped(text));
  };
  if (verdict.stage_calibration.named) property("stage_calibration", to_text(verdict.stage_calibration));
  if (verdict.vibration_calibration.named) property("vibration_calibration", to_text(verdict.vibration_calibration));
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n    <properties>\n      <property name=\"verdict\" "
      "value=\"{}\"/>\n      <property name=\"calibration\" value=\"{}\"/>\n{}"
      "    </properties>\n{}  </testsuite>\n</testsuites>\n",
      suite, plan.conditions.size() + 1, counts.failures, counts.errors, counts.skipped, duration_s,
      name_of(verdict.judgement), calibration::xml_escaped(to_text(verdict.calibration)), stage, cases);
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
                       {"force_uncertainty_N", number(s.force_uncertainty.expanded_N)},
                       {"deviation_N", number(s.deviation_N)},
                       {"peak_N", number(s.peak_N)},
                       {"mean_tangential_force_N", number(s.mean_tangential_force_N)},
                       {"contact_fraction", number(s.contact_fraction)},
                       {"length_m", number(s.length_m)},
                       {"speed_m_s", number(s.speed_m_s)},
                       {"duration_s", number(s.duration_s)},
                       {"samples", s.samples},
                       {"vibration_m_s2", number(s.vibration_m_s2)}});
    if (verdict.vibration_calibration.named) {
      const auto& u = s.vibration_uncertainty;
      strokes.back()["vibration_uncertainty_m_s2"] = number(u.expanded_m_s2);
      if (std::isfinite(u.expanded_m_s2)) {
        strokes.back()["vibration_uncertainty_parts_m_s2"] = {{"calibration", u.calibration_m_s2},
                                                              {"response", u.response_m_s2},
                                                              {"statistics", u.statistics_m_s2}};
      }
    }
    if (const auto& u = s.force_uncertainty; std::isfinite(u.expanded_N)) {
      strokes.back()["force_uncertainty_parts_N"] = {
          {"calibration", u.calibration_N}, {"statistics", u.statistics_N}, {"zero", u.zero_N}};
    }
    if (verdict.stage_calibration.named)
      strokes.back()["length_uncertainty_m"] = number(length_uncertainty_m(verdict.stage_calibration));
    if (s.interrupted > 0) strokes.back()["interrupted"] = s.interrupted;
    if (s.held) {
      strokes.back()["force_rms_error_N"] = number(s.force_rms_N);
      strokes.back()["overshoot_percent"] = number(100 * s.overshoot);
      strokes.back()["stiffness_N_m"] = number(s.stiffness_N_m);
    }
  }
  nlohmann::ordered_json j{{"judgement", name_of(verdict.judgement)},
                           {"reasons", reasons},
                           {"strokes", strokes},
                           {"calibration", daq::parse_ordered_json(to_json(verdict.calibration))}};
  if (verdict.stage_calibration.named)
    j["stage_calibration"] = daq::parse_ordered_json(to_json(verdict.stage_calibration));
  if (verdict.vibration_calibration.named)
    j["vibration_calibration"] = daq::parse_ordered_json(to_json(verdict.vibration_calibration));
  for (const auto c : verdict.left_out) j["left_out"].push_back(plan.conditions[c].name());
  return daq::json_text(j, 1);
}

std::string to_text(const Plan& plan, const Verdict& verdict) {
  std::string out;
  if (!verdict.strokes.empty()) {
    out += fmt::format("{:<40} {:>8} {:>7} {:>7} {:>7} {:>8} {:>8} {:>7} {:>8}  {}\n", "stroke", "mean N", "+- N",
                       "sd N", "peak N", "drag N", "mm", "mm/s", "m/s2", "");
  }
  for (const auto& s : verdict.strokes) {
    const double u_N = s.force_uncertainty.expanded_N;
    out += fmt::format("{:<40} {:>8.3f} {:>7} {:>7.3f} {:>7.2f} {:>8.3f} {:>8.2f} {:>7.1f} {:>8.3f}{}  {}\n",
                       plan.conditions[s.condition].name(), s.mean_normal_force_N,
                       std::isfinite(u_N) ? fmt::format("{:.3f}", u_N) : "-", s.deviation_N, s.peak_N,
                       s.mean_tangential_force_N, s.length_m * kMillimetresPerMetre, s.speed_m_s * kMillimetresPerMetre,
                       s.vibration_m_s2, plus_minus_vibration(s), name_of(s.judgement));
  }
  const bool any_held =
      std::any_of(verdict.strokes.begin(), verdict.strokes.end(), [](const StrokeResult& s) { return s.held; });
  if (any_held) out += fmt::format("{:<40} {:>8} {:>12} {:>8}\n", "force held", "rms N", "overshoot %", "N/mm");
  for (const auto& s : verdict.strokes) {
    if (!s.held) continue;
    out += fmt::format("{:<40} {:>8.3f} {:>12.1f} {:>8.2f}\n", plan.conditions[s.condition].name(), s.force_rms_N,
                       100 * s.overshoot, s.stiffness_N_m / kMillimetresPerMetre);
  }
  if (!verdict.strokes.empty()) out += to_text(verdict.calibration) + "\n";
  if (verdict.stage_calibration.named) out += to_text(verdict.stage_calibration) + "\n";
  if (verdict.vibration_calibration.named) out += to_text(verdict.vibration_calibration) + "\n";
  if (!verdict.left_out.empty()) {
    out += fmt::format("{} of {} strokes were left out: their phase had given its part of the dose\n",
                       verdict.left_out.size(), plan.conditions.size());
  }
  for (const auto& r : verdict.reasons) {
    out += fmt::format("{}: {}\n", r.weight == Judgement::kPass ? "note" : name_of(r.weight), r.text);
  }
  out += fmt::format("VERDICT: {}\n", name_of(verdict.judgement));
  return out;
}

}  // namespace strigil::protocols
