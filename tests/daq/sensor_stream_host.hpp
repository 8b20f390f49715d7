// A scripted accelerometer and the host that listens to it. For tests of SensorStreamSession.
#pragma once

#include <chrono>
#include <vector>

#include "daq/codec/sensor_stream_session.hpp"
#include "tests/daq/session_recorder.hpp"

namespace strigil::daq::sensor_stream_host {

using namespace std::chrono_literals;
using namespace sensor_stream;
using Bytes = std::vector<std::byte>;

inline constexpr LinkId kLink = 2;
inline constexpr StreamId kFirstStream = 5;
inline constexpr std::uint32_t kDevice = 0x57A1C0DE;
inline constexpr double kRate_Hz = 6400;
inline constexpr std::uint32_t kTicksPerPacket = 5000;  // 32 samples of 6.4 kHz in microseconds

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes framed(const Body& body, std::uint32_t device = kDevice) {
  Frame frame;
  encode({device, body}, frame);
  return {frame.data().begin(), frame.data().end()};
}

/// What a three-axis accelerometer says of itself.
inline Bytes described(double scale = 1e-3) {
  auto out = framed(Device{1, "accelerometer", "S-7"}) +
             framed(Stream{0, 3, kRate_Hz, 1e6, -32767, 32767, "vibration", "acceleration"});
  std::uint8_t c = 0;
  for (const char* name : {"ax", "ay", "az"}) out = out + framed(Channel{0, c++, scale, 0.5, name, "m/s2"});
  return out;
}

/// `samples` samples of `channels` channels; each count is the low 14 bits of its sample counter.
inline Bytes data(std::uint32_t first_sample, std::uint32_t ticks, std::uint8_t samples = 32, std::uint8_t channels = 3,
                  std::uint8_t stream = 0, bool fault = false, std::uint32_t device = kDevice) {
  Bytes counts;
  for (std::uint32_t s = 0; s < samples; ++s) {
    for (std::uint32_t c = 0; c < channels; ++c) {
      const std::uint32_t v = (first_sample + s) & 0x3FFFU;
      for (unsigned i = 0; i < 4; ++i) counts.push_back(static_cast<std::byte>(v >> (8 * i)));
    }
  }
  return framed(Data{stream, fault, channels, samples, ticks, first_sample, counts}, device);
}

inline constexpr SensorStreamSessionConfig kConfig{.link = kLink, .first_stream = kFirstStream};

struct Host {
  SensorStreamSession session{kConfig};
  SessionRecorder out;
  HostTime now{1'000'000'000};

  void hear(std::span<const std::byte> bytes, ChunkKind kind = ChunkKind::kBytes) {
    do {
      const auto chunk = chunk_of(bytes, now, kLink, kind);
      session.on_chunk(chunk, now, out);
      bytes = bytes.subspan(chunk.size);
    } while (!bytes.empty());
  }
  void pass(Duration d) {
    now = now + d;
    session.on_time(now, out);
  }
  /// Whole packets of 32 samples, 5 ms apart, from `first` on.
  void stream(std::uint32_t first, std::uint32_t ticks, std::uint32_t packets, ChunkKind kind = ChunkKind::kBytes) {
    for (std::uint32_t i = 0; i < packets; ++i) {
      hear(data(first + 32 * i, ticks + kTicksPerPacket * i), kind);
      pass(5ms);
    }
  }
  [[nodiscard]] const SessionCounts& counts() const { return session.counts(); }
  [[nodiscard]] const Block& last() const { return out.blocks.back(); }
  [[nodiscard]] std::uint32_t last_flags() const { return last().flags & ~std::uint32_t{kClockUnlocked}; }
  /// What was asked of the device, in order.
  [[nodiscard]] std::vector<Type> asked() const {
    std::vector<Type> types;
    Unframer unframer;
    for (const auto& bytes : out.sent) {
      auto piece = std::as_bytes(std::span(bytes));
      while (const auto p = unframer.next(piece)) types.push_back(std::get<Request>(p->body).type);
    }
    return types;
  }
};

/// A host that knows the device and has heard its first packet (samples 0..31).
inline Host streaming() {
  Host h;
  h.pass(0ms);
  h.hear(described());
  h.pass(1ms);
  h.hear(data(0, 0));
  return h;
}

}  // namespace strigil::daq::sensor_stream_host
