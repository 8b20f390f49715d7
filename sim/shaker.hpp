// Shaker: an electrodynamic exciter with a reference accelerometer on it, and the sensor under test back to back.
//
// Drive: the signal asked for, with harmonics and a gain of the amplifier that is off. The armature on its suspension
// gives it less below that resonance; its own axial resonance gives more towards it. It also moves across, and hums.
// The reference says, in volts, what its certificate does not quite say: its sensitivity is off, it has a resonance, a
// sensitivity across, noise. The sensor is mounted with one axis along the exciter's, each time a little differently:
// tilted, and coupled better or worse. docs/physics_devices.md has every equation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "rig/excitation.hpp"
#include "sim/noise.hpp"
#include "sim/second_order.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// [twin.shaker] of a bench file. Ratios are of the motion along the exciter's axis.
struct ShakerConfig {
  double suspension_Hz = 15;  ///< [A]
  double suspension_damping = 0.3;
  double armature_Hz = 4500;  ///< axial resonance [A]; 0: none
  double armature_damping = 0.03;
  double level_error = 0.05;      ///< of the amplifier, relative [A]
  double second_harmonic = 0.01;  ///< of the drive [A]
  double third_harmonic = 0.005;
  std::array<double, 2> transverse{0.03, -0.02};  ///< at low frequencies [A]
  double transverse_Hz = 1400;                    ///< where it is greatest; 0: the same at all
  double transverse_damping = 0.1;
  double hum_m_s2 = 0.02;  ///< at 50 Hz [A]
  double noise_m_s2_rtHz = 0.001;
  double mounting_gain = 0.001;  ///< scatter of the coupling from one mounting to the next, relative [A]
  double mounting_tilt_rad = 0.005;
  double reference_V_m_s2 = 0.01;  ///< what the reference's certificate says
  double reference_error = 0;      ///< what it really is, relative to that
  double reference_Hz = 0;         ///< its resonance; 0: it follows
  double reference_damping = 0.02;
  double reference_transverse = 0.01;
  double reference_noise_V_rtHz = 2e-6;

  bool operator==(const ShakerConfig&) const = default;
};

/// One thread; no allocation. Same seed and calls, same bits.
class Shaker {
 public:
  Shaker(const ShakerConfig& config, double rate_Hz, std::uint64_t seed);
  /// From the next step on it shakes so.
  void shake(const rig::Excitation& excitation) noexcept;
  /// In the next step its amplifier is fed so: a sine at one instant, and no excitation that was asked for by hand.
  void feed(double amplitude_m_s2, double phase_rad) noexcept { fed_ = {amplitude_m_s2, phase_rad}; }
  /// The sensor is taken off and mounted anew with its `axis` (0 x, 1 y, 2 z) along the exciter's.
  void mount(std::size_t axis) noexcept;

  struct Motion {
    std::array<double, 3> sensor_m_s2{};  ///< at the foot of the sensor, in its own axes
    double reference_V = 0;               ///< what the reference says
    double along_m_s2 = 0;                ///< the truth, along the exciter's axis
  };
  /// One period of `rate_Hz` passes.
  const Motion& step() noexcept;

 private:
  [[nodiscard]] double drive() const noexcept;
  [[nodiscard]] double distorted(double amplitude_m_s2, double phase_rad) const noexcept;

  ShakerConfig config_;
  double rate_Hz_;
  Noise noise_;
  rig::Excitation excitation_;
  struct Fed {
    double amplitude_m_s2;
    double phase_rad;
  };
  std::optional<Fed> fed_;
  std::uint64_t steps_ = 0;  // since power-on
  std::uint64_t since_ = 0;  // since it was asked to shake so
  std::size_t axis_ = 2;
  double coupling_ = 1;
  std::array<double, 2> tilt_rad_{};
  SecondOrder suspension_, armature_, sideways_, reference_;
  Motion motion_;
};

}  // namespace strigil::sim
