#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "apps/drill.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

constexpr std::array kResponses{Response::kLift, Response::kStop, Response::kCarryOn};
constexpr std::array kPhases{sim::FaultOrigin::kApproach, sim::FaultOrigin::kContact, sim::FaultOrigin::kStroke,
                             sim::FaultOrigin::kRetract};
constexpr double kMillisecond = 1e-3;

/// A list of words, separated by commas: the strict reader knows no arrays of text.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    auto from = text.find_first_not_of(' ', at);
    if (from < end) {
      const auto last = text.find_last_not_of(' ', end - 1);
      out.push_back(text.substr(from, last + 1 - from));
    }
    at = end + 1;
  }
  return out;
}

/// Words of `key` as values of an enumeration with names.
template <typename T, std::size_t N>
std::vector<T> chosen(daq::StrictTable& t, std::string_view key, const std::array<T, N>& all,
                      const std::string& otherwise) {
  std::vector<T> out;
  for (const auto& word : words(t.text(key, otherwise))) {
    const auto found = std::find_if(all.begin(), all.end(), [&](T v) { return name_of(v) == word; });
    if (found != all.end()) {
      out.push_back(*found);
    } else {
      std::string known;
      for (const T v : all) known += fmt::format("{}{}", known.empty() ? "" : ", ", name_of(v));
      t.refuse(key, fmt::format("'{}' is not one of: {}", word, known));
    }
  }
  return out;
}

Drill read_drill(daq::StrictTable& t) {
  Drill d;
  d.name = t.text("name");
  d.breaks = t.text("breaks");
  d.phases = chosen(t, "phases", kPhases, "approach, contact, stroke, retract");
  d.virtual_time = t.boolean("virtual_time", true);
  d.taps = t.boolean("taps", false);
  auto fault = t.table("fault", true);
  d.fault = sim::read_fault(fault);
  fault.finish();
  auto expect = t.table("expect", true);
  d.by = words(expect.text("by"));
  d.responses = chosen(expect, "response", kResponses, "lift");
  d.within_s = expect.number("within_ms", {0, 60000}) * kMillisecond;
  d.verdict = expect.text("verdict", "INVALID");
  if (d.verdict != "INVALID" && d.verdict != "PASS" && d.verdict != "none") {
    expect.refuse("verdict", "a drill ends in INVALID, in PASS, or in none");
  }
  d.file = expect.text("file", "whole");
  if (d.file != "whole" && d.file != "recovered") expect.refuse("file", "a run file is \"whole\" or \"recovered\"");
  expect.finish();
  t.finish();
  return d;
}

}  // namespace

std::string_view name_of(Response response) noexcept {
  switch (response) {
    case Response::kLift:
      return "lift";
    case Response::kStop:
      return "stop";
    case Response::kCarryOn:
      return "carry_on";
  }
  return "unknown";
}

std::string without_taps(std::string_view bench_text) {
  std::string text(bench_text);
  const auto from = text.find("\n[taps]\n");
  if (from == std::string::npos) return text;
  auto to = text.find("\n[", from + 1);
  if (to == std::string::npos) to = text.size();
  return text.erase(from, to - from);
}

daq::Result<DrillCatalogue> parse_drills(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  DrillCatalogue catalogue;
  catalogue.protocol = root.text("protocol", catalogue.protocol);
  catalogue.bench = root.text("bench", catalogue.bench);
  std::set<std::string> names;
  for (auto& entry : root.tables("drill")) {
    catalogue.drills.push_back(read_drill(entry));
    if (!names.insert(catalogue.drills.back().name).second) entry.refuse("name", "two drills have this name");
  }
  root.finish();
  if (document.error()) return *document.error();
  if (catalogue.drills.empty()) return daq::Error{fmt::format("{}: there is no [[drill]] in it", file)};
  return catalogue;
}

}  // namespace strigil::apps
