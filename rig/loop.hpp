// Loop: the tick, the whole system on one screen (DESIGN.md, The tick).
#pragma once

#include <atomic>
#include <cstdint>

#include "daq/latest.hpp"
#include "daq/ring.hpp"
#include "rig/behaviour.hpp"
#include "rig/drive.hpp"
#include "rig/force_control.hpp"
#include "rig/intake.hpp"
#include "rig/interlock.hpp"
#include "rig/stage_map.hpp"
#include "rig/supervisor.hpp"
#include "rig/tick_intervals.hpp"

namespace strigil::rig {

/// What a screen shows of the rig; published once a tick.
struct RigState {
  Readings readings;
  SupervisorState supervisor = SupervisorState::kFaulted;
  std::uint64_t ticks = 0;
};

/// What the intake has put out, for who must not read it while the loop turns.
struct IntakeCounts {
  static constexpr std::size_t kMostStreams = 16;
  std::size_t count = 0;
  std::array<StreamCounts, kMostStreams> streams{};  ///< by id; the first `count` of them
};

/// The parts a loop runs on. All must outlive it.
struct LoopParts {
  Intake& intake;
  Interlock& interlock;
  Supervisor& supervisor;
  Behaviour& behaviour;
  Drive& drive;
  const StageMap* stage_map = nullptr;    ///< the stage's error map; without, it goes where it counts
  ForceControl* force_control = nullptr;  ///< where the drive takes velocities; without, no force is held
  std::size_t stage_link = 0;             ///< the intake's number for the drive's link
  daq::StreamId setpoint_stream = 0;      ///< stream of the setpoints that were written
  daq::Duration longest_tick{};           ///< a tick that comes later than this after the one before is an overrun
};

/// The same object in virtual and in real time. tick() is noexcept, allocates nothing, takes no lock, formats no text.
class Loop final : private EventSink {
 public:
  explicit Loop(const LoopParts& parts) : parts_(parts) {}

  /// One turn, on the loop thread. `now` never goes back.
  void tick(daq::HostTime now) noexcept;
  /// Asks for a command at the next tick. One other thread only. False when too many wait.
  bool request(Command command) noexcept { return commands_.push(command); }
  /// True when the supervisor says that the run is over.
  [[nodiscard]] bool over() const noexcept { return parts_.supervisor.over(); }
  /// Any thread.
  [[nodiscard]] RigState state() const noexcept { return latest_.load(); }
  /// Of up to a tenth of a second ago. Any thread.
  [[nodiscard]] IntakeCounts counts() const noexcept { return counts_.load(); }
  /// Ticks that came too late, so far. Any thread.
  [[nodiscard]] std::uint64_t overruns() const noexcept { return overruns_.load(std::memory_order_relaxed); }
  /// From tick to tick, so far. Any thread.
  [[nodiscard]] TickIntervals::Counts intervals() const noexcept { return intervals_.counts(); }
  /// Commands that were not permitted, so far. Any thread.
  [[nodiscard]] std::uint64_t refused_commands() const noexcept { return refused_commands_.load(); }

 private:
  void event(const daq::Event& event) noexcept override { parts_.intake.push_event(event); }
  void apply_commands(daq::HostTime now) noexcept;
  [[nodiscard]] Demand wish(daq::HostTime now) noexcept;
  [[nodiscard]] Demand correct(const Demand& demand, bool pressed, daq::HostTime now) noexcept;
  [[nodiscard]] Demand steer(const Demand& demand, daq::HostTime now) noexcept;
  void record_setpoint(const Setpoint& setpoint, daq::HostTime now) noexcept;
  void tell_counts(daq::HostTime now) noexcept;
  void watch_lateness(daq::HostTime now) noexcept;
  void report_supervisor(daq::HostTime now) noexcept;

  static constexpr std::size_t kCommandCapacity = 16;
  LoopParts parts_;
  Readings readings_;
  StageCorrection correction_;
  daq::Ring<Command> commands_{kCommandCapacity};
  std::atomic<std::uint64_t> refused_commands_{0};
  std::atomic<std::uint64_t> overruns_{0};
  TickIntervals intervals_;
  daq::Latest<RigState> latest_;
  SupervisorState reported_ = SupervisorState::kFaulted;
  Setpoint last_setpoint_;
  daq::Block setpoint_block_;
  std::uint64_t setpoints_ = 0;
  std::uint64_t ticks_ = 0;
  daq::HostTime last_tick_;
  daq::Latest<IntakeCounts> counts_;
  daq::HostTime counted_;
};

/// The description of the setpoint stream: a sample for each new move and each new velocity. Where to and how fast,
/// what kind it was, and for a velocity its parts and what force control knew when it made it.
daq::StreamDescription describe_setpoints(daq::StreamId id);

}  // namespace strigil::rig
