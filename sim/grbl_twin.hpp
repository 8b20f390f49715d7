// A simulated Grbl 1.1 stage: the device end of daq/codec/grbl.hpp around a motion planner.
#pragma once

#include <array>
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
  bool start_in_alarm = false;
};

/// Behaves as Grbl 1.1h does for what the rig uses: greeting, ?, $$, $X, $H, $J=, 0x85, !, ~, 0x18; a 128-byte receive
/// buffer whose lines are acknowledged when they enter the planner (15 deep); errors and alarms by Grbl's numbers.
class GrblTwin final : public StageTwin {
 public:
  GrblTwin(const GrblTwinConfig& config, daq::HostTime start);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;
  [[nodiscard]] rig::Position position_m() const override { return planner_.position_m(); }
  [[nodiscard]] rig::Position velocity_m_s() const override { return planner_.velocity_m_s(); }

  /// It acknowledges everything and does not move: motor off, coupling loose.
  void set_stalled(bool stalled) { stalled_ = stalled; }
  /// It says nothing any more and goes on doing what it does.
  void set_silent(bool silent) { silent_ = silent; }
  /// Stops dead and goes into alarm.
  void trigger_alarm(int number, daq::HostTime now, TwinOutput& out);

  [[nodiscard]] daq::GrblState state() const;
  /// Bytes in the receive buffer now, and the most there ever were.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size(); }
  [[nodiscard]] std::size_t most_buffered() const { return most_buffered_; }
  [[nodiscard]] std::uint64_t overflowed() const { return overflowed_; }
  [[nodiscard]] std::uint64_t reports_sent() const { return reports_sent_; }

 private:
  enum class Mode : std::uint8_t { kNormal, kAlarm, kHoming };
  void realtime(daq::GrblRealtime command, daq::HostTime now, TwinOutput& out);
  void take_lines(daq::HostTime now, TwinOutput& out);
  /// True when the line was taken out of the buffer; false: the planner is full, try later.
  bool take_line(std::string_view line, daq::HostTime now, TwinOutput& out);
  void take_jog(std::string_view words, daq::HostTime now, TwinOutput& out);
  void report(daq::HostTime now, TwinOutput& out);
  void settings(daq::HostTime now, TwinOutput& out);
  void reset(daq::HostTime now, TwinOutput& out);
  void say(std::string_view line, daq::HostTime now, TwinOutput& out) const;

  GrblTwinConfig config_;
  MotionPlanner planner_;
  daq::HostTime stepped_;
  daq::HostTime heard_;
  Mode mode_ = Mode::kNormal;
  bool greeted_ = false;
  bool jogging_ = false;
  bool holding_ = false;
  bool stalled_ = false;
  bool silent_ = false;
  std::string buffer_;
  std::size_t most_buffered_ = 0;
  std::uint64_t overflowed_ = 0;
  std::uint64_t reports_sent_ = 0;
};

}  // namespace strigil::sim
