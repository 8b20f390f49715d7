#include "calibration/standards/readings_check.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace strigil::calibration {

std::optional<daq::Error> not_finite(std::string_view name, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return daq::Error{
          fmt::format("{}[{}] is not a finite number; check the readings for a gap or a saturated channel", name, i)};
    }
  }
  return std::nullopt;
}

std::optional<daq::Error> wrong_length(std::string_view name, std::size_t length, std::size_t expected) {
  if (length == expected && length > 0) return std::nullopt;
  return daq::Error{fmt::format("{} has {} values where {} {} needed", name, length,
                                expected == 0 ? std::string("at least one") : std::to_string(expected),
                                expected <= 1 ? "is" : "are")};
}

std::optional<daq::Error> not_rising(std::string_view name, std::span<const double> values, double above) {
  double last = above;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] > last)) {
      return daq::Error{fmt::format("{}[{}] = {:g} is not above {:g}; {} must rise from value to value", name, i,
                                    values[i], last, name)};
    }
    last = values[i];
  }
  return std::nullopt;
}

std::optional<daq::Error> out_of_bounds(std::string_view name, double value, double low, double high) {
  if (value >= low && value <= high) return std::nullopt;  // NaN is out of bounds
  return daq::Error{fmt::format("{} is {:g}; it must lie between {:g} and {:g}", name, value, low, high)};
}

Spread spread_of(std::span<const double> values) {
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {kNothing, kNothing};
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  double mean = sum / n;
  double rest = 0;
  for (const double v : values) rest += v - mean;
  mean += rest / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, values.size() < 2 ? kNothing : std::sqrt(squares / (n - 1))};
}

}  // namespace strigil::calibration
