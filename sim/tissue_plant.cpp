#include "sim/tissue_plant.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::sim {
namespace {

using rig::kX;
using rig::kY;
using rig::kZ;

/// A slide renews what lies under the edge over the contact's width and half the layers' thickness: how far along x
/// layers are strained [A].
double renewal_m(const Foundation& foundation, double thickness_m) {
  return 2 * foundation.working_half_width_m() + thickness_m / 2;
}

RelaxationBranches with_renewal(RelaxationBranches branches, double renewal) {
  branches.renewal_m = renewal;
  return branches;
}

/// LuGre's s1 = 2 zeta sqrt(s0 N m): zeta 0.5, the skin that moves with the edge some grams, at 6 N (science.md 2.7)
/// [M/A].
constexpr double kMicroDamping_N_s_m = 2;
/// What gives along x and y: mount and force sensor, as the anvil's stiffness, and the holder that moves with the
/// instrument, as in sim/instrument_body.hpp [A].
EdgeMount mount_of(const rig::Instrument& instrument) {
  constexpr double kStiffness_N_m = 20e3;
  constexpr double kHolder_kg = 0.1;
  const double mass_kg = instrument.mass_kg + kHolder_kg;
  return {mass_kg, kStiffness_N_m, instrument.grip_loss_factor * std::sqrt(kStiffness_N_m * mass_kg)};
}

/// The edge for which kAsperityStiffness_N_m is.
constexpr double kAsperityEdge_m = 40e-3;

double sum(const Lanes4& a) noexcept {
  return (static_cast<double>(a[0]) + static_cast<double>(a[1])) +
         (static_cast<double>(a[2]) + static_cast<double>(a[3]));
}

}  // namespace

daq::Result<std::unique_ptr<TissuePlant>> TissuePlant::make(const rig::Phantom& phantom,
                                                            const rig::Instrument& instrument, const TissueBench& bench,
                                                            const rig::PhantomMaterials& materials) {
  auto specimen = resolve(phantom, instrument, materials);
  if (!specimen) return specimen.error();
  const LayerStack stack(specimen->layers, specimen->edge);
  return std::unique_ptr<TissuePlant>(new TissuePlant(phantom, instrument, bench, std::move(*specimen), stack));
}

TissuePlant::TissuePlant(const rig::Phantom& phantom, const rig::Instrument& instrument, const TissueBench& bench,
                         Specimen specimen, const LayerStack& stack)
    : specimen_(std::move(specimen)),
      bench_(bench),
      surface_(phantom.surface),
      passport_(phantom.passport),
      strip_m_(instrument.edge_length_m / kStrips),
      foundation_(stack, instrument.edge_length_m),
      map_(phantom, foundation_.widths_m(), strip_m_),
      texture_(phantom.texture),
      wear_(phantom.x_min_m, phantom.x_max_m, phantom.y_min_m, phantom.y_max_m, instrument.edge_length_m),
      relaxation_(with_renewal(specimen_.branches, renewal_m(foundation_, stack.thickness_m()))),
      edge_(mount_of(instrument)),
      edge_at_rest_(edge_),
      body_(instrument),
      body_at_rest_(body_),
      machine_(bench.mount, bench.seed),
      machine_at_rest_(machine_),
      asperity_factor_(std::sqrt(instrument.edge_length_m / kAsperityEdge_m)),
      dried_at_first_(std::exp(-phantom.emollient.age_s / specimen_.emollient.time_s)),
      dried_(dried_at_first_) {
  const double stands_out = instrument.edge == rig::EdgeShape::kStraight ? 0
                            : instrument.edge == rig::EdgeShape::kConvex ? instrument.edge_sagitta_m
                                                                         : -instrument.edge_sagitta_m;
  for (std::size_t i = 0; i < kStrips; ++i) {
    strip_y_m_[i] = (static_cast<double>(i) - (kStrips - 1) / 2.0) * strip_m_;
    const double from_middle = 2 * strip_y_m_[i] / instrument.edge_length_m;
    strip_height_m_[i] = -stands_out * from_middle * from_middle;
  }
}

double TissuePlant::surface_m(double x_m, double y_m) const noexcept {
  return surface_.z_m + surface_.slope * x_m + map_.height_m(x_m, y_m);
}

