// Interlock: judges before anything is wished, and is the only maker of what may reach a wire.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "daq/event.hpp"
#include "rig/bench.hpp"
#include "rig/readings.hpp"

namespace strigil::rig {

enum class SetpointKind : std::uint8_t { kHold, kMove, kRetract, kStop, kEmergencyStop, kVelocity, kHome };

/// What a drive is told. Positions in metres, machine coordinates: as the stage counts them.
struct Setpoint {
  SetpointKind kind = SetpointKind::kHold;
  std::uint32_t move_id = 0;
  Position target_m{};
  double speed_m_s = 0;
  std::array<double, kAxes> velocity_m_s{};  ///< kVelocity: for this tick; a drive that is not told again stops
  Axis axis = kZ;                            ///< kHome
};

/// What a rig is put together for.
enum class RigPurpose : std::uint8_t {
  kRun,   ///< moves and velocities, with a stage that knows where it stands
  kHome,  ///< looking for references and nothing else: where the stage stands is not known
};

/// A setpoint that the interlock let through. Nobody else can make one, and Drive::write takes nothing else
/// (DESIGN.md, sentence 4).
class PermittedSetpoint {
 public:
  [[nodiscard]] const Setpoint& get() const noexcept { return setpoint_; }

 private:
  friend class Interlock;
  explicit PermittedSetpoint(const Setpoint& setpoint) noexcept : setpoint_(setpoint) {}
  Setpoint setpoint_;
};

/// One row of the evidence kept when the interlock trips: the last seconds before it.
struct EvidenceRow {
  daq::HostTime at;
  double normal_force_N = 0;
  double x_m = 0;
  double z_m = 0;
  std::uint32_t faults = 0;
};

/// The greatest speed from which a stage that goes on for `reaction_s` and then brakes at `braking_m_s2` stands still
/// within `way_m` (m/s; 0 for no way). Pure.
double stopping_speed(double way_m, double reaction_s, double braking_m_s2) noexcept;

/// Starts faulted (kNotReset); latches the first causes; clears only on all-clear and a reset. Loop thread only,
/// noexcept, no allocation after construction.
class Interlock {
 public:
  Interlock(const InterlockConfig& limits, const StageConfig& stage, RigPurpose purpose = RigPurpose::kRun);

  /// Judges `readings` and writes faults and latched_faults into it. `sensed` are conditions that only the intake
  /// can see (gaps, saturation, stuck counts, closed links). True when this call latched something new.
  bool evaluate(Readings& readings, std::uint32_t sensed, daq::HostTime now) noexcept;
  /// The operator's reset edge. False (and nothing changes) while any condition is still true.
  bool reset() noexcept;
  /// Turns a wish into something a drive may be told. A wish that is not permitted becomes a hold, a stop or a
  /// retract, and refused_move() says which move it was.
  PermittedSetpoint permit(const Demand& demand, const Readings& readings) noexcept;
  /// The emergency stop: always permitted, asks nobody.
  [[nodiscard]] PermittedSetpoint emergency_stop() const noexcept;

  [[nodiscard]] std::uint32_t latched() const noexcept { return latched_; }
  [[nodiscard]] std::uint32_t first_cause() const noexcept { return first_cause_; }
  [[nodiscard]] std::uint32_t refused_move() const noexcept { return refused_move_; }
  /// Velocities that were made smaller, because the stage could not have stopped before a limit.
  [[nodiscard]] std::uint64_t limited() const noexcept { return limited_; }
  /// The last seconds before the first trip, oldest first; empty when it never tripped. Off the loop.
  [[nodiscard]] std::vector<EvidenceRow> evidence() const;

 private:
  [[nodiscard]] std::uint32_t judge(const Readings& readings, std::uint32_t sensed, daq::HostTime now) const noexcept;
  [[nodiscard]] bool within_travel(const Position& p, double margin_m) const noexcept;
  Setpoint respond(const Readings& readings) noexcept;
  /// What the moving mass may bring into something hard: m v^2 / 2 up to [interlock] max_impact_mJ.
  [[nodiscard]] double fastest_down_m_s() const noexcept;
  Setpoint permit_velocity(const Demand& demand, const Readings& readings) noexcept;
  Setpoint permit_home(const Demand& demand) noexcept;
  Setpoint choose(const Demand& demand, const Readings& readings) noexcept;
  void follow(const Setpoint& setpoint, const Readings& readings) noexcept;
  [[nodiscard]] bool stalled(const Readings& readings, daq::HostTime asked_since, daq::HostTime now) const noexcept;

  /// What the stage was told last, and since when its readback has been as it is.
  struct Following {
    bool told = false;
    bool place_known = false;  ///< of the end of the way
    Position target_m{};
    Position seen_m{};
    daq::HostTime since;
    Position asked_m{};  ///< velocities: way asked for since then
    daq::HostTime asked;
  };

  static constexpr std::size_t kEvidenceRows = 2048;  // 2 s at 1 kHz
  InterlockConfig limits_;
  StageConfig stage_;
  RigPurpose purpose_;
  std::uint32_t current_ = kNotReset;
  std::uint32_t latched_ = kNotReset;
  std::uint32_t first_cause_ = 0;
  std::uint32_t refused_move_ = 0;
  std::uint64_t limited_ = 0;
  std::uint64_t restarts_ = 0;  // of the stage, at the last evaluate()
  std::uint64_t restarts_at_reset_ = 0;
  Following following_;
  daq::HostTime judged_;  // the last evaluate()
  daq::HostTime woke_;    // the last one after this computer had stood still
  bool judged_once_ = false;
  std::array<EvidenceRow, kEvidenceRows> evidence_{};
  std::uint64_t evidence_rows_ = 0;
  bool evidence_frozen_ = false;
};

/// Fault bits in words, e.g. "force_limit, stage_stale". Off the loop.
std::string fault_names(std::uint32_t faults);
/// What a person should check for these faults, one sentence a fault. Off the loop.
std::string fault_advice(std::uint32_t faults);

}  // namespace strigil::rig
