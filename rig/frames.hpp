// Frames: where x, y, z, normal and tangential point. Defined here and nowhere else. Pure.
//
// Stage frame. x along the stroke, y across it, z up: z falls as the stage presses. Metres in the stage's own machine
// coordinates; positions, velocities, travel and setpoints are in it. Its place is that of the instrument's edge as the
// stage counts it: what lies between stage and edge (tool length, tilt) is a constant that every touch finds anew.
//
// Edge frame. Origin in the middle of the instrument's edge. t along the stroke (x of the stage), s along the edge
// (y), n out of the phantom (z). The instrument stands in the plane of t and n at `angle` to t: 90 degrees is upright,
// less leans its upper end backwards, against +x. Normal force is what the phantom presses on the edge along n,
// positive when pressed; tangential force is what it drags on the edge along t, negative when stroked towards +x.
//
// Sensor frame. As the bench names its channels (normal_axis, tangential_axis). A sensor above the tilt joint has the
// axes of the edge frame. One that tilts with the instrument sees them turned about s by (90 degrees - angle).
//
// Phantom frame. Origin on the surface at x = y = 0 of the stage, axes those of the stage. Where the surface slopes by
// b = dz/dx, force control holds the force along n and not along the surface's own normal: at 20 degrees that is up to
// 6 % of the force and mu sin(b) of the drag. Maps of phantoms (inclusions, doses, profiles) are over x and y in mm.
#pragma once

#include <cmath>
#include <numbers>

namespace strigil::rig {

/// What the phantom does to the edge (N), in the edge frame or in a sensor's.
struct EdgeForce {
  double normal_N = 0;
  double tangential_N = 0;
};

/// How far an instrument at `angle_rad` to the surface leans from upright (rad).
constexpr double lean_of(double angle_rad) { return std::numbers::pi / 2 - angle_rad; }

/// What a sensor that leans by `lean_rad` measured, in the edge frame: turned back about s. Any thread.
inline EdgeForce upright(const EdgeForce& measured, double lean_rad) noexcept {
  const double c = std::cos(lean_rad);
  const double s = std::sin(lean_rad);
  return {c * measured.normal_N + s * measured.tangential_N, c * measured.tangential_N - s * measured.normal_N};
}

}  // namespace strigil::rig