ElasticContact TissuePlant::elastic(const rig::Position& at) const noexcept {
  const double plane_m = surface_.z_m + surface_.slope * at[kX] - at[kZ];
  const auto slope = static_cast<float>(surface_.slope * map_.cell_m());  // slopes are per cell
  const SpecimenMap::Line line = map_.line(at[kX]);
  double deepest_m = 0;
  Lanes4 load{};  // lanes are summed at the end, once
  Lanes4 even{};
  Lanes4 energy{};
  Lanes4 along_x{};
  Lanes4 along_y{};
  Lanes4 roll{};
  Lanes4 friction{};
  Lanes4 roughness{};
  for (std::size_t i = 0; i < kStrips; ++i) {
    const SpecimenPlace place = map_.at(line, at[kY] + strip_y_m_[i]);
    const double depth = plane_m + strip_height_m_[i] + static_cast<double>(place.surface[0]);
    if (!(depth > 0)) continue;
    deepest_m = std::max(deepest_m, depth);
    const Foundation::Point point = foundation_.at(depth);
    const Lanes4 here = place.stiffness * point.load_N_m;
    load += here;
    even += point.load_N_m;
    energy += place.stiffness * point.energy_J_m;
    along_x += place.stiffness_x * point.energy_J_m + here * (slope + place.surface_x[0]);
    along_y += place.stiffness_y * point.energy_J_m + here * place.surface_y[0];
    roll += here * static_cast<float>(strip_y_m_[i]);
    friction += here * place.surface[1];
    roughness += here * place.surface[2];
  }
  ElasticContact c;
  c.depth_m = deepest_m;
  const double load_N_m = sum(load);
  if (load_N_m > 0) {
    c.friction = sum(friction) / load_N_m;
    c.roughness = sum(roughness) / load_N_m;
    c.stiffness = load_N_m / sum(even);
  }
  c.energy_J = sum(energy) * strip_m_;
  c.roll_N_m = sum(roll) * strip_m_;
  const double slopes = -strip_m_ * map_.per_cell();
  c.force_N = {sum(along_x) * slopes, sum(along_y) * slopes, load_N_m * strip_m_};
  return c;
}

double TissuePlant::poke_N(double depth_m, double x_m, double y_m) const noexcept {
  return elastic({x_m, y_m, surface_m(x_m, y_m) - depth_m}).force_N[kZ];
}

FrictionLaw TissuePlant::friction_law(const Wear& wear, double here) const noexcept {
  const auto& film = specimen_.emollient;
  const double left = dried_ * decay(wear.path_m / film.path_m);  // of the film
  constexpr double kDryRatio = 1.44;                              // science.md 2.7, Veijgen [S]
  constexpr double kDryStribeck_m_s = 10e-3;                      // science.md 2.7: 1-20 mm/s [M/A]
  FrictionLaw law;
  law.kinetic = here * (specimen_.dry_friction - (specimen_.dry_friction - film.friction) * left);
  law.static_ratio = kDryRatio + (film.static_ratio - kDryRatio) * left;
  law.stribeck_speed_m_s = kDryStribeck_m_s + (film.stribeck_speed_m_s - kDryStribeck_m_s) * left;
  law.viscous_s_m = film.viscous_s_m * left;
  law.bristles_per_m = kBristles_per_m;
  law.micro_damping_N_s_m = kMicroDamping_N_s_m;
  return law;
}

