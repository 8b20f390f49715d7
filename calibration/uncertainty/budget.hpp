// Uncertainty budgets as tables: text for people, JSON for records.
#pragma once

#include <optional>
#include <string>

#include "calibration/uncertainty/monte_carlo.hpp"
#include "calibration/uncertainty/propagate.hpp"

namespace strigil::calibration {

/// A value and its uncertainty as they are printed: the uncertainty to `digits` significant digits, the value to the
/// same place, halves to even (ISO 80000-1); rounded up where rounding down would take more than 5 % of it.
struct Reported {
  std::string value, uncertainty;
};
/// Preconditions: finite, uncertainty > 0, digits 1..9. For print alone: nothing is ever judged by rounded numbers.
[[nodiscard]] Reported round_for_report(double value, double uncertainty, int digits = 2);

/// The budget, one line for each input, largest contribution first, and the result below. ASCII.
[[nodiscard]] std::string budget_text(const GumResult& result, const std::string& quantity, const std::string& unit);
/// The same unrounded, with the Monte Carlo result and the validation where there are any. Numbers that are not finite
/// (infinite degrees of freedom) are null.
[[nodiscard]] std::string budget_json(const GumResult& result, const std::string& quantity, const std::string& unit,
                                      const std::optional<MonteCarloResult>& monte_carlo = std::nullopt,
                                      const std::optional<GumValidation>& validation = std::nullopt);

}  // namespace strigil::calibration
