#include "sim/instrument_bench_plant.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace strigil::sim {
namespace {

using rig::kX;
using rig::kZ;

constexpr double kGravity_m_s2 = 9.80665;
/// Way over which friction turns round: what gives before it slides (Dahl 1968) [A].
constexpr double kPresliding_m = 0.1e-3;
constexpr double kFrictionWave_m = 3e-3;
/// Far above what a rigid body shows.
constexpr double kStiffFoot_Hz = 5000;
constexpr std::uint64_t kHandsSeed = 0x68616E6473ULL;

rig::Instrument at_edge(rig::Instrument i) {
  for (auto& m : i.modes) m.sensor_gain = 1;
  return i;
}

rig::Instrument without_modes(rig::Instrument i) {
  i.modes.clear();
  i.accelerometer_corner_Hz = kStiffFoot_Hz;
  return i;
}

}  // namespace

InstrumentBenchPlant::InstrumentBenchPlant(const InstrumentBenchConfig& config, const rig::Instrument& instrument,
                                           const MountConfig& mount, std::uint64_t seed)
    : config_(config),
      instrument_(instrument),
      grip_(instrument, body_mount_),
      edge_(at_edge(instrument), body_mount_),
      rigid_(without_modes(instrument), body_mount_),
      machine_(mount, seed),
      mount_(mount),
      noise_(seed ^ kHandsSeed) {}

double InstrumentBenchPlant::surface_m(double x_m, double) const noexcept {
  return config_.block_z_m + config_.block_slope * x_m;
}

void InstrumentBenchPlant::tilt(double lean_rad) noexcept {
  lean_rad_ = lean_rad + config_.tilt_zero_rad + config_.tilt_setting_rad * noise_.normal();
}

void InstrumentBenchPlant::tap(const EdgeTaps& taps) noexcept {
  leave_edge();
  taps_ = taps;
}

void InstrumentBenchPlant::sweep(const EdgeSweep& sweep) noexcept {
  leave_edge();
  sweep_ = sweep;
  sweeping_ = true;
}

void InstrumentBenchPlant::couple() noexcept {
  leave_edge();
  coupled_ = true;
}

void InstrumentBenchPlant::leave_edge() noexcept {
  coupled_ = false;
  taps_ = {};
  tapped_ = 0;
  sweeping_ = false;
  began_s_ = clock_s_;
}

double InstrumentBenchPlant::driven_N(double t_s) noexcept {
  const double since_s = t_s - began_s_;
  if (coupled_) return fed_N_;
  if (sweeping_) {
    const double u_s = std::fmod(since_s, sweep_.period_s);
    if (u_s >= sweep_.sweep_s) return 0;
    const double rise = (sweep_.high_Hz - sweep_.low_Hz) / sweep_.sweep_s;
    return sweep_.force_N * std::sin(2 * std::numbers::pi * (sweep_.low_Hz + rise * u_s / 2) * u_s);
  }
  if (taps_.count == 0) return 0;
  // The first comes half a period after the hand was ready.
  const double at_s = since_s - taps_.period_s / 2;
  const int which = static_cast<int>(std::floor(at_s / taps_.period_s));
  if (which < 0 || which >= taps_.count) return 0;
  if (which >= tapped_) {
    tapped_ = which + 1;
    constexpr double kUneven = 0.2;
    impulse_N_s_ = taps_.impulse_N_s * (1 + kUneven * std::clamp(noise_.normal(), -2.0, 2.0));
  }
  const double in_s = at_s - which * taps_.period_s;
  if (in_s >= taps_.pulse_s) return 0;
  const double peak_N = impulse_N_s_ * std::numbers::pi / (2 * taps_.pulse_s);
  return peak_N * std::sin(std::numbers::pi * in_s / taps_.pulse_s);
}

