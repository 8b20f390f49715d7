// TissuePlant: a layered phantom under an instrument's edge. docs/physics.md has every equation and where it is from.
//
// The edge is cut into strips along its length (y). Each stands upon the foundation of all layers there:
//   U(x, y, z) = sum over strips of K(x, y_i) W(depth_i),  force of the springs = -grad U
// (sim/foundation.hpp, sim/specimen_map.hpp), so slopes, bumps and inclusions are conservative. On these act
//   relaxation, one factor on all of it, and what its renewal costs a slide            sim/relaxation.hpp
//   Hunt and Crossley's damping, 1 + lambda U' / N, never below 0                      science.md 2.3
//   friction with bristles under an emollient that thins                               sim/sliding_edge.hpp,
//   wear_map.hpp texture in space sim/surface_texture.hpp
// The instrument gives way along x and y on its mount, so it can stick and slip; along z the stage is
// followed as it stands. No term knows what an inclusion is: there are contrasts of stiffness, friction, roughness and
// height, and nothing else.
#pragma once

#include <memory>
#include <optional>

#include "sim/foundation.hpp"
#include "sim/instrument_body.hpp"
#include "sim/mount.hpp"
#include "sim/plant.hpp"
#include "sim/relaxation.hpp"
#include "sim/sliding_edge.hpp"
#include "sim/specimen.hpp"
#include "sim/specimen_map.hpp"
#include "sim/surface_texture.hpp"
#include "sim/wear_map.hpp"

namespace strigil::sim {

/// What is not the specimen's.
struct TissueBench {
  std::optional<Anvil> anvil;  ///< there is no phantom from its x on
  MountConfig mount;
  std::uint64_t seed = 1;  ///< of the machine's noise; the specimen's own is in its texture
};

/// What the springs of the layers do at one place, without time: quasi-static.
struct ElasticContact {
  double energy_J = 0;
  std::array<double, 3> force_N{};  ///< on the edge
  double roll_N_m = 0;              ///< moment about x: where along the edge the load is
  double depth_m = 0;               ///< of the deepest strip
  double stiffness = 1;             ///< factors, as felt by the load on the edge
  double friction = 1;
  double roughness = 1;
};

/// One specimen, one instrument. Below 500 ns a step.
class TissuePlant final : public Plant {
 public:
  /// Refuses in words what cannot be simulated (sim/specimen.hpp). Some 20 ms.
  static daq::Result<std::unique_ptr<TissuePlant>> make(
      const rig::Phantom& phantom, const rig::Instrument& instrument, const TissueBench& bench,
      const rig::PhantomMaterials& materials = rig::shipped_phantom_materials());

  const PlantState& step(daq::HostTime now, const rig::Position& position_m,
                         const rig::Position& velocity_m_s) noexcept override;
  [[nodiscard]] const PlantState& state() const noexcept override { return state_; }
  [[nodiscard]] double surface_m(double x_m, double y_m) const noexcept override;
  [[nodiscard]] double compression_m() const noexcept override { return compression_m_; }

  /// Pure.
  [[nodiscard]] ElasticContact elastic(const rig::Position& position_m) const noexcept;
  /// The reference poke: the normal force, long after the edge was pressed `depth_m` below the surface at x, y, on the
  /// specimen as it is on the day of its passport, before it was stroked. Pure.
  [[nodiscard]] double poke_N(double depth_m, double x_m, double y_m) const noexcept;
  /// Stored in springs, branches and bristles (J), at the last step. What mount and instrument store is apart.
  [[nodiscard]] double stored_J() const noexcept {
    return relaxation_.stored_J() * softened_ + edge_.bristles().stored_J(kBristles_per_m);
  }
  /// How fast the edge gives way on its mount against the stage, along x and y.
  [[nodiscard]] const std::array<double, 2>& gives_m_s() const noexcept { return edge_.gives_m_s(); }
  /// As it was before its first step; time may begin anew.
  void rest() noexcept;
  /// What it is made of.
  [[nodiscard]] const Specimen& specimen() const noexcept { return specimen_; }

 private:
  static constexpr std::size_t kStrips = 7;
  /// LuGre's s0: 5 N/mm at 6 N, 0.5 mm of presliding on dry skin (science.md 2.7: 1-5 N/mm, 0.1-0.5 mm) [M/A].
  static constexpr double kBristles_per_m = 800;

  TissuePlant(const rig::Phantom& phantom, const rig::Instrument& instrument, const TissueBench& bench,
              Specimen specimen, const LayerStack& stack);
  void press(const rig::Position& position_m, const rig::Position& velocity_m_s, const rig::Position& shaken_m_s2,
             double dt_s) noexcept;
  void stand_on_anvil(const rig::Position& position_m, const rig::Position& shaken_m_s2, double dt_s) noexcept;
  [[nodiscard]] FrictionLaw friction_law(const Wear& wear, double here) const noexcept;

  Specimen specimen_;
  TissueBench bench_;
  rig::PhantomSurface surface_;
  rig::PhantomPassport passport_;
  double strip_m_;
  std::array<double, kStrips> strip_y_m_{};       // from the edge's middle
  std::array<double, kStrips> strip_height_m_{};  // likewise, below it
  Foundation foundation_;
  SpecimenMap map_;
  SurfaceTexture texture_;
  WearMap wear_;
  Relaxation relaxation_;
  SlidingEdge edge_;
  SlidingEdge edge_at_rest_;
  InstrumentBody body_;
  InstrumentBody body_at_rest_;
  MachineMotion machine_;
  MachineMotion machine_at_rest_;
  double asperity_factor_;
  double dried_at_first_ = 1;
  double dried_ = 1;  // e^-(age of the film)
  double dries_ = 1;  // by so much each step
  double dries_for_s_ = 0;
  double softened_ = 1;
  PlantState state_;
  double compression_m_ = 0;
};

}  // namespace strigil::sim
