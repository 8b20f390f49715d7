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
