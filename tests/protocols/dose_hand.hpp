// Dose accounts to look at, and a hand that presses and slides and tells them. For tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "protocols/dose_account.hpp"

namespace strigil::protocols::test {

inline DoseLimits no_limits() {
  return {.max_time_s = std::numeric_limits<double>::infinity(),
          .max_strokes = std::numeric_limits<std::uint32_t>::max(),
          .max_impulse_N_s = std::numeric_limits<double>::infinity(),
          .max_work_J = std::numeric_limits<double>::infinity(),
          .max_pressure_Pa = std::numeric_limits<double>::infinity()};
}

/// 12 by 6 areas of 10 mm, an edge of 1 mm by 1 mm, which is nearly a point, and no limits.
inline DoseConfig small_edge() {
  DoseConfig c;
  c.grid = {.min_x_m = 0, .min_y_m = 0, .columns = 12, .rows = 6};
  c.edge = {.length_m = 1e-3, .width_m = 1e-3};
  c.limits = no_limits();
  return c;
}

inline DoseAccount made(const DoseConfig& config) {
  auto account = DoseAccount::make(config);
  EXPECT_TRUE(account) << (account ? "" : account.error().message);
  return std::move(account).value();
}

/// Moves an instrument and tells the account each millisecond.
class Hand {
 public:
  explicit Hand(DoseAccount& account) : account_(account) {}
  double normal_force_N = 6;
  double tangential_force_N = -2;
  double x_m = 0.005;
  double y_m = 0.015;

  void rest(double seconds) { go(x_m, y_m, seconds); }
  void slide_to(double x, double y, double speed_m_s = 0.05) { go(x, y, std::hypot(x - x_m, y - y_m) / speed_m_s); }
  void lift(double seconds = 0.15) {
    const double pressed_N = std::exchange(normal_force_N, 0);
    rest(seconds);
    normal_force_N = pressed_N;
  }

 private:
  void go(double x, double y, double seconds) {
    constexpr double kPeriod_s = 1e-3;
    const int n = static_cast<int>(std::lround(seconds / kPeriod_s));
    const double speed = std::hypot(x - x_m, y - y_m) / seconds;
    for (int i = 0; i <= n; ++i) {
      const double u = static_cast<double>(i) / n;
      account_.add({.at = now_ + daq::from_seconds(u * seconds),
                    .x_m = std::lerp(x_m, x, u),
                    .y_m = std::lerp(y_m, y, u),
                    .normal_force_N = normal_force_N,
                    .tangential_force_N = tangential_force_N,
                    .speed_m_s = speed});
    }
    now_ = now_ + daq::from_seconds(seconds);
    x_m = x;
    y_m = y;
  }
  DoseAccount& account_;
  daq::HostTime now_{1'000'000'000};
};

}  // namespace strigil::protocols::test
