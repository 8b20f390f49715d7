// ForceControl: holds a normal force with a stage that takes velocities (an admittance), and learns what it presses on.
//
// Law, downwards positive (science.md 4.2): v = e / B + v_surface + (dF/dt) / k, with e = F wanted - F felt.
//   B = 2.5 k T with k the stiffness learned and T the delay of the whole loop: 2-3 k T leave 61-71 degrees.
//   F wanted runs T ahead where it is fed forward, since no force follows any sooner.
//   e passes a filter of the phantom's own damping c/k, so that a damped phantom does not double the loop's gain.
//   v_surface = slope of the surface times the speed of the stroke. The slope is what an earlier pass felt at the place
//   where the stage will be T later, plus an integral of e / (B 10 T) for what nobody told of. The integral is bounded
//   by the steepest slope and stands still while the stage cannot follow (anti-windup).
// v_surface and the ramp are the parts that could feed an oscillation: an energy tank, filled by what e / B dissipates,
// pays for what they put in, and while it is empty they are off (science.md 4.2, arXiv 2309.14893).
#pragma once

#include <array>
#include <cstdint>

#include "daq/time.hpp"
#include "rig/contact_model.hpp"
#include "rig/readings.hpp"
#include "rig/surface_map.hpp"

namespace strigil::rig {

/// What the loop is made of. The bench and its drive say so.
struct ForceControlConfig {
  double delay_s = 4e-3;  ///< T: from a force at the edge to a motion of the edge in answer, the drive's ramp included
  double drive_delay_s = 2e-3;  ///< the part of T between setpoint and motion
  double period_s = 1e-3;       ///< the drive takes a new velocity so often
  double max_speed_m_s = 50e-3;
  double max_acceleration_m_s2 = 2;
  double stiffest_N_m = 12e3;     ///< what a first touch must be ready for ([interlock] stiffest_N_mm)
  double instrument_mass_kg = 0;  ///< below the force sensor: what it takes to accelerate it is no force of the phantom
};

/// RMS error of the force to be expected while sliding at `speed_m_s` over a phantom of this stiffness (N): what the
/// surface's slope, where neither an earlier pass nor the integral knows it, brings about within the loop's delay. A
/// share of k T v, measured over 500 random phantoms (docs/force_control.md) [C]. Pure.
double expected_force_error_N(const ForceControlConfig& config, double stiffness_N_m, double speed_m_s) noexcept;

/// Loop thread; noexcept, no allocation.
class ForceControl {
 public:
  /// Overshoot of the force wanted that first contact may bring.
  static constexpr double kOvershoot = 0.10;

  explicit ForceControl(const ForceControlConfig& config);

  /// The velocity for this tick: kVelocity, with the demand's own in x and y. `demand` is of kind kForce.
  Demand update(const Demand& demand, const Readings& readings, daq::HostTime now) noexcept;
  /// What the interlock made of this tick's velocity: the part that the stage will really be sent.
  void permitted(double down_m_s) noexcept;
  /// No force is wanted in this tick: the next one begins with an approach.
  void rest() noexcept { reading_.active = false; }
  /// For the next tick's readings.
  [[nodiscard]] const ContactReading& reading() const noexcept { return reading_; }
  [[nodiscard]] const SurfaceMap& map() const noexcept { return map_; }

  /// The way down that keeps a first touch on the stiffest thing there may be within its share of the overshoot (m/s).
  [[nodiscard]] double approach_speed(double force_N, double wished_m_s) const noexcept;

 private:
  void begin(const Demand& demand, const Readings& r, daq::HostTime now) noexcept;
  double free(const Demand& demand) noexcept;
  double press(const Demand& demand, const Readings& r, daq::HostTime now, double dt) noexcept;
  double along_surface(const Demand& demand, const Readings& r, daq::HostTime now, double dt, double e,
                       double b) noexcept;
  double follow_lead(daq::HostTime at) noexcept;
  void learn(const Demand& demand, const Readings& r, double dt) noexcept;
  void send(double down_m_s, daq::HostTime now, double dt) noexcept;
  [[nodiscard]] double depth_at(daq::HostTime at, const Readings& r) const noexcept;
  [[nodiscard]] double down_at(daq::HostTime at) const noexcept;

  /// The stage's own way, as it follows what it was sent.
  struct Sent {
    daq::HostTime at;
    double down_m_s = 0;
  };
  static constexpr std::size_t kSent = 512;
  /// The ramp, that the force follows T later.
  struct Led {
    daq::HostTime at;
    double lead_N = 0;
  };
  static constexpr std::size_t kLed = 256;

  ForceControlConfig config_;
  ContactReading reading_;
  ContactModel model_;
  SurfaceMap map_;
  bool sliding_ = false;       // since the contact was new: nothing more is learned of the stiffness
  bool same_surface_ = false;  // the map is of the contact before, and still true
  std::uint32_t passes_ = 0;
  std::array<Sent, kSent> sent_{};
  std::uint64_t sent_count_ = 0;
  std::array<Led, kLed> led_{};
  std::uint64_t led_count_ = 0;
  double lead_N_ = 0;
  std::uint64_t force_samples_ = 0;
  daq::HostTime last_force_at_;
  daq::HostTime updated_;
  double force_N_ = 0;  // of the phantom: without what accelerates the instrument
  double error_N_ = 0;  // filtered by the phantom's damping
  double gain_stiffness_N_m_ = 0;
  double slope_ = 0;      // of the surface, what the map does not know of it
  double down_m_s_ = 0;   // sent last
  bool limited_ = false;  // the stage could not follow what was wanted last
  double tank_J_ = 0;
  int touching_ = 0;
  int without_ = 0;
};

}  // namespace strigil::rig
