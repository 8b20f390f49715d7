#include "protocols/stroke_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace strigil::protocols {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kMilli = 1e3;

double distance(PathPosition a, PathPosition b) { return std::hypot(b.x_m - a.x_m, b.y_m - a.y_m); }

/// The same direction between -pi and pi.
double wrapped(double angle_rad) { return std::remainder(angle_rad, 2 * kPi); }

/// sin(x) / x.
double sinc(double x) noexcept {
  // Below this the next term of the series, x^2/6, is no longer seen in a double.
  constexpr double kTiny = 1e-8;
  return std::abs(x) < kTiny ? 1 : std::sin(x) / x;
}

bool all_finite(const PathSegment& s) {
  return std::isfinite(s.from.x_m) && std::isfinite(s.from.y_m) && std::isfinite(s.heading_rad) &&
         std::isfinite(s.curvature_per_m) && std::isfinite(s.length_m);
}

void include(PathBox& box, PathPosition p) {
  box.min_x_m = std::min(box.min_x_m, p.x_m);
  box.min_y_m = std::min(box.min_y_m, p.y_m);
  box.max_x_m = std::max(box.max_x_m, p.x_m);
  box.max_y_m = std::max(box.max_y_m, p.y_m);
}

/// Ends, and of an arc the points at which it goes along x or y: there it reaches farthest.
void include(PathBox& box, const PathSegment& s) {
  include(box, s.from);
  include(box, s.at(s.length_m));
  if (s.curvature_per_m == 0) return;
  const double first = s.heading_rad;
  const double last = s.heading_at(s.length_m);
  constexpr double kQuarter = kPi / 2;
  const double from = std::ceil(std::min(first, last) / kQuarter);
  const double to = std::floor(std::max(first, last) / kQuarter);
  for (double quarter = from; quarter <= to; ++quarter) {
    const double u = (quarter * kQuarter - first) / s.curvature_per_m;
    include(box, s.at(std::clamp(u, 0.0, s.length_m)));
  }
}

/// Lays segments one behind the other.
class Pen {
 public:
  Pen(PathPosition at, double heading_rad) : at_(at), heading_rad_(heading_rad) {}
  void line(double length_m, bool pressed = true) { add(0, length_m, pressed); }
  void line_to(PathPosition to) {
    const double length = distance(at_, to);
    heading_rad_ = std::atan2(to.y_m - at_.y_m, to.x_m - at_.x_m);
    line(length);
  }
  /// Left positive.
  void arc(double radius_m, double sweep_rad) {
    add(std::copysign(1 / radius_m, sweep_rad), radius_m * std::abs(sweep_rad), true);
  }
  void head(double heading_rad) { heading_rad_ = heading_rad; }
  void turn_back() { heading_rad_ += kPi; }
  void next_pass() { ++pass_; }
  daq::Result<StrokePath> done() { return StrokePath::from_segments(std::move(segments_)); }

 private:
  void add(double curvature_per_m, double length_m, bool pressed) {
    segments_.push_back({.from = at_,
                         .heading_rad = wrapped(heading_rad_),
                         .curvature_per_m = curvature_per_m,
                         .length_m = length_m,
                         .pass = pass_,
                         .pressed = pressed});
    at_ = segments_.back().at(length_m);
    heading_rad_ = segments_.back().heading_at(length_m);
  }
  PathPosition at_;
  double heading_rad_;
  std::size_t pass_ = 0;
  std::vector<PathSegment> segments_;
};

/// A plan's worth; beyond it somebody has mistaken the unit.
constexpr int kMostRepeats = 10'000;

daq::Result<void> check_count(const char* what, int count) {
  if (count >= 1 && count <= kMostRepeats) return {};
  return daq::Error{fmt::format("{} {} are not possible: 1 to {}", count, what, kMostRepeats)};
}

/// How much of each of its two edges a rounded corner uses up, and how far it turns.
struct Rounding {
  double used_m = 0;
  double turn_rad = 0;
};

