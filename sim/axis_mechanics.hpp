// AxisMechanics: what lies between the place that a controller counts and the place where the edge truly is.
//
// In this order, from counts to edge:
//   motor      loses its hold when more is asked of it than it has: it stands, and counts are lost by whole electrical
//              periods (4 full steps)
//   screw      error over its place x: s x + A sin(2 pi x / lead + phase) + W sin(2 pi x / wave)
//              + ripple sin(2 pi x / full step)
//   backlash   a play of this width: the nut moves once the screw has come through it
//   carriage   a mass on a spring between nut and edge, bent by what the phantom pushes, shaken by bearings in
//              proportion to speed. The ripple through it is the machine's own tone at the step rate v / full step.
// All is off in a default configuration; then the edge is where it is counted, to the last bit.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "rig/readings.hpp"
#include "sim/noise.hpp"
#include "sim/second_order.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// One axis. A value. [twin.stage.mechanics] of a bench file, an entry for each axis.
struct AxisMechanicsConfig {
  double backlash_m = 0;        ///< B of ISO 230-2: difference between both directions
  double scale_error = 0;       ///< s: relative, about machine zero
  double periodic_error_m = 0;  ///< A
  double lead_m = 5e-3;         ///< of the screw
  double periodic_phase_rad = 0;
  double wave_error_m = 0;     ///< W: a screw is not straight, nor cut evenly
  double wave_m = 0.15;        ///< length of that wave
  double ripple_m = 0;         ///< amplitude
  double full_step_m = 25e-6;  ///< lead / 200
  double resonance_Hz = 0;     ///< of the carriage; 0: stiff
  double damping_ratio = 0.03;
  double moving_mass_kg = 1;        ///< > 0
  double rumble_m_s2_rtHz = 0;      ///< density of what bearings shake it with, at 0.1 m/s; needs a resonance
  double pull_out_N = 0;            ///< thrust at which the motor loses its hold, standing; 0: never
  double pull_out_speed_m_s = 0.2;  ///< at which it has half of that: F / (1 + v / this)

  bool operator==(const AxisMechanicsConfig&) const = default;
  /// Some defect is on.
  [[nodiscard]] bool any() const;
};

/// See the head of this file. One thread; no allocation. Same seed, same bits.
class AxisMechanics {
 public:
  /// The controller counts `counted_m`; the edge is at rest.
  AxisMechanics(const AxisMechanicsConfig& config, double counted_m, std::uint64_t seed);

  /// `dt_s` > 0 passed: what is counted now, and what the phantom pushes the edge with along the axis (N).
  void step(double dt_s, double counted_m, double counted_m_s, double push_N) noexcept;

  [[nodiscard]] double position_m() const noexcept { return edge_m_; }
  [[nodiscard]] double velocity_m_s() const noexcept { return edge_m_s_; }
  /// What was counted and not moved, since power-on.
  [[nodiscard]] double lost_m() const noexcept { return lost_m_; }
  /// It has lost its hold.
  [[nodiscard]] bool slipping() const noexcept { return slipping_; }

 private:
  void lose_steps(double dt_s, double way_m, double counted_m_s, double push_N) noexcept;
  [[nodiscard]] double screw_m(double motor_m) const noexcept;
  [[nodiscard]] double screw_per_m(double motor_m) const noexcept;

  AxisMechanicsConfig config_;
  Noise noise_;
  SecondOrder follows_;  // the carriage after its nut ...
  SecondOrder yields_;   // ... and under forces; one mass, two causes
  double counted_m_;
  double counted_m_s_ = 0;
  double lost_m_ = 0;
  double overloaded_s_ = 0;
  bool slipping_ = false;
  double nut_m_;
  double edge_m_;
  double edge_m_s_ = 0;
};

using StageMechanicsConfig = std::array<AxisMechanicsConfig, rig::kAxes>;

/// A stage with such axes: whatever it speaks, the twin inside it counts, and knows nothing of the difference. Switches
/// of a reference search are where the twin counts them: what was lost here stays lost after homing.
class MechanicalStage final : public StageTwin {
 public:
  MechanicalStage(std::unique_ptr<StageTwin> counts, const StageMechanicsConfig& config, daq::HostTime start,
                  std::uint64_t seed);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override {
    counts_->receive(bytes, now, out);
  }
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;
  [[nodiscard]] rig::Position position_m() const override;
  [[nodiscard]] rig::Position velocity_m_s() const override;
  [[nodiscard]] std::uint64_t reports_sent() const override { return counts_->reports_sent(); }
  void set_stalled(bool stalled) override { counts_->set_stalled(stalled); }
  void set_silent(bool silent) override { counts_->set_silent(silent); }
  void trigger_alarm(int number, daq::HostTime now, TwinOutput& out) override {
    counts_->trigger_alarm(number, now, out);
  }
  void lose_steps(rig::Axis axis, double lost_m) override { counts_->lose_steps(axis, lost_m); }
  void reboot(daq::HostTime now, TwinOutput& out) override { counts_->reboot(now, out); }
  [[nodiscard]] const AxisMechanics& axis(std::size_t index) const { return axes_[index]; }

 private:
  std::unique_ptr<StageTwin> counts_;
  std::array<AxisMechanics, rig::kAxes> axes_;
  daq::HostTime stepped_;
};

}  // namespace strigil::sim
