// Decoding: a device's bytes, as they come over its wire, to blocks with times, through the session that the rig uses.
// One thread, CPU time: samples per second of one core. The reference is the least that any reader of these bytes does:
// for RDT the byte order and a store, for the sensor stream its checksum, for Grbl its line ends and numbers; each over
// the same bytes, cut into the same chunks.
#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <functional>

#include "daq/codec/crc16.hpp"
#include "daq/codec/grbl_session.hpp"
#include "daq/codec/rdt_session.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "tests/bench/cpu_clock.hpp"
#include "tests/bench/sensor_device.hpp"

namespace strigil::bench {
namespace {

using daq::ChunkKind;
using daq::HostTime;

/// Bytes of one device, one chunk after another, and when each arrived: at the device's own pace, which the clock fit
/// sees, though they are decoded as fast as can be.
struct Wire {
  struct Piece {
    std::size_t size;
    HostTime received;
  };
  ChunkKind kind = ChunkKind::kDatagram;
  std::vector<std::byte> bytes;
  std::vector<Piece> pieces;
  std::uint64_t samples = 0;

  void add(std::span<const std::byte> piece, double made_s) {
    // Nothing arrives before it is made; up to 0.1 ms late by chance.
    const double late_s = 200e-6 + 100e-6 * static_cast<double>(pieces.size() * 0x9E3779B9U % 1024U) / 1024;
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    pieces.push_back({piece.size(), HostTime{} + daq::from_seconds(1 + made_s + late_s)});
  }
};

/// Calls `take(chunk)` with every piece, copied as from the ring's slot; CPU seconds that this took.
template <typename Take>
double feed(const Wire& wire, daq::Chunk& chunk, const Take& take) {
  const double began_s = thread_cpu_s();
  const std::byte* at = wire.bytes.data();
  chunk.kind = wire.kind;
  for (const auto& piece : wire.pieces) {
    chunk.received = piece.received;
    chunk.size = static_cast<std::uint16_t>(piece.size);
    std::memcpy(chunk.bytes.data(), at, piece.size);
    at += piece.size;
    take(chunk);
  }
  return thread_cpu_s() - began_s;
}

/// Where the blocks go: counts them and looks at the last value, as any sink would.
class Sink final : public daq::SessionOutput {
 public:
  void newest(const daq::NewestSample& sample) noexcept override { newest_ += sample.sample; }
  void block(const daq::Block& block) noexcept override {
    samples += block.samples;
    newest_ += static_cast<std::uint32_t>(block.counts[block.value_count() - 1]);
  }
  void event(const daq::Event&) noexcept override {}
  bool send(std::span<const std::byte>) noexcept override { return true; }
  std::uint64_t samples = 0;

