#include "calibration/certificate/unit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace strigil::calibration {
namespace {

struct Named {
  std::string_view symbol;
  std::string_view name;
  double factor = 1;         // to `to`
  std::string_view to = {};  // empty: itself
};

// SI and what the SI brochure accepts beside it.
constexpr std::array kUnits{
    Named{"m", "metre"},
    Named{"g", "gram", 1e-3, "kg"},
    Named{"s", "second"},
    Named{"A", "ampere"},
    Named{"K", "kelvin"},
    Named{"mol", "mole"},
    Named{"cd", "candela"},
    Named{"N", "newton"},
    Named{"Pa", "pascal"},
    Named{"J", "joule"},
    Named{"W", "watt"},
    Named{"V", "volt"},
    Named{"Hz", "hertz"},
    Named{"Ohm", "ohm"},
    Named{"C", "coulomb"},
    Named{"F", "farad"},
    Named{"H", "henry"},
    Named{"T", "tesla"},
    Named{"Wb", "weber"},
    Named{"S", "siemens"},
    Named{"rad", "radian"},
    Named{"sr", "steradian"},
    Named{"lm", "lumen"},
    Named{"lx", "lux"},
    Named{"Bq", "becquerel"},
    Named{"Gy", "gray"},
    Named{"Sv", "sievert"},
    Named{"kat", "katal"},
    Named{"degC", "degreecelsius"},
    Named{"kg", "kilogram"},
    Named{"min", "minute", 60, "s"},
    Named{"h", "hour", 3600, "s"},
    Named{"d", "day", 86400, "s"},
    Named{"deg", "degree", 0.017453292519943295, "rad"},
    Named{"arcmin", "arcminute", 0.00029088820866572158, "rad"},
    Named{"arcsec", "arcsecond", 4.8481368110953598e-6, "rad"},
    Named{"bar", "bar", 1e5, "Pa"},
    Named{"L", "litre", 1e-3, "m3"},
    Named{"t", "tonne", 1e3, "kg"},
    Named{"%", "percent", 1e-2, "1"},
    Named{"ppm", "ppm", 1e-6, "1"},
    Named{"dB", "decibel"},
    Named{"eV", "electronvolt", 1.602176634e-19, "J"},
    Named{"1", "one"},
};

struct Prefix {
  std::string_view symbol;
  std::string_view name;
  double factor;
};
constexpr std::array kPrefixes{
    Prefix{"da", "deca", 1e1},  Prefix{"h", "hecto", 1e2},   Prefix{"k", "kilo", 1e3},   Prefix{"M", "mega", 1e6},
    Prefix{"G", "giga", 1e9},   Prefix{"T", "tera", 1e12},   Prefix{"P", "peta", 1e15},  Prefix{"d", "deci", 1e-1},
    Prefix{"c", "centi", 1e-2}, Prefix{"m", "milli", 1e-3},  Prefix{"u", "micro", 1e-6}, Prefix{"n", "nano", 1e-9},
    Prefix{"p", "pico", 1e-12}, Prefix{"f", "femto", 1e-15}, Prefix{"", "deka", 1e1},
};

template <typename Table>
auto by_name(const Table& table, std::string_view name) {
  return std::find_if(table.begin(), table.end(), [&](const auto& e) { return e.name == name; });
}
template <typename Table>
auto by_symbol(const Table& table, std::string_view symbol) {
  return std::find_if(table.begin(), table.end(),
                      [&](const auto& e) { return !e.symbol.empty() && e.symbol == symbol; });
}

/// "m", "mm", "s2" as D-SI; empty: not known.
std::string dsi_factor(std::string_view token) {
  std::size_t end = token.size();
  while (end > 0 && token[end - 1] >= '0' && token[end - 1] <= '9') --end;
  auto power = token.substr(end);
  if (end == 0) return token == "1" ? "\\one" : "";
  const auto base = token.substr(0, end);
  std::string out;
  if (const auto unit = by_symbol(kUnits, base); unit != kUnits.end()) {
    out = fmt::format("\\{}", unit->name);
  } else {
    for (const auto& p : kPrefixes) {
      if (p.symbol.empty() || !base.starts_with(p.symbol)) continue;
      const auto rest = by_symbol(kUnits, base.substr(p.symbol.size()));
      if (rest == kUnits.end() || rest->symbol == "1") continue;
      out = fmt::format("\\{}\\{}", p.name, rest->name);
      break;
    }
  }
  if (out.empty() || power.empty()) return out;
  return fmt::format("{}\\tothe{{{}}}", out, power);
}

/// The unit's macros: name and, for \tothe{2}, what stands in braces. Nothing: it is not written so.
struct Macro {
  std::string_view name;
  std::string_view argument;
};
std::optional<std::vector<Macro>> macros_of(std::string_view text) {
  std::vector<Macro> out;
  while (!text.empty()) {
    if (text.front() != '\\') return std::nullopt;
    text.remove_prefix(1);
    const auto end = std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzC"), text.size());
    if (end == 0) return std::nullopt;
    Macro m{text.substr(0, end), {}};
    text.remove_prefix(end);
    if (!text.empty() && text.front() == '{') {
      const auto close = text.find('}');
      if (close == std::string_view::npos) return std::nullopt;
      m.argument = text.substr(1, close - 1);
      text.remove_prefix(close + 1);
    }
    out.push_back(m);
    if (out.size() > 64) return std::nullopt;
  }
  return out.empty() ? std::nullopt : std::optional(out);
}

std::optional<int> small_integer(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.size() != 1 || text.front() < '0' || text.front() > '9') return std::nullopt;
  return negative ? -(text.front() - '0') : text.front() - '0';
}

}  // namespace

