#include "apps/capsule_manifest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "calibration/record/digest.hpp"
#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kFormat = "strigil-capsule";

bool stays_inside(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\\') != std::string::npos) return false;
  std::size_t from = 0;
  while (from <= path.size()) {
    const auto to = std::min(path.find('/', from), path.size());
    const auto part = path.substr(from, to - from);
    if (part.empty() || part == "." || part == "..") return false;
    from = to + 1;
  }
  return true;
}

}  // namespace

void CapsuleManifest::add(std::string path, std::uint64_t bytes, std::string sha256) {
  const auto before = entries.empty()
                          ? calibration::sha256_hex(fmt::format("{}\n{}\n{}\n{}\n", kFormat, kind, made, software))
                          : entries.back().chain;
  auto chain = calibration::sha256_hex(fmt::format("{}\n{}\n{}\n{}\n", before, path, bytes, sha256));
  entries.push_back({std::move(path), bytes, std::move(sha256), std::move(chain)});
}

std::string to_text(const CapsuleManifest& m) {
  Json entries = Json::array();
  for (const auto& e : m.entries) {
    entries.push_back({{"path", e.path}, {"bytes", e.bytes}, {"sha256", e.sha256}, {"chain", e.chain}});
  }
  const Json out{{"format", kFormat}, {"version", 1},           {"kind", m.kind},
                 {"made", m.made},    {"software", m.software}, {"entries", entries}};
  return daq::json_text(out, 1) + '\n';
}

daq::Result<CapsuleManifest> parse_manifest(std::string_view text) {
  const auto refused = [](std::string why) { return daq::Error{"the capsule's manifest.json: " + std::move(why)}; };
  if (daq::nests_too_deep(text)) return refused("nested too deep");
  const auto json = daq::parse_ordered_json(text);
  if (!json.is_object() || json.value("format", Json()) != kFormat) return refused("it is no manifest of a capsule");
  if (json.value("version", Json()) != 1) return refused("of a version that is not known here");
  const auto word = [](const Json& from, const char* key) {
    const auto at = from.find(key);
    return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  CapsuleManifest out{word(json, "kind"), word(json, "made"), word(json, "software"), {}};
  const auto entries = json.find("entries");
  if (entries == json.end() || !entries->is_array()) return refused("it lists nothing");
  std::set<std::string> seen;
  for (const auto& e : *entries) {
    if (!e.is_object() || !e.contains("bytes") || !e["bytes"].is_number_unsigned())
      return refused("an entry is damaged");
    const auto path = word(e, "path");
    if (!stays_inside(path)) return refused(fmt::format("'{}' is no path below the capsule", path));
    if (!seen.insert(path).second) return refused(fmt::format("'{}' is listed twice", path));
    out.add(path, e["bytes"].get<std::uint64_t>(), word(e, "sha256"));
    if (out.entries.back().chain != word(e, "chain")) {
      return refused(
          fmt::format("the chain of hashes breaks at '{}': this entry, or the head of the file, was changed", path));
    }
  }
  if (to_text(out) != text) return refused("it was changed after it had been made");
  return out;
}

}  // namespace strigil::apps