 private:
  std::uint64_t newest_ = 0;
};

/// Keeps a result alive that nobody else looks at.
void keep(std::uint64_t value) { asm volatile("" : : "r"(value)); }

struct Case {
  std::string name;
  daq::Session& session;
  std::function<Wire()> next;  ///< the next round's bytes
  std::function<double(const Wire&)> bare_s;
  bool has_clock = true;  ///< its samples are timed by a clock fit
  std::optional<double> least_per_s = std::nullopt;
};

Figure measure(const Case& c, int rounds) {
  Sink sink;
  daq::Chunk chunk;
  const auto ours_s = [&](const Wire& wire) {
    const auto before = sink.samples;
    const double took_s = feed(wire, chunk, [&](const daq::Chunk& piece) {
      c.session.on_chunk(piece, piece.received, sink);
      c.session.on_time(piece.received, sink);  // a tick for each chunk, as when the stream paces the loop
    });
    const auto& counts = c.session.counts();
    // What still gathers is not out yet.
    if (counts.lost + counts.rejected + counts.reordered != 0 || counts.samples == 0 ||
        sink.samples + daq::kMaxBlockSamples < before + wire.samples) {
      give_up(fmt::format("{}: {} samples went in, {} came out, {} lost, {} rejected", c.name, wire.samples,
                          sink.samples - before, counts.lost, counts.rejected));
    }
    return took_s;
  };
  Rounds found;
  for (int i = -1; i < rounds; ++i) {
    const Wire wire = c.next();
    const auto n = static_cast<double>(wire.samples);
    const double our_time_s = ours_s(wire);
    const double bare_time_s = c.bare_s(wire);
    // The first round is not counted: memory is touched for the first time, and the clock fit begins.
    if (i >= 0) found.add(n / our_time_s, n / bare_time_s);
    if (c.has_clock && !c.session.ready()) give_up(c.name + ": the clock fit has not locked");
  }
  auto f = figure_of(c.name, "samples/s", found);
  f.note = fmt::format("{:.3f} of bare reading; {}", f.judged, f.note);
  f.judged = f.ours;  // the bar is a rate and not a ratio
  f.at_least = c.least_per_s;
  return f;
}

constexpr double kForceRate_Hz = 7000;
constexpr double kForceBar_per_s = 2e6;

/// Nine big-endian words, the last six of them kept.
double bare_rdt_s(const Wire& wire) {
  daq::Chunk chunk;
  std::array<std::int32_t, daq::kMaxBlockValues> counts{};
  std::size_t n = 0;
  std::uint64_t sum = 0;
  const double took_s = feed(wire, chunk, [&](const daq::Chunk& piece) {
    for (std::size_t at = 0; at < piece.size; at += daq::kRdtRecordSize) {
      std::array<std::uint32_t, 9> words;
      std::memcpy(words.data(), &piece.bytes[at], sizeof words);
      for (auto& w : words) w = __builtin_bswap32(w);
      for (std::size_t a = 0; a < daq::kRdtAxes; ++a)
        counts[n * daq::kRdtAxes + a] = static_cast<std::int32_t>(words[3 + a]);
      n = (n + 1) % daq::kMaxBlockSamples;
      sum += words[0] + words[1] + words[2];
    }
  });
  keep(sum + static_cast<std::uint32_t>(counts[n]));
  return took_s;
}

Figure rdt(const std::string& name, std::uint32_t records_per_datagram, const Options& options) {
  daq::RdtSession session({.rate_Hz = kForceRate_Hz});
  std::uint32_t n = 0;
  const std::uint32_t datagrams = options.choose(200'000U, 40'000U, 20'000U) / records_per_datagram;
  const auto next = [&] {
    Wire wire;
    std::vector<std::byte> datagram;
    for (std::uint32_t d = 0; d < datagrams; ++d) {
      datagram.clear();
      for (std::uint32_t r = 0; r < records_per_datagram; ++r) {
        ++n;
        const auto count = static_cast<std::int32_t>(0x9E3779B9U * n) / 4;
        const auto record = encode(daq::RdtRecord{n, n, 0, {count, -count, count / 3, count / 5, count / 7, 6}});
        datagram.insert(datagram.end(), record.begin(), record.end());
      }
      wire.add(datagram, n / kForceRate_Hz);
    }
    wire.samples = std::uint64_t{datagrams} * records_per_datagram;
    return wire;
  };
  return measure({name, session, next, bare_rdt_s, true, kForceBar_per_s}, options.choose(25, 5, 1));
}

double bare_sensor_stream_s(const Wire& wire) {
  daq::Chunk chunk;
  std::uint64_t sum = 0;
  const double took_s = feed(wire, chunk, [&](const daq::Chunk& piece) { sum += daq::crc16(piece.data()); });
  keep(sum);
  return took_s;
}

Figure sensor_stream(const Options& options) {
  constexpr std::size_t kRead = 512;  // what a USB serial port gives at once
  constexpr double kRate_Hz = 25600;
  SensorDevice device({.channels = 3, .samples_per_packet = 32, .rate_Hz = kRate_Hz});
  daq::SensorStreamSession session({});
  {
    Wire introduction;
    for (const auto& frame : device.description()) introduction.add(frame.data(), 0);
    daq::Chunk chunk;
    Sink sink;
    (void)feed(introduction, chunk, [&](const daq::Chunk& piece) { session.on_chunk(piece, piece.received, sink); });
    if (!session.described()) give_up("the session did not understand its device");
  }
  const auto packets = options.choose<std::uint64_t>(10'000, 2'000, 2'000);
  const auto next = [&] {
    const auto before = device.samples();
    std::vector<std::byte> bytes;
    for (std::uint64_t p = 0; p < packets; ++p) {
      const auto frame = device.next().data();
      bytes.insert(bytes.end(), frame.begin(), frame.end());
    }
    Wire wire;
    wire.kind = ChunkKind::kBytes;
    wire.samples = device.samples() - before;
    const double per_byte_s = static_cast<double>(wire.samples) / kRate_Hz / static_cast<double>(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += kRead) {
      const auto piece = std::span(bytes).subspan(at).first(std::min(kRead, bytes.size() - at));
      wire.add(piece, static_cast<double>(before) / kRate_Hz + static_cast<double>(at + piece.size()) * per_byte_s);
    }
    return wire;
  };
  return measure({"decode of vibration, sensor stream", session, next, bare_sensor_stream_s}, options.choose(25, 5, 1));
}

/// Finds the ends of lines and reads the three numbers of each.
double bare_grbl_s(const Wire& wire) {
  daq::Chunk chunk;
  double sum = 0;
  const double took_s = feed(wire, chunk, [&](const daq::Chunk& piece) {
    std::string_view text(reinterpret_cast<const char*>(piece.bytes.data()), piece.size);
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      const auto line = text.substr(0, end);
      const char* at = line.data() + line.find(':') + 1;
      for (int axis = 0; axis < 3; ++axis) {
        double mm = 0;
        at = std::from_chars(at, line.data() + line.size(), mm).ptr + 1;
        sum += mm;
      }
      text.remove_prefix(end + 1);
    }
  });
  keep(std::bit_cast<std::uint64_t>(sum));
  return took_s;
}

Figure grbl(const Options& options) {
  daq::GrblSession session({.status_rate_Hz = 20});
  std::uint64_t n = 0;
  const auto reports = options.choose<std::uint64_t>(50'000, 10'000, 1'000);
  const auto next = [&] {
    Wire wire;
    wire.kind = ChunkKind::kBytes;
    for (std::uint64_t r = 0; r < reports; ++r) {
      const double x_mm = 1e-3 * static_cast<double>(n * 77 % 200'000);
      // Grbl tells its offset now and then.
      const auto line = fmt::format("<Run|MPos:{:.3f},{:.3f},{:.3f}|FS:3000,0{}>\r\n", x_mm, x_mm / 2, -x_mm / 3,
                                    n % 20 == 0 ? "|WCO:0.000,0.000,0.000" : "");
      wire.add(std::as_bytes(std::span(line)), static_cast<double>(++n) / 20);
    }
    wire.samples = reports;
    return wire;
  };
  return measure({"decode of position, Grbl reports", session, next, bare_grbl_s, false}, options.choose(25, 5, 1));
}

int decode_bench(const Options& options) {
  return report(options,
                {rdt("decode of force, a record a datagram", 1, options),
                 rdt("decode of force, 40 records a datagram", 40, options), sensor_stream(options), grbl(options)});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::decode_bench(strigil::bench::parse_options(argc, argv)); }
