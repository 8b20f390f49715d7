#include "apps/wires.hpp"

#include "daq/link/io_thread.hpp"
#include "rig/wire_pacer.hpp"
#include "sim/virtual_world.hpp"

namespace strigil::apps {
namespace {

/// A device that is none of the tick's says a line at a time.
constexpr std::size_t kAside = 64;

/// Virtual time: the world goes on until something has arrived, as in real time.
class WorldPacer final : public rig::Pacer {
 public:
  WorldPacer(sim::VirtualWorld& world, const BusyComputer& busy, const WorldWatch& watch)
      : world_(world), busy_(busy), watch_(watch) {
    world_.refuse_when_full(busy.stall > daq::Duration::zero());
  }
  daq::HostTime next() override {
    const bool stalls =
        !stalled_ && busy_.stall > daq::Duration::zero() && world_.now() >= daq::HostTime{} + busy_.stall_at;
    stalled_ = stalled_ || stalls;
    if (stalls) {
      world_.advance(world_.now() + busy_.stall);
    } else {
      world_.advance_to_arrival(world_.now() + rig::WirePacer::kBackstop);
    }
    look();
    return world_.now();
  }

 private:
  void look() {
    constexpr daq::Duration kLook = std::chrono::milliseconds(1);
    if (!watch_) return;
    for (auto still = watch_(world_.world(), world_.now()); still > daq::Duration::zero(); still -= kLook) {
      world_.advance(world_.now() + kLook);
      (void)watch_(world_.world(), world_.now());
    }
  }

  sim::VirtualWorld& world_;
  const BusyComputer busy_;
  const WorldWatch& watch_;
  bool stalled_ = false;
};

}  // namespace

Wires::Wires(const BusyComputer& busy, const WorldWatch& watch) 
    : busy_(busy), watch_(watch), chunks_(busy.chunks), aside_(kAside) {}

Wires::~Wires() = default;

daq::Result<void> Wires::open(const rig::BenchConfig& bench, bool virtual_time, std::uint64_t seed) {
  if (!virtual_time) {
    io_ = std::make_unique<daq::IoThread>(chunks_);
    pacer_ = std::make_unique<rig::WirePacer>(*io_);
    return {};
  }
  auto config = sim::parse_sim_config(bench.text, bench.file);
  if (!config) return config.error();
  config->seed = seed;
  config->tissue = bench.phantom_there;
  config->instrument = bench.instrument_there;
  if (auto can = sim::can_simulate(*config); !can) return can.error();
  world_ = std::make_unique<sim::VirtualWorld>(*config, chunks_);
  pacer_ = std::make_unique<WorldPacer>(*world_, busy_, watch_);
  return {};
}

daq::Result<std::unique_ptr<daq::Link>> Wires::link(const std::string& uri, daq::LinkId id) {
  return world_ ? world_->open(uri, id) : io_->open(uri, id);
}

daq::Result<std::unique_ptr<daq::Link>> Wires::link_aside(const std::string& uri) {
  if (world_) return world_->open_aside(uri, aside_);
  io_aside_ = std::make_unique<daq::IoThread>(aside_);
  return io_aside_->open(uri, 0);
}

}  // namespace strigil::apps
