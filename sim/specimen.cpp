#include "sim/specimen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace strigil::sim {
namespace {

constexpr double kReferenceTemperature_C = 23;
/// Stiffer than this is ground and no layer, as long as something softer lies on it: bone, a backing plate.
constexpr double kGround_Pa = 5e6;
/// The normal force at which layers share the depth, for relaxation and impact (science.md 1.1: clinicians' mean) [S].
constexpr double kWorkingForce_N = 6;
constexpr std::size_t kMostLayers = 64;
constexpr std::size_t kMostInclusions = 1000;

/// What is wrong with a number that has to be within bounds, if anything.
std::optional<std::string> amiss(const std::string& what, double value, double low, double high) {
  if (value >= low && value <= high) return std::nullopt;
  return fmt::format("{} is {:g}; it must lie between {:g} and {:g}", what, value, low, high);
}

std::optional<std::string> amiss(const rig::Instrument& tool) {
  for (const auto& found :
       {amiss("edge_radius_m", tool.edge_radius_m, 1e-5, 1), amiss("edge_length_m", tool.edge_length_m, 1e-4, 1),
        amiss("edge_sagitta_m", tool.edge_sagitta_m, -0.1, 0.1), amiss("thickness_m", tool.thickness_m, 1e-5, 1),
        amiss("mass_kg", tool.mass_kg, 0, 100), amiss("grip_loss_factor", tool.grip_loss_factor, 0, 2),
        amiss("friction_factor", tool.material.friction_factor, 0, 10)}) {
    if (found) return fmt::format("instrument '{}': {}", tool.name, *found);
  }
  return std::nullopt;
}

std::optional<std::string> amiss(const rig::PhantomInclusion& i) {
  constexpr double kFar_m = 10;
  for (const auto& found :
       {amiss("x_m", i.x_m, -kFar_m, kFar_m), amiss("y_m", i.y_m, -kFar_m, kFar_m),
        amiss("length_m", i.length_m, 1e-4, kFar_m), amiss("width_m", i.width_m, 1e-4, kFar_m),
        amiss("thickness_m", i.thickness_m, 1e-5, kFar_m), amiss("angle_rad", i.angle_rad, -100, 100),
        amiss("depth_m", i.depth_m, 0, 1), amiss("stiffness_contrast", i.stiffness_contrast, 0.01, 1e4),
        amiss("friction_contrast", i.friction_contrast, 0.01, 100),
        amiss("roughness_contrast", i.roughness_contrast, 0, 1000), amiss("rise_m", i.rise_m, -0.1, 0.1)}) {
    if (found) return fmt::format("inclusion '{}': {}", i.name, *found);
  }
  return std::nullopt;
}

std::optional<std::string> amiss(const rig::PhantomSurface& s) {
  for (const auto& found : {amiss("surface z_m", s.z_m, -10, 10), amiss("surface slope", s.slope, -2, 2),
                            amiss("curvature_amplitude_m", s.curvature_amplitude_m, -1, 1),
                            amiss("curvature_wavelength_m", s.curvature_wavelength_m, 1e-3, 1e3),
                            amiss("crown_radius_m", s.crown_radius_m, 0, 1e6)}) {
    if (found) return found;
  }
  if (s.crown_radius_m > 0 && s.crown_radius_m < 1e-3) return "crown_radius_m is below 1 mm";
  for (const auto& bump : s.bumps) {
    for (const auto& found : {amiss("x_m", bump.x_m, -10, 10), amiss("y_m", bump.y_m, -10, 10),
                              amiss("height_m", bump.height_m, -0.1, 0.1), amiss("width_m", bump.width_m, 1e-3, 10)}) {
      if (found) return "bump: " + *found;
    }
  }
  return std::nullopt;
}

std::optional<std::string> amiss(const rig::PhantomTexture& t) {
  for (const auto& found :
       {amiss("stiffness_sd", t.stiffness_sd, 0, 2), amiss("friction_sd", t.friction_sd, 0, 2),
        amiss("correlation_m", t.correlation_m, 1e-3, 10), amiss("fibre_stiffness_sd", t.fibre_stiffness_sd, 0, 2),
        amiss("fibre_wavelength_m", t.fibre_wavelength_m, 1e-3, 10),
        amiss("fibre_angle_rad", t.fibre_angle_rad, -100, 100), amiss("roughness_rms_m", t.roughness_rms_m, 0, 1e-3),
        amiss("roughness_shortest_m", t.roughness_shortest_m, 0.05e-3, 0.1),
        amiss("roughness_longest_m", t.roughness_longest_m, 0.1e-3, 0.1)}) {
    if (found) return "texture: " + *found;
  }
  if (t.roughness_shortest_m >= t.roughness_longest_m) return "texture: roughness_shortest_m is not the shorter";
  return std::nullopt;
}

std::optional<std::string> amiss(const rig::Phantom& p) {
  for (const auto& found : {amiss("x_min_m", p.x_min_m, -10, 10), amiss("x_max_m", p.x_max_m, -10, 10),
                            amiss("y_min_m", p.y_min_m, -10, 10), amiss("y_max_m", p.y_max_m, -10, 10)}) {
    if (found) return found;
  }
  constexpr double kLeast_m = 5e-3;
  if (p.x_max_m - p.x_min_m < kLeast_m || p.y_max_m - p.y_min_m < kLeast_m) {
    return "it must extend over at least 5 mm in x and y: x_min_m < x_max_m, y_min_m < y_max_m";
  }
  if (p.layers.empty()) return "it has no layers";
  if (p.layers.size() > kMostLayers) return fmt::format("it has {} layers; at most {}", p.layers.size(), kMostLayers);
  if (p.inclusions.size() > kMostInclusions) {
    return fmt::format("it has {} inclusions; at most {}", p.inclusions.size(), kMostInclusions);
  }
  for (const auto& layer : p.layers) {
    for (const auto& found : {amiss("thickness_m", layer.thickness_m, 1e-5, 1),
                              amiss("stiffness_factor", layer.stiffness_factor, 1e-3, 1e3)}) {
      if (found) return fmt::format("layer '{}': {}", layer.name, *found);
    }
  }
  for (const auto& inclusion : p.inclusions) {
    if (auto found = amiss(inclusion)) return found;
  }
  for (const auto& found :
       {amiss(p.surface), amiss(p.texture), amiss("emollient age_s", p.emollient.age_s, 0, 1e9),
        amiss("temperature_C", p.passport.temperature_C, -20, 80), amiss("age_days", p.passport.age_days, 0, 1e5),
        amiss("dose_softening", p.passport.dose_softening, 0, 0.95),
        amiss("dose_scale_J_m2", p.passport.dose_scale_J_m2, 1e-3, 1e9)}) {
    if (found) return found;
  }
  return std::nullopt;
}

/// Half of how wide an edge can become [A]: a rounding that of its bar; a single bevel has one flat side.
double widest_m(const rig::Instrument& tool) {
  const double half = std::max(tool.thickness_m / 2, tool.edge_radius_m);
  return tool.bevel == rig::EdgeBevel::kSingle ? (half + tool.edge_radius_m) / 2 : half;
}

}  // namespace

