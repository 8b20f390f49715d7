// A simulated Grbl 1.1 stage: the device end of daq/codec/grbl.hpp around a motion planner.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <string_view>

#include "daq/codec/grbl.hpp"
#include "sim/motion_planner.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

struct GrblTwinConfig {
  AxisLimits limits;
  rig::Position travel_min_m{0, 0, -0.08};  ///< machine coordinates; soft limits are on
  rig::Position travel_max_m{0.2, 0.1, 0};
  rig::Position start_m{};
  /// Silence of the host after which a moving stage stops by itself, as a controller with a watchdog does; stock Grbl
  /// has none (docs/safety.md). 0: never.
  daq::Duration host_timeout = std::chrono::milliseconds(500);
  bool start_known = true;  ///< it counts from where it stands; otherwise as if it stood at home, until it is homed
  bool start_in_alarm = false;
  /// Everything it says leaves this much later, as it was when it was said.
  daq::Duration answer_latency{0};
  /// It reports where it was this long ago, as controllers do that gather positions before they tell them.
  daq::Duration report_age{0};
  rig::Position work_offset_m{};      ///< G54: work position = machine position - this
  bool report_work_position = false;  ///< $10: WPos and a WCO now and then, in place of MPos
  bool report_inches = false;         ///< $13
};

/// Behaves as Grbl 1.1h does for what the rig uses: greeting, ?, $$, $X, $H, $J=, 0x85, !, ~, 0x18; a 128-byte receive
/// buffer whose lines are acknowledged when they enter the planner (15 deep); errors and alarms by Grbl's numbers. As
/// there, lines that still wait when a jog is cancelled run afterwards: it is the host's business to cancel them too.
class GrblTwin final : public StageTwin {
 public:
  GrblTwin(const GrblTwinConfig& config, daq::HostTime start);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;
  [[nodiscard]] rig::Position position_m() const override;
  [[nodiscard]] rig::Position velocity_m_s() const override;

  void set_stalled(bool stalled) override;
  void set_silent(bool silent) override { silent_ = silent; }
  /// After 1 and 2 (limits) it takes no line until it is reset, as Grbl does.
  void trigger_alarm(int number, daq::HostTime now, TwinOutput& out) override;
  void lose_steps(rig::Axis axis, double lost_m) override { to_lose_m_[axis] += lost_m; }
  /// It boots unlocked, as a stage without homing does: the case that is harder to notice.
  void reboot(daq::HostTime now, TwinOutput& out) override;

  [[nodiscard]] daq::GrblState state() const;
  /// Bytes in the receive buffer now, and the most there ever were.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size(); }
  [[nodiscard]] std::size_t most_buffered() const { return most_buffered_; }
  [[nodiscard]] std::uint64_t overflowed() const { return overflowed_; }
  [[nodiscard]] std::uint64_t reports_sent() const override { return reports_sent_; }
  /// Lines acknowledged with "ok".
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::size_t planned() const { return planner_.queued(); }

 private:
  enum class Mode : std::uint8_t { kNormal, kAlarm, kHoming };
  struct Late {
    daq::HostTime due;
    std::string text;
  };
  void realtime(daq::GrblRealtime command, daq::HostTime now, TwinOutput& out);
  void take_lines(daq::HostTime now, TwinOutput& out);
  /// False while it takes none: the planner is full or coming to rest, it holds, homes, or waits for a reset.
  [[nodiscard]] bool takes_lines() const;
  void take_line(std::string_view line, daq::HostTime now, TwinOutput& out);
  void take_system_line(std::string_view line, daq::HostTime now, TwinOutput& out);
  void take_jog(std::string_view words, daq::HostTime now, TwinOutput& out);
  void home();
  [[nodiscard]] rig::Position home_m() const;
  void report(daq::HostTime now, TwinOutput& out);
  [[nodiscard]] rig::Position reported_m(daq::HostTime now) const;
  void slip(const rig::Position& before_m);
  void settings(daq::HostTime now, TwinOutput& out);
  void reset(daq::HostTime now, TwinOutput& out);
  void greet(daq::HostTime now, TwinOutput& out);
  void ok(daq::HostTime now, TwinOutput& out);
  void error(int number, daq::HostTime now, TwinOutput& out);
  void say(std::string_view line, daq::HostTime now, TwinOutput& out);

  GrblTwinConfig config_;
  MotionPlanner planner_;
  rig::Position slip_m_{};     // where it stands, less what the controller counts
  rig::Position to_lose_m_{};  // of the way to come
  daq::HostTime stepped_;
  daq::HostTime heard_;
  Mode mode_ = Mode::kNormal;
  bool greeted_ = false;
  bool jogging_ = false;
  bool holding_ = false;
  bool needs_reset_ = false;  // after a limit
  bool stalled_ = false;
  bool silent_ = false;
  bool overlong_ = false;  // the rest of a line that did not fit is still to come
  std::string buffer_;
  std::deque<Late> late_;
  struct Past {
    daq::HostTime at;
    rig::Position position_m;
  };
  std::deque<Past> past_;  // as far back as report_age
  std::size_t most_buffered_ = 0;
  std::uint64_t overflowed_ = 0;
  std::uint64_t reports_sent_ = 0;
  std::uint64_t accepted_ = 0;
};

}  // namespace strigil::sim
