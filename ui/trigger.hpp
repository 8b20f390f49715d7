// Trigger: stands the live page still where a channel crosses a level, once. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace strigil::ui {

struct Trigger {
  bool armed = false;
  std::string of;       ///< "stream/channel"
  float level = 0;      ///< in the unit that is shown
  bool rising = true;   ///< else falling
  double looked_s = 0;  ///< up to here; a crossing from this sample to the next one counts
  std::optional<double> fired_s;
};

/// The time of the first sample at or beyond `level` whose neighbour before was not; a gap (NaN) is no neighbour.
inline std::optional<double> first_crossing(std::span<const double> times_s, std::span<const float> values, float level,
                                            bool rising) {
  for (std::size_t i = 1; i < times_s.size() && i < values.size(); ++i) {
    const bool crossed =
        rising ? values[i - 1] < level && values[i] >= level : values[i - 1] > level && values[i] <= level;
    if (crossed) return times_s[i];
  }
  return std::nullopt;
}

}  // namespace strigil::ui
