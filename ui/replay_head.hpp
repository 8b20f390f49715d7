// Replay head: where in a run file one is, and how fast one goes on. Pure.
#pragma once

#include <algorithm>

namespace strigil::ui {

struct ReplayHead {
  bool playing = false;
  float rate = 1;   ///< times real time
  double at_s = 0;  ///< on the run's own clock

  /// After `elapsed_s` of the screen's time, in a run from `from_s` to `to_s`; stands at its end.
  void advance(double elapsed_s, double from_s, double to_s) {
    if (playing) at_s += elapsed_s * static_cast<double>(rate);
    if (playing && at_s >= to_s) playing = false;
    at_s = std::clamp(at_s, from_s, std::max(from_s, to_s));
  }
  /// From the beginning again where it stands at the end.
  void play(double from_s, double to_s) {
    playing = true;
    if (at_s >= to_s) at_s = from_s;
  }
};

}  // namespace strigil::ui
