#include "sim/spring_damper_plant.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace strigil::sim {
namespace {

using rig::kX;
using rig::kY;
using rig::kZ;

constexpr double kTwoPi = 2 * std::numbers::pi;

// 0.25-4 mm make 25-400 Hz at 100 mm/s: the band of the HaTT centroids, 49-204 Hz (science.md 2.8 [D]).
constexpr RoughnessWaves kTextureWaves{24, 0.25e-3, 4e-3, 0};
constexpr double kTextureReferenceSpeed_m_s = 60e-3;
constexpr float kTextureLeastSpeed_m_s = 1e-5F;
// How one texture's RMS is shared between the axes; the squares sum to 1 [A].
constexpr std::array<double, 3> kTextureShare{0.6, 0.3, 0.741619848709566};

}  // namespace

SpringDamperPlant::SpringDamperPlant(const PhantomConfig& phantom, const MountConfig& mount, std::uint64_t seed)
    : phantom_(phantom), mount_(mount), roughness_(kTextureWaves, seed), machine_(mount, seed) {}

const PlantState& SpringDamperPlant::step(daq::HostTime now, const rig::Position& position_m,
                                          const rig::Position& velocity_m_s) noexcept {
  state_.position_m = position_m;
  state_.velocity_m_s = velocity_m_s;
  const Contact touch = contact(position_m, velocity_m_s);

  const double vx = velocity_m_s[kX];
  const double vy = velocity_m_s[kY];
  const double vs = phantom_.friction_smoothing_m_s;
  const double friction_per_speed = phantom_.friction * touch.normal_N / std::sqrt(vx * vx + vy * vy + vs * vs);
  state_.force_N = {touch.along_x_N - friction_per_speed * vx, -friction_per_speed * vy, touch.normal_N};
  // The edge hangs lever_m below the sensor: torque = (0, 0, -lever) x force.
  state_.torque_N_m = {mount_.lever_m * state_.force_N[kY], -mount_.lever_m * state_.force_N[kX], 0};

  state_.acceleration_m_s2 = machine_.step(now, velocity_m_s);
  feel_texture(touch.normal_N);
  machine_.add_noise(state_.acceleration_m_s2);
  return state_;
}

double SpringDamperPlant::surface_m(double x_m) const noexcept {
  double z = phantom_.surface_z_m + phantom_.slope * x_m +
             phantom_.curvature_amplitude_m * std::sin(kTwoPi * x_m / phantom_.curvature_wavelength_m);
  for (const Bump& bump : phantom_.bumps) {
    const double u = (x_m - bump.x_m) / bump.width_m;
    z += bump.height_m * std::exp(-0.5 * u * u);
  }
  return z;
}

double SpringDamperPlant::surface_slope(double x_m) const noexcept {
  const double wave_number = kTwoPi / phantom_.curvature_wavelength_m;
  double slope = phantom_.slope + phantom_.curvature_amplitude_m * wave_number * std::cos(wave_number * x_m);
  for (const Bump& bump : phantom_.bumps) {
    const double u = (x_m - bump.x_m) / bump.width_m;
    slope -= bump.height_m * std::exp(-0.5 * u * u) * u / bump.width_m;
  }
  return slope;
}

SpringDamperPlant::Contact SpringDamperPlant::contact(const rig::Position& position_m,
                                                      const rig::Position& velocity_m_s) noexcept {
  compression_m_ = 0;
  const double x = position_m[kX];
  if (phantom_.anvil && phantom_.anvil->under(x)) {
    const double normal_N = phantom_.anvil->normal_N(x, position_m[kZ]);
    return {normal_N, -normal_N * phantom_.anvil->slope};
  }
  if (!phantom_.present || (phantom_.absent_from_x_m && x >= *phantom_.absent_from_x_m)) return {};
  const double depth = surface_m(x) - position_m[kZ];
  if (depth <= 0) return {};
  compression_m_ = depth;

  double stiffer = 1;
  double stiffer_per_m = 0;
  for (const Inclusion& inclusion : phantom_.inclusions) {
    const double from_centre = (x - inclusion.x_m) / inclusion.half_width_m;
    if (from_centre <= -1 || from_centre >= 1) continue;
    // A raised cosine: smooth, and exactly nothing outside.
    const double angle = std::numbers::pi * from_centre;
    stiffer += (inclusion.contrast - 1) * 0.5 * (1 + std::cos(angle));
    stiffer_per_m -= (inclusion.contrast - 1) * 0.5 * std::sin(angle) * std::numbers::pi / inclusion.half_width_m;
  }
  const double n = phantom_.stiffening_exponent;
  const double bent =
      n == 1 ? depth : phantom_.stiffening_reference_m * std::pow(depth / phantom_.stiffening_reference_m, n);
  const double spring_N = phantom_.stiffness_N_m * stiffer * bent;
  // Energy of the compression is k(x) times the integral of `bent`; its change along x pushes the instrument away.
  const double ploughing_N = -phantom_.stiffness_N_m * stiffer_per_m * bent * depth / (n + 1);

  const double slope = surface_slope(x);
  const double closing_m_s = slope * velocity_m_s[kX] - velocity_m_s[kZ];
  const double damping = phantom_.damping_N_s_m * std::min(1.0, depth / phantom_.damping_onset_m);
  const double normal_N = std::max(0.0, spring_N + damping * closing_m_s);
  return {normal_N, ploughing_N - normal_N * slope};
}

void SpringDamperPlant::feel_texture(double normal_N) noexcept {
  const double vx = state_.velocity_m_s[kX];
  const double vy = state_.velocity_m_s[kY];
  const auto speed = static_cast<float>(std::sqrt(vx * vx + vy * vy));
  if (normal_N <= 0 || speed < kTextureLeastSpeed_m_s) return;
  // v^a F^b as one exponential, in single precision: three times as fast and exact enough for a roughness.
  const float power = static_cast<float>(phantom_.texture_speed_exponent) *
                          std::log2(speed / static_cast<float>(kTextureReferenceSpeed_m_s)) +
                      static_cast<float>(phantom_.texture_force_exponent) * std::log2(static_cast<float>(normal_N));
  const double rms = phantom_.texture_rms_m_s2 * static_cast<double>(std::exp2(power));
  constexpr double kAcross = 0.618;  // strokes side by side feel different places of the table
  const double place = state_.position_m[kX] + kAcross * state_.position_m[kY];
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    const double apart = static_cast<double>(axis) * Roughness::kPeriod_m / 3;  // one table, three unlike places
    state_.acceleration_m_s2[axis] += rms * kTextureShare[axis] * roughness_.at(place + apart);
  }
}

}  // namespace strigil::sim
