#include "protocols/force_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace strigil::protocols {
namespace {

daq::Result<void> check_force(double force_N) {
  if (force_N >= 0 && std::isfinite(force_N)) return {};
  return daq::Error{fmt::format("a force profile of {:g} N: forces are 0 or more", force_N)};
}

}  // namespace

ForceProfile::ForceProfile(Shape shape, double first_N, double second_N, double rise, double fall)
    : shape_(shape), first_N_(first_N), second_N_(second_N), rise_(rise), fall_(fall) {
  const double change_N = std::abs(second_N - first_N);
  switch (shape) {
    case Shape::kRamp:
      max_slope_ = change_N;
      break;
    case Shape::kTrapezoid:
      max_slope_ = change_N / std::min(rise, fall);
      break;
    case Shape::kHalfSine:
      max_slope_ = std::numbers::pi * change_N;
      break;
  }
}

daq::Result<ForceProfile> ForceProfile::constant(double force_N) { return ramp(force_N, force_N); }

daq::Result<ForceProfile> ForceProfile::ramp(double first_N, double last_N) {
  if (auto r = check_force(first_N); !r) return r.error();
  if (auto r = check_force(last_N); !r) return r.error();
  return ForceProfile(Shape::kRamp, first_N, last_N, 1, 1);
}

daq::Result<ForceProfile> ForceProfile::trapezoid(double edge_N, double middle_N, double rise, double fall) {
  if (auto r = check_force(edge_N); !r) return r.error();
  if (auto r = check_force(middle_N); !r) return r.error();
  if (!(rise > 0) || !(fall > 0) || !(rise + fall <= 1)) {
    return daq::Error{fmt::format(
        "a force that rises over {:g} and falls over {:g} of the way: both need some of it, together no more than 1",
        rise, fall)};
  }
  return ForceProfile(Shape::kTrapezoid, edge_N, middle_N, rise, fall);
}

daq::Result<ForceProfile> ForceProfile::half_sine(double edge_N, double middle_N) {
  if (auto r = check_force(edge_N); !r) return r.error();
  if (auto r = check_force(middle_N); !r) return r.error();
  return ForceProfile(Shape::kHalfSine, edge_N, middle_N, 1, 1);
}

double ForceProfile::force_N(double fraction) const noexcept {
  const double f = fraction > 0 ? std::min(fraction, 1.0) : 0;  // NaN is the beginning, where forces are least
  double share = 0;
  switch (shape_) {
    case Shape::kRamp:
      share = f;
      break;
    case Shape::kTrapezoid:
      share = std::min({f / rise_, (1 - f) / fall_, 1.0});
      break;
    case Shape::kHalfSine:
      // Of the nearer end: the sine of pi itself is not quite 0.
      share = std::sin(std::numbers::pi * std::min(f, 1 - f));
      break;
  }
  return std::lerp(first_N_, second_N_, share);
}

double ForceProfile::max_force_N() const noexcept { return std::max(first_N_, second_N_); }
double ForceProfile::min_force_N() const noexcept { return std::min(first_N_, second_N_); }

double ForceProfile::max_speed_m_s(double max_rate_N_s, double way_m) const noexcept {
  if (max_slope_ == 0) return std::numeric_limits<double>::infinity();
  return max_rate_N_s / max_slope_N_m(way_m);
}

daq::Result<ShapedStroke> scooping_stroke(const ScoopShape& shape) {
  if (!(shape.deep_N >= shape.enter_N)) {
    return daq::Error{fmt::format("a scoop enters with {:g} N and goes deep with {:g} N: deep is no less",
                                  shape.enter_N, shape.deep_N)};
  }
  auto path = unidirectional_path(shape.straight);
  if (!path) return path.error();
  auto force = ForceProfile::trapezoid(shape.enter_N, shape.deep_N, shape.enter_fraction, shape.leave_fraction);
  if (!force) return force.error();
  return ShapedStroke{std::move(*path), *force};
}

}  // namespace strigil::protocols
