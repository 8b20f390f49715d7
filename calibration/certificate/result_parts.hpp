// What a record with several results says of each: its coverage factor, the unit of its constant, its own budget. For
// certificates. Pure.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "calibration/record/record.hpp"

namespace strigil::calibration {

/// Of quantity `at`: column `k` of the table "results", where there is one with a row for each quantity; else the
/// record's. Precondition: at < record.quantities.size().
double coverage_factor_of(const Record& record, std::size_t at);

/// SI symbol of coefficient `at` of a fit by constants: of the quantity whose channel it is named after, "%" where the
/// name says "in %", else of the quantity in its place. Precondition: record.fit.kind is kConstants.
std::string unit_of_constant(const Record& record, std::size_t at);

/// One line of a budget: its name is without the result's, and `unit` that of what it contributes: "%" where it is
/// relative, else the quantity's.
struct BudgetShare {
  BudgetLine line;
  std::string unit;
  [[nodiscard]] double contribution() const { return std::abs(line.standard * line.sensitivity); }
};

/// The budget of one result. Where a record has several, names of lines begin with the channel and a colon.
struct BudgetOf {
  std::string title;  ///< "force, channel Fz, at 20 N"; empty: of the record's only one
  std::string unit;   ///< of the contributions; empty: they have several, and no sum
  std::vector<BudgetShare> shares;
};
/// In the order of their first lines; every line is in one of them.
std::vector<BudgetOf> budgets_of(const Record& record);

}  // namespace strigil::calibration