void TissuePlant::press(const rig::Position& at, const rig::Position& velocity, const rig::Position& shaken,
                        double dt_s) noexcept {
  const ElasticContact c = elastic(at);
  compression_m_ = c.depth_m;
  const auto& gives = edge_.gives_m_s();
  const LuGre::Planar sliding{velocity[kX] + gives[kX], velocity[kY] + gives[kY]};
  const double speed = std::sqrt(sliding[0] * sliding[0] + sliding[1] * sliding[1]);

  const double slips = edge_.bristles().slip_share();

  // Soft from work done on it: the factor only falls, so nothing is gained.
  const Wear& wear = wear_.look(at[kX], at[kY]);
  double softer_per_m = 0;
  if (passport_.dose_softening > 0) {
    const double left = decay(wear.work_J_m2 / passport_.dose_scale_J_m2);
    softened_ = 1 - passport_.dose_softening * (1 - left);
    softer_per_m = -passport_.dose_softening * left * wear.work_J_m2_per_m / passport_.dose_scale_J_m2;
  }
  const Relaxed relaxed = relaxation_.step(dt_s, c.energy_J, speed * slips);
  std::array<double, 3> force{};
  double roll = 0;
  if (c.force_N[kZ] > 0 && relaxed.factor > 0) {
    const double springs_N = c.force_N[kZ];
    // How fast the springs are being pressed, as if along z alone: their power by their force.
    const double closing_m_s =
        -(c.force_N[kX] * velocity[kX] + c.force_N[kY] * velocity[kY] + springs_N * velocity[kZ]) / springs_N;
    const double factor = softened_ * relaxed.factor * std::max(0.0, 1 + specimen_.impact_damping_s_m * closing_m_s);
    const double normal_N = factor * springs_N;
    force = {factor * c.force_N[kX] - relaxed.factor * softer_per_m * c.energy_J, factor * c.force_N[kY], normal_N};
    roll = factor * c.roll_N_m;
    FrictionLaw law = friction_law(wear, c.friction);
    if (normal_N > 0) law.constant = softened_ * relaxed.drag_N / normal_N;  // paid as bristles slip and it is renewed
    const double friction_N = stribeck(law, speed) * normal_N;
    SurfaceTexture::Sliding slide;
    slide.x_m = at[kX];
    slide.y_m = at[kY];
    slide.velocity_m_s = {sliding[0], sliding[1], velocity[kZ]};
    slide.normal_N = normal_N;
    slide.friction_N = friction_N;
    slide.slips = slips;
    slide.factor = c.roughness * c.stiffness * asperity_factor_;
    const auto texture = texture_.force_N(slide);
    const auto friction = edge_.step(dt_s, {velocity[kX], velocity[kY]}, {shaken[kX], shaken[kY]}, normal_N, law,
                                     {force[kX] + texture[0], force[kY] + texture[1]});
    force[kX] += friction[0] + texture[0];
    force[kY] += friction[1] + texture[1];
    force[kZ] = std::max(0.0, normal_N + texture[2]);
    const double slid_m = speed * dt_s;
    wear_.add(slid_m, friction_N * slid_m);
  } else {
    (void)edge_.step(dt_s, {velocity[kX], velocity[kY]}, {shaken[kX], shaken[kY]}, 0, {}, {});
  }
  state_.force_N = force;
  // The force acts where the load is along the edge, lever_m below the sensor: r x F.
  state_.torque_N_m = {roll + bench_.mount.lever_m * force[kY], -bench_.mount.lever_m * force[kX], 0};
}

void TissuePlant::stand_on_anvil(const rig::Position& at, const rig::Position& shaken, double dt_s) noexcept {
  compression_m_ = 0;
  (void)relaxation_.step(dt_s, 0, 0);
  const double normal_N = bench_.anvil->normal_N(at[kX], at[kZ]);
  state_.force_N = {-normal_N * bench_.anvil->slope, 0, normal_N};
  (void)edge_.step(dt_s, {}, {shaken[kX], shaken[kY]}, 0, {}, {state_.force_N[kX], 0});
  state_.torque_N_m = {0, -bench_.mount.lever_m * state_.force_N[kX], 0};
}

const PlantState& TissuePlant::step(daq::HostTime now, const rig::Position& position_m,
                                    const rig::Position& velocity_m_s) noexcept {
  state_.position_m = position_m;
  state_.velocity_m_s = velocity_m_s;
  const auto& shaken = machine_.step(now, velocity_m_s);
  const double dt_s = machine_.dt_s();
  constexpr double kSameStep_s = 2e-9;
  if (std::abs(dt_s - dries_for_s_) > kSameStep_s) {
    dries_for_s_ = dt_s;
    dries_ = std::exp(-dt_s / specimen_.emollient.time_s);
  }
  if (dt_s > 0) dried_ *= dries_;
  if (bench_.anvil && bench_.anvil->under(position_m[kX])) {
    stand_on_anvil(position_m, shaken, dt_s);
  } else {
    press(position_m, velocity_m_s, shaken, dt_s);
  }
  body_.step(dt_s, state_.force_N, shaken);
  state_.acceleration_m_s2 = body_.acceleration_m_s2();
  machine_.add_noise(state_.acceleration_m_s2);
  return state_;
}

void TissuePlant::rest() noexcept {
  relaxation_.reset();
  edge_ = edge_at_rest_;
  wear_.clear();
  body_ = body_at_rest_;
  machine_ = machine_at_rest_;
  dried_ = dried_at_first_;
  softened_ = 1;
  state_ = {};
  compression_m_ = 0;
}

}  // namespace strigil::sim
