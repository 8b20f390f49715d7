#include "sim/specimen_map.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "sim/inclusion_effect.hpp"
#include "sim/random_field.hpp"

namespace strigil::sim {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kFinestCell_m = 0.5e-3;
constexpr double kMostNodes = 400e3;
/// Nodes around the phantom that a spline at its border needs.
constexpr double kMarginCells = 3;

// One seed for people; each field its own.
constexpr std::uint64_t kFrictionSeed = 0x6D75ULL;
constexpr std::uint64_t kFibreSeed = 0x666962ULL;

}  // namespace

struct SpecimenMap::Channels {
  explicit Channels(std::size_t n)
      : ln_stiffness(n, 0.0F), friction(n, 1.0F), roughness(n, 1.0F), height(n, 0.0F), there(n, 1.0F) {
    for (auto& s : inclusions) s.assign(n, 1.0F);
  }
  std::vector<float> ln_stiffness;
  std::array<std::vector<float>, kStiffnessWidths> inclusions;  // factor of all inclusions
  std::vector<float> friction;
  std::vector<float> roughness;
  std::vector<float> height;
  std::vector<float> there;  // 0 beside the phantom
};

SpecimenMap::SpecimenMap(const rig::Phantom& phantom, const StiffnessWidths& widths, double along_y_m) {
  lay_out(phantom, along_y_m);
  Channels c(columns_ * rows_);
  add_unevenness(phantom, c);
  add_inclusions(phantom, widths, c);
  add_surface(phantom, c);
  cut_out(phantom, c);
  nodes_.resize(columns_ * rows_);
  for (std::size_t w = 0; w < kStiffnessWidths; ++w) {
    auto& factor = c.inclusions[w];
    for (std::size_t i = 0; i < nodes_.size(); ++i) factor[i] *= c.there[i] * c.ln_stiffness[i];
    const auto felt = averaged(factor, along_y_m);
    for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].stiffness[w] = felt[i];
  }
  const auto friction = averaged(c.friction, along_y_m);
  const auto roughness = averaged(c.roughness, along_y_m);
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].surface = Lanes4{c.height[i], friction[i], roughness[i], 0};
}

void SpecimenMap::lay_out(const rig::Phantom& phantom, double along_y_m) {
  const double length = phantom.x_max_m - phantom.x_min_m;
  const double width = phantom.y_max_m - phantom.y_min_m;
  assert(length > 0 && width > 0);
  cell_m_ = std::max(kFinestCell_m, std::sqrt(length * width / kMostNodes));
  per_cell_ = 1 / cell_m_;
  const double margin_y = kMarginCells * cell_m_ + along_y_m / 2;
  x_m_ = phantom.x_min_m - kMarginCells * cell_m_;
  y_m_ = phantom.y_min_m - margin_y;
  columns_ = static_cast<std::size_t>(std::ceil(length / cell_m_ + 2 * kMarginCells)) + 1;
  rows_ = static_cast<std::size_t>(std::ceil((width + 2 * margin_y) / cell_m_)) + 1;
}

void SpecimenMap::add_unevenness(const rig::Phantom& phantom, Channels& c) const {
  const auto& t = phantom.texture;
  const RandomField stiffness(t.correlation_m, t.seed);
  const RandomField friction(t.correlation_m, t.seed ^ kFrictionSeed);
  const RandomField straying(4 * t.fibre_wavelength_m, t.seed ^ kFibreSeed);  // no fibre is a ruled line [A]
  std::vector<double> line(columns_);
  for (std::size_t row = 0; row < rows_; ++row) {
    const double y = y_m_ + static_cast<double>(row) * cell_m_;
    float* const ln_k = &c.ln_stiffness[row * columns_];
    float* const mu = &c.friction[row * columns_];
    if (t.stiffness_sd > 0) {
      stiffness.along_x(x_m_, cell_m_, y, line);
      for (std::size_t i = 0; i < columns_; ++i) ln_k[i] += static_cast<float>(t.stiffness_sd * line[i]);
    }
    if (t.fibre_stiffness_sd > 0) {
      straying.along_x(x_m_, cell_m_, y, line);
      for (std::size_t i = 0; i < columns_; ++i) {
        const double x = x_m_ + static_cast<double>(i) * cell_m_;
        const double across = y * std::cos(t.fibre_angle_rad) - x * std::sin(t.fibre_angle_rad);
        const double wave = std::numbers::sqrt2 * std::sin(kTwoPi * across / t.fibre_wavelength_m + line[i]);
        ln_k[i] += static_cast<float>(t.fibre_stiffness_sd * wave);
      }
    }
    if (t.friction_sd > 0) {
      friction.along_x(x_m_, cell_m_, y, line);
      for (std::size_t i = 0; i < columns_; ++i) mu[i] *= static_cast<float>(std::exp(t.friction_sd * line[i]));
    }
  }
  const bool uneven = t.stiffness_sd > 0 || t.fibre_stiffness_sd > 0;
  for (float& s : c.ln_stiffness) s = uneven ? static_cast<float>(std::exp(static_cast<double>(s))) : 1.0F;
}

