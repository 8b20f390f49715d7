#include "protocols/court/baseline.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

using nlohmann::json;

daq::Result<void> checked(std::span<const BaselineMetric> metrics) {
  std::set<std::string> names;
  for (const auto& m : metrics) {
    if (m.name.empty()) return daq::Error{"a metric has no name"};
    if (!names.insert(m.name).second) return daq::Error{fmt::format("metric '{}' is there twice", m.name)};
    if (!std::isfinite(m.value) || !m.interval.contains(m.value)) {
      return daq::Error{fmt::format("metric '{}' is {} in an interval from {} to {}", m.name, m.value, m.interval.low,
                                    m.interval.high)};
    }
    if (!(m.interval.level > 0 && m.interval.level < 1)) {
      return daq::Error{fmt::format("metric '{}' has an interval of level {}", m.name, m.interval.level)};
    }
    if (!(m.margin >= 0) || std::isinf(m.margin)) {
      return daq::Error{fmt::format("metric '{}' tolerates a loss of {}", m.name, m.margin)};
    }
  }
  return {};
}

daq::Result<double> number(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_number()) return daq::Error{fmt::format("'{}' must be a number", key)};
  return at->get<double>();
}

daq::Result<void> only(const json& object, const std::set<std::string>& keys) {
  if (!object.is_object()) return daq::Error{"an object is expected"};
  for (const auto& [key, value] : object.items()) {
    if (!keys.contains(key)) return daq::Error{fmt::format("unknown key '{}'", key)};
  }
  for (const auto& key : keys) {
    if (!object.contains(key)) return daq::Error{fmt::format("'{}' is missing", key)};
  }
  return {};
}

daq::Result<BaselineMetric> metric_of(const json& object) {
  if (auto good = only(object, {"name", "value", "low", "high", "level", "higher_is_better", "margin"}); !good) {
    return good.error();
  }
  if (!object["name"].is_string() || !object["higher_is_better"].is_boolean()) {
    return daq::Error{"'name' must be text and 'higher_is_better' true or false"};
  }
  BaselineMetric m;
  m.name = object["name"].get<std::string>();
  m.higher_is_better = object["higher_is_better"].get<bool>();
  for (const auto& [key, to] : {std::pair{"value", &m.value},
                                {"low", &m.interval.low},
                                {"high", &m.interval.high},
                                {"level", &m.interval.level},
                                {"margin", &m.margin}}) {
    auto v = number(object, key);
    if (!v) return daq::Error{fmt::format("metric '{}': {}", m.name, v.error().message)};
    *to = *v;
  }
  return m;
}

MetricChange change_of(const BaselineMetric& before, const BaselineMetric& now) {
  MetricChange out{before.name, before.value, now.value, now.value - before.value, {}, Change::kUndecided, {}};
  const auto below = [](const BaselineMetric& m) { return m.value - m.interval.low; };
  const auto above = [](const BaselineMetric& m) { return m.interval.high - m.value; };
  out.interval = {out.difference - std::hypot(below(now), above(before)),
                  out.difference + std::hypot(above(now), below(before)), now.interval.level};
  // Turned so that more is better.
  const double low = before.higher_is_better ? out.interval.low : -out.interval.high;
  const double high = before.higher_is_better ? out.interval.high : -out.interval.low;
  if (high < -before.margin) {
    out.change = Change::kWorse;
  } else if (low > 0) {
    out.change = Change::kBetter;
  } else if (low >= -before.margin) {
    out.change = Change::kNotWorse;
  }
  out.words = fmt::format("{}: {:.6g}, was {:.6g}; difference {:+.4g} ({:+.4g} to {:+.4g}), {:g} tolerated: {}",
                          out.name, out.now, out.before, out.difference, out.interval.low, out.interval.high,
                          before.margin, name_of(out.change));
  return out;
}

}  // namespace

const char* name_of(Change change) noexcept {
  switch (change) {
    case Change::kBetter:
      return "better";
    case Change::kNotWorse:
      return "not worse";
    case Change::kUndecided:
      return "undecided";
    case Change::kWorse:
      return "worse";
    case Change::kMissing:
      return "missing";
    case Change::kNew:
      return "new";
  }
  return "";
}

daq::Result<Baseline> read_baseline(std::string_view text) {
  const auto root = daq::parse_json(text);
  if (root.is_discarded()) return daq::Error{"the baseline is not JSON"};
  if (auto good = only(root, {"format", "origin", "metrics"}); !good) {
    return daq::Error{"baseline: " + good.error().message};
  }
  if (root["format"] != 1) return daq::Error{"the baseline's format is not 1: it was written by another version"};
  if (!root["origin"].is_string() || !root["metrics"].is_array()) {
    return daq::Error{"baseline: 'origin' must be text and 'metrics' a list"};
  }
  Baseline out;
  out.origin = root["origin"].get<std::string>();
  for (const auto& m : root["metrics"]) {
    auto metric = metric_of(m);
    if (!metric)
      return daq::Error{fmt::format("baseline, metric {}: {}", out.metrics.size() + 1, metric.error().message)};
    out.metrics.push_back(std::move(*metric));
  }
  if (auto good = checked(out.metrics); !good) return daq::Error{"baseline: " + good.error().message};
  return out;
}

std::string write_baseline(const Baseline& baseline) {
  json metrics = json::array();
  for (const auto& m : baseline.metrics) {
    metrics.push_back({{"name", m.name},
                       {"value", m.value},
                       {"low", m.interval.low},
                       {"high", m.interval.high},
                       {"level", m.interval.level},
                       {"higher_is_better", m.higher_is_better},
                       {"margin", m.margin}});
  }
  return daq::json_text(json{{"format", 1}, {"origin", baseline.origin}, {"metrics", metrics}}, 2) + "\n";
}

daq::Result<BaselineComparison> compare_with_baseline(const Baseline& baseline, std::span<const BaselineMetric> now) {
  for (const auto metrics : {std::span<const BaselineMetric>(baseline.metrics), now}) {
    if (auto good = checked(metrics); !good) return good.error();
  }
  std::map<std::string, const BaselineMetric*> by_name;
  for (const auto& m : now) by_name[m.name] = &m;
  BaselineComparison out;
  for (const auto& before : baseline.metrics) {
    const auto at = by_name.find(before.name);
    if (at == by_name.end()) {
      MetricChange gone;
      gone.name = before.name;
      gone.before = before.value;
      gone.now = gone.difference = std::nan("");
      gone.change = Change::kMissing;
      gone.words = fmt::format("{}: was {:.6g} and is not measured now: missing", before.name, before.value);
      out.changes.push_back(gone);
    } else {
      if (at->second->interval.level != before.interval.level) {
        return daq::Error{fmt::format("metric '{}' has intervals of {} and {}: they cannot be compared", before.name,
                                      before.interval.level, at->second->interval.level)};
      }
      out.changes.push_back(change_of(before, *at->second));
      by_name.erase(at);
    }
    out.failed =
        out.failed || out.changes.back().change == Change::kWorse || out.changes.back().change == Change::kMissing;
  }
  for (const auto& m : now) {
    if (!by_name.contains(m.name)) continue;
    MetricChange fresh;
    fresh.name = m.name;
    fresh.now = m.value;
    fresh.before = fresh.difference = std::nan("");
    fresh.change = Change::kNew;
    fresh.words = fmt::format("{}: {:.6g}, not in the baseline: new", m.name, m.value);
    out.changes.push_back(fresh);
  }
  return out;
}

}  // namespace strigil::protocols