daq::Result<std::vector<Rounding>> round_corners(const FrameShape& shape, const std::vector<double>& headings,
                                                 const std::vector<double>& lengths) {
  const std::size_t n = headings.size();
  std::vector<Rounding> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    out[i].turn_rad = wrapped(headings[i] - headings[(i + n - 1) % n]);
    if (shape.corner_radius_m == 0) continue;
    if (std::abs(out[i].turn_rad) > kPi - StrokePath::kSmooth_rad) {
      return daq::Error{fmt::format("corner {} of the outline turns back on itself and cannot be rounded", i + 1)};
    }
    out[i].used_m = shape.corner_radius_m * std::tan(std::abs(out[i].turn_rad) / 2);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double needed = out[i].used_m + out[(i + 1) % n].used_m;
    if (needed > lengths[i]) {
      return daq::Error{
          fmt::format("edge {} of the outline is {:.3g} mm long; its rounded corners need {:.3g} mm: make "
                      "the radius of {:.3g} mm smaller",
                      i + 1, lengths[i] * kMilli, needed * kMilli, shape.corner_radius_m * kMilli)};
    }
  }
  return out;
}

}  // namespace

PathPosition PathSegment::at(double u_m) const noexcept {
  // The chord of the arc: half a turn further than it began, shorter than the arc by sinc.
  const double half = curvature_per_m * u_m / 2;
  const double chord = u_m * sinc(half);
  return {from.x_m + chord * std::cos(heading_rad + half), from.y_m + chord * std::sin(heading_rad + half)};
}

daq::Result<StrokePath> StrokePath::from_segments(std::vector<PathSegment> segments) {
  if (segments.empty()) return daq::Error{"a path needs a segment"};
  StrokePath path;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  path.box_ = {kInfinity, kInfinity, -kInfinity, -kInfinity};
  path.begins_m_.reserve(segments.size() + 1);
  double way = 0;
  double pressed = 0;
  path.pressed_to_m_.push_back(0);
  const auto end_pass = [&] {
    const bool presses = pressed > path.pressed_to_m_.back();
    path.pressed_to_m_.push_back(pressed);
    return presses;
  };
  const daq::Error never_presses{"a pass of the path never presses"};
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& s = segments[i];
    if (!all_finite(s)) return daq::Error{fmt::format("segment {} of the path has a number that is none", i + 1)};
    if (!(s.length_m > 0)) {
      return daq::Error{
          fmt::format("segment {} of the path is {:g} mm long: nowhere to go", i + 1, s.length_m * kMilli)};
    }
    if (std::abs(s.curvature_per_m) * s.length_m > 2 * kPi + kSmooth_rad) {
      return daq::Error{fmt::format("segment {} of the path is an arc of more than a full turn", i + 1)};
    }
    const bool falls = i > 0 && (s.pass < segments[i - 1].pass || s.pass > segments[i - 1].pass + 1);
    if (falls || (i == 0 && s.pass != 0)) {
      return daq::Error{fmt::format("segment {} of the path: passes are numbered from 0, one by one", i + 1)};
    }
    if (i > 0) {
      const auto& before = segments[i - 1];
      const double gap = distance(before.at(before.length_m), s.from);
      if (!(gap <= kJoined_m)) {
        return daq::Error{
            fmt::format("segment {} of the path begins {:g} mm from where the one before ends", i + 1, gap * kMilli)};
      }
      const double turn = wrapped(s.heading_rad - before.heading_at(before.length_m));
      const bool jumps = std::abs(turn) > kSmooth_rad;
      if (jumps || s.pressed != before.pressed) path.corners_.push_back({way, jumps ? turn : 0});
      if (s.pass != before.pass && !end_pass()) return never_presses;
    }
    path.begins_m_.push_back(way);
    path.pressed_before_m_.push_back(pressed);
    include(path.box_, s);
    way += s.length_m;
    if (s.pressed) pressed += s.length_m;
  }
  path.begins_m_.push_back(way);
  if (!end_pass()) return never_presses;
  path.segments_ = std::move(segments);
  return path;
}

