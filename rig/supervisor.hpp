// Supervisor: which of the few things the rig is doing. Commands ask it for permission.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "rig/behaviour.hpp"
#include "rig/interlock.hpp"

namespace strigil::rig {

enum class SupervisorState : std::uint8_t {
  kFaulted,           ///< as the rig starts, and after a fault
  kReady,             ///< interlock reset, at rest
  kRunning,           ///< the behaviour is stepped
  kAborting,          ///< retracting to clear after an abort or a trip
  kSafe,              ///< clear of the phantom, or as far as the stage could be trusted; run over
  kFinished,          ///< the behaviour ended by itself and the instrument is clear; run over
  kEmergencyStopped,  ///< stage killed; needs hands
  kSuspended,         ///< the behaviour holds its force or lifts the instrument, and waits to go on
};
/// Numbers of states are recorded and published: append, never renumber (docs/run_file.md).
inline constexpr int kSupervisorStates = 8;
std::string_view name_of(SupervisorState state) noexcept;
/// True for the states in which nothing more will happen.
bool over(SupervisorState state) noexcept;

enum class Command : std::uint8_t {
  kReset,
  kStart,
  kAbort,
  kSuspend,  ///< only while running
  kResume,   ///< only while suspended
};

/// Loop thread, except emergency_stop() (any thread, also a signal handler: one atomic store, never a queue).
class Supervisor {
 public:
  explicit Supervisor(const StageConfig& stage, RigPurpose purpose = RigPurpose::kRun)
      : stage_(stage), purpose_(purpose) {}

  void emergency_stop() noexcept { emergency_.store(true, std::memory_order_release); }
  [[nodiscard]] bool emergency() const noexcept { return emergency_.load(std::memory_order_acquire); }

  /// An operator's request. False when this state does not permit it; nothing changes then.
  bool apply(Command command, Interlock& interlock, daq::HostTime now) noexcept;
  /// Moves on by itself: trips, ends, retracts that are done or take too long. Once a tick, after evaluate().
  void advance(const Readings& readings, BehaviourState behaviour, daq::HostTime now) noexcept;

  [[nodiscard]] SupervisorState state() const noexcept { return state_; }
  /// True when nothing more will happen.
  [[nodiscard]] bool over() const noexcept;
  /// True when the retract at the end of the run was seen to arrive at the clear height.
  [[nodiscard]] bool reached_clear() const noexcept { return reached_clear_; }
  [[nodiscard]] bool aborted() const noexcept { return aborted_; }

 private:
  void enter(SupervisorState state, daq::HostTime now) noexcept;
  StageConfig stage_;
  RigPurpose purpose_;
  std::atomic<bool> emergency_{false};
  SupervisorState state_ = SupervisorState::kFaulted;
  daq::HostTime entered_;
  bool ends_well_ = false;  // kAborting leads to kFinished rather than kSafe
  bool reached_clear_ = false;
  bool aborted_ = false;
};

}  // namespace strigil::rig
