#include "calibration/uncertainty/distribution.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <limits>

#include "calibration/fit/summary.hpp"

namespace strigil::calibration {
namespace {

using daq::Error;

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

bool is_interval(double low, double high) { return std::isfinite(low) && std::isfinite(high) && low < high; }

Summary summary_of(const Samples& s) {
  const auto found = summarize(*s.values);
  assert(found.ok());
  return *found;
}

}  // namespace

daq::Result<void> check(const Distribution& distribution) {
  const bool sound = std::visit(
      Overloaded{
          [](const Normal& d) { return std::isfinite(d.mean) && std::isfinite(d.sd) && d.sd >= 0; },
          [](const StudentT& d) {
            return std::isfinite(d.mean) && std::isfinite(d.scale) && d.scale >= 0 && d.dof > 0 && std::isfinite(d.dof);
          },
          [](const Trapezoidal& d) { return is_interval(d.low, d.high) && d.top_ratio >= 0 && d.top_ratio <= 1; },
          [](const CurvilinearTrapezoid& d) {
            return is_interval(d.low, d.high) && d.limit_uncertainty >= 0 &&
                   d.limit_uncertainty <= d.high / 2 - d.low / 2;
          },
          [](const Exponential& d) { return is_interval(d.minimum, d.mean); },
          [](const Samples& d) { return d.values && summarize(*d.values).ok(); },
          [](const auto& d) { return is_interval(d.low, d.high); },
      },
      distribution);
  if (sound) return {};
  return Error{
      fmt::format("the {} distribution has parameters that make no sense: limits must be finite and rise, "
                  "spreads finite and not negative, a flat top within 0..1, samples at least 2",
                  name_of(distribution))};
}

double mean_of(const Distribution& distribution) {
  return std::visit(Overloaded{
                        [](const Normal& d) { return d.mean; },
                        [](const StudentT& d) { return d.mean; },
                        [](const Exponential& d) { return d.mean; },
                        [](const Samples& d) { return summary_of(d).mean; },
                        [](const auto& d) { return d.low / 2 + d.high / 2; },
                    },
                    distribution);
}

double standard_uncertainty_of(const Distribution& distribution) {
  const auto half = [](const auto& d) { return d.high / 2 - d.low / 2; };
  return std::visit(Overloaded{
                        [](const Normal& d) { return d.sd; },
                        [](const StudentT& d) {
                          return d.dof > 2 ? d.scale * std::sqrt(d.dof / (d.dof - 2))
                                           : std::numeric_limits<double>::infinity();
                        },
                        [&](const Rectangular& d) { return half(d) / std::sqrt(3.0); },
                        [&](const Triangular& d) { return half(d) / std::sqrt(6.0); },
                        [&](const Trapezoidal& d) { return half(d) * std::sqrt((1 + d.top_ratio * d.top_ratio) / 6); },
                        [&](const CurvilinearTrapezoid& d) {
                          return std::sqrt(half(d) * half(d) / 3 + d.limit_uncertainty * d.limit_uncertainty / 9);
                        },
                        [&](const ArcSine& d) { return half(d) / std::sqrt(2.0); },
                        [](const Exponential& d) { return d.mean - d.minimum; },
                        [](const Samples& d) {  // of drawing from them again: n, not n - 1, below
                          const auto s = summary_of(d);
                          return s.sd * std::sqrt(1 - 1 / static_cast<double>(s.n));
                        },
                    },
                    distribution);
}

std::string name_of(const Distribution& distribution) {
  static constexpr const char* kNames[] = {"normal",      "t",       "rectangular", "triangular", "trapezoidal",
                                           "curvilinear", "arcsine", "exponential", "samples"};
  static_assert(std::size(kNames) == std::variant_size_v<Distribution>);
  return kNames[distribution.index()];
}

Distribution rectangular_about(double value, double half_width) {
  return Rectangular{value - half_width, value + half_width};
}

Distribution resolution_about(double value, double resolution) { return rectangular_about(value, resolution / 2); }

Distribution normal_of_expanded(double value, double expanded, double k) {
  assert(k > 0);
  return Normal{value, expanded / k};
}

daq::Result<Distribution> mean_of_observations(const std::vector<double>& observations) {
  auto s = summarize(observations);
  if (!s) return s.error();
  return Distribution{StudentT{s->mean, s->mean_uncertainty(), static_cast<double>(s->n - 1)}};
}

}  // namespace strigil::calibration
