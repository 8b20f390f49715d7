// libFuzzer target for both ends of TMCL. First the bytes as they are: to the session as chunks of the lengths they
// name, and to the twin. Then session and twin talk to each other, and the bytes say what is commanded and which one
// byte of which frame is changed: whatever comes, a reading is a place where its axis has been.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <vector>

#include "daq/codec/tmcl_session.hpp"
#include "sim/tmcl_twin.hpp"

namespace {

using namespace strigil;

void require(bool held) {
  if (!held) std::abort();
}

daq::TmclSessionConfig session_config() {
  daq::TmclSessionConfig c;
  c.axes[2].pulses_per_m = -1e6;
  return c;
}

sim::TmclTwinConfig twin_config() {
  sim::TmclTwinConfig c;
  c.start_m = {0.15, 0.05, -0.02};
  c.start_known = true;
  c.answer_latency = daq::Duration{0};
  return c;
}

class Line final : public daq::SessionOutput, public sim::TwinOutput {
 public:
  void newest(const daq::NewestSample&) noexcept override {}
  void block(const daq::Block& b) noexcept override { require(b.samples == 1 && b.channels == daq::kStageAxes); }
  void event(const daq::Event& e) noexcept override { require(e.detail.back() == '\0'); }
  bool send(std::span<const std::byte> bytes) noexcept override {
    require(!bytes.empty() && bytes.size() % daq::kTmclBytes == 0);
    to_twin.insert(to_twin.end(), bytes.begin(), bytes.end());
    return true;
  }
  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    to_host.insert(to_host.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> to_twin;
  std::vector<std::byte> to_host;
};

daq::Chunk chunk_of(std::span<const std::byte> bytes, daq::HostTime at) {
  daq::Chunk chunk;
  chunk.received = at;
  chunk.size = static_cast<std::uint16_t>(std::min(bytes.size(), daq::kChunkCapacity));
  std::copy_n(bytes.begin(), chunk.size, chunk.bytes.begin());
  return chunk;
}

void raw(const std::uint8_t* data, std::size_t size) {
  Line line;
  daq::HostTime now{1'000'000'000};
  daq::TmclSession session(session_config());
  sim::TmclTwin twin(twin_config(), now);
  for (std::size_t at = 0; at < size;) {
    const std::size_t n = std::min<std::size_t>(data[at], size - at - 1);
    ++at;
    const auto piece = std::as_bytes(std::span(data + at, n));
    at += n;
    now = now + std::chrono::milliseconds(3);
    session.on_chunk(chunk_of(piece, now), now, line);
    session.on_time(now, line);
    twin.receive(piece, now, line);
    twin.step(now, {}, line);
    line.to_host.clear();
    line.to_twin.clear();
    const auto p = twin.position_m();
    const auto c = twin_config();
    for (std::size_t a = 0; a < rig::kAxes; ++a) require(p[a] >= c.travel_min_m[a] && p[a] <= c.travel_max_m[a]);
  }
}

/// Four bytes a round: what is commanded, on which axis, how much, and what is harmed.
void conversation(const std::uint8_t* data, std::size_t size) {
  Line line;
  daq::HostTime now{1'000'000'000};
  const auto config = session_config();
  daq::TmclSession session(config);
  sim::TmclTwin twin(twin_config(), now);
  std::deque<std::array<std::int32_t, rig::kAxes>> past;
  std::array<std::uint32_t, rig::kAxes> judged{};
  const auto turn = [&](std::uint8_t harm) {
    now = now + std::chrono::milliseconds(1);
    if (harm != 0 && harm < 64 && !line.to_twin.empty()) line.to_twin[harm % line.to_twin.size()] ^= std::byte{harm};
    twin.receive(line.to_twin, now, line);
    line.to_twin.clear();
    twin.step(now, {}, line);
    past.push_back({twin.pulses(0), twin.pulses(1), twin.pulses(2)});
    if (past.size() > 50) past.pop_front();
    if (harm >= 64 && harm < 192 && !line.to_host.empty()) line.to_host[harm % line.to_host.size()] ^= std::byte{harm};
    if (harm >= 192) line.to_host.clear();
    if (!line.to_host.empty()) {
      session.on_chunk(chunk_of(line.to_host, now), now, line);
      line.to_host.clear();
    }
    session.on_time(now, line);
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      const auto& r = session.axis(a);
      if (r.reports == judged[a]) continue;
      judged[a] = r.reports;
      const double pulses = r.position_m * config.axes[a].pulses_per_m;
      require(std::any_of(past.begin(), past.end(), [&](const auto& p) { return std::abs(p[a] - pulses) < 0.5; }));
    }
    require(session.pending() <= 2 * rig::kAxes);
  };
  for (int i = 0; i < 60; ++i) turn(0);
  require(session.ready());
  for (std::size_t at = 0; at + 4 <= size; at += 4) {
    const std::size_t axis = data[at + 1] % rig::kAxes;
    const double amount = data[at + 2] / 255.0 - 0.5;
    switch (data[at] % 12) {
      case 0:
        (void)session.stop_axes(now, line);
        break;
      case 1:
        (void)session.stop_hard(now, line);
        break;
      case 2:
        (void)session.home(axis, now, line);
        break;
      case 3:
        (void)session.clear_faults(now, line);
        break;
      case 4:
        (void)session.move_to(axis, amount, 0.05, now, line);
        break;
      case 5:
        twin.stall(axis);
        break;
      default:
        (void)session.set_velocity(axis, amount * 0.2, now, line);
        break;
    }
    for (int i = 0; i < 1 + data[at + 1] / 16; ++i) turn(i == 0 ? data[at + 3] : 0);
  }
  // Left alone, it finds the step and stops.
  for (int i = 0; i < 100; ++i) turn(0);
  (void)session.stop_axes(now, line);
  for (int i = 0; i < 500; ++i) turn(0);
  require(session.pending() == 0 && session.ready() && session.restarts() == 0);
  for (std::size_t a = 0; a < rig::kAxes; ++a) require(twin.motion(a).at_rest());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] % 2 == 0) {
    raw(data + 1, size - 1);
  } else {
    conversation(data + 1, size - 1);
  }
  return 0;
}
