#include "protocols/report/report_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

std::string with_decimals(double v, double width) {
  if (!std::isfinite(v)) return fmt::format("{}", v);
  if (!(width > 0) || !std::isfinite(width)) return fmt::format("{:.4g}", v);
  const double digits = 1 - std::floor(std::log10(width));
  if (digits > 9 || std::abs(v) >= 1e9) return fmt::format("{:.6g}", v);
  auto text = fmt::format("{:.{}f}", v, static_cast<int>(std::max(digits, 0.0)));
  return text.find_first_not_of("-0.") == std::string::npos && text.front() == '-' ? text.substr(1) : text;
}

std::string unit_of(const Metric& m) { return m.unit.empty() ? "" : " " + m.unit; }

}  // namespace

std::string value_in_words(const Metric& m) {
  if (std::isnan(m.value)) return "not known";
  return with_decimals(m.value, m.interval.known() ? m.interval.width() : 0);
}

std::string interval_in_words(const Metric& m) {
  if (!m.interval.known()) return "";
  return fmt::format("{} to {}", with_decimals(m.interval.low, m.interval.width()),
                     with_decimals(m.interval.high, m.interval.width()));
}

std::string limits_in_words(const Metric& m) {
  std::string out;
  if (m.lower_limit && m.upper_limit) {
    out = fmt::format("{:g} to {:g}{}", *m.lower_limit, *m.upper_limit, unit_of(m));
  } else if (m.lower_limit) {
    out = fmt::format("at least {:g}{}", *m.lower_limit, unit_of(m));
  } else if (m.upper_limit) {
    out = fmt::format("at most {:g}{}", *m.upper_limit, unit_of(m));
  }
  if (!out.empty() && m.marginal > 0) out += fmt::format(", marginal within {:g}", m.marginal);
  return out;
}

std::string metric_in_words(const Metric& m) {
  auto out = fmt::format("{}: {}{}", m.name, value_in_words(m), std::isnan(m.value) ? "" : unit_of(m));
  if (const auto i = interval_in_words(m); !i.empty())
    out += fmt::format(", {:g} % interval {}", 100 * m.interval.level, i);
  if (const auto l = limits_in_words(m); !l.empty()) out += fmt::format(", {}: {}", l, name_of(m.status));
  if (!m.words.empty()) out += fmt::format(" ({})", m.words);
  return out;
}

}  // namespace strigil::protocols
