// Profile: the way along a path from rest to rest over time, with bounded speed, acceleration and jerk.
#pragma once

#include <array>

namespace strigil::rig {

struct ProfileLimits {
  double speed_m_s = 0;
  double acceleration_m_s2 = 0;
  double jerk_m_s3 = 0;
};

struct ProfilePoint {
  double way_m = 0;
  double speed_m_s = 0;
  double acceleration_m_s2 = 0;
};

/// The quickest profile of seven pieces of constant jerk: up +j 0 -j, even, down -j 0 +j; pieces that are not needed
/// last 0 s. A value; noexcept; any thread.
class Profile {
 public:
  /// At rest at 0 for ever.
  Profile() = default;
  /// Over `length_m` >= 0; all limits > 0 (asserted).
  Profile(const ProfileLimits& limits, double length_m) noexcept;

  /// Before 0 s at rest at the start, after duration_s() at rest at the end.
  [[nodiscard]] ProfilePoint at(double time_s) const noexcept;
  [[nodiscard]] double duration_s() const noexcept { return ends_s_[kPieces - 1]; }
  [[nodiscard]] double length_m() const noexcept { return length_m_; }
  /// Highest speed it comes to.
  [[nodiscard]] double peak_speed_m_s() const noexcept { return peak_speed_m_s_; }

 private:
  static constexpr std::size_t kPieces = 7;
  double length_m_ = 0;
  double peak_speed_m_s_ = 0;
  std::array<double, kPieces> jerk_m_s3_{};
  std::array<double, kPieces> ends_s_{};        // of each piece, from the start
  std::array<ProfilePoint, kPieces> begins_{};  // state at its beginning
};

}  // namespace strigil::rig
