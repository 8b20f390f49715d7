#include "sim/layer_stack.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace strigil::sim {
namespace {

/// Even number of Simpson's intervals in each layer, evenly spread over asinh(z / a), where the stresses are smooth.
constexpr int kIntervals = 16;

double exponent_of(double stiffening_at_half) noexcept { return std::log2(stiffening_at_half) - 1; }

/// s / p0 at depth z = t a.
double axis_stress(double t, double poisson_ratio) noexcept {
  const double root = std::sqrt(1 + t * t);
  const double along = t < 1e3 ? (1 + 2 * t * t) / root - 2 * t : 0;  // beyond, rounding is all that would be left
  return 1 / root - poisson_ratio / (1 - poisson_ratio) * along;
}

}  // namespace

double plane_modulus_Pa(double youngs_modulus_Pa, double poisson_ratio) noexcept {
  return youngs_modulus_Pa / (1 - poisson_ratio * poisson_ratio);
}

double thin_layer_factor(double r) noexcept { return 1 + 3.2 * r * r / (1 + 0.83 * r); }

double compression_of(double stress_by_modulus, double stiffening_at_half) noexcept {
  const double b = exponent_of(stiffening_at_half);
  return -std::expm1(-std::log1p(b * stress_by_modulus) / b);
}

double stress_by_modulus_of(double compression, double stiffening_at_half) noexcept {
  const double b = exponent_of(stiffening_at_half);
  return std::expm1(-b * std::log1p(-compression)) / b;
}

LayerStack::LayerStack(std::vector<StackLayer> layers, EdgeSection edge) : layers_(std::move(layers)), edge_(edge) {
  assert(!layers_.empty() && edge_.radius_m > 0 && edge_.widest_m > 0);
  top_m_.push_back(0);
  for (const auto& layer : layers_) {
    assert(layer.thickness_m > 0 && layer.youngs_modulus_Pa > 0 && layer.poisson_ratio < 0.5);
    top_m_.push_back(top_m_.back() + layer.thickness_m);
  }
  thickness_m_ = top_m_.back();
}

double LayerStack::half_width_m(double load) const {
  // The modulus that shapes the contact is that of the layers within about a half-width: compliances are weighted by
  // exp(-z/a), the last layer standing for all below [A].
  double a = edge_.radius_m;
  for (int round = 0; round < 24; ++round) {
    double compliance = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const double below = i + 1 < layers_.size() ? std::exp(-top_m_[i + 1] / a) : 0;
      compliance +=
          (std::exp(-top_m_[i] / a) - below) / plane_modulus_Pa(layers_[i].youngs_modulus_Pa, layers_[i].poisson_ratio);
    }
    a = std::sqrt(a * std::sqrt(4 * load * edge_.radius_m * compliance / std::numbers::pi));  // half way: it converges
  }
  const double by_widest = a / edge_.widest_m;
  return a / std::sqrt(1 + by_widest * by_widest);  // it cannot outgrow the instrument [A]
}

double LayerStack::layer_depth_m(std::size_t i, double load, double a) const {
  const auto& layer = layers_[i];
  const double p0 = 2 * load / (std::numbers::pi * a);
  const double by_modulus = p0 / plane_modulus_Pa(layer.youngs_modulus_Pa, layer.poisson_ratio);
  const double from = std::asinh(top_m_[i] / a);
  const double step = (std::asinh(top_m_[i + 1] / a) - from) / kIntervals;
  double sum = 0;
  for (int k = 0; k <= kIntervals; ++k) {
    const double u = from + k * step;
    const double weight = k == 0 || k == kIntervals ? 1 : k % 2 == 1 ? 4 : 2;
    const double stress = by_modulus * axis_stress(std::sinh(u), layer.poisson_ratio);
    sum += weight * compression_of(stress, layer.stiffening_at_half) * std::cosh(u);
  }
  return a * sum * step / 3;
}

LineContact LayerStack::under(double load) const {
  assert(load > 0);
  const double a = half_width_m(load);
  double depth_m = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) depth_m += layer_depth_m(i, load, a);
  return {load * thin_layer_factor(a / thickness_m_), depth_m, a};
}

std::vector<double> LayerStack::shares(double load) const {
  const double a = half_width_m(load);
  std::vector<double> depth_m;
  double sum = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) sum += depth_m.emplace_back(layer_depth_m(i, load, a));
  for (double& d : depth_m) d /= sum;
  return depth_m;
}

std::vector<LineContact> LayerStack::curve(double from, double to, std::size_t points) const {
  std::vector<LineContact> all;
  const double step = std::log(to / from) / static_cast<double>(points - 1);
  for (std::size_t i = 0; i < points; ++i) all.push_back(under(from * std::exp(step * static_cast<double>(i))));
  return all;
}

}  // namespace strigil::sim
