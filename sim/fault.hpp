// Fault: what goes wrong on purpose. One catalogue for twins, their wires and the host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daq/strict_toml.hpp"
#include "daq/time.hpp"

namespace strigil::sim {

/// What can be broken. Beside each: what SimFault::size and SimFault::count mean to it, where they mean anything.
enum class FaultKind : std::uint8_t {
  kFreezeForce,      ///< samples go on, their counts never change
  kFreezeVibration,  ///< likewise
  kSilenceForce,     ///< the device says nothing any more; its counters run on
  kSilenceVibration,
  kSilenceStage,
  kStallStage,       ///< the stage acknowledges and does not move
  kStageAlarm,       ///< the stage goes into alarm `count` by itself; 1: a limit switch
  kDropForce,        ///< `count` force samples never reach the wire; the device counts them
  kDropVibration,    ///< `count` vibration packets, likewise
  kDamageForce,      ///< `count` datagrams of force arrive a byte short
  kDamageVibration,  ///< `count` packets of vibration arrive with a flipped bit

  kSpikeForce,         ///< `size` N on top of the normal force
  kSpikeVibration,     ///< `size` m/s2 on top of the acceleration along z
  kBiasForce,          ///< the normal force's zero steps by `size` N
  kSaturateForce,      ///< every count at the converter's end
  kSaturateVibration,  ///< likewise
  kFlagForce,          ///< samples go on, with `count` as the device's status word
  kFlagVibration,      ///< samples go on, each packet says that the device has a fault
  kRailForce,          ///< the normal force reads no more than `size` N, and nothing says so
  kJumpForceClock,     ///< the device's clock steps by `size` s
  kJumpVibrationClock,
  kRebootForce,  ///< counters begin again, nothing is sent until the host asks
  kRebootVibration,
  kRebootStage,      ///< stops dead, greets, and calls the place where it stands its start
  kLoseStepsX,       ///< the motor stands while the controller counts `size` m of its way
  kLoseStepsZ,       ///< likewise
  kUnplugForce,      ///< nothing passes the wire, either way
  kUnplugVibration,  ///< the port is gone
  kUnplugStage,
  kGarbageForce,      ///< a datagram of `count` random bytes
  kGarbageVibration,  ///< `count` random bytes between what it sends
  kGarbageStage,

  // Of the host: the world only says when. Whoever runs the drill does it.
  kStallHost,         ///< the rig's process stands still
  kKillHost,          ///< it is killed
  kFillDisk,          ///< nothing more can be written
  kFreezeSubscriber,  ///< one who listens stands still
  kKillSubscriber,    ///< one who listens is killed: a screen
};

/// The instant from which a fault's `at` is counted. All but kHost by the plant's truth, at the phantom.
enum class FaultOrigin : std::uint8_t {
  kHost,      ///< the first byte from the host to any device
  kApproach,  ///< on the way down, less than 3 mm over the phantom
  kContact,   ///< the first contact of instrument and phantom
  kStroke,    ///< in contact, and on the way along it
  kRetract,   ///< after a stroke: on the way up, still in contact
};

struct SimFault {
  FaultKind kind = FaultKind::kFreezeForce;
  FaultOrigin after = FaultOrigin::kHost;
  daq::Duration at{0};
  std::uint32_t count = 1;
  double size = 0;         ///< SI units
  daq::Duration lasts{0};  ///< 0: for good (a spike: one sample)
};

/// A fault that was made, and when.
struct MadeFault {
  SimFault fault;
  daq::HostTime at;
};

/// Reads what is broken and how (kind, and the keys that belong to it), but not when. Does not finish `table`.
SimFault read_fault(daq::StrictTable& table);
/// Reads the array [[faults]] of `twin`: as read_fault(), and `at_s` and `after`.
void read_faults(daq::StrictTable& twin, std::vector<SimFault>& faults);
/// As a table [[twin.faults]] that reads back as `fault`.
std::string to_toml(const SimFault& fault);
/// The name a file uses, e.g. "freeze_force", "contact".
std::string_view name_of(FaultKind kind) noexcept;
std::string_view name_of(FaultOrigin origin) noexcept;

}  // namespace strigil::sim
