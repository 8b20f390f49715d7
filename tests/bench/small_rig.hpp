// The rig around one sensor: the real tick, with a stage that stays where it is.
#pragma once

#include <vector>

#include "rig/loop.hpp"

namespace strigil::bench {

/// Takes setpoints and does nothing: the interlock is never reset, so nothing but "hold" comes.
class RestingDrive final : public rig::Drive {
 public:
  [[nodiscard]] rig::DriveAbility ability() const noexcept override { return {}; }
  void write(const rig::PermittedSetpoint&, const rig::Readings&, daq::HostTime,
             daq::SessionOutput&) noexcept override {}
  void report(rig::Readings&) const noexcept override {}
};

class RestingBehaviour final : public rig::Behaviour {
 public:
  rig::Demand step(const rig::Readings&, daq::HostTime, rig::EventSink&) noexcept override { return {}; }
  [[nodiscard]] rig::BehaviourState state() const noexcept override { return rig::BehaviourState::kRunning; }
};

/// Everything that a tick goes through, for sessions given to `intake` before `configure`.
struct SmallRig {
  explicit SmallRig(daq::ChunkRing& chunks) : intake(chunks, fanout, bench.interlock) {}
  rig::BenchConfig bench;
  daq::Fanout fanout;
  rig::Intake intake;
  rig::Interlock interlock{bench.interlock, bench.stage};
  rig::Supervisor supervisor{bench.stage};
  RestingBehaviour behaviour;
  RestingDrive drive;
  rig::Loop loop{{.intake = intake,
                  .interlock = interlock,
                  .supervisor = supervisor,
                  .behaviour = behaviour,
                  .drive = drive,
                  .longest_tick = daq::from_seconds(1)}};
};

}  // namespace strigil::bench
