// Decoding: samples a second and core that the real sessions make of a device's bytes, with sequence, clock fit and
// blocks; one thread. The force stream comes as it does on the wire: a record of six channels a datagram. Reference:
// the same records read by nothing but byte swaps into memory.
#include <endian.h>
#include <fmt/format.h>

#include <cstring>

#include "daq/codec/rdt_session.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/sensor_device.hpp"
#include "tests/bench/thread_clock.hpp"

namespace strigil::bench {
namespace {

/// Takes everything and looks at what it must not be without.
class Taking final : public daq::SessionOutput {
 public:
  void newest(const daq::NewestSample& sample) noexcept override { last_ += sample.counts[2]; }
  void block(const daq::Block& block) noexcept override {
    samples += block.samples;
    last_ += block.counts[0];
  }
  void event(const daq::Event&) noexcept override { ++events; }
  bool send(std::span<const std::byte>) noexcept override { return true; }
  std::uint64_t samples = 0;
  std::uint64_t events = 0;

 private:
  std::int64_t last_ = 0;
};

daq::Chunk chunk_of(std::span<const std::byte> bytes, daq::ChunkKind kind) {
  daq::Chunk c;
  c.kind = kind;
  c.size = static_cast<std::uint16_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), c.bytes.begin());
  return c;
}

constexpr daq::HostTime kStart{1'000'000'000};

/// Samples a second of CPU that `session` makes of `chunks`, each coming `apart` after the one before, and its timers
/// looked after once a millisecond of the device's time.
double decode_rate(daq::Session& session, std::vector<daq::Chunk>& chunks, double apart_s) {
  Taking out;
  daq::HostTime ticked = kStart;
  session.on_time(kStart, out);
  const double began_s = thread_cpu_s();
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    auto& c = chunks[i];
    c.received = kStart + daq::from_seconds(static_cast<double>(i) * apart_s);
    session.on_chunk(c, c.received, out);
    if (c.received - ticked >= std::chrono::milliseconds(1)) {
      ticked = c.received;
      session.on_time(ticked, out);
    }
  }
  const double took_s = thread_cpu_s() - began_s;
  session.on_time(kStart + std::chrono::hours(1), out);
  if (session.counts().rejected > 0 || session.counts().lost > 0) give_up("the session did not believe its device");
  return static_cast<double>(session.counts().samples) / took_s;
}

/// The same bytes, swapped and kept.
double swap_rate(const std::vector<daq::Chunk>& chunks) {
  constexpr std::size_t kWords = daq::kRdtRecordSize / sizeof(std::uint32_t);
  std::vector<std::uint32_t> kept(chunks.size() * kWords);
  const double began_s = thread_cpu_s();
  std::size_t at = 0;
  for (const auto& c : chunks) {
    for (std::size_t w = 0; w < kWords; ++w) {
      std::uint32_t word = 0;
      std::memcpy(&word, c.bytes.data() + w * sizeof word, sizeof word);
      kept[at++] = be32toh(word);
    }
  }
  const double took_s = thread_cpu_s() - began_s;
  if (kept.back() == 0x12345678U) give_up("that number was never sent");  // the words must really be made
  return static_cast<double>(chunks.size()) / took_s;
}

Figure force(const Options& options) {
  const std::uint32_t records = options.quick ? 50'000 : 300'000;
  std::vector<daq::Chunk> chunks;
  chunks.reserve(records);
  for (std::uint32_t n = 1; n <= records; ++n) {
    const auto bytes = encode(daq::RdtRecord{n, n, 0, {1, 2, static_cast<std::int32_t>(n), 4, 5, 6}});
    chunks.push_back(chunk_of(bytes, daq::ChunkKind::kDatagram));
  }
  constexpr double kRate_Hz = 7000;
  Rounds rounds;
  for (int i = 0; i < (options.quick ? 3 : 11); ++i) {
    daq::RdtSession session({.rate_Hz = kRate_Hz});
    rounds.add(decode_rate(session, chunks, 1 / kRate_Hz) * 1e-6, swap_rate(chunks) * 1e-6);
  }
  auto f = figure_of("decode of the force stream", "M samples/s", rounds);
  f.judged = f.ours;
  f.note = fmt::format("a sample: 6 channels; {:.3g} to {:.3g} in {} rounds; reference: byte swaps alone",
                       percentile(rounds.ours, 0), percentile(rounds.ours, 1), rounds.ours.size());
  f.at_least = 2;
  return f;
}

Figure vibration(const Options& options) {
  constexpr double kRate_Hz = 25600;
  const int packets = options.quick ? 5'000 : 40'000;
  std::vector<double> rates;
  for (int i = 0; i < (options.quick ? 3 : 7); ++i) {
    SensorDevice device({.rate_Hz = kRate_Hz});
    std::vector<daq::Chunk> chunks;
    daq::SensorStreamSession session({});
    Taking out;
    for (const auto& frame : device.description()) {
      auto c = chunk_of(frame.data(), daq::ChunkKind::kBytes);
      c.received = kStart;
      session.on_chunk(c, kStart, out);
    }
    chunks.reserve(static_cast<std::size_t>(packets));
    for (int p = 0; p < packets; ++p) chunks.push_back(chunk_of(device.next().data(), daq::ChunkKind::kBytes));
    rates.push_back(decode_rate(session, chunks, 32 / kRate_Hz) * 1e-6);
  }
  Figure f;
  f.name = "decode of the sensor stream";
  f.unit = "M samples/s";
  f.ours = f.judged = median(rates);
  f.note = "3 channels, 32 samples a packet, COBS and CRC-16";
  return f;
}

int decode_bench(const Options& options) { return report(options, {force(options), vibration(options)}); }

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::decode_bench(strigil::bench::parse_options(argc, argv)); }
