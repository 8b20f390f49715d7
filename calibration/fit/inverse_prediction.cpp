#include "calibration/fit/inverse_prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

namespace strigil::calibration {
namespace {

using daq::Error;

/// Root of f between a and b. Precondition: f(a) and f(b) differ in sign or one is 0.
template <typename F>
double root_between(const F& f, double a, double b) {
  if (a > b) std::swap(a, b);
  const double at_a = f(a), at_b = f(b);
  if (at_a == 0) return a;
  if (at_b == 0) return b;
  boost::uintmax_t steps = 200;
  const auto bracket =
      boost::math::tools::toms748_solve(f, a, b, at_a, at_b, boost::math::tools::eps_tolerance<double>(52), steps);
  return bracket.first / 2 + bracket.second / 2;
}

/// The curve rises or falls all the way: looked at so closely that a polynomial of its degree cannot hide a turn that
/// matters.
bool is_monotonic(const PolynomialFit& curve) {
  const int looks = 40 * (curve.degree() + 1);
  const double from = curve.x_min(), step = (curve.x_max() - from) / looks;
  const double sign = curve.slope(from);
  for (int i = 0; i <= looks; ++i) {
    if (!(curve.slope(from + i * step) * sign > 0)) return false;
  }
  return true;
}

}  // namespace

daq::Result<InversePrediction> invert(const PolynomialFit& curve, double reading, const InverseOptions& options) {
  if (!std::isfinite(reading)) return Error{"the reading to be converted is not a finite number"};
  if (!(options.probability > 0 && options.probability < 1) || !(options.repeats > 0) ||
      (options.reading_uncertainty && !(*options.reading_uncertainty >= 0))) {
    return Error{
        fmt::format("an inverse wants a probability in (0, 1), repeats above 0 and an uncertainty of at least "
                    "0; it was asked for {}, {} and {}",
                    options.probability, options.repeats, options.reading_uncertainty.value_or(0))};
  }
  if (curve.fit().absolute && !options.reading_uncertainty) {
    return Error{
        "the curve was fitted with uncertainties known beforehand: say the reading's own, it does not follow "
        "from the fit"};
  }
  if (!(curve.x_max() > curve.x_min()) || !is_monotonic(curve)) {
    return Error{
        fmt::format("the curve of degree {} does not rise or fall all the way from {:.6g} to {:.6g}: a reading "
                    "may have more than one x",
                    curve.degree(), curve.x_min(), curve.x_max())};
  }
  const auto miss = [&](double x) { return curve(x) - reading; };
  if (miss(curve.x_min()) * miss(curve.x_max()) > 0) {
    return Error{
        fmt::format("the reading {:.9g} lies outside what was calibrated, {:.9g} to {:.9g} (x {:.6g} to {:.6g})",
                    reading, std::min(curve(curve.x_min()), curve(curve.x_max())),
                    std::max(curve(curve.x_min()), curve(curve.x_max())), curve.x_min(), curve.x_max())};
  }
  InversePrediction out;
  out.x = root_between(miss, curve.x_min(), curve.x_max());
  const double scatter = options.reading_uncertainty.value_or(curve.fit().residual_sd / std::sqrt(options.repeats));
  if (!std::isfinite(scatter)) {
    return Error{"the fit does not know the scatter of one reading: say the reading's own uncertainty"};
  }
  const auto u_y = [&](double x) { return std::hypot(scatter, curve.curve_uncertainty(x)); };
  out.u = u_y(out.x) / std::abs(curve.slope(out.x));
  out.coverage_factor = curve.fit().coverage_factor(options.probability);
  if (out.u == 0) {
    out.low = out.high = out.x;
    return out;
  }

  // Outwards from x until the band has left the reading, then the root between.
  const double sign = curve.slope(out.x) > 0 ? 1 : -1;
  const double reach = 4 * (curve.x_max() - curve.x_min());
  for (const double way : {-1.0, 1.0}) {
    const auto edge = [&](double x) { return sign * (curve(x) - reading) - way * out.coverage_factor * u_y(x); };
    double inside = out.x, step = out.coverage_factor * out.u;
    bool left = false;
    for (; step <= reach; step *= 1.5) {
      const double outside = out.x + way * step;
      if (way * edge(outside) >= 0) {
        (way < 0 ? out.low : out.high) = root_between(edge, inside, outside);
        left = true;
        break;
      }
      inside = outside;
    }
    if (!left) {
      return Error{
          fmt::format("the {:.4g} % interval of the reading {:.6g} has no end: the slope of the curve is too "
                      "uncertain. Take more points, or a wider range",
                      100 * options.probability, reading)};
    }
  }
  return out;
}

}  // namespace strigil::calibration
