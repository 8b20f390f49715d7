// Stroke path: the way of an instrument over a phantom, seen from above, as a function of the way gone. Pure geometry:
// no time, no stage, no force. Metres and radians; x and y as the protocol has them, headings from +x towards +y.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "daq/result.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

struct PathPosition {
  double x_m = 0;
  double y_m = 0;
};

/// A line, or an arc of at most one full turn. Given by how it begins, so that nothing can contradict itself.
struct PathSegment {
  PathPosition from{};
  double heading_rad = 0;      ///< at its beginning
  double curvature_per_m = 0;  ///< 0: line; positive: turns left
  double length_m = 0;
  std::size_t pass = 0;  ///< number of the stroke it belongs to, from 0, never falling along a path
  bool pressed = true;   ///< false: on the way back with the instrument lifted

  /// `u_m` from its beginning. Exact for lines and arcs alike, however small the curvature. Pure.
  [[nodiscard]] PathPosition at(double u_m) const noexcept;
  [[nodiscard]] double heading_at(double u_m) const noexcept { return heading_rad + curvature_per_m * u_m; }
};

/// Where a path is after some way.
struct PathPoint {
  PathPosition position{};
  double tangent_x = 1;  ///< of length 1
  double tangent_y = 0;
  double curvature_per_m = 0;
  std::size_t segment = 0;
  std::size_t pass = 0;
  double pass_fraction = 0;  ///< of the pressed way of this pass, 0 to 1: what a ForceProfile is asked with
  bool pressed = true;
};

/// Where the tangent jumps, or pressing begins or ends: whoever goes along must stand still there.
struct PathCorner {
  double at_m = 0;
  double turn_rad = 0;  ///< -pi to pi, left positive; 0 where only pressing changes
};

struct PathBox {
  double min_x_m = 0;
  double min_y_m = 0;
  double max_x_m = 0;
  double max_y_m = 0;
};

/// What bounds the speed along a path.
struct PathSpeedLimits {
  double max_speed_m_s = 0;
  double max_acceleration_m_s2 = 0;  ///< along the way: braking for corners and arcs, and away from them
  double max_centripetal_m_s2 = 0;   ///< across it: v^2 |curvature| stays below
};

/// Immutable. Reading it is noexcept, allocates nothing, and may be done by any thread.
class StrokePath {
 public:
  /// Jumps of the tangent up to this are rounding, not corners.
  static constexpr double kSmooth_rad = 1e-6;
  /// Segments whose ends are this near to each other join.
  static constexpr double kJoined_m = 1e-9;

  /// Errors: no segment, a number that is none, a length that is not positive, an arc of more than a turn, a segment
  /// that does not begin where the one before ends, passes not numbered one by one, a pass that never presses.
  static daq::Result<StrokePath> from_segments(std::vector<PathSegment> segments);

  [[nodiscard]] double length_m() const noexcept { return begins_m_.back(); }
  /// `s_m` from the beginning; beyond the ends: the ends. Where two segments meet, of the one that begins.
  [[nodiscard]] PathPoint at(double s_m) const noexcept;
  [[nodiscard]] std::span<const PathSegment> segments() const noexcept { return segments_; }
  /// Way to the beginning of a segment; of the number of segments: the whole length.
  [[nodiscard]] double begin_of_m(std::size_t segment) const noexcept { return begins_m_[segment]; }
  /// In order along the way; the ends of the path are none, though one stands there too.
  [[nodiscard]] std::span<const PathCorner> corners() const noexcept { return corners_; }
  [[nodiscard]] std::size_t passes() const noexcept { return segments_.back().pass + 1; }
  /// Pressed way of one pass.
  [[nodiscard]] double pass_length_m(std::size_t pass) const noexcept {
    return pressed_to_m_[pass + 1] - pressed_to_m_[pass];
  }
  /// Smallest box with sides along x and y that holds all of it.
  [[nodiscard]] const PathBox& box() const noexcept { return box_; }
  /// The highest speed at `s_m` from which every arc, corner and end to come can be met, and that can have been
  /// reached since the last one: 0 at corners and ends. Costs a look at each segment.
  [[nodiscard]] double allowed_speed_m_s(double s_m, const PathSpeedLimits& limits) const noexcept;

 private:
  StrokePath() = default;
  std::vector<PathSegment> segments_;
  std::vector<double> begins_m_;          ///< one more than segments: the last is the length
  std::vector<double> pressed_before_m_;  ///< by segment: pressed way before it
  std::vector<double> pressed_to_m_;      ///< pressed way before each pass, and all of it
  std::vector<PathCorner> corners_;
  PathBox box_;
};

/// One line. Errors of all shapes: lengths, radii and counts that make no way, numbers that are none.
struct StraightShape {
  PathPosition from{};
  double heading_rad = 0;
  double length_m = 0;
};
/// Strokes in one direction: pressed there, back to the beginning lifted, except after the last.
daq::Result<StrokePath> unidirectional_path(const StraightShape& shape, int strokes = 1);
/// Strokes there and back, pressed both ways; `strokes` counts each way.
daq::Result<StrokePath> back_and_forth_path(const StraightShape& shape, int strokes);

/// Strokes from one pivot, the first and last at the ends of the angle, evenly between. Each goes out pressed and back
/// to the pivot: a pass of its own when pressed, the end of its pass when lifted.
struct FanShape {
  PathPosition pivot{};
  double first_heading_rad = 0;
  double spread_rad = 0;  ///< from the first to the last, left positive; 0 only with one stroke
  int strokes = 1;
  double length_m = 0;
  bool back_pressed = false;
};
daq::Result<StrokePath> fanning_path(const FanShape& shape);

/// Along the outline of a structure, closed, each lap one pass. Its corners are the structure's: in order, at least
/// three, neighbours apart. With a radius, corners are rounded inside the outline and nothing stops there.
struct FrameShape {
  std::vector<PathPosition> outline;
  double corner_radius_m = 0;
  int laps = 1;
};
daq::Result<StrokePath> framing_path(const FrameShape& shape);
/// Corners of a rectangle around `centre`, `length_m` along the heading and `width_m` across, anticlockwise. Pure.
std::vector<PathPosition> rectangle_outline(PathPosition centre, double heading_rad, double length_m, double width_m);

/// Straight, then a hook: an arc that goes on in the same direction. One pass, no corner.
struct HookShape {
  StraightShape straight{};
  double radius_m = 0;
  double sweep_rad = 0;  ///< of the hook, left positive; up to a full turn
};
daq::Result<StrokePath> j_stroke_path(const HookShape& shape);

/// Does all of the path lie within the travel in x and y? The error says on which side it does not, and by how much.
daq::Result<void> check_travel(const StrokePath& path, const rig::Position& min_m, const rig::Position& max_m);

}  // namespace strigil::protocols
