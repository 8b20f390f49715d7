// AxisMotion: one motor axis with a ramp of its own, as the motion controllers of stages make it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace strigil::sim {

/// Speeds and accelerations are > 0.
struct AxisMotionLimits {
  double max_speed_m_s = 0.1;
  double acceleration_m_s2 = 1;
};

/// An axis that speeds up and slows down at one acceleration and has no limit of jerk. Every command is planned to its
/// end at once and followed exactly, so that the motion does not depend on how time is cut. It knows no limits of
/// travel: these are its owner's.
class AxisMotion {
 public:
  enum class Mode : std::uint8_t { kVelocity, kPosition };

  AxisMotion(const AxisMotionLimits& limits, double start_m);

  /// Velocity mode: ramps to this velocity, cut to the limits, and keeps it.
  void set_velocity(double velocity_m_s);
  /// Position mode: to rest at `target_m`, no faster than `speed_m_s` (> 0) or the limits, in the least time. Turns
  /// back when it cannot stop in time. Where it stands in the end is `target_m` to the last bit.
  void move_to(double target_m, double speed_m_s);
  /// To rest by deceleration.
  void stop() { set_velocity(0); }
  /// To rest at once, here or at another place.
  void halt() { halt_at(position_m_); }
  void halt_at(double position_m);
  /// The current command is planned again with these.
  void set_limits(const AxisMotionLimits& limits);

  /// Lets `dt_s` >= 0 pass.
  void step(double dt_s);

  [[nodiscard]] double position_m() const { return position_m_; }
  [[nodiscard]] double velocity_m_s() const { return velocity_m_s_; }
  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] const AxisMotionLimits& limits() const { return limits_; }
  /// What was asked for: a velocity (velocity mode; cut to the limits) or a place (position mode).
  [[nodiscard]] double asked_velocity_m_s() const { return asked_velocity_m_s_; }
  [[nodiscard]] double target_m() const { return target_m_; }
  /// Nothing of the command is left to be done: the velocity is reached, or the place.
  [[nodiscard]] bool done() const { return next_ == count_; }
  /// Stands, and will go on doing so.
  [[nodiscard]] bool at_rest() const { return done() && velocity_m_s_ == 0; }

 private:
  /// A time with one acceleration. Its end is kept too: rounding must not gather.
  struct Stretch {
    double duration_s = 0;
    double acceleration_m_s2 = 0;
    double end_velocity_m_s = 0;
  };
  void plan();
  void plan_move();
  void add(double duration_s, double end_velocity_m_s, double acceleration_m_s2);
  void begin_stretch();

  AxisMotionLimits limits_;
  Mode mode_ = Mode::kVelocity;
  double position_m_;
  double velocity_m_s_ = 0;
  double asked_velocity_m_s_ = 0;
  double target_m_;
  double asked_speed_m_s_ = 0;
  std::array<Stretch, 4> stretches_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;  // the stretch that is under way; count_: none, the velocity stays
  double elapsed_s_ = 0;  // of it
  double from_m_;         // where and how fast it began
  double from_m_s_ = 0;
};

}  // namespace strigil::sim
