// Motion planner: the part of a stage's firmware that turns queued straight segments into motion, as Grbl does.
#pragma once

#include <array>
#include <cstddef>

#include "rig/readings.hpp"

namespace strigil::sim {

/// Limits of each axis, and how far a corner may be cut.
struct AxisLimits {
  std::array<double, rig::kAxes> max_speed_m_s{0.2, 0.2, 0.2};
  std::array<double, rig::kAxes> acceleration_m_s2{1, 1, 1};
  double junction_deviation_m = 1e-5;  ///< Grbl's $11; 0: full stop at every bend
};

/// Trapezoidal speed along straight segments with look-ahead: it is always able to stop at the end of what is queued,
/// consecutive segments in one direction blend without stopping, and a corner is passed at the speed that Grbl's
/// junction deviation allows. Exact: the motion does not depend on how time is cut into steps. One thread.
class MotionPlanner {
 public:
  static constexpr std::size_t kDepth = 15;  ///< as Grbl's planner

  MotionPlanner(const AxisLimits& limits, const rig::Position& start);
  /// Queues a segment from the end of the last one. False when full or without speed.
  bool queue(const rig::Position& target_m, double speed_m_s);
  /// Lets `dt_s` pass; nothing happens when it is not positive.
  void step(double dt_s);
  /// Decelerates to rest; then forgets the queue (cancel) or keeps it (hold).
  void cancel() { stopping_ = cancelling_ = true; }
  void hold() { stopping_ = true; }
  void resume() {
    if (!cancelling_) stopping_ = false;
  }
  /// Stops dead, as a reset does, and forgets the queue.
  void kill() { forget(); }

  [[nodiscard]] bool at_rest() const { return speed_m_s_ == 0 && (count_ == 0 || stopping_); }
  /// Between a hold and its resume, or a cancel and its rest.
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ == kDepth; }
  [[nodiscard]] std::size_t queued() const { return count_; }
  [[nodiscard]] const rig::Position& position_m() const { return position_m_; }
  [[nodiscard]] rig::Position velocity_m_s() const;
  /// Where the queue ends: relative moves count from here.
  [[nodiscard]] const rig::Position& end_m() const { return end_m_; }

 private:
  struct Segment {
    rig::Position from_m{};
    rig::Position to_m{};
    rig::Position direction{};
    double length_m = 0;
    double speed_m_s = 0;
    double acceleration_m_s2 = 1;
    double entry_m_s = 0;  // highest speed at which it may be entered from the one before
  };
  /// A stretch of constant acceleration, and how long it may last.
  struct Phase {
    double acceleration_m_s2 = 0;
    double lasts_s = 0;
    bool ends_segment = false;
  };
  [[nodiscard]] const Segment& segment(std::size_t i) const { return segments_[(first_ + i) % kDepth]; }
  [[nodiscard]] double junction_speed(const Segment& before, const Segment& after) const;
  [[nodiscard]] double exit_speed() const;
  [[nodiscard]] Phase phase() const;
  void place();
  void next_segment();
  void forget();

  AxisLimits limits_;
  rig::Position position_m_;
  rig::Position end_m_;
  std::array<Segment, kDepth> segments_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  double travelled_m_ = 0;  // of the first segment
  double speed_m_s_ = 0;
  bool stopping_ = false;
  bool cancelling_ = false;
};

}  // namespace strigil::sim
