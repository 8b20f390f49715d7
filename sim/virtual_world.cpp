#include "sim/virtual_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>

#include "daq/link/chunk_feed.hpp"

namespace strigil::sim {
namespace {

constexpr std::size_t kMostWaiting = 8192;  // chunks a device; half a second of 7 kHz force with an idle loop
constexpr std::size_t kMostUnread = 64;     // writes of the host that a device has not got yet

/// One write of the host on its way to a device.
struct Outgoing {
  daq::HostTime arrives;
  std::uint16_t size = 0;
  std::array<std::byte, daq::kChunkCapacity> bytes;
};

}  // namespace

/// One wire, both directions.
class Wire final : public TwinOutput {
 public:
  Wire(std::string wire_uri, daq::ChunkKind kind, daq::Duration delay)
      : uri(std::move(wire_uri)), kind_(kind), delay_(delay) {}

  void send(std::span<const std::byte> bytes, daq::HostTime now) override {
    if (!open || unplugged) return;
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min(bytes.size(), daq::kChunkCapacity));
      if (incoming.size() >= kMostWaiting) {
        ++lost;
      } else {
        auto& chunk = incoming.emplace_back();
        chunk.received = now + delay_;
        chunk.link = id;
        chunk.size = static_cast<std::uint16_t>(part.size());
        std::memcpy(chunk.bytes.data(), part.data(), part.size());
        // A datagram that does not fit is cut, once, and says so; a byte stream just goes on in the next chunk.
        const bool cut = kind_ == daq::ChunkKind::kDatagram && part.size() < bytes.size();
        chunk.kind = cut ? daq::ChunkKind::kTruncated : kind_;
      }
      bytes = kind_ == daq::ChunkKind::kDatagram ? std::span<const std::byte>{} : bytes.subspan(part.size());
    }
  }

  /// A port that went away stays closed to whoever had it open, a network is there again.
  void plug(bool in, daq::HostTime now) override {
    const bool port = kind_ == daq::ChunkKind::kBytes;
    if (in) {
      if (!port) unplugged = false;
      return;
    }
    if (unplugged) return;
    unplugged = true;
    if (!open || !port) return;
    auto& chunk = incoming.emplace_back();
    chunk.received = now + delay_;
    chunk.link = id;
    chunk.kind = daq::ChunkKind::kClosed;
  }

  /// The host writes at `now`. No allocation.
  bool write(std::span<const std::byte> bytes, daq::HostTime now) noexcept {
    if (bytes.size() > daq::kChunkCapacity) return false;
    if (unplugged) return kind_ == daq::ChunkKind::kDatagram;  // a network takes it all the same
    auto* slot = outgoing.reserve();
    if (slot == nullptr) return false;
    slot->arrives = now + delay_;
    slot->size = static_cast<std::uint16_t>(bytes.size());
    std::memcpy(slot->bytes.data(), bytes.data(), bytes.size());
    outgoing.commit();
    return true;
  }

  const std::string uri;
  daq::LinkId id = 0;
  bool open = false;
  bool unplugged = false;
  std::uint64_t lost = 0;
  std::deque<daq::Chunk> incoming;            // to the host, oldest first
  daq::Ring<Outgoing> outgoing{kMostUnread};  // one thread, but a queue that never allocates

 private:
  daq::ChunkKind kind_;
  daq::Duration delay_;
};

namespace {

/// The host's end of a wire.
class WireLink final : public daq::Link {
 public:
  WireLink(Wire& wire, const daq::HostTime& now) : wire_(wire), now_(now) {}
  ~WireLink() override { wire_.open = false; }
  WireLink(const WireLink&) = delete;
  WireLink& operator=(const WireLink&) = delete;
  bool write(std::span<const std::byte> bytes) noexcept override { return wire_.write(bytes, now_); }
  [[nodiscard]] const std::string& uri() const noexcept override { return wire_.uri; }

 private:
  Wire& wire_;
  const daq::HostTime& now_;
};

}  // namespace

struct VirtualWorld::Wires {
  Wires(const SimConfig& config, daq::ChunkRing& ring, daq::HostTime start)
      : chunks(ring),
        feed(ring),
        now(start),
        wire{Wire{"memory:stage", daq::ChunkKind::kBytes, config.stage.link_delay},
             Wire{"memory:force", daq::ChunkKind::kDatagram, config.force.link_delay},
             Wire{"memory:vibration", daq::ChunkKind::kBytes, config.vibration.link_delay}},
        generator("memory:generator", daq::ChunkKind::kBytes,
                  config.generator ? config.generator->link_delay : daq::Duration::zero()),
        world(config, start, {&wire[0], &wire[1], &wire[2]}, &generator) {}

  /// Gives every device what reaches it before the next step.
  void carry_to_devices() {
    const auto deliver = [this](Wire& w, const auto& receive) {
      const Outgoing* message = w.outgoing.front();
      while (message != nullptr && message->arrives <= world.next_step()) {
        receive(std::span<const std::byte>(message->bytes.data(), message->size), message->arrives);
        w.outgoing.release();
        message = w.outgoing.front();
      }
    };
    for (std::size_t i = 0; i < kDevices; ++i) {
      deliver(wire[i], [&](auto bytes, auto at) { world.receive(static_cast<DeviceName>(i), bytes, at); });
    }
    deliver(generator, [&](auto bytes, auto at) { world.receive_generator(bytes, at); });
  }

