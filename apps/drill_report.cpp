#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/drill.hpp"
#include "daq/json_text.hpp"

namespace strigil::apps {
namespace {

/// Values in order; the q-th part of them is no greater than quantile(q).
class Spread {
 public:
  void add(double v) { values_.insert(std::upper_bound(values_.begin(), values_.end(), v), v); }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] double quantile(double q) const {
    if (values_.empty()) return 0;
    const auto i = static_cast<std::size_t>(q * static_cast<double>(values_.size() - 1) + 0.5);
    return values_[i];
  }

 private:
  std::vector<double> values_;
};

struct Row {
  std::set<std::string> by, responses, judgements, files, failings;
  Spread detection_ms, safe_ms;
  double peak_force_N = 0;
  double end_force_N = 0;
  std::size_t good = 0;
  std::string message;
};

Row row_of(const std::vector<DrillScore>& scores) {
  Row row;
  for (const auto& s : scores) {
    for (const auto& f : s.failings) row.failings.insert(fmt::format("{}: {}", name_of(s.phase), f));
    if (s.failings.empty()) ++row.good;
    if (!s.made) continue;
    row.by.insert(s.detected_by.empty() ? "NOBODY" : s.detected_by);
    row.responses.insert(std::string(name_of(s.response)));
    row.judgements.insert(s.judgement);
    row.files.insert(s.file);
    if (!s.detected_by.empty()) row.detection_ms.add(s.detection_s * 1e3);
    if (s.response != Response::kCarryOn) row.safe_ms.add(s.safe_after_s * 1e3);
    row.peak_force_N = std::max(row.peak_force_N, s.peak_force_N);
    row.end_force_N = std::max(row.end_force_N, s.end_force_N);
    if (row.message.empty()) row.message = s.message;
  }
  return row;
}

std::string joined(const std::set<std::string>& all, const char* between) {
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : between) + one;
  return out;
}

/// How the times of the interlock's trips lie.
std::string distribution(const std::vector<std::vector<DrillScore>>& scores) {
  Spread trips_ms;
  for (const auto& drill : scores) {
    for (const auto& s : drill) {
      if (s.tripped) trips_ms.add(s.detection_s * 1e3);
    }
  }
  if (trips_ms.empty()) return "";
  auto text =
      fmt::format("{} interlock trips: least {:.1f}, median {:.1f}, p90 {:.1f}, p99 {:.1f}, greatest {:.1f} ms\n",
                  trips_ms.size(), trips_ms.quantile(0), trips_ms.quantile(0.5), trips_ms.quantile(0.9),
                  trips_ms.quantile(0.99), trips_ms.quantile(1));
  return text;
}

nlohmann::ordered_json json_of(const DrillScore& s) {
  return {{"phase", name_of(s.phase)},
          {"made", s.made},
          {"disturbed_before", s.disturbed_before},
          {"detected_by", s.detected_by},
          {"detection_s", s.detection_s},
          {"response", name_of(s.response)},
          {"safe", s.safe},
          {"safe_after_s", s.safe_after_s},
          {"peak_force_N", s.peak_force_N},
          {"end_force_N", s.end_force_N},
          {"message", s.message},
          {"judgement", s.judgement},
          {"file", s.file},
          {"failings", s.failings}};
}

}  // namespace

std::string to_table(const std::vector<Drill>& drills, const std::vector<std::vector<DrillScore>>& scores) {
  auto text =
      fmt::format("{:<22} {:<26} {:>19} {:>7} {:<14} {:>8} {:>6} {:>6} {:<8} {:<9} {}\n", "drill", "detected by",
                  "ms min/med/max", "limit", "response", "safe ms", "peak N", "end N", "verdict", "file", "good");
  std::size_t runs = 0;
  std::size_t good = 0;
  std::size_t silent = 0;
  std::size_t passed = 0;
  std::size_t disturbed = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto& d = drills[i];
    const auto row = row_of(scores[i]);
    runs += scores[i].size();
    good += row.good;
    for (const auto& s : scores[i]) {
      disturbed += s.disturbed_before;
      silent += s.made && s.detected_by.empty() ? 1U : 0U;
      passed += s.judgement == "PASS" && d.verdict != "PASS" ? 1U : 0U;
    }
    const auto times = fmt::format("{:.1f}/{:.1f}/{:.1f}", row.detection_ms.quantile(0), row.detection_ms.quantile(0.5),
                                   row.detection_ms.quantile(1));
    text +=
        fmt::format("{:<22} {:<26} {:>19} {:>7.0f} {:<14} {:>8.0f} {:>6.1f} {:>6.1f} {:<8} {:<9} {}/{}{}\n", d.name,
                    joined(row.by, " | "), times, d.within_s * 1e3, joined(row.responses, "|"), row.safe_ms.quantile(1),
                    row.peak_force_N, row.end_force_N, joined(row.judgements, "|"), joined(row.files, "|"), row.good,
                    scores[i].size(), row.good == scores[i].size() ? "" : "  BAD");
    if (!row.message.empty()) text += fmt::format("    {}\n", row.message);
    for (const auto& f : row.failings) text += fmt::format("    BAD {}\n", f);
  }
  text += distribution(scores);
  if (disturbed > 0) {
    text += fmt::format("{} runs were done again: this computer was late, and something tripped before the fault\n",
                        disturbed);
  }
  text += fmt::format("{} drills, {} runs, {} good, {} silent, {} passed that must not\n", scores.size(), runs, good,
                      silent, passed);
  return text;
}

std::string to_json(const std::vector<Drill>& drills, const std::vector<std::vector<DrillScore>>& scores) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const auto& s : scores[i]) runs.push_back(json_of(s));
    all.push_back({{"drill", drills[i].name},
                   {"breaks", drills[i].breaks},
                   {"fault", name_of(drills[i].fault.kind)},
                   {"within_s", drills[i].within_s},
                   {"runs", runs}});
  }
  return daq::json_text(all, 1);
}

}  // namespace strigil::apps
