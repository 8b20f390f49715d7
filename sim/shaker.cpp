#include "sim/shaker.hpp"

#include <cmath>
#include <numbers>

namespace strigil::sim {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kMains_Hz = 50;
constexpr std::uint64_t kShakerSeed = 0x7368616B65ULL;

/// A resonance of 0 Hz is none: one that no step can show follows.
SecondOrder resonance(double frequency_Hz, double damping, double rate_Hz) {
  return frequency_Hz > 0 ? SecondOrder(frequency_Hz, damping) : SecondOrder(rate_Hz, 1);
}

}  // namespace

Shaker::Shaker(const ShakerConfig& config, double rate_Hz, std::uint64_t seed)
    : config_(config),
      rate_Hz_(rate_Hz),
      noise_(seed ^ kShakerSeed),
      suspension_(config.suspension_Hz, config.suspension_damping),
      armature_(resonance(config.armature_Hz, config.armature_damping, rate_Hz)),
      sideways_(resonance(config.transverse_Hz, config.transverse_damping, rate_Hz)),
      reference_(resonance(config.reference_Hz, config.reference_damping, rate_Hz)) {}

void Shaker::shake(const rig::Excitation& excitation) noexcept {
  excitation_ = excitation;
  since_ = 0;
}

void Shaker::mount(std::size_t axis) noexcept {
  axis_ = axis;
  coupling_ = 1 + config_.mounting_gain * noise_.normal();
  for (auto& t : tilt_rad_) t = config_.mounting_tilt_rad * noise_.normal();
}

double Shaker::distorted(double amplitude_m_s2, double phase) const noexcept {
  return (1 + config_.level_error) * amplitude_m_s2 *
         (std::sin(phase) + config_.second_harmonic * std::sin(2 * phase) +
          config_.third_harmonic * std::sin(3 * phase));
}

double Shaker::drive() const noexcept {
  if (fed_) return distorted(fed_->amplitude_m_s2, fed_->phase_rad);
  const auto& e = excitation_;
  if (e.kind == rig::ExcitationKind::kOff) return 0;
  const double t_s = static_cast<double>(since_) / rate_Hz_;
  double phase = kTurn * e.frequency_Hz * t_s;
  if (e.kind == rig::ExcitationKind::kChirp) {
    // metrology.md 2.4: x(t) = sin(2 pi f1 L (e^{t/L} - 1)), L = T/ln(f2/f1); then the same way back, with no step.
    const double half_s = e.period_s / 2;
    const double l_s = half_s / std::log(e.to_Hz / e.frequency_Hz);
    const auto turned = [&](double s) { return kTurn * e.frequency_Hz * l_s * std::expm1(s / l_s); };
    const double periods = std::floor(t_s / e.period_s);
    const double in_s = t_s - periods * e.period_s;
    const double whole = 2 * turned(half_s);
    phase = periods * whole + (in_s < half_s ? turned(in_s) : whole - turned(e.period_s - in_s));
  }
  return distorted(e.amplitude_m_s2, phase);
}

const Shaker::Motion& Shaker::step() noexcept {
  ++steps_;
  ++since_;
  const double dt_s = 1 / rate_Hz_;
  const double per_step = std::sqrt(rate_Hz_ / 2);
  suspension_.step(dt_s, drive());
  armature_.step(dt_s, suspension_.acceleration());
  const double along = armature_.place() +
                       config_.hum_m_s2 * std::sin(kTurn * kMains_Hz * static_cast<double>(steps_) * dt_s) +
                       config_.noise_m_s2_rtHz * per_step * noise_.normal();
  sideways_.step(dt_s, along);
  const double across[] = {config_.transverse[0] * sideways_.place(), config_.transverse[1] * sideways_.place()};
  reference_.step(dt_s, along + config_.reference_transverse * across[0]);
  motion_.reference_V = config_.reference_V_m_s2 * (1 + config_.reference_error) * reference_.place() +
                        config_.reference_noise_V_rtHz * per_step * noise_.normal();
  motion_.along_m_s2 = along;
  auto& a = motion_.sensor_m_s2;
  a[axis_] = coupling_ * (along - tilt_rad_[0] * across[0] - tilt_rad_[1] * across[1]);
  for (std::size_t i = 0; i < 2; ++i) a[(axis_ + 1 + i) % 3] = across[i] + tilt_rad_[i] * along;
  return motion_;
}

}  // namespace strigil::sim
