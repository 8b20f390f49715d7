// Force profile: the normal force of a stroke over the fraction of its way. Pure values, noexcept, any thread.
#pragma once

#include "daq/result.hpp"
#include "protocols/stroke_path.hpp"

namespace strigil::protocols {

/// Force over the fraction of a pass (PathPoint::pass_fraction). Continuous. Outside 0 to 1: as at the ends.
class ForceProfile {
 public:
  /// Errors of all: a force that is negative or no number.
  static daq::Result<ForceProfile> constant(double force_N);
  /// Linear from the first force to the last.
  static daq::Result<ForceProfile> ramp(double first_N, double last_N);
  /// From `edge_N` up to `middle_N` over the first `rise` of the way, back to `edge_N` over the last `fall`.
  /// Errors: rise or fall not positive, or both together more than the whole.
  static daq::Result<ForceProfile> trapezoid(double edge_N, double middle_N, double rise, double fall);
  /// From `edge_N` over half a sine to `middle_N` in the middle, and back.
  static daq::Result<ForceProfile> half_sine(double edge_N, double middle_N);

  [[nodiscard]] double force_N(double fraction) const noexcept;
  [[nodiscard]] double max_force_N() const noexcept;
  [[nodiscard]] double min_force_N() const noexcept;
  /// Greatest |dF/ds| over a pass of `way_m`, N/m. Precondition: way_m > 0.
  [[nodiscard]] double max_slope_N_m(double way_m) const noexcept { return max_slope_ / way_m; }
  /// Highest speed at which the force changes by no more than `max_rate_N_s` over a pass of `way_m`; infinite for a
  /// constant force. (science.md 4.2: force-rate limit 10 to 20 N/s [M].)
  [[nodiscard]] double max_speed_m_s(double max_rate_N_s, double way_m) const noexcept;

 private:
  enum class Shape { kTrapezoid, kRamp, kHalfSine };
  ForceProfile(Shape shape, double first_N, double second_N, double rise, double fall);
  Shape shape_;
  double first_N_;   ///< at the edge, or first
  double second_N_;  ///< in the middle, or last
  double rise_;
  double fall_;
  double max_slope_;  ///< |dF/d(fraction)|, N
};

/// Scooping: a straight stroke that enters lightly, goes deep and leaves lightly.
struct ScoopShape {
  StraightShape straight{};
  double enter_N = 0;  ///< force at both ends
  double deep_N = 0;   ///< no less than that
  double enter_fraction = 0.3;
  double leave_fraction = 0.3;
};
struct ShapedStroke {
  StrokePath path;
  ForceProfile force;
};
daq::Result<ShapedStroke> scooping_stroke(const ScoopShape& shape);

}  // namespace strigil::protocols
