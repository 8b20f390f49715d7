// Motion planner: the part of a stage's firmware that turns queued straight segments into motion, as Grbl does.
#pragma once

#include <array>
#include <cstddef>

#include "rig/readings.hpp"

namespace strigil::sim {

/// Limits of each axis.
struct AxisLimits {
  std::array<double, rig::kAxes> max_speed_m_s{0.2, 0.2, 0.2};
  std::array<double, rig::kAxes> acceleration_m_s2{1, 1, 1};
};

/// Trapezoidal speed along straight segments; consecutive segments in one direction blend without stopping, and it is
/// always able to stop at the end of what is queued. At a corner it stops (Grbl's junction deviation of zero).
class MotionPlanner {
 public:
  static constexpr std::size_t kDepth = 15;  ///< as Grbl's planner

  MotionPlanner(const AxisLimits& limits, const rig::Position& start);
  /// Queues a segment from the end of the last one. False when full.
  bool queue(const rig::Position& target_m, double speed_m_s);
  /// Lets `dt_s` pass.
  void step(double dt_s);
  /// Decelerates to rest; then forgets the queue (cancel) or keeps it (hold).
  void cancel() { stopping_ = cancelling_ = true; }
  void hold() { stopping_ = true; }
  void resume() {
    if (!cancelling_) stopping_ = false;
  }
  /// Stops dead, as a reset does, and forgets the queue.
  void kill();

  [[nodiscard]] bool at_rest() const { return speed_m_s_ == 0 && (count_ == 0 || stopping_); }
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
  };
  [[nodiscard]] const Segment& segment(std::size_t i) const { return segments_[(first_ + i) % kDepth]; }
  [[nodiscard]] double permitted_speed() const;
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