void SpecimenMap::add_inclusions(const rig::Phantom& phantom, const StiffnessWidths& widths, Channels& c) const {
  for (const auto& inclusion : phantom.inclusions) {
    const InclusionEffect effect(inclusion);
    StiffnessWidths more{};
    for (std::size_t w = 0; w < kStiffnessWidths; ++w) {
      more[w] = (inclusion.stiffness_contrast - 1) * effect.weight(widths[w]);
    }
    const double reach = effect.reach_m();
    const auto node = [&](double place, double origin, std::size_t most) {
      return static_cast<std::size_t>(std::clamp((place - origin) * per_cell_, 0.0, static_cast<double>(most - 1)));
    };
    const auto last_row = node(inclusion.y_m + reach + cell_m_, y_m_, rows_);
    const auto last_column = node(inclusion.x_m + reach + cell_m_, x_m_, columns_);
    for (auto row = node(inclusion.y_m - reach, y_m_, rows_); row <= last_row; ++row) {
      const double y = y_m_ + static_cast<double>(row) * cell_m_;
      for (auto column = node(inclusion.x_m - reach, x_m_, columns_); column <= last_column; ++column) {
        const double x = x_m_ + static_cast<double>(column) * cell_m_;
        const auto i = row * columns_ + column;
        const double felt = effect.felt_at(x, y);
        const double above = effect.surface_at(x, y);
        for (std::size_t w = 0; w < kStiffnessWidths; ++w) {
          c.inclusions[w][i] *= static_cast<float>(std::max(0.01, 1 + more[w] * felt));
        }
        c.friction[i] *= static_cast<float>(1 + (inclusion.friction_contrast - 1) * above);
        c.roughness[i] *= static_cast<float>(1 + (inclusion.roughness_contrast - 1) * above);
        c.height[i] += static_cast<float>(inclusion.rise_m * above);
      }
    }
  }
}

void SpecimenMap::add_surface(const rig::Phantom& phantom, Channels& c) const {
  const auto& s = phantom.surface;
  const double middle_m = (phantom.y_min_m + phantom.y_max_m) / 2;
  for (std::size_t row = 0; row < rows_; ++row) {
    const double y = y_m_ + static_cast<double>(row) * cell_m_;
    const double crown = s.crown_radius_m > 0 ? -(y - middle_m) * (y - middle_m) / (2 * s.crown_radius_m) : 0;
    for (std::size_t column = 0; column < columns_; ++column) {
      const double x = x_m_ + static_cast<double>(column) * cell_m_;
      double height = crown;
      if (s.curvature_amplitude_m != 0) {
        height += s.curvature_amplitude_m * std::sin(kTwoPi * x / s.curvature_wavelength_m);
      }
      for (const auto& bump : s.bumps) {
        const double u = (x - bump.x_m) / bump.width_m;
        const double v = (y - bump.y_m) / bump.width_m;
        const double square = u * u + v * v;
        if (square < 64) height += bump.height_m * std::exp(-0.5 * square);
      }
      c.height[row * columns_ + column] += static_cast<float>(height);
    }
  }
}

void SpecimenMap::cut_out(const rig::Phantom& phantom, Channels& c) const {
  for (std::size_t row = 0; row < rows_; ++row) {
    const double y = y_m_ + static_cast<double>(row) * cell_m_;
    const bool row_there = y >= phantom.y_min_m && y <= phantom.y_max_m;
    for (std::size_t column = 0; column < columns_; ++column) {
      const double x = x_m_ + static_cast<double>(column) * cell_m_;
      if (!row_there || x < phantom.x_min_m || x > phantom.x_max_m) c.there[row * columns_ + column] = 0;
    }
  }
}

std::vector<float> SpecimenMap::averaged(const std::vector<float>& of, double along_y_m) const {
  const auto half = static_cast<std::ptrdiff_t>(std::lround(along_y_m * per_cell_ / 2));
  if (half == 0) return of;
  std::vector<float> out(of.size());
  std::vector<double> sum(columns_);
  const auto last = static_cast<std::ptrdiff_t>(rows_) - 1;
  const double scale = 1 / static_cast<double>(2 * half);
  for (std::ptrdiff_t row = 0; row <= last; ++row) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (auto r = row - half; r <= row + half; ++r) {
      const double weight = r == row - half || r == row + half ? scale / 2 : scale;  // half a cell at each end
      const float* const line = &of[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(r, 0, last)) * columns_];
      for (std::size_t i = 0; i < columns_; ++i) sum[i] += weight * static_cast<double>(line[i]);
    }
    float* const to = &out[static_cast<std::size_t>(row) * columns_];
    for (std::size_t i = 0; i < columns_; ++i) to[i] = static_cast<float>(sum[i]);
  }
  return out;
}

}  // namespace strigil::sim
