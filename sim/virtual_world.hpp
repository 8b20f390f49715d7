// VirtualWorld: the twins in memory, in virtual time. Bytes take a fixed time over each wire; nothing depends on how
// fast this computer is, so that two runs are the same to the last bit.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "daq/link/link.hpp"
#include "daq/result.hpp"
#include "sim/world.hpp"

namespace strigil::sim {

/// Everything on the loop's own thread. The pacer calls advance(t), then the loop ticks at t.
class VirtualWorld {
 public:
  /// `chunks` takes what the devices send, and outlives the world.
  VirtualWorld(const SimConfig& config, daq::ChunkRing& chunks, daq::HostTime start = {});
  ~VirtualWorld();
  VirtualWorld(const VirtualWorld&) = delete;
  VirtualWorld& operator=(const VirtualWorld&) = delete;

  /// Opens "memory:stage", "memory:force" or "memory:vibration", each once. Errors: an unknown name, or one in use.
  /// Until its link is open a device speaks into the void. The link must not outlive the world. What is written
  /// reaches the device one link delay after the last advance(); write() does not allocate.
  daq::Result<std::unique_ptr<daq::Link>> open(const std::string& uri, daq::LinkId id);
  /// The same for a device that is none of the tick's: what comes over its wire goes into `own`, which outlives the world.
  /// "memory:generator", where the bench has one.
  daq::Result<std::unique_ptr<daq::Link>> open_aside(const std::string& uri, daq::ChunkRing& own);

  /// Lets time come to `to`. Chunks whose bytes arrived by then are in the ring, stamped with their arrival. What a
  /// full ring cannot take waits, as in a socket's buffer; beyond 8192 chunks a device it is lost and counted.
  void advance(daq::HostTime to);
  /// The same up to the first arrival of anything that was not there yet, but not beyond `latest`: what a computer does
  /// that sleeps until it hears something.
  void advance_to_arrival(daq::HostTime latest);
  /// On: what a full ring cannot take is lost, as it is when the io thread reads on while the loop does not. At first
  /// off.
  void refuse_when_full(bool on) noexcept;
  /// Where advance() last came to.
  [[nodiscard]] daq::HostTime now() const noexcept;

  [[nodiscard]] const World& world() const noexcept;
  /// As World::load_edge().
  void load_edge(const std::array<double, 3>& force_N) noexcept;
  /// As World::shake() and World::mount_on_shaker().
  void shake(const rig::Excitation& excitation) noexcept;
  void mount_on_shaker(std::size_t axis) noexcept;
  /// As World::instrument_bench().
  [[nodiscard]] InstrumentBenchPlant* instrument_bench() noexcept;
  /// Chunks lost because nobody emptied the ring.
  [[nodiscard]] std::uint64_t lost_chunks() const noexcept;

 private:
  struct Wires;
  std::unique_ptr<Wires> wires_;
};

}  // namespace strigil::sim
