#include "sim/axis_mechanics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::sim {
namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr double kRumbleSpeed_m_s = 0.1;
/// A rotor's inertia carries it over shorter peaks, a controller that stops dead among them [A].
constexpr double kOverload_s = 0.5e-3;
constexpr double kFullStepsAPeriod = 4;

}  // namespace

bool AxisMechanicsConfig::any() const {
  return backlash_m != 0 || scale_error != 0 || periodic_error_m != 0 || wave_error_m != 0 || ripple_m != 0 ||
         resonance_Hz != 0 || pull_out_N != 0;
}

AxisMechanics::AxisMechanics(const AxisMechanicsConfig& config, double counted_m, std::uint64_t seed)
    : config_(config), noise_(seed), counted_m_(counted_m), nut_m_(screw_m(counted_m)), edge_m_(nut_m_) {
  assert(config.moving_mass_kg > 0 && config.full_step_m > 0 && config.lead_m > 0);
  if (config.resonance_Hz <= 0) return;
  follows_ = yields_ = SecondOrder(config.resonance_Hz, config.damping_ratio);
  follows_.settle(nut_m_);
}

double AxisMechanics::screw_m(double motor_m) const noexcept {
  double x = motor_m * (1 + config_.scale_error);
  if (config_.periodic_error_m != 0)
    x += config_.periodic_error_m * std::sin(kTwoPi * motor_m / config_.lead_m + config_.periodic_phase_rad);
  if (config_.wave_error_m != 0) x += config_.wave_error_m * std::sin(kTwoPi * motor_m / config_.wave_m);
  if (config_.ripple_m != 0) x += config_.ripple_m * std::sin(kTwoPi * motor_m / config_.full_step_m);
  return x;
}

double AxisMechanics::screw_per_m(double motor_m) const noexcept {
  double slope = 1 + config_.scale_error;
  const double k = kTwoPi / config_.lead_m;
  if (config_.periodic_error_m != 0)
    slope += config_.periodic_error_m * k * std::cos(k * motor_m + config_.periodic_phase_rad);
  const double w = kTwoPi / config_.wave_m;
  if (config_.wave_error_m != 0) slope += config_.wave_error_m * w * std::cos(w * motor_m);
  const double r = kTwoPi / config_.full_step_m;
  if (config_.ripple_m != 0) slope += config_.ripple_m * r * std::cos(r * motor_m);
  return slope;
}

void AxisMechanics::lose_steps(double dt_s, double way_m, double counted_m_s, double push_N) noexcept {
  const double acceleration_m_s2 = (counted_m_s - counted_m_s_) / dt_s;
  const double thrust_N = std::abs(config_.moving_mass_kg * acceleration_m_s2 - push_N);
  const double holds_N = config_.pull_out_N / (1 + std::abs(counted_m_s) / config_.pull_out_speed_m_s);
  overloaded_s_ = thrust_N > holds_N ? overloaded_s_ + dt_s : 0;
  if (overloaded_s_ >= kOverload_s) slipping_ = true;
  if (!slipping_) return;
  lost_m_ += way_m;
  if (overloaded_s_ > 0) return;
  // It takes hold again where the field next stands as it did.
  const double period_m = kFullStepsAPeriod * config_.full_step_m;
  lost_m_ = std::nearbyint(lost_m_ / period_m) * period_m;
  slipping_ = false;
}

void AxisMechanics::step(double dt_s, double counted_m, double counted_m_s, double push_N) noexcept {
  if (config_.pull_out_N > 0) lose_steps(dt_s, counted_m - counted_m_, counted_m_s, push_N);
  counted_m_ = counted_m;
  counted_m_s_ = counted_m_s;
  const double motor_m = counted_m - lost_m_;
  const double motor_m_s = slipping_ ? 0 : counted_m_s;
  const double screw = screw_m(motor_m);
  const double screw_m_s = motor_m_s * screw_per_m(motor_m);
  const double play_m = config_.backlash_m / 2;
  nut_m_ = std::max(screw - play_m, std::min(screw + play_m, nut_m_));
  if (config_.resonance_Hz <= 0) {
    const bool pulls =
        play_m == 0 || (screw_m_s > 0 && nut_m_ <= screw - play_m) || (screw_m_s < 0 && nut_m_ >= screw + play_m);
    edge_m_ = nut_m_;
    edge_m_s_ = pulls ? screw_m_s : 0;
    return;
  }
  double shaken_m_s2 = push_N / config_.moving_mass_kg;
  if (config_.rumble_m_s2_rtHz > 0 && motor_m_s != 0) {
    shaken_m_s2 +=
        config_.rumble_m_s2_rtHz * std::abs(motor_m_s) / kRumbleSpeed_m_s * std::sqrt(0.5 / dt_s) * noise_.normal();
  }
  const double w = kTwoPi * config_.resonance_Hz;
  follows_.step(dt_s, nut_m_);
  yields_.step(dt_s, shaken_m_s2 / (w * w));
  edge_m_ = follows_.carried() + yields_.place();
  edge_m_s_ = w * (follows_.rate() + 2 * config_.damping_ratio * follows_.acceleration() + yields_.rate());
}

MechanicalStage::MechanicalStage(std::unique_ptr<StageTwin> counts, const StageMechanicsConfig& config,
                                 daq::HostTime start, std::uint64_t seed)
    : counts_(std::move(counts)),
      axes_{AxisMechanics(config[0], counts_->position_m()[0], seed),
            AxisMechanics(config[1], counts_->position_m()[1], seed + 1),
            AxisMechanics(config[2], counts_->position_m()[2], seed + 2)},
      stepped_(start) {}

void MechanicalStage::step(daq::HostTime now, const PlantState& plant, TwinOutput& out) {
  counts_->step(now, plant, out);
  const double dt_s = daq::seconds(now - stepped_);
  stepped_ = now;
  if (!(dt_s > 0)) return;
  const auto counted = counts_->position_m();
  const auto counted_m_s = counts_->velocity_m_s();
  for (std::size_t a = 0; a < rig::kAxes; ++a) axes_[a].step(dt_s, counted[a], counted_m_s[a], plant.force_N[a]);
}

rig::Position MechanicalStage::position_m() const {
  return {axes_[0].position_m(), axes_[1].position_m(), axes_[2].position_m()};
}

rig::Position MechanicalStage::velocity_m_s() const {
  return {axes_[0].velocity_m_s(), axes_[1].velocity_m_s(), axes_[2].velocity_m_s()};
}

}  // namespace strigil::sim
