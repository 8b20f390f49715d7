#include "daq/strict_toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daq/guarded_toml.hpp"

namespace strigil::daq {
namespace {

/// Whether toml++ gives up on `text`. It reads from the front, so what holds for a text holds for every longer one.
bool gives_up(std::string_view text) {
  try {
    (void)toml::parse(text);
  } catch (const TomlParserGaveUp&) {
    return true;
  } catch (const toml::parse_error&) {
  }
  return false;
}

/// The place of the byte at which toml++ gives up.
toml::source_position where_it_gives_up(std::string_view text) {
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (bad - good > 1) {
    const auto middle = good + (bad - good) / 2;
    (gives_up(text.substr(0, middle)) ? bad : good) = middle;
  }
  const auto before = text.substr(0, good);
  const auto line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  // Columns count characters, not the bytes that go on in one.
  const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_begin), before.end(),
                                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  return {static_cast<toml::source_index>(1 + std::count(before.begin(), before.end(), '\n')),
          static_cast<toml::source_index>(1 + column)};
}

}  // namespace

void give_up_parsing() { throw TomlParserGaveUp{}; }

struct StrictToml::Document {
  toml::table root;
  std::string file;
  std::optional<Error> error;
  std::optional<Error> missing;  // told only when nothing else is wrong: a misspelt key is why a key is missing

  [[nodiscard]] Error at(const toml::source_region& where, const std::string& why) const {
    return Error{fmt::format("{}:{}:{}: {}", file, where.begin.line, where.begin.column, why)};
  }
  void refuse(const toml::source_region& where, const std::string& why) {
    if (!error) error = at(where, why);
  }
};

struct StrictTable::State {
  std::shared_ptr<StrictToml::Document> document;
  const toml::table* table = nullptr;  // nullptr: missing
  toml::source_region where;           // of the nearest existing table
  std::string path;
  std::vector<std::string> known;

  [[nodiscard]] std::string name_of(std::string_view key) const {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  }
  const toml::node* find(std::string_view key) {
    known.emplace_back(key);
    return table == nullptr ? nullptr : table->get(key);
  }
  /// One value, or each of a list; a list without any is refused.
  template <typename Take>
  void for_each(std::string_view key, const toml::node& node, const Take& take) {
    const auto* array = node.as_array();
    if (array == nullptr) return take(node);
    for (const auto& item : *array) take(item);
    if (array->empty()) document->refuse(node.source(), fmt::format("'{}' is an empty list", name_of(key)));
  }
  void missing(std::string_view key) {
    if (document->missing) return;
    document->missing = document->at(where, fmt::format("the key '{}' is required and missing", name_of(key)));
  }
};

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

/// The stem before the unit: a wrong unit ("normal_force_kg") is nearer to its key than any other spelling.
std::string_view stem(std::string_view key) { return key.substr(0, key.rfind('_')); }

std::string nearest(std::string_view key, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = key.size() / 2 + 1;
  for (const auto& candidate : known) {
    const auto d = stem(candidate) == stem(key) ? std::size_t{1} : edit_distance(key, candidate);
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

bool StrictTable::present() const { return state_->table != nullptr; }
bool StrictTable::has(std::string_view key) const { return state_->table != nullptr && state_->table->contains(key); }

double StrictTable::number(std::string_view key, Range range, std::optional<double> otherwise) {
  const auto values = numbers(key, range, otherwise ? std::optional(std::vector{*otherwise}) : std::nullopt);
  if (values.size() > 1) refuse(key, fmt::format("'{}' takes one number, not a list", state_->name_of(key)));
  return values.empty() ? range.low : values.front();
}

std::int64_t StrictTable::integer(std::string_view key, Range range, std::optional<std::int64_t> otherwise) {
  const auto* node = state_->find(key);
  if (node == nullptr) {
    if (!otherwise) state_->missing(key);
    return otherwise.value_or(static_cast<std::int64_t>(range.low));
  }
  const auto value = node->value_exact<std::int64_t>();
  if (!value) {
    state_->document->refuse(node->source(), fmt::format("'{}' must be a whole number", state_->name_of(key)));
    return static_cast<std::int64_t>(range.low);
  }
  const auto as_double = static_cast<double>(*value);
  if (as_double < range.low || as_double > range.high) {
    state_->document->refuse(node->source(), fmt::format("'{}' is {}; it must lie between {:g} and {:g}",
                                                         state_->name_of(key), *value, range.low, range.high));
  }
  return *value;
}

bool StrictTable::boolean(std::string_view key, std::optional<bool> otherwise) {
  const auto* node = state_->find(key);
  if (node == nullptr) {
    if (!otherwise) state_->missing(key);
    return otherwise.value_or(false);
  }
  const auto value = node->value_exact<bool>();
  if (!value) {
    state_->document->refuse(node->source(), fmt::format("'{}' must be true or false", state_->name_of(key)));
  }
  return value.value_or(false);
}

std::string StrictTable::text(std::string_view key, std::optional<std::string> otherwise) {
  const auto* node = state_->find(key);
  if (node == nullptr) {
    if (!otherwise) state_->missing(key);
    return otherwise.value_or("");
  }
  const auto value = node->value_exact<std::string>();
  if (!value) {
    state_->document->refuse(node->source(), fmt::format("'{}' must be text in quotes", state_->name_of(key)));
  }
  return value.value_or("");
}

std::vector<std::string> StrictTable::texts(std::string_view key, std::optional<std::vector<std::string>> otherwise) {
  const auto* node = state_->find(key);
  if (node == nullptr) {
    if (!otherwise) state_->missing(key);
    return otherwise.value_or(std::vector<std::string>{});
  }
  std::vector<std::string> out;
  const auto take = [&](const toml::node& item) {
    const auto value = item.value_exact<std::string>();
    if (!value) {
      state_->document->refuse(item.source(), fmt::format("'{}' must be text in quotes", state_->name_of(key)));
    } else {
      out.push_back(*value);
    }
  };
  state_->for_each(key, *node, take);
  return out;
}

std::vector<double> StrictTable::numbers(std::string_view key, Range range,
                                         std::optional<std::vector<double>> otherwise) {
  const auto* node = state_->find(key);
  if (node == nullptr) {
    if (!otherwise) state_->missing(key);
    return otherwise.value_or(std::vector<double>{});
  }
  std::vector<double> out;
  const auto take = [&](const toml::node& item) {
    const auto value = item.is_number() ? item.value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value)) {
      state_->document->refuse(item.source(), fmt::format("'{}' must be a number", state_->name_of(key)));
    } else if (*value < range.low || *value > range.high) {
      state_->document->refuse(item.source(), fmt::format("'{}' is {:g}; it must lie between {:g} and {:g}",
                                                          state_->name_of(key), *value, range.low, range.high));
    } else {
      out.push_back(*value);
    }
  };
  state_->for_each(key, *node, take);
  return out;
}

