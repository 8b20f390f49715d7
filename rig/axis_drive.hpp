// A stage with axes of their own (TMCL, Zaber) as a drive: it takes velocities, and moves from point to point.
#pragma once

#include <array>

#include "daq/axis_session.hpp"
#include "rig/bench.hpp"
#include "rig/drive.hpp"

namespace strigil::rig {

/// A velocity is sent when it changed and again every kRefresh, so that a lost one does not stand for long. A move is
/// given to every axis with its share of the speed, so that the way is straight; a retract lets x and y come to rest
/// and lifts z. That a stage without a host comes to rest is the session's business (daq/codec).
class AxisDrive final : public Drive {
 public:
  /// `session` must outlive the drive. `period_s`: so often the stage takes a new velocity.
  AxisDrive(daq::AxisSession& session, const StageConfig& stage, double period_s)
      : session_(session), stage_(stage), period_s_(period_s) {}
  [[nodiscard]] DriveAbility ability() const noexcept override;
  void write(const PermittedSetpoint& setpoint, const Readings& readings, daq::HostTime now,
             daq::SessionOutput& out) noexcept override;
  void report(Readings& readings) const noexcept override;

 private:
  enum class Phase : std::uint8_t { kRest, kStreaming, kMoving, kHoming };
  /// A search for the reference of one axis.
  struct Search {
    Axis axis = kZ;
    bool cleared = false;    ///< a fault of before was cleared, once
    bool taken = false;      ///< by the session
    bool under_way = false;  ///< the old reference was seen to be given up
    bool found = false;      ///< the axis says that it has its reference
    daq::HostTime began;
  };
  void stream(const Setpoint& setpoint, daq::HostTime now, daq::SessionOutput& out) noexcept;
  void begin(const Setpoint& setpoint, const Readings& readings, daq::HostTime now, daq::SessionOutput& out) noexcept;
  void come_to_rest(daq::HostTime now, daq::SessionOutput& out) noexcept;
  void begin_search(const Setpoint& setpoint, daq::HostTime now) noexcept;
  void search(daq::HostTime now, daq::SessionOutput& out) noexcept;
  void carry_on() noexcept;
  void end(bool finished) noexcept;
  [[nodiscard]] bool at_rest(std::size_t axis) const noexcept;
  [[nodiscard]] bool arrived(std::size_t axis) const noexcept;

  daq::AxisSession& session_;
  StageConfig stage_;
  double period_s_;
  Phase phase_ = Phase::kRest;
  std::array<double, kAxes> sent_m_s_{};
  daq::HostTime sent_;
  std::uint32_t last_id_ = 0;  // of the last move taken up
  std::uint32_t move_id_ = 0;  // of the move under way; 0: the retract
  bool retracting_ = false;    // the retract is taken up once until another setpoint comes
  bool stopped_ = false;       // the stop is sent once until another setpoint comes
  bool emergency_sent_ = false;
  Search search_;
  Position target_m_{};
  std::array<bool, kAxes> moves_{};                  // axes of the move under way
  std::array<std::uint32_t, kAxes> reports_then_{};  // when it began: only later ones count
  std::uint64_t refused_then_ = 0;
  std::uint32_t finished_move_ = 0;
  std::uint32_t refused_move_ = 0;
};

}  // namespace strigil::rig
