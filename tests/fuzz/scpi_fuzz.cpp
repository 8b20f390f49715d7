// libFuzzer target for both ends of the generator's SCPI. First the bytes as they are: to the session and to the twin.
// Then session and twin talk to each other, and the bytes say what is set and which one byte is changed on the way:
// whatever came, a generator that can be heard is off once it was asked to be.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "daq/codec/scpi_generator.hpp"
#include "sim/generator_twin.hpp"

namespace {

using namespace strigil;

constexpr double kMax_V = 3;
constexpr double kRate_Hz = 1000;

void require(bool held) {
  if (!held) std::abort();
}

class ToHost final : public sim::TwinOutput {
 public:
  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    said.insert(said.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> said;
};

struct Bench {
  daq::HostTime now{1'000'000'000};
  daq::ScpiGenerator session{{.make = "Strigil", .max_V = kMax_V}};
  sim::GeneratorTwin twin{{.answer_latency = daq::Duration{0}, .link_delay = daq::Duration{0}}, kRate_Hz};
  std::vector<std::byte> to_twin;
  ToHost to_host;

  void harm(std::vector<std::byte>& bytes, std::uint8_t by) {
    if (by != 0 && !bytes.empty()) bytes[by % bytes.size()] ^= std::byte{by};
  }
  void turn(std::uint8_t to_there = 0, std::uint8_t to_here = 0) {
    now = now + std::chrono::milliseconds(1);
    session.on_time(now, [&](std::span<const std::byte> bytes) {
      require(!bytes.empty() && bytes.back() == std::byte{'\n'});
      to_twin.insert(to_twin.end(), bytes.begin(), bytes.end());
      return true;
    });
    harm(to_twin, to_there);
    twin.receive(to_twin, now, to_host);
    to_twin.clear();
    twin.step(now, {}, to_host);
    harm(to_host.said, to_here);
    if (!to_host.said.empty()) session.on_bytes(to_host.said, now);
    to_host.said.clear();
    require(std::isfinite(twin.output_V().amplitude) && twin.output_V().amplitude >= 0);
  }
};

void raw(const std::uint8_t* data, std::size_t size) {
  Bench b;
  for (std::size_t at = 0; at < size;) {
    const std::size_t n = std::min<std::size_t>(data[at], size - at - 1);
    ++at;
    const auto piece = std::as_bytes(std::span(data + at, n));
    at += n;
    b.session.on_bytes(piece, b.now);
    b.twin.receive(piece, b.now, b.to_host);
    b.turn();
  }
}

/// Four bytes a round: what is set, how much, and what is harmed on either way.
void conversation(const std::uint8_t* data, std::size_t size) {
  Bench b;
  for (int i = 0; i < 1000; ++i) b.turn();
  require(b.session.ready() && !b.twin.on());
  bool harmed = false;
  for (std::size_t at = 0; at + 4 <= size; at += 4) {
    daq::GeneratorSignal s;
    s.wave = static_cast<daq::GeneratorWave>(data[at] % 3);
    s.frequency_Hz = 1 + data[at + 1];
    s.to_Hz = s.frequency_Hz + 10;
    s.up_s = s.back_s = 0.5;
    s.peak_V = (1 + data[at + 1]) / 256.0 * 1.1 * kMax_V;
    const bool taken = b.session.set(s);
    require(!taken || s.wave == daq::GeneratorWave::kOff || s.peak_V <= kMax_V);
    harmed = harmed || data[at + 2] != 0 || data[at + 3] != 0;
    b.turn(data[at + 2], data[at + 3]);
    for (int i = 0; i < 400; ++i) b.turn();
    if (harmed) continue;
    require(b.session.failure().empty());
    require(b.session.settled());
    if (taken) require(b.twin.on() == (s.wave != daq::GeneratorWave::kOff));
    require(b.twin.most_V() <= kMax_V * (1 + 1e-6));
  }
  b.session.close();
  for (int i = 0; i < 60'000 && !b.session.over(); ++i) b.turn();
  require(b.session.over());
  // One that takes its generator for another tells it nothing, not even that.
  if (!b.session.identity().empty() && b.session.known_off() && b.session.ready()) require(!b.twin.on());
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
