// Rig: the machine put together from a bench file: links, sessions, intake, interlock, supervisor, drive.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daq/fanout.hpp"
#include "daq/link/link.hpp"
#include "rig/bench.hpp"
#include "rig/force_control.hpp"
#include "rig/intake.hpp"
#include "rig/interlock.hpp"
#include "rig/loop.hpp"
#include "rig/pacer.hpp"
#include "rig/stage_map.hpp"
#include "rig/supervisor.hpp"

namespace strigil::rig {

/// Opens a link by URI; in virtual time the simulated world does, in real time the io thread.
using LinkOpener = std::function<daq::Result<std::unique_ptr<daq::Link>>(const std::string& uri, daq::LinkId id)>;

/// Which streams of a rig on this bench feed which readings. Pure.
StreamRoles roles_of(const BenchConfig& bench);

/// What the force control of a rig on this bench is made of, with a drive that can do this. Pure.
ForceControlConfig force_control_of(const BenchConfig& bench, const DriveAbility& ability);

/// The same for the stage that the bench names; nothing where it cannot hold a force. Off the loop.
std::optional<ForceControlConfig> hold_of(const BenchConfig& bench);

/// One row of what every device and hop counted; the run's ledger is made of these.
struct DeviceCounts {
  std::string stream;  ///< or the device's name where it has no stream
  daq::SessionCounts session;
};

/// Owns everything between the wires and the fanout. One thread at a time: first the caller of bring_up(), then the
/// loop thread, then the caller of shut_down().
class Rig {
 public:
  /// Opens the links of `bench` and makes their sessions. Errors name the link and what to check.
  static daq::Result<std::unique_ptr<Rig>> assemble(const BenchConfig& bench, daq::ChunkRing& chunks,
                                                    const LinkOpener& open, RigPurpose purpose = RigPurpose::kRun);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// Talks to the devices until each has answered, described its streams and streams. Nothing moves.
  /// Errors: a device that stays silent, a stage in alarm, each with the link and what to check.
  daq::Result<void> bring_up(Pacer& pacer);
  /// Goes on taking in what the devices send, for whom nobody is there yet: one turn, and when it was. Between bring_up()
  /// and begin().
  daq::HostTime idle(Pacer& pacer) { return turn(pacer); }
  /// The sinks are there: counting begins anew. Once, before loop_with().
  void begin();
  /// Asks every device to stop streaming and takes in what is still on its way.
  void shut_down(Pacer& pacer);

  /// The loop over this rig with `behaviour`. Call once, after bring_up().
  Loop& loop_with(Behaviour& behaviour);

  /// Every stream of the run, in the order of their ids. After bring_up().
  [[nodiscard]] const std::vector<daq::StreamDescription>& streams() const { return streams_; }
  [[nodiscard]] const BenchConfig& bench() const { return bench_; }
  [[nodiscard]] const StreamRoles& roles() const { return roles_; }
  daq::Fanout& fanout() { return fanout_; }
  [[nodiscard]] const Intake& intake() const { return intake_; }
  [[nodiscard]] const Interlock& interlock() const { return interlock_; }
  Supervisor& supervisor() { return supervisor_; }
  /// What the stage can do. After bring_up().
  [[nodiscard]] DriveAbility ability() const;
  /// What keeps the stage from moving, and how to free it; empty when nothing does.
  [[nodiscard]] std::string stage_trouble() const;
  /// What the sessions counted since bring_up(), by stream.
  [[nodiscard]] std::vector<DeviceCounts> device_counts() const;

 private:
  struct Devices;
  Rig(const BenchConfig& bench, daq::ChunkRing& chunks, RigPurpose purpose);
  daq::HostTime turn(Pacer& pacer);

  BenchConfig bench_;
  RigPurpose purpose_;
  daq::ChunkRing& chunks_;
  daq::Fanout fanout_;
  Intake intake_;
  Interlock interlock_;
  Supervisor supervisor_;
  std::optional<StageMap> stage_map_;
  std::unique_ptr<Devices> devices_;
  std::vector<daq::StreamDescription> streams_;
  StreamRoles roles_;
  std::unique_ptr<Loop> loop_;
  Readings before_run_;
};

}  // namespace strigil::rig
