// Ticks: where an axis is marked, and how its numbers are written. Pure.
#pragma once

#include <string>
#include <vector>

namespace strigil::ui {

/// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], about `wanted` of them; none for an empty,
/// infinite or reversed range.
std::vector<double> ticks_between(double low, double high, int wanted);
/// `value` with as many digits as neighbours `step` apart need.
std::string tick_text(double value, double step);
/// A range a little wider than [low, high], never empty.
struct Span {
  double low = 0;
  double high = 1;
};
Span padded(double low, double high);

}  // namespace strigil::ui
