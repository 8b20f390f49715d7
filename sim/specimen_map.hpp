// SpecimenMap: everything about a phantom that changes over x and y, as one grid that is smooth between its nodes.
//
// Quadratic B-splines on the nodes: value and gradient are continuous, so that no cell border is felt as a step, and
// the gradient is that of the value to the last digit, so that what is conservative stays it. Stiffness is kept at four
// half-widths of the contact, between which a contact's own is interpolated: a deep inclusion is felt by a wide
// contact. What ends somewhere (an inclusion, the phantom) is smooth over 1.5 cells (0.75 mm) beyond its end, and gone
// after that.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "rig/phantom.hpp"

namespace strigil::sim {

/// Four floats at once; lanes never meet. GCC and Clang, on every processor.
using Lanes4 = float __attribute__((vector_size(16)));

inline constexpr std::size_t kStiffnessWidths = 4;

/// Half-widths of the contact for which stiffness is kept: rising.
using StiffnessWidths = std::array<double, kStiffnessWidths>;

/// A quadratic spline's weights of three nodes.
struct SplineWeights {
  std::array<float, 3> value;
  std::array<float, 3> slope;  // per cell
};
/// Of the nodes before, at and after the nearest, from which a place is `u` cells away, -0.5..0.5.
inline SplineWeights spline(float u) noexcept {
  const float left = 0.5F - u;
  const float right = 0.5F + u;
  return {{0.5F * left * left, 0.75F - u * u, 0.5F * right * right}, {-left, -2 * u, right}};
}

/// A place: lanes of `stiffness` are factors on the foundation's stiffness at the four half-widths; `surface` is height
/// (m) above the inclined plane, factor on friction, factor on roughness, 0.
struct SpecimenPlace {
  Lanes4 stiffness{};
  Lanes4 stiffness_x{};  ///< slopes are per cell
  Lanes4 stiffness_y{};
  Lanes4 surface{};
  Lanes4 surface_x{};
  Lanes4 surface_y{};
};

/// Immutable; any thread.
class SpecimenMap {
 public:
  /// What is felt of stiffness, friction and roughness is averaged over `along_y_m` of the edge: one strip of it.
  SpecimenMap(const rig::Phantom& phantom, const StiffnessWidths& widths, double along_y_m);

  /// A line across the phantom: what is the same for all places of one x.
  struct Line {
    std::size_t column = 0;
    SplineWeights weights{};
  };
  [[nodiscard]] Line line(double x_m) const noexcept {
    const auto [column, u] = locate((x_m - x_m_) * per_cell_, columns_);
    return {column, spline(u)};
  }
  /// Beyond the phantom stiffness is 0, all else as at its border.
  [[gnu::always_inline]] [[nodiscard]] SpecimenPlace at(const Line& line, double y_m) const noexcept;
  [[nodiscard]] SpecimenPlace at(double x_m, double y_m) const noexcept { return at(line(x_m), y_m); }
  /// Height above the inclined plane only.
  [[nodiscard]] double height_m(double x_m, double y_m) const noexcept { return at(x_m, y_m).surface[0]; }
  [[nodiscard]] double cell_m() const noexcept { return cell_m_; }
  [[nodiscard]] double per_cell() const noexcept { return per_cell_; }

 private:
  /// Nearest node, one in from the border at the least, and how far beyond it, in cells.
  static std::pair<std::size_t, float> locate(double place, std::size_t nodes) noexcept {
    const double whole = std::clamp(place + 0.5, 1.0, static_cast<double>(nodes - 2));
    const auto node = static_cast<std::int64_t>(whole);  // a signed conversion is one instruction
    return {static_cast<std::size_t>(node),
            static_cast<float>(std::clamp(place - static_cast<double>(node), -0.5, 0.5))};
  }
  struct Node {
    Lanes4 stiffness{};
    Lanes4 surface{};
  };
  struct Channels;  // one value a node while the grid is made
  void lay_out(const rig::Phantom& phantom, double along_y_m);
  void add_unevenness(const rig::Phantom& phantom, Channels& c) const;
  void add_inclusions(const rig::Phantom& phantom, const StiffnessWidths& widths, Channels& c) const;
  void add_surface(const rig::Phantom& phantom, Channels& c) const;
  void cut_out(const rig::Phantom& phantom, Channels& c) const;
  [[nodiscard]] std::vector<float> averaged(const std::vector<float>& of, double along_y_m) const;

  double cell_m_ = 0;
  double per_cell_ = 0;
  double x_m_ = 0;  // of node 0
  double y_m_ = 0;
  std::size_t columns_ = 0;  // along x
  std::size_t rows_ = 0;
  std::vector<Node> nodes_;  // row by row
};

inline SpecimenPlace SpecimenMap::at(const Line& line, double y_m) const noexcept {
  const auto [row, v] = locate((y_m - y_m_) * per_cell_, rows_);
  const SplineWeights& wx = line.weights;
  const SplineWeights wy = spline(v);
  const Node* const first = &nodes_[(row - 1) * columns_ + line.column - 1];
  SpecimenPlace p;
  for (std::size_t i = 0; i < 3; ++i) {
    const Node* const a = first + i;
    const Node* const b = a + columns_;
    const Node* const c = b + columns_;
    const Lanes4 stiffness = wy.value[0] * a->stiffness + wy.value[1] * b->stiffness + wy.value[2] * c->stiffness;
    const Lanes4 surface = wy.value[0] * a->surface + wy.value[1] * b->surface + wy.value[2] * c->surface;
    p.stiffness += wx.value[i] * stiffness;
    p.surface += wx.value[i] * surface;
    p.stiffness_x += wx.slope[i] * stiffness;
    p.surface_x += wx.slope[i] * surface;
    p.stiffness_y +=
        wx.value[i] * (wy.slope[0] * a->stiffness + wy.slope[1] * b->stiffness + wy.slope[2] * c->stiffness);
    p.surface_y += wx.value[i] * (wy.slope[0] * a->surface + wy.slope[1] * b->surface + wy.slope[2] * c->surface);
  }
  return p;
}

}  // namespace strigil::sim
