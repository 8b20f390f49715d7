#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <sstream>

#include "calibration/certificate/xml_text.hpp"
#include "protocols/report/court_report_files.hpp"
#include "protocols/report/report_words.hpp"

namespace strigil::protocols {
namespace {

enum class Outcome : std::uint8_t { kPassed, kFailed, kError, kSkipped };

struct Case {
  std::string name;
  Outcome outcome = Outcome::kPassed;
  std::vector<std::string> lines;  ///< the first is the message
  std::string out;
  double time_s = 0;
};
struct Suite {
  std::string name;
  std::vector<Case> cases;
};

Outcome outcome_of(Judgement j) {
  return j == Judgement::kPass ? Outcome::kPassed : j == Judgement::kFail ? Outcome::kFailed : Outcome::kError;
}

Case campaign_case(const CourtReport& report) {
  Case out{"verdict", outcome_of(report.verdict), {}, {}, 0};
  for (const auto& r : report.reasons) {
    if (r.weight == Judgement::kPass) {
      out.out += r.text + '\n';
    } else {
      out.lines.push_back(r.text);
    }
  }
  return out;
}

Case metric_case(const std::string& whose, const Metric& m) {
  Case out;
  out.name = whose.empty() ? m.name : whose + ": " + m.name;
  const auto sentence = metric_in_words(m);
  switch (m.status) {
    case MetricStatus::kMissed:
      out.outcome = Outcome::kFailed;
      break;
    case MetricStatus::kUndecided:
      out.outcome = Outcome::kError;
      break;
    case MetricStatus::kUnknown:
      out.outcome = m.lower_limit || m.upper_limit ? Outcome::kError : Outcome::kSkipped;
      break;
    default:
      out.out = sentence;
      return out;
  }
  out.lines.push_back(sentence);
  return out;
}

Case trial_case(const TrialReport& t) {
  Case out{t.id, outcome_of(t.verdict), t.reasons, {}, t.duration_s};
  if (t.state == TrialState::kInvalid) out.outcome = Outcome::kError;
  if (t.state == TrialState::kLeft) out.outcome = Outcome::kSkipped;
  for (const auto& [factor, level] : t.factors) out.out += fmt::format("{} = {}\n", factor, level);
  for (const auto& m : t.measures) out.out += metric_in_words(m) + '\n';
  if (!t.run.empty()) out.out += fmt::format("run file {} sha256 {}\n", t.run, t.run_sha256);
  return out;
}

/// Only what is held against a limit is a test.
Suite section_suite(const char* kind, const ReportSection& s) {
  Suite out{fmt::format("{}: {}", kind, s.name), {}};
  if (s.verdict) out.cases.push_back({"verdict", outcome_of(*s.verdict), {}, s.about, 0});
  for (const auto& m : s.metrics) {
    if (m.lower_limit || m.upper_limit) out.cases.push_back(metric_case("", m));
  }
  if (!out.cases.empty() && s.verdict && out.cases.front().outcome != Outcome::kPassed) {
    out.cases.front().lines.push_back(fmt::format("{}: {}", s.name, name_of(*s.verdict)));
  }
  return out;
}

std::vector<Suite> suites_of(const CourtReport& report) {
  std::vector<Suite> out{{report.suite.empty() ? "campaign" : report.suite, {campaign_case(report)}}};
  const std::size_t first_group = out.size();
  for (const auto& t : report.trials) {
    const auto name = "trials: " + (t.group.empty() ? std::string("all") : t.group);
    auto at = std::find_if(out.begin() + static_cast<std::ptrdiff_t>(first_group), out.end(),
                           [&](const Suite& s) { return s.name == name; });
    if (at == out.end()) at = out.insert(out.end(), {name, {}});
    at->cases.push_back(trial_case(t));
  }
  for (const auto& s : report.detectors) out.push_back(section_suite("detector", s));
  for (const auto& s : report.comparisons) out.push_back(section_suite("comparison", s));
  for (const auto& s : report.studies) out.push_back(section_suite("study", s));
  Suite flags{"flags", {}};
  for (const auto& f : report.flags) {
    flags.cases.push_back({f.who + ": " + f.name, outcome_of(f.weight), {f.evidence_words}, {}, 0});
  }
  out.push_back(std::move(flags));
  if (report.baseline) {
    Suite baseline{"baseline", {}};
    for (const auto& c : report.baseline->changes) {
      const bool bad = c.change == Change::kWorse || c.change == Change::kMissing;
      Case one{c.name, bad ? Outcome::kFailed : Outcome::kPassed, {}, {}, 0};
      (bad ? one.lines.emplace_back() : one.out) = c.words;
      baseline.cases.push_back(std::move(one));
    }
    out.push_back(std::move(baseline));
  }
  std::erase_if(out, [](const Suite& s) { return s.cases.empty(); });
  return out;
}

struct Totals {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double time_s = 0;
  void add(const Case& c) {
    ++tests;
    failures += c.outcome == Outcome::kFailed ? 1 : 0;
    errors += c.outcome == Outcome::kError ? 1 : 0;
    skipped += c.outcome == Outcome::kSkipped ? 1 : 0;
    time_s += std::isfinite(c.time_s) ? c.time_s : 0;
  }
};

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(calibration::xml_safe(value).c_str());
}

void set(pugi::xml_node node, const Totals& t) {
  set(node, "tests", std::to_string(t.tests));
  set(node, "failures", std::to_string(t.failures));
  set(node, "errors", std::to_string(t.errors));
  set(node, "skipped", std::to_string(t.skipped));
  set(node, "time", fmt::format("{:.3f}", t.time_s));
}

void write_case(pugi::xml_node suite, const std::string& classname, const Case& c) {
  auto node = suite.append_child("testcase");
  set(node, "name", c.name);
  set(node, "classname", classname);
  set(node, "time", fmt::format("{:.3f}", std::isfinite(c.time_s) ? c.time_s : 0));
  if (c.outcome != Outcome::kPassed) {
    const char* kind = c.outcome == Outcome::kFailed ? "failure" : c.outcome == Outcome::kError ? "error" : "skipped";
    auto finding = node.append_child(kind);
    std::string text;
    for (const auto& l : c.lines) text += l + '\n';
    set(finding, "message", c.lines.empty() ? "no reason was given" : c.lines.front());
    if (c.outcome != Outcome::kSkipped) set(finding, "type", c.outcome == Outcome::kFailed ? "FAIL" : "INVALID");
    finding.text().set(calibration::xml_safe(text).c_str());
  }
  if (!c.out.empty()) node.append_child("system-out").text().set(calibration::xml_safe(c.out).c_str());
}

void write_property(pugi::xml_node properties, const char* name, const std::string& value) {
  auto node = properties.append_child("property");
  set(node, "name", name);
  set(node, "value", value);
}

}  // namespace

std::string to_junit(const CourtReport& report) {
  const auto suites = suites_of(report);
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  auto root = document.append_child("testsuites");
  set(root, "name", report.title);
  Totals all;
  for (const auto& s : suites) {
    for (const auto& c : s.cases) all.add(c);
  }
  set(root, all);
  for (const auto& s : suites) {
    auto node = root.append_child("testsuite");
    set(node, "name", s.name);
    Totals totals;
    for (const auto& c : s.cases) totals.add(c);
    set(node, totals);
    constexpr std::size_t kSeconds = 19;  // the schema has no zone: 2026-11-30T12:00:00
    if (report.began.size() >= kSeconds) set(node, "timestamp", report.began.substr(0, kSeconds));
    if (&s == &suites.front()) {
      auto properties = node.append_child("properties");
      write_property(properties, "verdict", std::string(name_of(report.verdict)));
      write_property(properties, "software", report.software);
      write_property(properties, "seed", std::to_string(report.seed));
    }
    for (const auto& c : s.cases) write_case(node, s.name, c);
  }
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace strigil::protocols
