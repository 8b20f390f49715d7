// A simulated Trinamic TMCM module with three motors: the device end of daq/codec/tmcl.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "daq/codec/tmcl.hpp"
#include "sim/axis_motion.hpp"
#include "sim/axis_slip.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

struct TmclTwinConfig {
  std::uint8_t address = 1;
  std::uint8_t host_address = 2;
  std::int32_t version = 6214 << 16 | 1 << 8 | 17;
  /// z runs the other way, so that its left switch, the reference, is at the top.
  std::array<double, rig::kAxes> pulses_per_m{1e6, 1e6, -1e6};
  std::array<double, rig::kAxes> max_speed_m_s{0.1, 0.1, 0.1};  ///< before the host has set others
  std::array<double, rig::kAxes> acceleration_m_s2{1, 1, 1};
  rig::Position travel_min_m{0, 0, -0.08};  ///< limit switches stand at both ends and stop the motor at once
  rig::Position travel_max_m{0.2, 0.1, 0};
  rig::Position start_m{};
  /// It knows at power-up where it stands, as modules do that keep coordinates in their EEPROM. Otherwise it counts
  /// from there.
  bool start_known = false;
  double reference_speed_m_s = 0.02;  ///< before the host has set others
  double reference_slow_m_s = 0.002;
  /// The stand-alone program of docs/tmcl.md is loaded and starts by itself.
  bool watchdog_program = true;
  double lift_m = 0.02;  ///< of z, by the program
  double lift_speed_m_s = 0.02;
  bool serial_heartbeat = true;                                  ///< the firmware has global parameter 68
  bool driver_flags = true;                                      ///< it has axis parameter 208
  daq::Duration answer_latency{std::chrono::microseconds(300)};  ///< from a request's last byte to the answer
  daq::Duration request_timeout{std::chrono::milliseconds(5)};   ///< a request that stops in its middle is forgotten
};

/// What it knows: ROR, ROL, MST, MVP ABS, SAP, GAP, SGP, GGP, RFS, 136; everything else is refused by TMCL's status
/// codes. A reference search (mode 1) goes left to the switch, off it, and slowly back; MST does not end it, RFS STOP
/// does. Error flags are cleared by reading them. A reset stops the motors dead, and forgets coordinates, parameters
/// and user variables from 56 on.
class TmclTwin final : public StageTwin {
 public:
  TmclTwin(const TmclTwinConfig& config, daq::HostTime start);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;
  [[nodiscard]] rig::Position position_m() const override;
  [[nodiscard]] rig::Position velocity_m_s() const override;

  /// It acknowledges everything and does not move, nor say that it did.
  void set_stalled(bool stalled) override;
  /// It says nothing any more and goes on doing what it does.
  void set_silent(bool silent) override { silent_ = silent; }
  /// Whatever the number: every motor stops dead and says so in its error flags.
  void trigger_alarm(int number, daq::HostTime now, TwinOutput& out) override;
  void lose_steps(rig::Axis axis, double lost_m) override { axes_[axis].slip.lose(lost_m); }
  /// This motor stops dead and says so in its error flags.
  void stall(std::size_t axis);
  /// Flags of the power stage, as TMC26x numbers them.
  void set_driver_flags(std::size_t axis, std::int32_t flags) { axes_[axis].driver_flags = flags; }
  /// As after a dip of the supply.
  void reboot();
  void reboot(daq::HostTime now, TwinOutput& out) override;
  /// Off: motors stop dead, nothing is heard or said. On again: as after reboot().
  void set_power(bool on);

  /// What axis parameter 1 would say now.
  [[nodiscard]] std::int32_t pulses(std::size_t axis) const;
  [[nodiscard]] bool searching(std::size_t axis) const { return axes_[axis].search != Search::kNone; }
  [[nodiscard]] const AxisMotion& motion(std::size_t axis) const { return axes_[axis].motion; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  /// Positions told.
  [[nodiscard]] std::uint64_t reports_sent() const override { return reports_sent_; }
  /// Times it has stopped because the host was silent.
  [[nodiscard]] std::uint64_t silences() const { return silences_; }

 private:
  enum class Search : std::uint8_t { kNone, kFast, kBack, kSlow };  // also what RFS STATUS says
  struct Axis {
    AxisMotion motion;
    double zero_m = 0;  // where it counts from
    AxisSlip slip{};
    std::int32_t max_speed = 0;  // parameters as the host sees them
    std::int32_t acceleration = 0;
    std::int32_t reference_mode = 1;
    std::int32_t reference_speed = 0;
    std::int32_t reference_slow = 0;
    std::int32_t target = 0;
    std::int32_t target_speed = 0;
    std::int32_t error_flags = 0;
    std::int32_t driver_flags = 0;
    Search search = Search::kNone;
  };
  struct Late {
    daq::HostTime due;
    daq::TmclBytes bytes;
  };
  void take(const daq::TmclBytes& bytes, daq::HostTime now, TwinOutput& out);
  /// Does it, and says with which status; `value` is the answer's.
  daq::TmclStatus act(const daq::TmclRequest& request, std::int32_t& value);
  daq::TmclStatus set_axis(Axis& axis, std::size_t index, const daq::TmclRequest& request);
  daq::TmclStatus get_axis(Axis& axis, std::size_t index, daq::TmclAxis parameter, std::int32_t& value);
  daq::TmclStatus reference(Axis& axis, std::size_t index, std::uint8_t type, std::int32_t& value);
  void rotate(Axis& axis, std::size_t index, std::int32_t pulses_s);
  void say(const daq::TmclReply& reply, daq::HostTime now, TwinOutput& out);
  void reset_axes();
  void run_program();
  void check_serial_heartbeat(daq::HostTime now);
  void stop_all();
  void step_axis(std::size_t index, double dt_s);
  void step_search(Axis& axis, std::size_t index);
  [[nodiscard]] double left_m(std::size_t axis) const;
  [[nodiscard]] double right_m(std::size_t axis) const;
  [[nodiscard]] bool at_left(std::size_t axis) const;
  [[nodiscard]] bool at_right(std::size_t axis) const;

  TmclTwinConfig config_;
  std::array<Axis, rig::kAxes> axes_;
  std::array<std::int32_t, 256> variables_{};
  std::int32_t serial_heartbeat_ms_ = 0;
  daq::HostTime stepped_;
  daq::HostTime heard_;        // any byte
  daq::HostTime obeyed_;       // the last sound request
  daq::HostTime next_tick_;    // of the program
  bool lifting_owed_ = false;  // the program waits for rest
  bool stalled_ = false;
  bool silent_ = false;
  bool power_ = true;
  daq::TmclBytes request_{};
  std::size_t filled_ = 0;
  std::deque<Late> late_;
  std::uint64_t requests_ = 0;
  std::uint64_t reports_sent_ = 0;
  std::uint64_t silences_ = 0;
};

}  // namespace strigil::sim
