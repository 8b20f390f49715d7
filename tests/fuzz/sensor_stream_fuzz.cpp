// libFuzzer target for the sensor stream. The input is the wire. It is played as it is, and again with every CRC put
// right, so that random bodies reach the parser; each time in one piece and cut up, which must make no difference.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "daq/codec/crc16.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "session_witness.hpp"

namespace {

using namespace strigil::daq;
using namespace strigil::daq::sensor_stream;
using Bytes = std::vector<std::byte>;

void append(Bytes& to, const Packet& packet) {
  Frame frame;
  encode(packet, frame);
  to.insert(to.end(), frame.data().begin(), frame.data().end());
}

/// The device of the golden files, which the data packets among them belong to.
Bytes description() {
  constexpr std::uint32_t kDevice = 0x57A1C0DE;
  Bytes out;
  append(out, {kDevice, Device{4, "d", "s"}});
  for (std::uint8_t s = 0; s < 4; ++s) {
    const std::uint8_t channels = s == 0 ? 3 : s == 1 ? 2 : s == 3 ? 6 : 1;
    append(out, {kDevice, Stream{s, channels, 6400, 1e6, -32767, 32767, "s", "q"}});
    for (std::uint8_t c = 0; c < channels; ++c) append(out, {kDevice, Channel{s, c, 1, 0, "c", "V"}});
  }
  return out;
}

/// Every frame that is COBS with the CRC it ought to have.
Bytes mended(std::span<const std::byte> wire) {
  Bytes out;
  for (std::size_t from = 0; from < wire.size();) {
    const auto end = static_cast<std::size_t>(
        std::find(wire.begin() + static_cast<std::ptrdiff_t>(from), wire.end(), std::byte{0}) - wire.begin());
    Bytes plain(kMaxPacket);
    const auto size = cobs_decode(wire.subspan(from, end - from), plain);
    if (size && *size > kCrcSize) {
      const auto crc = crc16(std::span<const std::byte>(plain).first(*size - kCrcSize));
      plain[*size - 2] = static_cast<std::byte>(crc);
      plain[*size - 1] = static_cast<std::byte>(crc >> 8U);
      Bytes frame(cobs_bound(*size));
      frame.resize(cobs_encode(std::span<const std::byte>(plain).first(*size), frame));
      out.insert(out.end(), frame.begin(), frame.end());
      out.push_back(std::byte{0});
      if (const auto packet = decode(std::span<const std::byte>(plain).first(*size))) {
        // What is accepted can be said again and means the same bytes, but for flags that nobody knows.
        Frame again;
        encode(*packet, again);
        Bytes back(kMaxPacket);
        require(cobs_decode(again.data().first(again.size - 1), back) == *size);
        require(decode(std::span<const std::byte>(back).first(*size)).has_value());
      }
    }
    from = end + 1;
  }
  return out;
}

void play(std::span<const std::byte> wire, bool described, ChunkKind kind) {
  const auto introduction = described ? description() : Bytes{};
  std::uint64_t fingerprint = 0;
  SessionCounts counts;
  for (const bool cut : {false, true}) {
    SensorStreamSession session({});
    SessionWitness witness(0);
    HostTime now{1'000'000'000};
    const auto hear = [&](std::span<const std::byte> bytes, std::size_t longest) {
      for (std::size_t i = 0; !bytes.empty(); ++i) {
        const auto wanted = longest == 0 ? std::to_integer<std::size_t>(wire[i % wire.size()]) % 50 + 1 : longest;
        const auto n = std::min(wanted, bytes.size());
        session.on_chunk(chunk_of(bytes.first(n), now, kind), now, witness);
        bytes = bytes.subspan(n);
      }
      session.on_time(now, witness);
    };
    hear(introduction, kChunkCapacity);
    require(session.described() == described);
    for (std::size_t from = 0; from < wire.size(); from += 700) {
      now = now + std::chrono::milliseconds(90);
      hear(wire.subspan(from, std::min<std::size_t>(700, wire.size() - from)), cut ? 0 : kChunkCapacity);
    }
    require(witness.samples == session.counts().samples);
    if (cut) {
      require(witness.fingerprint() == fingerprint);
      require_same(session.counts(), counts);
    }
    fingerprint = witness.fingerprint();
    counts = session.counts();
    (void)session.streams();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto wire = std::as_bytes(std::span(data, size));
  const auto good = mended(wire);
  for (const bool described : {false, true}) {
    for (const auto kind : {ChunkKind::kBytes, ChunkKind::kDatagram}) {
      play(wire, described, kind);
      if (!good.empty()) play(good, described, kind);
    }
  }
  return 0;
}
