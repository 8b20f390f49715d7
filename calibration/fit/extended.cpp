#include "calibration/fit/extended.hpp"

#include <cstdint>

namespace strigil::calibration {
namespace {

Extended power_of_ten(int exponent) noexcept {
  Extended result(1), base(10);
  for (int e = exponent < 0 ? -exponent : exponent; e > 0; e /= 2) {
    if (e % 2 != 0) result = result * base;
    base = base * base;
  }
  return result;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Extended> parse_extended(std::string_view text) {
  std::size_t at = 0;
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
  Extended mantissa;
  int exponent = 0, digits = 0;
  bool point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    if (++digits > 300) return std::nullopt;
    mantissa = mantissa * Extended(10) + Extended(text[at] - '0');
    if (point) --exponent;
  }
  if (digits == 0) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    bool minus = false;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) minus = text[at++] == '-';
    int written = 0;
    const std::size_t first = at;
    for (; at < text.size() && is_digit(text[at]) && written < 10000; ++at) written = 10 * written + (text[at] - '0');
    if (at == first) return std::nullopt;
    exponent += minus ? -written : written;
  }
  if (at != text.size() || exponent > 300 || exponent < -300) return std::nullopt;
  const Extended power = power_of_ten(exponent);
  const Extended value = exponent < 0 ? mantissa / power : mantissa * power;
  if (!std::isfinite(value.hi)) return std::nullopt;
  return negative ? -value : value;
}

Extended extended_sum(std::span<const double> values) noexcept {
  Extended sum;
  for (const double v : values) sum = sum + Extended(v);
  return sum;
}

}  // namespace strigil::calibration
