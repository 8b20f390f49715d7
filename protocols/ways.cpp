#include <cmath>

#include "protocols/plan.hpp"

namespace strigil::protocols {
namespace {

StraightShape straight_of(const Protocol& p) {
  return {.from = {p.start_x_m, p.start_y_m}, .heading_rad = p.heading_rad, .length_m = p.stroke_length_m};
}

/// Each stroke of the fan is a way of its own: the instrument is lifted in between, and comes down at the pivot.
daq::Result<std::vector<PlannedWay>> fan_of(const Protocol& p, const ForceProfile& force) {
  std::vector<PlannedWay> ways;
  for (int i = 0; i < p.fan_strokes; ++i) {
    auto one = straight_of(p);
    one.heading_rad += p.fan_spread_rad * (static_cast<double>(i) / (p.fan_strokes - 1) - 0.5);
    auto path = unidirectional_path(one);
    if (!path) return path.error();
    ways.push_back({std::move(*path), force});
  }
  return ways;
}

daq::Result<StrokePath> frame_of(const Protocol& p) {
  // Its first corner is where strokes begin.
  const double along = p.stroke_length_m / 2;
  const double across = p.frame_width_m / 2;
  const double c = std::cos(p.heading_rad);
  const double s = std::sin(p.heading_rad);
  const PathPosition centre{p.start_x_m + along * c - across * s, p.start_y_m + along * s + across * c};
  return framing_path({.outline = rectangle_outline(centre, p.heading_rad, p.stroke_length_m, p.frame_width_m),
                       .corner_radius_m = p.corner_radius_m});
}

daq::Result<ForceProfile> force_of(const Protocol& p, double force_N) {
  const double edge_N = p.edge_fraction * force_N;
  switch (p.force_shape) {
    case ForceShape::kRamp:
      return ForceProfile::ramp(edge_N, force_N);
    case ForceShape::kTrapezoid:
      return ForceProfile::trapezoid(edge_N, force_N, p.rise_fraction, p.rise_fraction);
    case ForceShape::kHalfSine:
      return ForceProfile::half_sine(edge_N, force_N);
    case ForceShape::kConstant:
      break;
  }
  return ForceProfile::constant(force_N);
}

}  // namespace

daq::Result<std::vector<PlannedWay>> ways_of(const Protocol& p, double force_N) {
  if (p.shape == StrokeShape::kScoop) {
    auto scoop =
        scooping_stroke({.straight = straight_of(p), .enter_N = p.scoop_enter_fraction * force_N, .deep_N = force_N});
    if (!scoop) return scoop.error();
    std::vector<PlannedWay> ways;
    ways.push_back({std::move(scoop->path), scoop->force});
    return ways;
  }
  auto force = force_of(p, force_N);
  if (!force) return force.error();
  if (p.shape == StrokeShape::kFan) return fan_of(p, *force);
  auto path =
      p.shape == StrokeShape::kFrame ? frame_of(p)
      : p.shape == StrokeShape::kHook
          ? j_stroke_path({.straight = straight_of(p), .radius_m = p.hook_radius_m, .sweep_rad = p.hook_sweep_rad})
          : unidirectional_path(straight_of(p));
  if (!path) return path.error();
  std::vector<PlannedWay> ways;
  ways.push_back({std::move(*path), *force});
  return ways;
}

}  // namespace strigil::protocols
