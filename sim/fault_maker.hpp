// FaultMaker: breaks the twins and their wires at the instants that were asked for.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "sim/fault.hpp"
#include "sim/rdt_twin.hpp"
#include "sim/sensor_stream_twin.hpp"
#include "sim/mount.hpp"
#include "sim/plant.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// What can be broken. All must outlive the maker.
struct Breakable {
  FaultyStage& stage;
  RdtTwin& force;
  SensorStreamTwin& vibration;
  TwinOutput& stage_wire;
  TwinOutput& force_wire;
  TwinOutput& vibration_wire;
};

/// One thread, time never going back; once a plant step make() before it and see() after it.
class FaultMaker {
 public:
  FaultMaker(const Breakable& bench, std::optional<Anvil> anvil, std::vector<SimFault> faults)
      : bench_(bench), anvil_(anvil), waiting_(std::move(faults)) {}
  /// The host's first byte came.
  void host_spoke(daq::HostTime at);
  /// Makes what is due, and ends what has lasted long enough.
  void make(daq::HostTime now);
  /// Looks for the instants from which faults are counted.
  void see(daq::HostTime now, const PlantState& state, const Plant& plant);
  [[nodiscard]] const std::vector<MadeFault>& made() const noexcept { return made_; }

 private:
  void begin(const SimFault& fault, daq::HostTime now);
  void set_lasting(const SimFault& fault, bool on, daq::HostTime now);
  void speak_garbage(TwinOutput& wire, std::uint32_t bytes, daq::HostTime now);

  struct Lasting {
    SimFault fault;
    daq::HostTime until;
  };
  static constexpr std::size_t kOrigins = 5;
  Breakable bench_;
  std::optional<Anvil> anvil_;
  std::vector<SimFault> waiting_;
  std::vector<Lasting> lasting_;
  std::vector<MadeFault> made_;
  std::uint64_t garbage_ = 1;                                   // the generator's state: the same garbage every time
  std::array<std::optional<daq::HostTime>, kOrigins> origins_;  // by FaultOrigin
};

}  // namespace strigil::sim
