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

// The texture's table: one period of the roughness. 16 um resolve the shortest wave into 15 points.
constexpr std::size_t kTexturePoints = 8192;
constexpr double kTexturePitch_m = 16e-6;
constexpr double kTexturePeriod_m = kTexturePoints * kTexturePitch_m;
// 0.25-4 mm make 25-400 Hz at 100 mm/s: the band of the HaTT centroids, 49-204 Hz (science.md 2.8 [D]).
constexpr std::size_t kTextureWaves = 24;
constexpr double kShortestWave_m = 0.25e-3;
constexpr double kLongestWave_m = 4e-3;
constexpr double kTextureReferenceSpeed_m_s = 60e-3;
constexpr float kTextureLeastSpeed_m_s = 1e-5F;
// How one texture's RMS is shared between the axes; the squares sum to 1 [A].
constexpr std::array<double, 3> kTextureShare{0.6, 0.3, 0.741619848709566};

std::uint64_t split_mix(std::uint64_t& state) noexcept {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

std::vector<float> make_roughness(std::uint64_t seed) {
  std::vector<double> sum(kTexturePoints, 0.0);
  for (std::size_t wave = 0; wave < kTextureWaves; ++wave) {
    const double share = static_cast<double>(wave) / (kTextureWaves - 1);
    const double length_m = kLongestWave_m * std::pow(kShortestWave_m / kLongestWave_m, share);
    const double cycles = std::round(kTexturePeriod_m / length_m);  // whole, so that the table closes on itself
    const double phase = kTwoPi * static_cast<double>(split_mix(seed) >> 11U) * 0x1p-53;
    for (std::size_t i = 0; i < kTexturePoints; ++i) {
      sum[i] += std::sin(kTwoPi * cycles * static_cast<double>(i) / kTexturePoints + phase);
    }
  }
  double power = 0;
  for (const double s : sum) power += s * s;
  const double to_unit_rms = 1 / std::sqrt(power / kTexturePoints);
  std::vector<float> table(kTexturePoints);
  for (std::size_t i = 0; i < kTexturePoints; ++i) table[i] = static_cast<float>(sum[i] * to_unit_rms);
  return table;
}

}  // namespace

SpringDamperPlant::SpringDamperPlant(const PhantomConfig& phantom, const MountConfig& mount, std::uint64_t seed)
    : phantom_(phantom), mount_(mount), roughness_(make_roughness(seed)), noise_state_(seed ^ 0x6D61636869ULL) {}

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

  feel_stage(now, velocity_m_s);
  feel_texture(touch.normal_N);
  feel_noise();
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
  if (phantom_.anvil && x >= phantom_.anvil->from_x_m) {
    const auto& anvil = *phantom_.anvil;
    const double height_m = anvil.surface_z_m + anvil.slope * (x - anvil.from_x_m);
    const double normal_N = anvil.stiffness_N_m * std::max(0.0, height_m - position_m[kZ]);
    return {normal_N, -normal_N * anvil.slope};
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

double SpringDamperPlant::roughness(double place_m) const noexcept {
  const double at = place_m * (1 / kTexturePitch_m);
  const double whole = std::floor(at);
  const auto index = static_cast<std::size_t>(static_cast<std::int64_t>(whole)) & (kTexturePoints - 1);
  const double left = roughness_[index];
  const double right = roughness_[(index + 1) & (kTexturePoints - 1)];
  return left + (at - whole) * (right - left);
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
    const double apart = static_cast<double>(axis) * kTexturePeriod_m / 3;  // one table, three unlike places
    state_.acceleration_m_s2[axis] += rms * kTextureShare[axis] * roughness(place + apart);
  }
}

void SpringDamperPlant::feel_stage(daq::HostTime now, const rig::Position& velocity_m_s) noexcept {
  const daq::Duration since = stepped_ ? now - last_ : daq::Duration{0};
  if (since > daq::Duration{0}) {
    const double dt = daq::seconds(since);
    if (since != pass_for_) {  // steps are even: the exponential is worth keeping
      pass_for_ = since;
      pass_ = 1 - std::exp(-kTwoPi * mount_.stage_corner_Hz * dt);
    }
    for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
      const double felt = (velocity_m_s[axis] - last_velocity_m_s_[axis]) / dt;
      stage_acceleration_m_s2_[axis] += pass_ * (felt - stage_acceleration_m_s2_[axis]);
    }
  }
  state_.acceleration_m_s2 = stage_acceleration_m_s2_;
  last_velocity_m_s_ = velocity_m_s;
  last_ = now;
  stepped_ = true;
}

void SpringDamperPlant::feel_noise() noexcept {
  // Uniform, three axes out of one draw: nobody looks at the shape of a noise floor this low.
  std::uint64_t bits = split_mix(noise_state_);
  const double scale = mount_.machine_noise_m_s2 * std::numbers::sqrt3 * 0x1p-20;
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    state_.acceleration_m_s2[axis] += scale * (static_cast<double>(bits & 0x1FFFFFU) - 0x1p20);
    bits >>= 21U;
  }
}

}  // namespace strigil::sim
