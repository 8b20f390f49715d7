// AxisLine: where an axis stood between its last two readings. A stage that tells one axis after another makes one
// sample of a round; with it all axes of the sample are of one instant.
#pragma once

#include <chrono>

#include "daq/time.hpp"

namespace strigil::daq {

/// A value; no allocation. One thread.
class AxisLine {
 public:
  /// Further apart they are no line: the stage was silent.
  static constexpr Duration kLongest = std::chrono::milliseconds(250);
  void forget() noexcept { readings_ = 0; }
  void add(double position_m, HostTime at) noexcept {
    before_ = last_;
    last_ = {position_m, at};
    if (readings_ < 2) ++readings_;
  }
  /// On the straight line between the two; what was read last where `at` does not lie between them.
  [[nodiscard]] double at(HostTime at) const noexcept {
    const auto way = last_.at - before_.at;
    if (readings_ < 2 || at >= last_.at || at < before_.at || way > kLongest) return last_.position_m;
    return before_.position_m + (last_.position_m - before_.position_m) * (seconds(at - before_.at) / seconds(way));
  }

 private:
  struct Reading {
    double position_m = 0;
    HostTime at;
  };
  Reading before_;
  Reading last_;
  int readings_ = 0;
};

}  // namespace strigil::daq
