// Running statistics: Welford's mean and variance with extremes, and the slope of a line. Plain value, noexcept, any
// thread (one at a time).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace strigil::protocols {

class RunningStatistics {
 public:
  void add(double v) noexcept {
    ++count_;
    const double delta = v - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (v - mean_);
    min_ = std::min(min_, v);
    max_ = std::max(max_, v);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// NaN when empty, so that a number nobody measured cannot pass for one.
  [[nodiscard]] double mean() const noexcept { return count_ > 0 ? mean_ : std::numeric_limits<double>::quiet_NaN(); }
  /// Sample standard deviation (n - 1); 0 for fewer than two.
  [[nodiscard]] double deviation() const noexcept {
    return count_ > 1 ? std::sqrt(squares_ / static_cast<double>(count_ - 1)) : 0;
  }
  [[nodiscard]] double min() const noexcept { return min_; }
  [[nodiscard]] double max() const noexcept { return max_; }

  /// All there is, to be written down and taken up again bit for bit.
  struct State {
    std::uint64_t count = 0;
    double mean = 0;
    double squares = 0;
    double min = 0;
    double max = 0;
  };
  [[nodiscard]] State state() const noexcept { return {count_, mean_, squares_, min_, max_}; }
  [[nodiscard]] static RunningStatistics restored(const State& s) noexcept {
    RunningStatistics out;
    out.count_ = s.count, out.mean_ = s.mean, out.squares_ = s.squares, out.min_ = s.min, out.max_ = s.max;
    return out;
  }

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
};

/// Slope of a straight line through points that come one by one. Plain value, noexcept.
class Slope {
 public:
  void add(double t, double x) noexcept {
    ++count_;
    const double n = static_cast<double>(count_);
    const double dt = t - mean_t_;
    mean_t_ += dt / n;
    mean_x_ += (x - mean_x_) / n;
    tt_ += dt * (t - mean_t_);
    tx_ += dt * (x - mean_x_);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// NaN below three points, or when all are at one t.
  [[nodiscard]] double value() const noexcept {
    return count_ < 3 || !(tt_ > 0) ? std::numeric_limits<double>::quiet_NaN() : tx_ / tt_;
  }

 private:
  std::uint64_t count_ = 0;
  double mean_t_ = 0;
  double mean_x_ = 0;
  double tt_ = 0;
  double tx_ = 0;
};

}  // namespace strigil::protocols
