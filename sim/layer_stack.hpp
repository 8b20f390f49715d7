// LayerStack: how deep a long rounded edge sinks into layers, per metre of its length. Quasi-static, at one place.
//
// Johnson's line contact, generalised to layers and large strain. Under a load p per metre the contact is 2a wide and,
// on the axis below it, the half-plane's stresses drive the strain of a homogeneous bar of plane strain:
//   s(z) = sigma_z - nu / (1 - nu) sigma_x,  sigma_z = p0 / sqrt(1 + (z/a)^2),
//   sigma_x = p0 ((1 + 2 (z/a)^2) / sqrt(1 + (z/a)^2) - 2 z/a),  p0 = 2 p / (pi a)
// Each layer answers with its own modulus, stiffening towards full compression (one term of Ogden's):
//   s = E*/b ((1 - e)^-b - 1),  tangent at half compression = 2^(b+1) times that at rest,  depth = integral of e dz
// For one layer and small load this is Johnson's depth = p / (pi E*) (2 ln(2d/a) - nu/(1-nu)) (science.md 2.6).
// Thin layers on what does not give are stiffer by kappa(a / thickness) (science.md 2.6 [M]).
#pragma once

#include <vector>

namespace strigil::sim {

/// Precondition: all > 0, poisson_ratio < 0.5, stiffening_at_half > 2.
struct StackLayer {
  double thickness_m = 1e-3;
  double youngs_modulus_Pa = 1e4;
  double poisson_ratio = 0.49;
  double stiffening_at_half = 6;
};

/// The edge across its length: a rounding, and half of how wide it can become before the instrument ends.
struct EdgeSection {
  double radius_m = 3e-3;
  double widest_m = 3e-3;
};

/// A point of the curve.
struct LineContact {
  double load_N_m = 0;
  double depth_m = 0;
  double half_width_m = 0;
};

/// Immutable; any thread; off the loop.
class LayerStack {
 public:
  /// From the surface down. What lies below is taken as rigid. Precondition: at least one layer.
  LayerStack(std::vector<StackLayer> layers, EdgeSection edge);

  /// The contact under what would be `half_plane_N_m` on layers without a rigid ground; its true load is higher by
  /// kappa. Precondition: > 0.
  [[nodiscard]] LineContact under(double half_plane_N_m) const;
  /// What share of the depth is each layer's.
  [[nodiscard]] std::vector<double> shares(double half_plane_N_m) const;
  /// Points of the curve, loads from `from_N_m` to at least `to_N_m`, evenly spread over their logarithm.
  [[nodiscard]] std::vector<LineContact> curve(double from_N_m, double to_N_m, std::size_t points) const;
  [[nodiscard]] double thickness_m() const noexcept { return thickness_m_; }

 private:
  [[nodiscard]] double half_width_m(double half_plane_N_m) const;
  [[nodiscard]] double layer_depth_m(std::size_t layer, double half_plane_N_m, double half_width_m) const;

  std::vector<StackLayer> layers_;
  std::vector<double> top_m_;  // one more than layers
  EdgeSection edge_;
  double thickness_m_ = 0;
};

/// E / (1 - nu^2).
double plane_modulus_Pa(double youngs_modulus_Pa, double poisson_ratio) noexcept;
/// How much stiffer a layer on rigid ground is than a deep one; 1.1 at a/h 0.2, 1.6 at 0.5, 2.75 at 1
/// (science.md 2.6 [M], for sphere and flat punch).
double thin_layer_factor(double half_width_by_thickness) noexcept;
/// Compression of a bar under stress s, and the stress at a compression: the layer law above, by its plane modulus.
double compression_of(double stress_by_modulus, double stiffening_at_half) noexcept;
double stress_by_modulus_of(double compression, double stiffening_at_half) noexcept;

}  // namespace strigil::sim
