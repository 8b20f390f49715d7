#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"
#include "protocols/golden_strokes.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kFormat = "strigil-golden";
constexpr const char* kDomains[] = {"space", "time", "frequency"};

/// Throws what nlohmann throws: caught at the one door below.
GoldenSection section_of(const Json& j) {
  GoldenSection s;
  s.stroke = j.at("stroke").get<std::size_t>();
  const auto domain = j.at("domain").get<std::string>();
  std::size_t d = 0;
  while (d < std::size(kDomains) && domain != kDomains[d]) ++d;
  if (d == std::size(kDomains)) throw std::invalid_argument("a domain '" + domain + "' is not known");
  s.domain = static_cast<GoldenDomain>(d);
  s.channel = j.at("channel").get<std::string>();
  s.unit = j.at("unit").get<std::string>();
  s.resolution = j.at("resolution").get<double>();
  s.at = j.at("at").get<std::vector<double>>();
  s.from_m = j.at("from_m").get<double>();
  s.forward = j.at("forward").get<bool>();
  return s;
}

void check(const GoldenStrokes& g) {
  const auto need = [](bool good, const char* what) {
    if (!good) throw std::invalid_argument(what);
  };
  need(g.false_reject > 0 && g.false_reject <= 0.5, "a false-reject rate is not in (0, 0.5]");
  need(g.bin_mm > 0 && g.bin_s > 0, "a bin is not above 0");
  std::size_t points = 0;
  for (const auto& s : g.sections) {
    need(!s.at.empty() && s.resolution > 0 && std::isfinite(s.resolution), "a section is empty or has no resolution");
    for (std::size_t i = 0; i < s.at.size(); ++i) need(i == 0 || s.at[i] > s.at[i - 1], "a section does not ascend");
    points += s.at.size();
  }
  need(points > 0 && !g.references.empty() && g.references.size() == g.runs.size(), "no sections or no references");
  for (const auto& r : g.references) need(r.size() == points, "a reference has other points than the sections");
}

}  // namespace

std::string to_json(const GoldenStrokes& g) {
  Json sections = Json::array();
  for (const auto& s : g.sections) {
    sections.push_back({{"stroke", s.stroke},
                        {"domain", kDomains[static_cast<std::size_t>(s.domain)]},
                        {"channel", s.channel},
                        {"unit", s.unit},
                        {"resolution", s.resolution},
                        {"from_m", s.from_m},
                        {"forward", s.forward},
                        {"at", s.at}});
  }
  const Json out{{"format", kFormat},
                 {"version", 1},
                 {"plan_sha256", g.plan_sha256},
                 {"false_reject", g.false_reject},
                 {"bin_mm", g.bin_mm},
                 {"bin_s", g.bin_s},
                 {"runs", g.runs},
                 {"sections", sections},
                 {"references", g.references}};
  return daq::json_text(out) + '\n';
}

daq::Result<GoldenStrokes> parse_golden(std::string_view text) {
  const auto refused = [](const std::string& why) { return daq::Error{"this is no file of golden strokes: " + why}; };
  if (daq::nests_too_deep(text)) return refused("nested too deep");
  const auto json = daq::parse_ordered_json(text);
  if (!json.is_object() || json.value("format", Json()) != kFormat) return refused("another format");
  if (json.value("version", Json()) != 1) return refused("of a version that is not known here");
  try {
    GoldenStrokes g;
    g.plan_sha256 = json.at("plan_sha256").get<std::string>();
    g.false_reject = json.at("false_reject").get<double>();
    g.bin_mm = json.at("bin_mm").get<double>();
    g.bin_s = json.at("bin_s").get<double>();
    g.runs = json.at("runs").get<std::vector<std::string>>();
    for (const auto& s : json.at("sections")) g.sections.push_back(section_of(s));
    g.references = json.at("references").get<std::vector<std::vector<double>>>();
    check(g);
    return g;
  } catch (const nlohmann::json::exception& e) {
    return refused(e.what());
  } catch (const std::invalid_argument& e) {
    return refused(e.what());
  }
}

}  // namespace strigil::protocols
