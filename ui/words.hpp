// Words: how figures are written on the screen. Pure.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace strigil::ui {

/// With so many decimals; a dash for what is not known.
inline std::string figure(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
}

}  // namespace strigil::ui
