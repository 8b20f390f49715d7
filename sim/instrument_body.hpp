// InstrumentBody: how an instrument answers a force at its edge, and what the accelerometer on it feels.
//
// Three things in a row, all linear, in the rig's frame (rig/frames.hpp):
//   rigid body   mass of instrument and holder on the mount's spring, for each axis:  M r'' + c r' + k r = F - M
//   a_stage bending      for each mode, along the normal of the bar's flat face n = (sin angle, 0, cos angle):
//                m_i (q_i'' + 2 z_i w_i q_i' + w_i^2 q_i) = n . F      (rig/free_bar.hpp; free ends, so that the
//                stage's own acceleration does not bend it)
//   mounting     of the accelerometer: a resonance, seen from its foot
// The sensor feels a_stage + r'' + n sum(gain_i q_i''), through its mounting. Rocking about the grip, torsion and
// stretching of the bar are left out; the bar is excited by the force at the edge alone and not by the grip's answer.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <numbers>

#include "rig/instrument.hpp"

namespace strigil::sim {

/// What holds the instrument.
struct BodyMount {
  double angle_rad = std::numbers::pi / 2;  ///< of the instrument to the surface (rig/frames.hpp); upright
  /// Of mount and force sensor along x, y, z. A tool hangs from its clamp as a cantilever across and as a strut along
  /// z: a steel bar of 150 x 30 x 5 mm alone has 53 N/mm across, clamp and sensor take more than half of that [A];
  /// along z a six-axis sensor and its brackets [A]. Nearly all that gives under a tap is then the stop's own spring.
  std::array<double, 3> stiffness_N_m{20e3, 20e3, 500e3};
  double holder_mass_kg = 0.1;               ///< of jaws and sensor's upper half, which move with it [A]
  double accelerometer_damping_ratio = 0.1;  ///< of the accelerometer's own mounting: wax, adhesive [A]
};

/// One body; starts at rest, without force. Below 60 ns a step with 4 modes. One thread; no allocation. Modes that the
/// step cannot show (sim/second_order.hpp) bend without inertia and are not heard.
class InstrumentBody {
 public:
  /// Bending modes beyond these are not followed (the lowest are).
  static constexpr std::size_t kMostModes = 5;

  explicit InstrumentBody(const rig::Instrument& instrument, const BodyMount& mount = {});

  /// `dt_s` passes; force on the edge and acceleration of the stage have gone straight from their last values to these.
  /// Exact for that, stable for every `dt_s`; `dt_s` <= 0: nothing happens.
  void step(double dt_s, const std::array<double, 3>& edge_force_N,
            const std::array<double, 3>& stage_acceleration_m_s2) noexcept;
  /// What the accelerometer feels, gravity not included.
  [[nodiscard]] const std::array<double, 3>& acceleration_m_s2() const noexcept { return felt_m_s2_; }
  /// How far the edge has given way against where the stage holds it: for a plant that lets it.
  [[nodiscard]] std::array<double, 3> edge_deflection_m() const noexcept;
  [[nodiscard]] std::array<double, 3> edge_deflection_m_s() const noexcept;

 private:
  // Oscillators go in pairs, as the processor takes them: (x y) (z, mode 1) (modes 2 3) (modes 4 5) of the body, and
  // (x y) (z, none) of the accelerometer's mounting.
  using Pair [[gnu::vector_size(16)]] = double;
  static constexpr std::size_t kBody = 3 + kMostModes;
  static constexpr std::size_t kBodyPairs = kBody / 2;
  static constexpr std::size_t kPairs = kBodyPairs + 2;
  struct Coefficients {
    Pair place_place{}, place_rate{}, place_before{}, place_after{};
    Pair rate_place{}, rate_rate{}, rate_before{}, rate_after{};
    Pair felt{};
  };
  struct State {
    Pair place{}, rate{}, input{}, two_z{};
  };
  struct Kept {
    double dt_s = 0;
    std::array<Coefficients, kPairs> pairs;
  };
  static Pair advance(const Coefficients& c, State& s, Pair input) noexcept;
  const Kept& kept_for(double dt_s) noexcept;
  /// Of the body's oscillators to axes: x, y, z and what bends, along n.
  [[nodiscard]] std::array<double, 3> at_edge(const std::array<Pair, kBodyPairs>& lanes) const noexcept;

  std::array<double, kBody> frequency_Hz_{};  // 0: there is none
  std::array<double, kBody> damping_ratio_{};
  double mounting_Hz_;
  double mounting_damping_;
  double normal_x_;
  double normal_z_;
  std::array<Pair, kBodyPairs> per_mass_{};
  std::array<Pair, kBodyPairs> sensor_gain_{};  // of modes; 0 for x, y, z
  std::array<Pair, kBodyPairs> per_w_{};        // 1 / w
  std::array<Kept, 2> kept_{};
  std::size_t in_use_ = 0;
  std::array<State, kPairs> state_{};
  std::array<double, 3> felt_m_s2_{};
};

/// What the body above does to a tone, in closed form: for tests and for what a tap or a sweep should find. Pure; off
/// the loop. Axes 0 to 2 are x, y, z; `frequency_Hz` > 0.
struct BodyResponse {
  rig::Instrument instrument;
  BodyMount mount;
  /// 0: as nature has it. Else as an InstrumentBody says it that is stepped so: modes that it cannot show are left out,
  /// and those far above the tone are as small as it makes them (sim/second_order.hpp).
  double step_s = 0;

  /// Acceleration that the sensor feels along `felt` per force at the edge along `pushed` ((m/s^2) / N).
  [[nodiscard]] std::complex<double> sensor_per_force(std::size_t felt, std::size_t pushed, double frequency_Hz) const;
  /// Acceleration of the edge itself, likewise (the drive-point accelerance).
  [[nodiscard]] std::complex<double> edge_per_force(std::size_t felt, std::size_t pushed, double frequency_Hz) const;
  /// Transmissibility from edge to sensor along `axis` under a force along it.
  [[nodiscard]] std::complex<double> edge_to_sensor(std::size_t axis, double frequency_Hz) const;
  /// Acceleration that the sensor feels per acceleration of the stage, along `axis`.
  [[nodiscard]] std::complex<double> stage_to_sensor(std::size_t axis, double frequency_Hz) const;
};

}  // namespace strigil::sim
