#include "calibration/standards/limit_table.hpp"

#include <fmt/format.h>

#include <cassert>

#include "calibration/record/digest.hpp"
#include "calibration/standards/limit_table_texts.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::calibration {
namespace {

constexpr double kHuge = 1e12;

double read_limit(daq::StrictTable& table, const std::string& key) {
  return table.number(key, {key.ends_with("_degC") ? -kHuge : 0.0, kHuge});
}

LimitClass read_keys(daq::StrictTable& table, const std::vector<std::string>& numbers,
                     const std::vector<std::string>& words) {
  LimitClass out;
  for (const auto& key : numbers) out.limits[key] = read_limit(table, key);
  for (const auto& key : words) out.words[key] = table.text(key);
  return out;
}

}  // namespace

std::string TableIdentity::citation() const {
  return fmt::format("{} {}:{} (table {} v{}, sha256 {})", status, standard, edition, id, version,
                     sha256.substr(0, 12));
}

double LimitClass::limit(std::string_view key) const {
  const auto found = limits.find(key);
  assert(found != limits.end());
  return found->second;
}

const std::string& LimitClass::word(std::string_view key) const {
  const auto found = words.find(key);
  assert(found != words.end());
  return found->second;
}

daq::Result<LimitTable> LimitTable::read(std::string_view text, std::string file, const LimitSchema& schema) {
  daq::StrictToml document(text, std::move(file));
  auto root = document.root();
  LimitTable table;
  table.identity.id = root.text("id");
  table.identity.standard = root.text("standard");
  table.identity.edition = root.text("edition");
  table.identity.version = static_cast<int>(root.integer("version", {1, 1e6}));
  table.identity.status = root.text("status");
  if (table.identity.status != "method based on" && table.identity.status != "according to") {
    root.refuse("status",
                "'status' must be \"method based on\" (the standard's text was not at hand) or \"according to\"");
  }
  table.identity.source = root.text("source");
  table.identity.sha256 = sha256_hex(text);
  const bool has_procedure = !schema.procedure.empty() || !schema.procedure_words.empty();
  auto procedure = root.table("procedure", has_procedure);
  if (has_procedure && procedure.present()) {
    table.procedure = read_keys(procedure, schema.procedure, schema.procedure_words);
  }
  procedure.finish();
  for (auto& row : root.tables("class")) {
    auto one = read_keys(row, schema.of_class, schema.class_words);
    one.name = row.text("name");
    for (const auto& other : table.classes) {
      if (other.name == one.name) row.refuse("name", fmt::format("class '{}' stands twice in the table", one.name));
    }
    row.finish();
    table.classes.push_back(std::move(one));
  }
  root.finish();
  if (document.error()) return *document.error();
  if (table.classes.empty() != schema.of_class.empty()) {
    return daq::Error{fmt::format("table '{}' has {} classes; {}", table.identity.id, table.classes.size(),
                                  schema.of_class.empty() ? "this standard knows none" : "it must have at least one")};
  }
  return table;
}

std::string_view built_in_table(std::string_view name) {
  for (const auto& [known, text] : kLimitTableTexts) {
    if (known == name) return text;
  }
  return {};
}

std::vector<std::string> built_in_table_names() {
  std::vector<std::string> out;
  for (const auto& [known, text] : kLimitTableTexts) out.emplace_back(known);
  return out;
}

LimitTable read_built_in_table(std::string_view name, const LimitSchema& schema) {
  auto table = LimitTable::read(built_in_table(name), std::string(name) + ".toml", schema);
  assert(table);
  return std::move(table).value();
}

}  // namespace strigil::calibration