daq::Result<Specimen> resolve(const rig::Phantom& phantom, const rig::Instrument& tool,
                              const rig::PhantomMaterials& materials) {
  if (const auto found = amiss(tool)) return daq::Error{*found};
  if (const auto found = amiss(phantom)) return daq::Error{fmt::format("phantom '{}': {}", phantom.name, *found)};
  Specimen s;
  std::vector<const rig::PhantomMaterial*> rows;
  for (const auto& layer : phantom.layers) {
    const auto* row = materials.material(layer.material);
    if (row == nullptr) {
      return daq::Error{fmt::format("phantom '{}', layer '{}': no table in rig/materials has a material '{}'",
                                    phantom.name, layer.name, layer.material)};
    }
    const auto& day = phantom.passport;
    const double slow = row->modulus_per_degree * (day.temperature_C - kReferenceTemperature_C) +
                        row->modulus_per_decade_of_days * std::log10(1 + day.age_days);
    const double modulus_Pa = row->youngs_modulus_Pa * layer.stiffness_factor * std::exp(slow);
    if (!s.layers.empty() && modulus_Pa >= kGround_Pa) break;
    s.layers.push_back({layer.thickness_m, modulus_Pa, row->poisson_ratio, row->stiffening_at_half});
    rows.push_back(row);
  }
  const auto* emollient = materials.emollient(phantom.emollient.name);
  const auto* dry = materials.emollient("dry");
  if (emollient == nullptr || dry == nullptr) {
    return daq::Error{fmt::format("phantom '{}': rig/materials/emollients.toml has no '{}'", phantom.name,
                                  emollient == nullptr ? phantom.emollient.name : "dry")};
  }
  s.edge = {tool.edge_radius_m, widest_m(tool)};
  s.dry_friction = rows.front()->dry_friction * tool.material.friction_factor;
  s.emollient = *emollient;
  s.emollient.friction = emollient == dry ? s.dry_friction : emollient->friction * tool.material.friction_factor;

  const auto shares = LayerStack(s.layers, s.edge).shares(kWorkingForce_N / tool.edge_length_m);
  std::array<double, rig::kRelaxingShares> ln_time{};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    s.impact_damping_s_m += shares[i] * rows[i]->impact_damping_s_m;
    for (std::size_t b = 0; b < rig::kRelaxingShares; ++b) {
      s.branches.share[b] += shares[i] * rows[i]->relaxing[b].share;
      ln_time[b] += shares[i] * std::log(rows[i]->relaxing[b].time_s);
    }
  }
  for (std::size_t b = 0; b < rig::kRelaxingShares; ++b) s.branches.time_s[b] = std::exp(ln_time[b]);
  return s;
}

}  // namespace strigil::sim
