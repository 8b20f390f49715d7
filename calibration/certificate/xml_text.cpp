#include "calibration/certificate/xml_text.hpp"

#include <algorithm>

namespace strigil::calibration {
namespace {

/// Length of the UTF-8 character at `at`; 0 when it is none, or one that XML does not allow.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return lead >= 0x20 || lead == '\n' || lead == '\t' ? 1 : 0;
  const std::size_t n = (lead & 0xE0U) == 0xC0 ? 2 : (lead & 0xF0U) == 0xE0 ? 3 : (lead & 0xF8U) == 0xF0 ? 4 : 0;
  if (n == 0 || at + n > text.size()) return 0;
  unsigned code = lead & (0x7FU >> n);
  for (std::size_t i = 1; i < n; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0U) != 0x80) return 0;
    code = code << 6U | (next & 0x3FU);
  }
  constexpr unsigned kFirst[] = {0, 0, 0x80, 0x800, 0x10000};  // longer than need be: a disguise
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool allowed = code >= kFirst[n] && code <= 0x10FFFF && !surrogate && code != 0xFFFE && code != 0xFFFF;
  return allowed ? n : 0;
}

template <typename Put>
void each_character(std::string_view text, Put&& put) {
  for (std::size_t i = 0; i < text.size();) {
    const auto n = utf8_length(text, i);
    put(n == 0 ? std::string_view("?") : text.substr(i, n));
    i += std::max<std::size_t>(n, 1);
  }
}

}  // namespace

std::string xml_safe(std::string_view text) {
  std::string out;
  each_character(text, [&](std::string_view c) { out += c; });
  return out;
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  each_character(text, [&](std::string_view c) {
    switch (c.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  });
  return out;
}

std::string shortened(std::string_view text, std::size_t most) {
  std::string out;
  std::string whole;
  std::size_t characters = 0;
  each_character(text, [&](std::string_view c) {
    if (++characters < most) out += c;
    whole += c;
  });
  return characters <= most ? whole : out + "\u2026";
}

}  // namespace strigil::calibration
