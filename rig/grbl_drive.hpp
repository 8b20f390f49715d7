// A Grbl stage as a drive: point-to-point moves, and velocities, both cut into short jogs so that the stage stops soon
// after its host dies.
#pragma once

#include "daq/codec/grbl_session.hpp"
#include "rig/drive.hpp"

namespace strigil::rig {

/// Grbl has no command time-out of its own, so a move is streamed as jogs of kSegment, the next one while less than a
/// look-ahead's worth of motion is given away: a host that dies leaves the stage moving for no longer than that and one
/// jog (docs/safety.md). The look-ahead grows with v/a, because Grbl plans to stop at the end of what it has.
///
/// A velocity becomes a jog of kStreamPeriod_s, given while less than kStreamAhead_s of motion is: that look-ahead is
/// most of the delay that force control has to live with.
class GrblDrive final : public Drive {
 public:
  static constexpr double kStreamPeriod_s = 0.025;
  static constexpr double kStreamAhead_s = 0.05;

  /// `session` must outlive the drive.
  GrblDrive(daq::GrblSession& session, const StageConfig& stage) : session_(session), stage_(stage) {}
  [[nodiscard]] DriveAbility ability() const noexcept override;
  void write(const PermittedSetpoint& setpoint, const Readings& readings, daq::HostTime now,
             daq::SessionOutput& out) noexcept override;
  void report(Readings& readings) const noexcept override;

 private:
  enum class Phase : std::uint8_t { kRest, kCancelling, kMoving, kArriving, kStreaming, kHoming };
  struct Move {
    bool retract = false;
    std::uint32_t id = 0;
    Position from_m{};
    Position target_m{};
    double length_m = 0;
    double speed_m_s = 0;
    double sent_m = 0;  ///< of length_m, given to the stage so far
    bool begun = false;
    daq::HostTime began;
  };
  void begin(const Setpoint& setpoint, const Readings& readings, daq::HostTime now, daq::SessionOutput& out) noexcept;
  void cancel(daq::HostTime now, daq::SessionOutput& out) noexcept;
  void carry_on(daq::HostTime now, daq::SessionOutput& out) noexcept;
  void send_segments(daq::HostTime now, daq::SessionOutput& out) noexcept;
  void arrive() noexcept;
  void begin_search(const Setpoint& setpoint, daq::HostTime now, daq::SessionOutput& out) noexcept;
  void search() noexcept;
  void stream(const Setpoint& setpoint, daq::HostTime now, daq::SessionOutput& out) noexcept;
  [[nodiscard]] std::uint64_t troubles() const noexcept;
  [[nodiscard]] bool busy() const noexcept;
  [[nodiscard]] bool at_rest_since(std::uint64_t reports) const noexcept;
  [[nodiscard]] double look_ahead_s(double speed_m_s) const noexcept;
  void end(bool finished) noexcept;

  daq::GrblSession& session_;
  StageConfig stage_;
  Phase phase_ = Phase::kRest;
  Move move_;
  std::uint32_t last_id_ = 0;  // of the last move taken up
  bool retracting_ = false;    // move_ is the retract, taken up once until another setpoint comes
  bool emergency_sent_ = false;
  std::uint64_t reports_then_ = 0;  // reports when the wait began: only later ones count
  daq::HostTime cancelled_at_;
  std::uint64_t refused_jogs_then_ = 0;
  std::uint64_t homings_then_ = 0;  // when the search for the references began
  std::uint64_t troubles_then_ = 0;
  Position streamed_m_{};      // end of what was streamed
  daq::HostTime streamed_to_;  // the stage has motion until then
  std::uint32_t finished_move_ = 0;
  std::uint32_t refused_move_ = 0;
};

}  // namespace strigil::rig
