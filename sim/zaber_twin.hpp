// A simulated Zaber controller with three axes: the device end of daq/codec/zaber.hpp, as firmware 7 does it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "daq/codec/zaber.hpp"
#include "sim/axis_motion.hpp"
#include "sim/axis_slip.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

struct ZaberTwinConfig {
  std::uint8_t address = 1;
  std::string version = "7.38";
  /// z runs the other way, so that its home is at the top.
  std::array<double, rig::kAxes> microsteps_per_m{1e6, 1e6, -1e6};
  std::array<double, rig::kAxes> max_speed_m_s{0.1, 0.1, 0.1};  ///< before the host has set others
  std::array<double, rig::kAxes> acceleration_m_s2{1, 1, 1};
  rig::Position travel_min_m{0, 0, -0.08};
  rig::Position travel_max_m{0.2, 0.1, 0};
  rig::Position start_m{};
  /// It knows at power-up where it stands, as with absolute encoders. Otherwise it has no reference (WR) and counts
  /// from there.
  bool start_known = false;
  double home_speed_m_s = 0.05;
  double home_slow_m_s = 0.005;
  bool keeps_checksum = true;                                    ///< comm.checksum outlasts a reset
  bool volatile_data = true;                                     ///< it has user.vdata.0 to .3
  daq::Duration answer_latency{std::chrono::microseconds(500)};  ///< from a command's last byte to the answer
};

/// What it knows: move abs/rel/vel/min/max, stop, estop, home, warnings (clear), driver enable/disable, system reset,
/// trigger N when/action/enable/disable, get and set of a few settings; everything else is refused with a reason. An
/// axis with a reference stays within its limits: places beyond are refused, velocities come to rest there. Without
/// one its limit sensor stops it dead (WL). Triggers outlast a reset, user.vdata does not.
class ZaberTwin final : public StageTwin {
 public:
  ZaberTwin(const ZaberTwinConfig& config, daq::HostTime start);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;
  [[nodiscard]] rig::Position position_m() const override;
  [[nodiscard]] rig::Position velocity_m_s() const override {
    rig::Position v;
    for (std::size_t a = 0; a < rig::kAxes; ++a) v[a] = axes_[a].slip.losing() ? 0 : axes_[a].motion.velocity_m_s();
    return v;
  }

  void set_stalled(bool stalled) override;
  void set_silent(bool silent) override { silent_ = silent; }
  /// Whatever the number: every axis stops dead and says FS.
  void trigger_alarm(int, daq::HostTime, TwinOutput&) override {
    for (std::size_t axis = 0; axis < rig::kAxes; ++axis) stall(axis);
  }
  void lose_steps(rig::Axis axis, double lost_m) override { axes_[axis].slip.lose(lost_m); }
  /// This axis stops dead and says FS.
  void stall(std::size_t axis);
  /// The power stage of this axis goes off and says so by `flag` until it is switched on again.
  void switch_driver_off(std::size_t axis, daq::ZaberFlag flag = daq::zaber_flag('F', 'V'));
  /// As after a dip of the supply.
  void reboot();
  void reboot(daq::HostTime, TwinOutput&) override { reboot(); }
  /// Off: motors stop dead, nothing is heard or said. On again: as after reboot().
  void set_power(bool on);

  /// What `get pos` would say now.
  [[nodiscard]] std::int64_t microsteps(std::size_t axis) const;
  [[nodiscard]] bool searching(std::size_t axis) const { return axes_[axis].search != Search::kNone; }
  [[nodiscard]] bool has_reference(std::size_t axis) const { return axes_[axis].reference; }
  [[nodiscard]] const AxisMotion& motion(std::size_t axis) const { return axes_[axis].motion; }
  [[nodiscard]] std::uint64_t commands() const { return commands_; }
  /// `move vel` taken from the host, of this axis.
  [[nodiscard]] std::uint64_t velocities(std::size_t axis) const { return axes_[axis].velocities; }
  [[nodiscard]] std::uint64_t reports_sent() const override { return reports_sent_; }
  /// Times trigger 2 has fired.
  [[nodiscard]] std::uint64_t silences() const { return triggers_[1].fired; }

 private:
  enum class Search : std::uint8_t { kNone, kFast, kBack, kSlow };
  struct Axis {
    AxisMotion motion;
    AxisSlip slip{};
    double zero_m = 0;  // where it counts from
    bool reference = false;
    std::int64_t max_speed = 0;  // native units
    std::int64_t acceleration = 0;
    Search search = Search::kNone;
    daq::ZaberFlag driver = daq::kZaberNoFlag;  // why it is off
    bool stalled = false;
    bool interrupted = false;
    bool limit_hit = false;
    std::uint64_t velocities = 0;
  };
  struct Trigger {
    enum class When : std::uint8_t { kNever, kTime, kData };
    When when = When::kNever;
    std::int64_t period_ms = 0;
    std::size_t data = 0;  // number of the user.vdata
    std::string comparison;
    std::int64_t value = 0;
    std::array<std::string, 2> actions;
    bool enabled = false;
    std::int64_t count = 0;  // times that it still fires; 0: for ever
    bool held = false;       // its condition, when it was looked at last
    daq::HostTime due;
    std::uint64_t fired = 0;
  };
  struct Late {
    daq::HostTime due;
    daq::ZaberLine line;
  };
  /// An answer's data, and whether it is a refusal's reason.
  struct Answer {
    bool ok = true;
    std::string data = "0";
  };
  static Answer refuse(const char* reason) { return {false, reason}; }

  void take(std::string_view line, daq::HostTime now, TwinOutput& out);
  Answer act(std::size_t axis, std::string_view words, daq::HostTime now);  // axis: its number, 0 for all
  Answer act_on_axes(std::size_t axis, std::string_view words);
  Answer move(std::size_t index, std::string_view how, std::string_view value);
  Answer get(std::size_t axis, std::string_view setting);
  Answer set(std::size_t axis, std::string_view setting, std::string_view value);
  Answer warnings(std::size_t axis, bool clear);
  Answer set_trigger(std::string_view words, daq::HostTime now);
  void run_triggers(daq::HostTime now);
  void fire(Trigger& trigger, daq::HostTime now);
  [[nodiscard]] bool holds(const Trigger& trigger) const;
  [[nodiscard]] std::vector<daq::ZaberFlag> flags(std::size_t index) const;
  [[nodiscard]] bool busy(std::size_t index) const;
  void halt(Axis& axis);
  void reset_axes();
  void step_axis(std::size_t index, double dt_s);
  void step_search(std::size_t index);
  void keep_within_limits(std::size_t index);
  [[nodiscard]] double low_m(std::size_t axis) const;  // where microsteps are fewest: its home
  [[nodiscard]] double high_m(std::size_t axis) const;

  ZaberTwinConfig config_;
  std::array<Axis, rig::kAxes> axes_;
  std::array<Trigger, 6> triggers_;
  std::array<std::int64_t, 4> data_{};
  bool checksums_ = false;
  daq::ZaberReader reader_{"/"};
  daq::HostTime stepped_;
  bool stalled_ = false;
  bool silent_ = false;
  bool power_ = true;
  std::deque<Late> late_;
  std::uint64_t commands_ = 0;
  std::uint64_t reports_sent_ = 0;
};

}  // namespace strigil::sim