std::string dsi_unit(std::string_view symbol) {
  if (symbol.empty() || symbol == "1") return "\\one";
  std::string out;
  bool below = false;
  std::string_view rest = symbol;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of("/ "), rest.size());
    const auto factor = dsi_factor(rest.substr(0, end));
    if (factor.empty()) return fmt::format("|{}", symbol);
    if (!(factor == "\\one" && out.empty() && end < rest.size())) out += (below ? "\\per" : "") + factor;
    if (end < rest.size() && rest[end] == '/') below = true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out.empty() ? "\\one" : out;  // "1 1 "
}

std::optional<ReadUnit> read_dsi_unit(std::string_view text) {
  const auto macros = macros_of(text);
  if (!macros) return std::nullopt;
  std::string above;
  std::string below;
  ReadUnit out;
  bool per = false;
  double prefix = 1;
  for (std::size_t i = 0; i < macros->size(); ++i) {
    const auto& m = (*macros)[i];
    if (m.name == "per") {
      per = true;
      continue;
    }
    if (const auto p = by_name(kPrefixes, m.name); p != kPrefixes.end()) {
      prefix *= p->factor;
      continue;
    }
    // As D-SI 1.3 wrote it.
    const auto unit = by_name(kUnits, m.name == "degreeCelsius" ? "degreecelsius" : m.name);
    if (unit == kUnits.end()) return std::nullopt;
    int power = 1;
    if (i + 1 < macros->size() && (*macros)[i + 1].name == "tothe") {
      const auto wanted = small_integer((*macros)[++i].argument);
      if (!wanted || *wanted == 0) return std::nullopt;
      power = *wanted;
    }
    if (per) power = -power;
    out.factor *= std::pow(prefix * unit->factor, power);
    const auto symbol = unit->to.empty() ? unit->symbol : unit->to;
    if (symbol != "1") {
      auto& side = power > 0 ? above : below;
      if (!side.empty()) side += power > 0 ? ' ' : '/';
      side += symbol;
      if (std::abs(power) != 1) side += fmt::format("{}", std::abs(power));
    }
    per = false;
    prefix = 1;
  }
  if (per || prefix != 1) return std::nullopt;  // a prefix or \per of nothing
  out.symbol = above.empty() ? "1" : above;
  if (!below.empty()) out.symbol += "/" + below;
  return out;
}

std::string dsi_number(double value) { return fmt::format("{}", value == 0 ? 0.0 : value); }

std::string dsi_plain(double value) {
  auto text = fmt::format("{:.6f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace strigil::calibration