StrictTable StrictTable::table(std::string_view key, bool required) {
  const auto* node = state_->find(key);
  auto child = std::make_shared<State>();
  child->document = state_->document;
  child->path = state_->name_of(key);
  child->where = node != nullptr ? node->source() : state_->where;
  if (node == nullptr) {
    if (required) state_->missing(key);
  } else if (const auto* table = node->as_table()) {
    child->table = table;
  } else {
    state_->document->refuse(node->source(), fmt::format("'{}' must be a table", child->path));
  }
  return StrictTable(child);
}

std::vector<StrictTable> StrictTable::tables(std::string_view key) {
  std::vector<StrictTable> out;
  const auto* node = state_->find(key);
  if (node == nullptr) return out;
  const auto* array = node->as_array();
  if (array == nullptr) {
    state_->document->refuse(node->source(), fmt::format("'{}' must be an array of tables", state_->name_of(key)));
    return out;
  }
  for (const auto& item : *array) {
    auto child = std::make_shared<State>();
    child->document = state_->document;
    child->path = fmt::format("{}[{}]", state_->name_of(key), out.size());
    child->where = item.source();
    child->table = item.as_table();
    if (child->table == nullptr)
      state_->document->refuse(item.source(), fmt::format("'{}' must be a table", child->path));
    out.push_back(StrictTable(child));
  }
  return out;
}

void StrictTable::pass_over(std::string_view key) { (void)state_->find(key); }

std::vector<std::string> StrictTable::keys() const {
  std::vector<std::string> out;
  if (state_->table == nullptr) return out;
  for (const auto& [key, node] : *state_->table) out.emplace_back(key.str());
  return out;
}

std::string StrictTable::as_toml() const {
  if (state_->table == nullptr) return {};
  std::ostringstream text;
  text << *state_->table;
  return text.str();
}

void StrictTable::refuse(std::string_view key, const std::string& why) {
  const auto* node = state_->table == nullptr ? nullptr : state_->table->get(key);
  state_->document->refuse(node != nullptr ? node->source() : state_->where, why);
}

void StrictTable::finish() {
  if (state_->table == nullptr) return;
  for (const auto& [key, node] : *state_->table) {
    const std::string name(key.str());
    if (std::find(state_->known.begin(), state_->known.end(), name) != state_->known.end()) continue;
    const auto suggestion = nearest(name, state_->known);
    state_->document->refuse(key.source(), suggestion.empty() ? fmt::format("unknown key '{}'", state_->name_of(name))
                                                              : fmt::format("unknown key '{}'; did you mean '{}'?",
                                                                            state_->name_of(name), suggestion));
  }
}

StrictToml::StrictToml(std::string_view text, std::string file) : document_(std::make_shared<Document>()) {
  document_->file = std::move(file);
  try {
    document_->root = toml::parse(text, document_->file);
  } catch (const toml::parse_error& e) {
    document_->refuse(e.source(), std::string(e.description()));
  } catch (const TomlParserGaveUp&) {
    const auto place = where_it_gives_up(text);
    document_->refuse({place, place, nullptr}, "this is not TOML: another character was expected here");
  }
}

StrictToml::~StrictToml() = default;

StrictTable StrictToml::root() {
  auto state = std::make_shared<StrictTable::State>();
  state->document = document_;
  state->table = &document_->root;
  state->where = document_->root.source();
  return StrictTable(state);
}

const std::optional<Error>& StrictToml::error() const {
  return document_->error ? document_->error : document_->missing;
}

Result<std::string> read_text_file(const std::string& path, std::size_t limit_bytes) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) {
    return Error{fmt::format("cannot read '{}': there is no such file", path)};
  }
  const auto size = std::filesystem::file_size(path, failure);
  if (failure || size > limit_bytes) {
    return Error{fmt::format("cannot read '{}': it is larger than {} bytes or unreadable", path, limit_bytes)};
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Error{fmt::format("cannot read '{}': the read failed; check its permissions", path)};
  return text.str();
}

}  // namespace strigil::daq
