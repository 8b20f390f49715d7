// InstrumentBenchPlant: an instrument in its clamp above a stiff reference block, as `strigil calibrate instrument`
// meets it. Mass, centre of mass, edge stiffness, friction and modes are the truth that the procedure is to find.
//
//   weight    of instrument and holder, in the frame of a sensor that leans with them: force and r x force
//   inertia   of both, as a rigid body on the mount (sim/instrument_body.hpp)
//   block     stiff; the edge and the rig give way in series: N = depth / (1/k_edge + 1/k_rig); friction along x as
//   Dahl has it hands     take the instrument out and put it in, set the tilt, tap the edge or couple an exciter to it,
//   along x
// The three inputs of the accelerometers' box carry: [0] one at the edge and [2] one at the grip, both along x, the
// normal of the flat face; [1] one at the grip along y. Both are on mountings of the same resonance.
#pragma once

#include <cstdint>

#include "rig/instrument.hpp"
#include "sim/instrument_bench_config.hpp"
#include "sim/instrument_body.hpp"
#include "sim/mount.hpp"
#include "sim/noise.hpp"
#include "sim/plant.hpp"

namespace strigil::sim {

/// What hands do at the edge, from one instant on.
struct EdgeTaps {
  int count = 0;
  double period_s = 2;
  double pulse_s = 0.5e-3;      ///< a half sine of so long
  double impulse_N_s = 0.2e-3;  ///< of one; they differ by a fifth or so
};
struct EdgeSweep {
  double low_Hz = 10;
  double high_Hz = 500;
  double sweep_s = 1.92;   ///< from low to high, linear in time ...
  double period_s = 2.56;  ///< ... then nothing, and after this again
  double force_N = 0.3;    ///< amplitude
};

/// One thread. About 0.3 us a step.
class InstrumentBenchPlant final : public Plant {
 public:
  InstrumentBenchPlant(const InstrumentBenchConfig& config, const rig::Instrument& instrument, const MountConfig& mount,
                       std::uint64_t seed);

  const PlantState& step(daq::HostTime now, const rig::Position& position_m,
                         const rig::Position& velocity_m_s) noexcept override;
  [[nodiscard]] const PlantState& state() const noexcept override { return state_; }
  [[nodiscard]] double surface_m(double x_m, double y_m) const noexcept override;
  [[nodiscard]] double compression_m() const noexcept override { return compression_m_; }

  // Hands. Each takes effect at the next step.
  void mount(bool there) noexcept { mounted_ = there; }
  /// What the scale is set to; how it really leans only the plant knows.
  void tilt(double lean_rad) noexcept;
  void tap(const EdgeTaps& taps) noexcept;
  void sweep(const EdgeSweep& sweep) noexcept;
  void leave_edge() noexcept;
  /// In the next step an exciter whose rod is at the edge pushes so; where it is not, nothing happens.
  void feed(double force_N) noexcept { fed_N_ = force_N; }
  /// Its rod is put there; leave_edge() takes it off.
  void couple() noexcept;

  /// The truth: what the accelerometer at the grip feels per what that at the edge feels, under a force at the edge, of
  /// a plant stepped so (BodyResponse::step_s).
  [[nodiscard]] std::complex<double> edge_to_grip(double frequency_Hz, double step_s) const;
  [[nodiscard]] const rig::Instrument& instrument() const noexcept { return instrument_; }
  [[nodiscard]] const InstrumentBenchConfig& config() const noexcept { return config_; }

 private:
  [[nodiscard]] double driven_N(double t_s) noexcept;
  void rub(double normal_N, const rig::Position& at, double speed_m_s, double dt_s) noexcept;
  void weigh(const std::array<double, 3>& edge_N, const std::array<double, 3>& rigid_m_s2) noexcept;

  InstrumentBenchConfig config_;
  rig::Instrument instrument_;
  BodyMount body_mount_;
  InstrumentBody grip_;
  InstrumentBody edge_;
  InstrumentBody rigid_;
  MachineMotion machine_;
  MountConfig mount_;
  Noise noise_;
  PlantState state_;
  double compression_m_ = 0;
  double drag_N_ = 0;  // on the instrument, along x
  bool mounted_ = true;
  double lean_rad_ = 0;
  double clock_s_ = 0;
  // hands at the edge
  EdgeTaps taps_;
  EdgeSweep sweep_;
  bool sweeping_ = false;
  bool coupled_ = false;
  double fed_N_ = 0;
  double began_s_ = 0;
  int tapped_ = 0;
  double impulse_N_s_ = 0;
};

}  // namespace strigil::sim