void InstrumentBenchPlant::rub(double normal_N, const rig::Position& at, double speed_m_s, double dt_s) noexcept {
  const double wave = 1 + config_.friction_wave * std::sin(2 * std::numbers::pi * at[kX] / kFrictionWave_m);
  const double most_N = config_.friction * wave * normal_N;
  const double towards_N = speed_m_s > 0 ? -most_N : most_N;
  drag_N_ = towards_N + (drag_N_ - towards_N) * std::exp(-std::abs(speed_m_s) * dt_s / kPresliding_m);
  drag_N_ = std::clamp(drag_N_, -most_N, most_N);
}

void InstrumentBenchPlant::weigh(const std::array<double, 3>& edge_N,
                                 const std::array<double, 3>& rigid_m_s2) noexcept {
  // A sensor that leans sees down so (rig/frames.hpp); what it accelerates pulls the other way.
  const std::array<double, 3> down{-std::sin(lean_rad_) * kGravity_m_s2, 0, -std::cos(lean_rad_) * kGravity_m_s2};
  state_.force_N = edge_N;
  state_.torque_N_m = {mount_.lever_m * edge_N[1], -mount_.lever_m * edge_N[0], 0};
  const auto carry = [&](double mass_kg, const std::array<double, 3>& r) {
    std::array<double, 3> f{};
    for (std::size_t a = 0; a < f.size(); ++a) f[a] = mass_kg * (down[a] - rigid_m_s2[a]);
    for (std::size_t a = 0; a < f.size(); ++a) state_.force_N[a] += f[a];
    state_.torque_N_m[0] += r[1] * f[2] - r[2] * f[1];
    state_.torque_N_m[1] += r[2] * f[0] - r[0] * f[2];
    state_.torque_N_m[2] += r[0] * f[1] - r[1] * f[0];
  };
  carry(body_mount_.holder_mass_kg, config_.holder_centre_m);
  if (mounted_) carry(instrument_.mass_kg, config_.centre_m);
}

const PlantState& InstrumentBenchPlant::step(daq::HostTime now, const rig::Position& position_m,
                                             const rig::Position& velocity_m_s) noexcept {
  state_.position_m = position_m;
  state_.velocity_m_s = velocity_m_s;
  const auto& shaken = machine_.step(now, velocity_m_s);
  const double dt_s = machine_.dt_s();
  clock_s_ += dt_s;
  std::array<double, 3> edge_N{};
  compression_m_ = 0;
  if (!mounted_ || surface_m(position_m[kX], 0) <= position_m[kZ]) drag_N_ = 0;
  if (mounted_) {
    const double depth_m = surface_m(position_m[kX], 0) - position_m[kZ];
    if (depth_m > 0) {
      compression_m_ = depth_m;
      const double normal_N = depth_m / (1 / config_.edge_stiffness_N_m + 1 / config_.rig_stiffness_N_m);
      rub(normal_N, position_m, velocity_m_s[kX], dt_s);
      edge_N = {drag_N_ - config_.block_slope * normal_N, 0, normal_N + config_.block_slope * drag_N_};
    }
    edge_N[kX] += driven_N(clock_s_);
  }
  grip_.step(dt_s, edge_N, shaken);
  edge_.step(dt_s, edge_N, shaken);
  rigid_.step(dt_s, edge_N, shaken);
  weigh(edge_N, rigid_.acceleration_m_s2());
  state_.acceleration_m_s2 = {edge_.acceleration_m_s2()[kX], grip_.acceleration_m_s2()[1],
                              grip_.acceleration_m_s2()[kX]};
  machine_.add_noise(state_.acceleration_m_s2);
  return state_;
}

std::complex<double> InstrumentBenchPlant::edge_to_grip(double frequency_Hz, double step_s) const {
  return BodyResponse{instrument_, body_mount_, step_s}.sensor_per_force(kX, kX, frequency_Hz) /
         BodyResponse{at_edge(instrument_), body_mount_, step_s}.sensor_per_force(kX, kX, frequency_Hz);
}

}  // namespace strigil::sim
