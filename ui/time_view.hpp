// Time view: which stretch of time the strip charts show, and the two cursors on it. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

namespace strigil::ui {

struct TimeView {
  double span_s = 10;
  double to_s = 0;
  bool follow = true;  ///< goes with the newest sample
  std::optional<double> a_s, b_s;
  std::optional<double> head_s;  ///< where a replay is
  static constexpr double kShortest_s = 1e-3;
  static constexpr double kLongest_s = 7 * 86400.0;

  [[nodiscard]] double from_s() const { return to_s - span_s; }
  [[nodiscard]] double middle_s() const { return to_s - span_s / 2; }
  /// The newest sample is at `newest_s`.
  void advance(double newest_s) {
    if (follow && std::isfinite(newest_s)) to_s = newest_s;
  }
  /// What is at `at_s` stays where it is; factor < 1: closer.
  void zoom(double factor, double at_s) {
    const double span = std::clamp(span_s * factor, kShortest_s, kLongest_s);
    if (!follow) to_s = at_s + (to_s - at_s) * (span / span_s);
    span_s = span;
  }
  void pan(double by_s) {
    follow = false;
    to_s += by_s;
  }
  void show(double from, double to) {
    follow = false;
    span_s = std::clamp(to - from, kShortest_s, kLongest_s);
    to_s = to;
  }
};

}  // namespace strigil::ui
