// What every evaluation asks of its readings before it reckons: numbers that are numbers, lists that match, forces in
// order.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "daq/result.hpp"

namespace strigil::calibration {

/// An error that names the first NaN or infinity, as "X3[4] is not a finite number"; nothing when all are finite.
[[nodiscard]] std::optional<daq::Error> not_finite(std::string_view name, std::span<const double> values);
/// An error when a list has another length than it must have, or none at all.
[[nodiscard]] std::optional<daq::Error> wrong_length(std::string_view name, std::size_t length, std::size_t expected);
/// An error unless the values rise strictly and the first is above `above`.
[[nodiscard]] std::optional<daq::Error> not_rising(std::string_view name, std::span<const double> values, double above);
/// An error unless low <= value <= high and finite; tells the reader the bounds.
[[nodiscard]] std::optional<daq::Error> out_of_bounds(std::string_view name, double value, double low, double high);

/// Mean and sample standard deviation (n - 1), in two passes; the deviation of fewer than two values is NaN.
struct Spread {
  double mean = 0;
  double deviation = 0;
};
[[nodiscard]] Spread spread_of(std::span<const double> values);

}  // namespace strigil::calibration
