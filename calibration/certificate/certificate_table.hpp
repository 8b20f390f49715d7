// A record's tables as people read them on a certificate: names, plots, units and digits that can be read. What is
// rounded here stands whole in the certificate's JSON and DCC. Pure.
#pragma once

#include <string>

#include "calibration/record/record.hpp"

namespace strigil::calibration {

/// Heading, plot (of tables that are known) and rows, as HTML. Of a long table every n-th row and its last one, and a
/// remark that says so.
std::string table_html(const DataTable& table);

/// The value to the place that the second digit of its uncertainty stands at (ISO 80000-1; metrology.md 4.1).
std::string rounded(double value, double expanded);

/// An uncertainty to two digits, without an exponent where that can be read.
std::string two_digits(double value);

/// A unit that makes the numbers short: value in it = factor * value. "m" and "s" become mm and um, ms and us.
struct ReadableUnit {
  std::string symbol;
  double factor = 1;
};
/// For numbers up to `most` in magnitude.
ReadableUnit readable_unit(const std::string& unit, double most);

}  // namespace strigil::calibration
