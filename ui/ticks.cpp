#include "ui/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::ui {

std::vector<double> ticks_between(double low, double high, int wanted) {
  std::vector<double> out;
  if (!std::isfinite(low) || !std::isfinite(high) || !(high > low) || wanted < 1) return out;
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 5.0}) {
    if (nice * power >= rough) {
      step = nice * power;
      break;
    }
  }
  // A range too narrow for its numbers has no marks.
  if (!(step > 0) || step < 1e-13 * std::max(std::abs(low), std::abs(high))) return out;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < 4 * wanted + 2; ++i) {
    const double value = (first + i) * step;
    if (value > high + 1e-9 * step) break;
    out.push_back(value == 0 ? 0.0 : value);
  }
  return out;
}

std::string tick_text(double value, double step) {
  if (!(step > 0) || !std::isfinite(value)) return fmt::format("{:g}", value);
  const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9);
  if (std::abs(value) >= 1e6 || (value != 0 && std::abs(value) < 1e-4)) return fmt::format("{:g}", value);
  return fmt::format("{:.{}f}", value, digits);
}

Span padded(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high)) return {0, 1};
  if (low > high) std::swap(low, high);
  // What does not change is drawn as a line and not as the last digits of a float.
  const double least = std::max(1e-3, 1e-5 * std::max(std::abs(low), std::abs(high)));
  const double margin = std::max(0.08 * (high - low), least);
  return {low - margin, high + margin};
}

}  // namespace strigil::ui
