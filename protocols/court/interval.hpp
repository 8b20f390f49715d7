// Interval: a number's bounds and how sure they are, as every statistic of the court gives them.
#pragma once

#include <limits>

namespace strigil::protocols {

/// Two bounds, `low` <= `high`, either may be infinite; NaN both: not known. `level` is two-sided: half of what is
/// missing to 1 lies on either side. Plain value.
struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double level = 0.95;

  [[nodiscard]] bool known() const noexcept { return low <= high; }
  [[nodiscard]] bool contains(double v) const noexcept { return low <= v && v <= high; }
  [[nodiscard]] double width() const noexcept { return high - low; }
};

}  // namespace strigil::protocols
