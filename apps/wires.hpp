// The wires of a bench, whichever kind they are: real links read by the io thread, or a simulated world.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daq/chunk.hpp"
#include "daq/fanout.hpp"
#include "daq/link/link.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "rig/bench.hpp"
#include "rig/pacer.hpp"

namespace strigil::daq {
class IoThread;
}
namespace strigil::sim {
class World;
class VirtualWorld;
}  // namespace strigil::sim

namespace strigil::apps {

/// How much room and time this computer has. Tests make it small to show that every loss has its name.
struct BusyComputer {
  std::size_t chunks = 4096;  ///< that may wait for the loop: half a second of 7 kHz force, one record a datagram
  std::size_t recorder_blocks = daq::kSinkBlocks;
  std::size_t publisher_blocks = daq::kSinkBlocks;
  daq::Duration stall_at{};  ///< virtual time only: the loop does not turn for `stall` from here on
  daq::Duration stall{};
};

/// Each time virtual time has come on: the simulated world as it really is. For as long as the answer says, this
/// computer then stands still.
using WorldWatch = std::function<daq::Duration(const sim::World&, daq::HostTime)>;

/// Owned by who makes the rig on them, and outlives it. One thread.
class Wires {
 public:
  Wires(const BusyComputer& busy, const WorldWatch& watch);
  ~Wires();
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;

  /// Once. Errors: the [twin] part of the bench file. `seed` is the simulated world's.
  daq::Result<void> open(const rig::BenchConfig& bench, bool virtual_time, std::uint64_t seed);
  /// One link by its URI; after open().
  daq::Result<std::unique_ptr<daq::Link>> link(const std::string& uri, daq::LinkId id);
  /// The same for a device that is none of the tick's, once; what it says goes into a ring of its own (aside()).
  daq::Result<std::unique_ptr<daq::Link>> link_aside(const std::string& uri);
  [[nodiscard]] daq::ChunkRing& aside() { return aside_; }
  /// Where the ticks come from; after open().
  [[nodiscard]] rig::Pacer& pacer() { return *pacer_; }
  [[nodiscard]] daq::ChunkRing& chunks() { return chunks_; }
  /// The simulated world, for who lays hands on it; nullptr on real wires. After open().
  [[nodiscard]] sim::VirtualWorld* world() { return world_.get(); }

 private:
  const BusyComputer busy_;
  const WorldWatch& watch_;
  daq::ChunkRing chunks_;
  daq::ChunkRing aside_;
  std::unique_ptr<sim::VirtualWorld> world_;
  std::unique_ptr<daq::IoThread> io_;
  std::unique_ptr<daq::IoThread> io_aside_;
  std::unique_ptr<rig::Pacer> pacer_;
};

}  // namespace strigil::apps
