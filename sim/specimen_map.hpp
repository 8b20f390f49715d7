// SpecimenMap: everything about a phantom that changes over x and y, as one grid that is smooth between its nodes.
//
// Quadratic B-splines on the nodes: value and gradient are continuous, so that no cell border is felt as a step, and
// the gradient is that of the value to the last digit, so that what is conservative stays it. Stiffness is kept at four
// half-widths of the contact, between which a contact's own is interpolated: a deep inclusion is felt by a wide
// contact. What ends somewhere (an inclusion, the phantom) is smooth over 1.5 cells (0.75 mm) beyond its end, and gone
// after that.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "rig/phantom.hpp"

namespace strigil::sim {

/// Four floats at once; lanes never meet. GCC and Clang, on every processor.
using Lanes4 = float __attribute__((vector_size(16)));

inline constexpr std::size_t kStiffnessWidths = 4;

/// Half-widths of the contact for which stiffness is kept: rising.
using StiffnessWidths = std::array<double, kStiffnessWidths>;

/// A place: lanes of `stiffness` are factors on the foundation's stiffness at the four half-widths; `surface` is height
/// (m) above the inclined plane, factor on friction, factor on roughness, 0.
struct SpecimenPlace {
  Lanes4 stiffness{};
  Lanes4 stiffness_x{};  ///< per metre
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

  /// Beyond the phantom stiffness is 0, all else as at its border. Below 40 ns.
  [[nodiscard]] SpecimenPlace at(double x_m, double y_m) const noexcept;
  /// Height above the inclined plane only.
  [[nodiscard]] double height_m(double x_m, double y_m) const noexcept { return at(x_m, y_m).surface[0]; }
  [[nodiscard]] double cell_m() const noexcept { return cell_m_; }

 private:
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

}  // namespace strigil::sim