PathPoint StrokePath::at(double s_m) const noexcept {
  const double s = s_m > 0 ? std::min(s_m, length_m()) : 0;  // NaN is the beginning
  const auto after = std::upper_bound(begins_m_.begin(), begins_m_.end() - 1, s);
  const auto index = static_cast<std::size_t>(after - begins_m_.begin()) - 1;
  const auto& segment = segments_[index];
  const double u = std::min(s - begins_m_[index], segment.length_m);
  const double heading = segment.heading_at(u);
  const double pressed = pressed_before_m_[index] + (segment.pressed ? u : 0) - pressed_to_m_[segment.pass];
  return {.position = segment.at(u),
          .tangent_x = std::cos(heading),
          .tangent_y = std::sin(heading),
          .curvature_per_m = segment.curvature_per_m,
          .segment = index,
          .pass = segment.pass,
          .pass_fraction = std::clamp(pressed / pass_length_m(segment.pass), 0.0, 1.0),
          .pressed = segment.pressed};
}

double StrokePath::allowed_speed_m_s(double s_m, const PathSpeedLimits& limits) const noexcept {
  const double s = s_m > 0 ? std::min(s_m, length_m()) : 0;
  // In squares: under constant acceleration v^2 changes by 2 a for each metre, in both directions.
  const double per_m = 2 * limits.max_acceleration_m_s2;
  double squared = limits.max_speed_m_s * limits.max_speed_m_s;
  squared = std::min({squared, per_m * s, per_m * (length_m() - s)});
  for (const auto& corner : corners_) squared = std::min(squared, per_m * std::abs(s - corner.at_m));
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].curvature_per_m == 0) continue;
    const double away = std::max({begins_m_[i] - s, s - begins_m_[i + 1], 0.0});
    squared = std::min(squared, limits.max_centripetal_m_s2 / std::abs(segments_[i].curvature_per_m) + per_m * away);
  }
  return std::sqrt(std::max(squared, 0.0));
}

daq::Result<StrokePath> unidirectional_path(const StraightShape& shape, int strokes) {
  if (auto r = check_count("strokes", strokes); !r) return r.error();
  Pen pen(shape.from, shape.heading_rad);
  for (int i = 0; i < strokes; ++i) {
    if (i > 0) {
      pen.turn_back();
      pen.line(shape.length_m, false);
      pen.turn_back();
      pen.next_pass();
    }
    pen.line(shape.length_m);
  }
  return pen.done();
}

daq::Result<StrokePath> back_and_forth_path(const StraightShape& shape, int strokes) {
  if (auto r = check_count("strokes", strokes); !r) return r.error();
  Pen pen(shape.from, shape.heading_rad);
  for (int i = 0; i < strokes; ++i) {
    if (i > 0) {
      pen.turn_back();
      pen.next_pass();
    }
    pen.line(shape.length_m);
  }
  return pen.done();
}

daq::Result<StrokePath> fanning_path(const FanShape& shape) {
  if (auto r = check_count("strokes", shape.strokes); !r) return r.error();
  if (!(std::abs(shape.spread_rad) <= 2 * kPi)) return daq::Error{"a fan spreads over a full turn at most"};
  if ((shape.strokes == 1) != (shape.spread_rad == 0)) {
    return daq::Error{fmt::format("a fan of {} strokes that spreads over {:g} rad: one stroke has no spread, more have",
                                  shape.strokes, shape.spread_rad)};
  }
  Pen pen(shape.pivot, shape.first_heading_rad);
  for (int i = 0; i < shape.strokes; ++i) {
    if (i > 0) pen.next_pass();
    const double share = shape.strokes > 1 ? static_cast<double>(i) / (shape.strokes - 1) : 0;
    pen.head(shape.first_heading_rad + share * shape.spread_rad);
    pen.line(shape.length_m);
    if (!shape.back_pressed && i + 1 == shape.strokes) break;  // the plan lifts at the end anyway
    if (shape.back_pressed) pen.next_pass();
    pen.turn_back();
    pen.line(shape.length_m, shape.back_pressed);
  }
  return pen.done();
}