  [[nodiscard]] std::optional<daq::HostTime> first_arrival() const {
    std::optional<daq::HostTime> first;
    for (const auto& w : wire) {
      if (!w.incoming.empty() && (!first || w.incoming.front().received < *first)) first = w.incoming.front().received;
    }
    return first;
  }

  /// Puts what has arrived into the ring, in the order of arrival over all wires.
  void carry_to_host() {
    for (;;) {
      Wire* first = nullptr;
      for (auto& candidate : wire) {
        if (candidate.incoming.empty() || candidate.incoming.front().received > now) continue;
        if (first == nullptr || candidate.incoming.front().received < first->incoming.front().received)
          first = &candidate;
      }
      if (first == nullptr || (!refuses && chunks.size() >= chunks.counts().capacity)) return;
      const auto& chunk = first->incoming.front();
      (void)feed.put(chunk.link, chunk.kind, chunk.data(), chunk.received);  // a refusal is told by the next chunk
      first->incoming.pop_front();
    }
  }

  /// What the generator has said, into its own ring; what does not fit is lost, as everywhere.
  void carry_aside() {
    auto& waiting = generator.incoming;
    while (!waiting.empty() && waiting.front().received <= now) {
      const auto& chunk = waiting.front();
      if (own_feed) (void)own_feed->put(chunk.link, chunk.kind, chunk.data(), chunk.received);
      waiting.pop_front();
    }
  }

  daq::ChunkRing& chunks;
  daq::ChunkFeed feed;
  bool refuses = false;
  daq::HostTime now;
  std::array<Wire, kDevices> wire;
  Wire generator;
  std::optional<daq::ChunkFeed> own_feed;  // of the generator's wire
  World world;
};

VirtualWorld::VirtualWorld(const SimConfig& config, daq::ChunkRing& chunks, daq::HostTime start)
    : wires_(std::make_unique<Wires>(config, chunks, start)) {}
VirtualWorld::~VirtualWorld() = default;

daq::Result<std::unique_ptr<daq::Link>> VirtualWorld::open(const std::string& uri, daq::LinkId id) {
  for (auto& wire : wires_->wire) {
    if (wire.uri != uri) continue;
    if (wire.open) {
      return daq::Error{
          fmt::format("cannot open '{}': it is open already; check that no two devices of the bench "
                      "share a link",
                      uri)};
    }
    wire.incoming.clear();
    wire.open = true;
    wire.unplugged = false;
    wire.id = id;
    return std::unique_ptr<daq::Link>(std::make_unique<WireLink>(wire, wires_->now));
  }
  return daq::Error{
      fmt::format("cannot open '{}': the simulated bench has memory:stage, memory:force and "
                  "memory:vibration; check the key 'link' in the bench file",
                  uri)};
}

daq::Result<std::unique_ptr<daq::Link>> VirtualWorld::open_aside(const std::string& uri, daq::ChunkRing& own) {
  auto& wire = wires_->generator;
  if (uri != wire.uri || wires_->world.generator() == nullptr || wire.open) {
    return daq::Error{
        fmt::format("cannot open '{}': the generator of a simulated bench is at '{}', once; check "
                    "[generator] link in the bench file",
                    uri, wire.uri)};
  }
  wire.incoming.clear();
  wire.open = true;
  wire.unplugged = false;
  wires_->own_feed.emplace(own);
  return std::unique_ptr<daq::Link>(std::make_unique<WireLink>(wire, wires_->now));
}

void VirtualWorld::advance(daq::HostTime to) {
  auto& w = *wires_;
  while (w.world.next_step() <= to) {
    w.carry_to_devices();
    w.world.step();
  }
  w.now = std::max(w.now, to);
  w.carry_to_host();
  w.carry_aside();
}

void VirtualWorld::advance_to_arrival(daq::HostTime latest) {
  auto& w = *wires_;
  for (;;) {
    w.carry_to_devices();  // they may answer before the next step; whatever that sends arrives no earlier than it
    const auto first = w.first_arrival();
    if (first && *first <= std::min(latest, w.world.next_step())) {
      w.now = std::max(w.now, *first);
      break;
    }
    if (w.world.next_step() > latest) {
      w.now = std::max(w.now, latest);
      break;
    }
    w.world.step();
  }
  w.carry_to_host();
  w.carry_aside();
}

void VirtualWorld::refuse_when_full(bool on) noexcept { wires_->refuses = on; }
daq::HostTime VirtualWorld::now() const noexcept { return wires_->now; }
const World& VirtualWorld::world() const noexcept { return wires_->world; }
void VirtualWorld::shake(const rig::Excitation& excitation) noexcept { wires_->world.shake(excitation); }
void VirtualWorld::mount_on_shaker(std::size_t axis) noexcept { wires_->world.mount_on_shaker(axis); }
void VirtualWorld::load_edge(const std::array<double, 3>& force_N) noexcept { wires_->world.load_edge(force_N); }
InstrumentBenchPlant* VirtualWorld::instrument_bench() noexcept { return wires_->world.instrument_bench(); }
std::uint64_t VirtualWorld::lost_chunks() const noexcept {
  std::uint64_t lost = 0;
  for (const auto& wire : wires_->wire) lost += wire.lost;
  return lost;
}

}  // namespace strigil::sim
