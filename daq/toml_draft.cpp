#include "daq/toml_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "daq/guarded_toml.hpp"

namespace strigil::daq {
namespace {

Result<toml::table> parsed(std::string_view text, const std::string& file) {
  try {
    return toml::table(toml::parse(text, file));
  } catch (const toml::parse_error& e) {
    return Error{fmt::format("{}:{}:{}: {}", file, e.source().begin.line, e.source().begin.column, e.description())};
  } catch (const TomlParserGaveUp&) {
    return Error{fmt::format("{}: this is not TOML", file)};
  }
}

void lay_over(toml::table& below, const toml::table& above) {
  for (const auto& [key, node] : above) {
    auto* there = below.get_as<toml::table>(key.str());
    if (there != nullptr && node.is_table()) {
      lay_over(*there, *node.as_table());
    } else {
      below.insert_or_assign(key.str(), node);
    }
  }
}

template <typename T>
Result<void> set_in(toml::table& table, std::string_view path, std::string_view whole, const T& value) {
  const auto dot = path.find('.');
  const auto key = path.substr(0, dot);
  if (key.empty()) return Error{fmt::format("'{}' is no path to a key", whole)};
  if (dot == std::string_view::npos) {
    table.insert_or_assign(key, value);
    return {};
  }
  const auto rest = path.substr(dot + 1);
  if (!table.contains(key)) table.insert(key, toml::table{});
  if (auto* child = table.get_as<toml::table>(key)) return set_in(*child, rest, whole, value);
  auto* list = table.get_as<toml::array>(key);
  if (list == nullptr || !list->is_homogeneous<toml::table>())
    return Error{fmt::format("'{}' of '{}' is no table", key, whole)};
  for (auto& item : *list) {
    if (auto set = set_in(*item.as_table(), rest, whole, value); !set) return set;
  }
  return {};
}

}  // namespace

struct TomlDraft::Document {
  toml::table root;
};

TomlDraft::TomlDraft(std::unique_ptr<Document> document) : document_(std::move(document)) {}
TomlDraft::~TomlDraft() = default;
TomlDraft::TomlDraft(TomlDraft&&) noexcept = default;
TomlDraft& TomlDraft::operator=(TomlDraft&&) noexcept = default;

Result<TomlDraft> TomlDraft::parse(std::string_view text, const std::string& file) {
  auto root = parsed(text, file);
  if (!root) return root.error();
  return TomlDraft(std::make_unique<Document>(Document{std::move(*root)}));
}

Result<void> TomlDraft::set(std::string_view path, double value) {
  // A whole number where whole ones are asked for; where others are, it is read as one all the same.
  constexpr double kExact = 0x1p53;
  if (value == std::floor(value) && std::abs(value) < kExact)
    return set_in(document_->root, path, path, static_cast<std::int64_t>(value));
  return set_in(document_->root, path, path, value);
}

Result<void> TomlDraft::set(std::string_view path, const std::string& value) {
  return set_in(document_->root, path, path, value);
}

Result<void> TomlDraft::overlay(std::string_view text, const std::string& file) {
  const auto above = parsed(text, file);
  if (!above) return above.error();
  lay_over(document_->root, *above);
  return {};
}

std::size_t TomlDraft::keep_tables(std::string_view array, std::string_view key, std::span<const std::string> values) {
  auto* list = document_->root.get_as<toml::array>(array);
  if (list == nullptr) return 0;
  for (std::size_t i = list->size(); i-- > 0;) {
    const auto* table = list->get_as<toml::table>(i);
    const auto value = table == nullptr ? std::nullopt : (*table)[key].value<std::string>();
    if (!value || std::find(values.begin(), values.end(), *value) == values.end())
      list->erase(list->begin() + static_cast<std::ptrdiff_t>(i));
  }
  return list->size();
}

bool TomlDraft::has(std::string_view key) const { return document_->root.contains(key); }

std::string TomlDraft::text() const {
  std::ostringstream out;
  out << document_->root;
  out << '\n';
  return out.str();
}

}  // namespace strigil::daq
