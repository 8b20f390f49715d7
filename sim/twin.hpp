// Twin: a simulated device at the wire. It speaks the device end of the same codecs that the rig speaks, sans-IO:
// bytes and `now` in, bytes out. Hosts (memory, pseudo-terminal, UDP) carry the bytes; the plant makes the physics.
#pragma once

#include <cstddef>
#include <span>

#include "daq/time.hpp"
#include "rig/readings.hpp"

namespace strigil::sim {

/// What the plant feels at one instant, in the rig's frame (rig/readings.hpp). SI units.
struct PlantState {
  rig::Position position_m{};  ///< the instrument's edge, as the stage really stands
  rig::Position velocity_m_s{};
  std::array<double, 3> force_N{};  ///< on the instrument: x friction (opposes motion), y, z normal (up, >= 0)
  std::array<double, 3> torque_N_m{};
  std::array<double, 3> acceleration_m_s2{};  ///< of the instrument where the accelerometer sits, gravity not included
  double reference_V = 0;  ///< what a reference accelerometer on an exciter says (sim/shaker.hpp); 0 where there is none
};

/// Where a twin puts its bytes. One call is one datagram, or one piece of a byte stream.
class TwinOutput {
 public:
  virtual ~TwinOutput() = default;
  virtual void send(std::span<const std::byte> bytes, daq::HostTime now) = 0;
  /// The plug is pulled (false), or put back. Nothing passes while it is out; a port has then gone for good, and is
  /// found again by whoever opens it anew.
  virtual void plug(bool in, daq::HostTime now) {
    (void)in;
    (void)now;
  }
};

/// One simulated device. Called from one thread with `now` never going back.
class Twin {
 public:
  virtual ~Twin() = default;
  /// The host sent bytes.
  virtual void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) = 0;
  /// Time has come to `now` and the plant stands at `plant`; called once each plant step.
  virtual void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) = 0;
};

/// What can go wrong with a stage, whatever it speaks.
class FaultyStage {
 public:
  virtual ~FaultyStage() = default;
  /// It acknowledges everything and does not move, nor say that it did: motors off, from now on also in mid-move.
  virtual void set_stalled(bool stalled) = 0;
  /// It says nothing any more and goes on doing what it does.
  virtual void set_silent(bool silent) = 0;
  /// Stops dead and goes into alarm; `number` by its own list, 1: a limit switch.
  virtual void trigger_alarm(int number, daq::HostTime now, TwinOutput& out) = 0;
  /// The motor of `axis` stands while the controller counts the next `lost_m` of its way: from then on position_m() is
  /// not what it reports.
  virtual void lose_steps(rig::Axis axis, double lost_m) = 0;
  /// Power fails for an instant: it stops dead, and begins anew as at power-on, wherever it stands.
  virtual void reboot(daq::HostTime now, TwinOutput& out) = 0;
};

/// A twin that moves the instrument.
class StageTwin : public Twin, public FaultyStage {
 public:
  /// True position and velocity (not the reported ones).
  [[nodiscard]] virtual rig::Position position_m() const = 0;
  [[nodiscard]] virtual rig::Position velocity_m_s() const = 0;
  /// Positions told since power-on.
  [[nodiscard]] virtual std::uint64_t reports_sent() const = 0;
};

}  // namespace strigil::sim
