#include "calibration/check_standard.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/record/calendar.hpp"
#include "daq/json_text.hpp"
#include "daq/line_file.hpp"

namespace strigil::calibration {
namespace {

using nlohmann::ordered_json;

bool of(const CheckPoint& p, std::string_view standard, std::string_view calibration) {
  return p.standard == standard && p.calibration == calibration;
}

}  // namespace

CheckChart chart_of(const std::vector<CheckPoint>& history, std::string_view standard, std::string_view calibration) {
  CheckChart chart;
  for (const auto& p : history) {
    if (!of(p, standard, calibration)) continue;
    if (!p.mended.empty()) chart.points.clear();
    chart.points.push_back(p);
  }
  std::vector<std::vector<double>> base;
  std::vector<double> after;
  for (const auto& p : chart.points) {
    if (base.size() == kBasePoints) {
      after.push_back(p.value);
    } else if (p.failures.empty()) {
      base.push_back({p.value});
    }
  }
  if (base.size() < kBasePoints) return chart;
  // No spread at all makes no chart: then the tolerance goes on to count alone.
  const auto limits = limits_of(ChartKind::kIndividuals, base);
  if (!limits) return chart;
  chart.limits = *limits;
  chart.average = ewma(after, limits->centre, limits->sigma, {});
  return chart;
}

std::vector<std::string> judge_check(const CheckPoint& point, const std::vector<CheckPoint>& history) {
  std::vector<std::string> failures;
  if (!std::isfinite(point.value)) return {"the value is not a finite number"};
  const double off = point.value - point.expected;
  if (point.tolerance > 0 && !(std::abs(off) <= point.tolerance)) {
    failures.push_back(fmt::format("{:g} {} is {:+.3g} from the expected {:g}; {:g} are allowed", point.value,
                                   point.unit, off, point.expected, point.tolerance));
  }
  const auto before = chart_of(history, point.standard, point.calibration);
  const bool begins_anew = !point.mended.empty();
  const bool stands_failed = !before.points.empty() && !before.points.back().failures.empty() && !begins_anew;
  if (stands_failed) {
    failures.push_back(fmt::format("the check before it, of {}, failed: {}. Mend that, and say how (--mended)",
                                   daq::iso8601(before.points.back().at), before.points.back().failures.front()));
  }
  auto all = history;
  all.push_back(point);
  const auto chart = chart_of(all, point.standard, point.calibration);
  if (!chart.limits || chart.average.empty()) {
    if (point.tolerance <= 0 && !(chart.limits)) {
      failures.push_back(
          fmt::format("there is no base period of {} checks yet: until then a tolerance must be set", kBasePoints));
    }
    return failures;
  }
  const auto after = chart.average.size();
  std::vector<double> values;
  for (auto i = chart.points.size() - after; i < chart.points.size(); ++i) values.push_back(chart.points[i].value);
  for (const auto& v : violations(values, chart.limits->centre, chart.limits->sigma, RuleSet::western_electric())) {
    if (v.point + 1 != after) continue;
    failures.push_back(fmt::format("out of control: {} (centre {:g}, sigma {:.2g} {})", v.text, chart.limits->centre,
                                   chart.limits->sigma, point.unit));
  }
  if (const auto& average = chart.average.back(); average.out()) {
    failures.push_back(fmt::format("drift: the moving average is {:g} {}, and {:g} to {:g} are allowed", average.value,
                                   point.unit, average.lower, average.upper));
  }
  return failures;
}

std::string check_gate(const std::vector<CheckPoint>& history, std::string_view standard, std::string_view calibration,
                       double valid_s, daq::WallTime now) {
  const auto make = "Make one: strigil calibrations check-standard";
  const CheckPoint* last = nullptr;
  for (const auto& p : history) {
    if (of(p, standard, calibration)) last = &p;
  }
  if (last == nullptr)
    return fmt::format("check standard '{}' has not been measured with this calibration. {}", standard, make);
  if (!last->failures.empty()) {
    return fmt::format("check standard '{}' failed on {}: {}", standard, daq::iso8601(last->at),
                       last->failures.front());
  }
  const double age_s = static_cast<double>(now.ns - last->at.ns) * 1e-9;
  if (age_s > valid_s) {
    return fmt::format("the last check of '{}' is {:.1f} h old, and good for {:g} h. {}", standard, age_s / 3600,
                       valid_s / 3600, make);
  }
  if (age_s < -60)
    return fmt::format("the last check of '{}' is of the future: this computer's clock was set back", standard);
  return "";
}

std::string to_json(const CheckPoint& p) {
  return daq::json_text(ordered_json{{"at", daq::iso8601(p.at)},
                                     {"standard", p.standard},
                                     {"calibration", p.calibration},
                                     {"value", p.value},
                                     {"unit", p.unit},
                                     {"expected", p.expected},
                                     {"tolerance", p.tolerance},
                                     {"operator", p.operator_name},
                                     {"mended", p.mended},
                                     {"passed", p.failures.empty()},
                                     {"failures", p.failures}});
}

daq::Result<CheckPoint> parse_check(std::string_view line) {
  const auto j = daq::parse_ordered_json(line);
  if (!j.is_object()) return daq::Error{"not a JSON object"};
  CheckPoint p;
  try {
    const auto at = parse_instant(j.at("at").get<std::string>());
    if (!at) return at.error();
    p.at = *at;
    p.standard = j.at("standard").get<std::string>();
    p.calibration = j.at("calibration").get<std::string>();
    p.value = j.at("value").get<double>();
    p.unit = j.at("unit").get<std::string>();
    p.expected = j.at("expected").get<double>();
    p.tolerance = j.at("tolerance").get<double>();
    p.operator_name = j.at("operator").get<std::string>();
    p.mended = j.at("mended").get<std::string>();
    p.failures = j.at("failures").get<std::vector<std::string>>();
    if (j.at("passed").get<bool>() != p.failures.empty())
      return daq::Error{"'passed' and 'failures' say different things"};
  } catch (const nlohmann::json::exception& e) {
    return daq::Error{e.what()};
  }
  return p;
}

daq::Result<std::vector<CheckPoint>> read_checks(const std::string& path) {
  const auto lines = daq::read_lines(path, "a history of check standards");
  if (!lines) return lines.error();
  std::vector<CheckPoint> points;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    auto point = parse_check((*lines)[i]);
    if (!point) return daq::Error{fmt::format("{}:{}: no check: {}", path, i + 1, point.error().message)};
    points.push_back(std::move(*point));
  }
  return points;
}

daq::Result<void> append_check(const std::string& path, const CheckPoint& point) {
  return daq::append_line(path, to_json(point));
}

}  // namespace strigil::calibration