daq::Result<StrokePath> framing_path(const FrameShape& shape) {
  if (auto r = check_count("laps", shape.laps); !r) return r.error();
  const auto& corners = shape.outline;
  const std::size_t n = corners.size();
  if (n < 3) return daq::Error{fmt::format("an outline of {} corners: three are needed", n)};
  if (!(shape.corner_radius_m >= 0)) return daq::Error{"the radius of a frame's corners is negative or no number"};
  std::vector<double> headings(n);
  std::vector<double> lengths(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto& to = corners[(i + 1) % n];
    lengths[i] = distance(corners[i], to);
    headings[i] = std::atan2(to.y_m - corners[i].y_m, to.x_m - corners[i].x_m);
    if (!(lengths[i] > StrokePath::kJoined_m) || !std::isfinite(lengths[i])) {
      return daq::Error{fmt::format("corners {} and {} of the outline are {:g} mm apart", i + 1, (i + 1) % n + 1,
                                    lengths[i] * kMilli)};
    }
  }
  const auto rounding = round_corners(shape, headings, lengths);
  if (!rounding) return rounding.error();
  const auto& round = *rounding;
  const double start = round[0].used_m;
  const PathPosition from{corners[0].x_m + start * std::cos(headings[0]),
                          corners[0].y_m + start * std::sin(headings[0])};
  Pen pen(from, headings[0]);
  for (int lap = 0; lap < shape.laps; ++lap) {
    if (lap > 0) pen.next_pass();
    for (std::size_t i = 0; i < n; ++i) {
      const auto& corner = corners[(i + 1) % n];
      const auto& r = round[(i + 1) % n];
      // To where the next corner's rounding begins, from wherever the pen is: rounding errors do not add up.
      if (lengths[i] - round[i].used_m - r.used_m > StrokePath::kJoined_m) {
        pen.line_to({corner.x_m - r.used_m * std::cos(headings[i]), corner.y_m - r.used_m * std::sin(headings[i])});
      }
      pen.head(headings[i]);
      if (r.used_m > StrokePath::kJoined_m) pen.arc(shape.corner_radius_m, r.turn_rad);
    }
  }
  return pen.done();
}

std::vector<PathPosition> rectangle_outline(PathPosition centre, double heading_rad, double length_m, double width_m) {
  const double c = std::cos(heading_rad);
  const double s = std::sin(heading_rad);
  std::vector<PathPosition> out;
  constexpr std::array<std::array<double, 2>, 4> kCorners{{{-0.5, -0.5}, {0.5, -0.5}, {0.5, 0.5}, {-0.5, 0.5}}};
  for (const auto& [along, across] : kCorners) {
    const double u = along * length_m;
    const double v = across * width_m;
    out.push_back({centre.x_m + u * c - v * s, centre.y_m + u * s + v * c});
  }
  return out;
}

daq::Result<StrokePath> j_stroke_path(const HookShape& shape) {
  if (!(shape.radius_m > 0)) return daq::Error{"the hook of a J-stroke needs a radius"};
  if (shape.sweep_rad == 0) return daq::Error{"the hook of a J-stroke needs a sweep"};
  Pen pen(shape.straight.from, shape.straight.heading_rad);
  pen.line(shape.straight.length_m);
  pen.arc(shape.radius_m, shape.sweep_rad);
  return pen.done();
}

daq::Result<void> check_travel(const StrokePath& path, const rig::Position& min_m, const rig::Position& max_m) {
  const auto& b = path.box();
  struct Side {
    const char* name;
    double beyond_m;
  };
  for (const auto& side : {Side{"-x", min_m[rig::kX] - b.min_x_m}, Side{"+x", b.max_x_m - max_m[rig::kX]},
                           Side{"-y", min_m[rig::kY] - b.min_y_m}, Side{"+y", b.max_y_m - max_m[rig::kY]}}) {
    if (side.beyond_m <= StrokePath::kJoined_m) continue;  // rounding
    return daq::Error{
        fmt::format("the path goes {:.3g} mm beyond the travel at {}: move or shorten it, or check the bench's "
                    "travel",
                    side.beyond_m * kMilli, side.name)};
  }
  return {};
}

}  // namespace strigil::protocols
