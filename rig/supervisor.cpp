#include "rig/supervisor.hpp"

namespace strigil::rig {
namespace {

/// The longest retract: full travel at a tenth of a normal retract speed still fits.
constexpr auto kRetractTimeout = std::chrono::seconds(15);

/// From the end of a drive's host time-out to rest, and a little of its lift; Grbl has run dry by then.
constexpr auto kDriveStops = std::chrono::milliseconds(300);

}  // namespace

std::string_view name_of(SupervisorState state) noexcept {
  switch (state) {
    case SupervisorState::kFaulted:
      return "faulted";
    case SupervisorState::kReady:
      return "ready";
    case SupervisorState::kRunning:
      return "running";
    case SupervisorState::kAborting:
      return "aborting";
    case SupervisorState::kSafe:
      return "safe";
    case SupervisorState::kFinished:
      return "finished";
    case SupervisorState::kEmergencyStopped:
      return "emergency_stopped";
    case SupervisorState::kSuspended:
      return "suspended";
  }
  return "unknown";
}

void Supervisor::enter(SupervisorState state, daq::HostTime now) noexcept {
  state_ = state;
  entered_ = now;
}

bool over(SupervisorState state) noexcept {
  return state == SupervisorState::kSafe || state == SupervisorState::kFinished ||
         state == SupervisorState::kEmergencyStopped;
}

bool Supervisor::over() const noexcept { return rig::over(state_); }

bool Supervisor::apply(Command command, Interlock& interlock, daq::HostTime now) noexcept {
  switch (command) {
    case Command::kReset:
      if (state_ != SupervisorState::kFaulted || !interlock.reset()) return false;
      enter(SupervisorState::kReady, now);
      return true;
    case Command::kStart:
      if (state_ != SupervisorState::kReady || interlock.latched() != 0) return false;
      enter(SupervisorState::kRunning, now);
      return true;
    case Command::kAbort:
      if (over()) return false;
      aborted_ = true;
      if (state_ != SupervisorState::kAborting) enter(SupervisorState::kAborting, now);
      ends_well_ = false;
      return true;
    case Command::kSuspend:
      if (state_ != SupervisorState::kRunning || interlock.latched() != 0) return false;
      enter(SupervisorState::kSuspended, now);
      return true;
    case Command::kResume:
      if (state_ != SupervisorState::kSuspended || interlock.latched() != 0) return false;
      enter(SupervisorState::kRunning, now);
      return true;
  }
  return false;
}

void Supervisor::advance(const Readings& r, BehaviourState behaviour, daq::HostTime now) noexcept {
  if (emergency()) {
    if (state_ != SupervisorState::kEmergencyStopped) enter(SupervisorState::kEmergencyStopped, now);
    return;
  }
  if (state_ == SupervisorState::kReady && r.latched_faults != 0) enter(SupervisorState::kFaulted, now);
  if (state_ == SupervisorState::kRunning || state_ == SupervisorState::kSuspended) {
    if (r.latched_faults != 0 || behaviour != BehaviourState::kRunning) {
      ends_well_ = r.latched_faults == 0 && behaviour == BehaviourState::kDone;
      enter(SupervisorState::kAborting, now);
    }
  } else if (state_ == SupervisorState::kAborting) {
    // What is being homed is not lifted: nobody knows from where. At rest it is as clear as it will be; a search that
    // was broken off may leave the stage locked.
    const bool homes = purpose_ == RigPurpose::kHome;
    const bool still = r.stage == StageState::kIdle || (homes && r.stage == StageState::kAlarm);
    const bool clear = homes || (r.stage_seen && r.counted_m()[kZ] >= stage_.clear_z_m - stage_.in_position_m);
    if (r.latched_faults != 0) ends_well_ = false;
    const bool lost = (r.faults & kStageRestarted) != 0;  // it says where it stands, but from where does it count?
    reached_clear_ = clear && still && !lost;
    const bool stands = lost || (r.faults & kStageAlarm) != 0;
    // What a silent stage does nobody can say: it is given the time in which its drive stops by itself.
    const bool silent = (r.faults & kStageStale) != 0;
    const auto alone = daq::from_seconds(stage_.host_silence_s) + kDriveStops;
    if (reached_clear_ || stands || (silent && now - entered_ > alone) || now - entered_ > kRetractTimeout) {
      enter(ends_well_ && reached_clear_ ? SupervisorState::kFinished : SupervisorState::kSafe, now);
    }
  }
}

}  // namespace strigil::rig
