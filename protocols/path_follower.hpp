// PathFollower: takes the instrument along a stroke path with a stage that takes velocities.
#pragma once

#include <array>

#include "daq/time.hpp"
#include "protocols/stroke_path.hpp"
#include "rig/profile.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

/// How fast the way may be gone.
struct FollowLimits {
  rig::ProfileLimits profile;       ///< speed, acceleration and jerk along the way
  double max_centripetal_m_s2 = 1;  ///< across it
  double drive_delay_s = 0;         ///< between a velocity and the motion
};

/// Where the instrument is wanted and what the stage is to be told for it.
struct FollowPoint {
  std::array<double, rig::kAxes> velocity_m_s{};  ///< z is 0
  double along_m_s = 0;                           ///< along the path; negative when it is gone backwards
  double place_m = 0;                             ///< where the readback stands along the path, from its beginning
  double way_m = 0;                               ///< wanted now, from its beginning
  double fraction = 0;                            ///< of the pass (PathPoint::pass_fraction), at the readback's place
  double deviation_m = 0;                         ///< of the readback from where it was wanted at its own instant
};

/// From rest to rest between corners, with jerk-limited profiles; what the readback shows to be missing is made up for
/// slowly (kStiffness_1_s), so that the delay of the stage cannot make it swing. Loop thread; noexcept, no allocation.
class PathFollower {
 public:
  /// Correction in m/s for each metre of deviation: far below the 1 / (2 delay) that the slowest stage here would bear.
  static constexpr double kStiffness_1_s = 3;

  /// `path` must outlive the follower. Backwards: from its end to its beginning.
  void begin(const StrokePath& path, bool forward, const FollowLimits& limits, daq::HostTime now) noexcept;
  /// Once a tick, after begin().
  FollowPoint follow(const rig::Readings& readings, daq::HostTime now) noexcept;
  /// Comes to rest on the path, as smoothly as it goes: from now on the way is gone ever more slowly, until it stands.
  /// Once, after begin(); follow() then keeps it there.
  void brake(daq::HostTime now) noexcept;
  /// Told to brake, and at rest.
  [[nodiscard]] bool braked(daq::HostTime now) const noexcept;
  /// The profiles are over: what is left is the stage's delay.
  [[nodiscard]] bool over(daq::HostTime now) const noexcept;
  /// What the whole way takes from begin() on, at the limits. Off the loop.
  static double duration_s(const StrokePath& path, const FollowLimits& limits) noexcept;

 private:
  struct Stretch {
    double from_m = 0;  ///< along the path, in the direction of going
    double to_m = 0;
    rig::Profile profile;
  };
  [[nodiscard]] static Stretch stretch(const StrokePath& path, bool forward, const FollowLimits& limits,
                                       std::size_t number) noexcept;
  [[nodiscard]] double way_at(daq::HostTime at) const noexcept;
  [[nodiscard]] daq::HostTime on_the_way(daq::HostTime at) const noexcept;
  [[nodiscard]] double pace(daq::HostTime at) const noexcept;

  const StrokePath* path_ = nullptr;
  bool forward_ = true;
  FollowLimits limits_;
  std::size_t number_ = 0;  // of the stretch
  Stretch stretch_;
  daq::HostTime began_;  // of the stretch
  bool braking_ = false;
  daq::HostTime braking_began_;
  double braking_s_ = 0;  // from then to rest
};

}  // namespace strigil::protocols
