#include "daq/record/csv_table.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "daq/strict_toml.hpp"

namespace strigil::daq::record {
namespace {

constexpr std::size_t kLargestCsv = 512U << 20U;
constexpr std::size_t kMostColumns = 256;

/// Digits after the point, so that field * 10^decimals is whole.
int decimals_of(std::string_view field) {
  const auto e = field.find_first_of("eE");
  int exponent = 0;
  if (e != std::string_view::npos) {
    auto text = field.substr(e + 1);
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    (void)std::from_chars(text.data(), text.data() + text.size(), exponent);
  }
  const auto mantissa = field.substr(0, e);
  const auto point = mantissa.find('.');
  const int digits = point == std::string_view::npos ? 0 : static_cast<int>(mantissa.size() - point - 1);
  return std::max(0, digits - exponent);
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::string out;
  for (const auto b : digest) out += fmt::format("{:02x}", b);
  return out;
}

}  // namespace

Result<Csv> Csv::read(const std::string& path, const CsvFormat& format) {
  auto text = read_text_file(path, kLargestCsv);
  if (!text) return text.error();
  Csv csv;
  csv.sha256_ = sha256_hex(*text);
  std::string_view rest = *text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // the mark some spreadsheets put first
  std::size_t line_number = 0;
  std::size_t header_rows_left = format.header_rows;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++line_number;
    if (trimmed(line).empty() || trimmed(line).front() == format.comment) continue;
    if (header_rows_left > 1) {
      --header_rows_left;
      continue;
    }
    if (auto taken = csv.take(line, format, path, line_number); !taken) return taken.error();
  }
  if (csv.names_.empty()) return Error{fmt::format("{}: there is no header row", path)};
  return csv;
}

std::optional<std::size_t> Csv::column(const std::string& name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at == names_.end()) {
    std::size_t index = 0;
    const bool number =
        name.size() > 1 && name.front() == '#' &&
        std::from_chars(name.data() + 1, name.data() + name.size(), index).ptr == name.data() + name.size();
    return number && index < names_.size() ? std::optional(index) : std::nullopt;
  }
  return static_cast<std::size_t>(at - names_.begin());
}

std::string Csv::names() const { return fmt::format("{}", fmt::join(names_, ", ")); }

Result<void> Csv::take(std::string_view line, const CsvFormat& format, const std::string& path,
                       std::size_t line_number) {
  if (names_.empty() && format.header_rows == 0) {
    const auto columns = static_cast<std::size_t>(std::count(line.begin(), line.end(), format.separator)) + 1;
    for (std::size_t c = 0; c < std::min(columns, kMostColumns); ++c) names_.push_back(fmt::format("#{}", c));
  }
  const bool header = names_.empty();
  std::size_t fields = 0;
  for (std::size_t begin = 0;;) {
    const auto end = line.find(format.separator, begin);
    auto field = trimmed(line.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    std::string with_point;
    if (!header && format.decimal != '.' && field.find(format.decimal) != std::string_view::npos) {
      with_point = field;
      std::replace(with_point.begin(), with_point.end(), format.decimal, '.');
      field = with_point;
    }
    if (fields == kMostColumns)
      return Error{fmt::format("{}:{}: more than {} columns", path, line_number, kMostColumns)};
    if (header) {
      names_.emplace_back(field);
    } else {
      double value = std::nan("");
      const auto r = std::from_chars(field.data(), field.data() + field.size(), value);
      const bool number = r.ec == std::errc{} && r.ptr == field.data() + field.size();
      if (!number && !field.empty()) {
        return Error{fmt::format("{}:{}:{}: '{}' is not a number", path, line_number, begin + 1, field.substr(0, 40))};
      }
      values_.push_back(std::isfinite(value) && number ? value : std::nan(""));
      if (fields < names_.size()) {
        decimals_.resize(names_.size());
        decimals_[fields] = std::max(decimals_[fields], decimals_of(field));
      }
    }
    ++fields;
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  if (!header && fields != names_.size()) {
    return Error{fmt::format("{}:{}: {} fields where the header has {}", path, line_number, fields, names_.size())};
  }
  if (!header) lines_.push_back(line_number);
  return {};
}

}  // namespace strigil::daq::record
