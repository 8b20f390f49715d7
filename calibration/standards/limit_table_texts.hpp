// The tables of calibration/tables as CMake put them into the library, so that a program needs no files beside it.
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace strigil::calibration {

/// Name (file name without .toml) and text.
extern const std::span<const std::pair<std::string_view, std::string_view>> kLimitTableTexts;

}  // namespace strigil::calibration
