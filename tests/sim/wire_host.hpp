// A host of a virtual world that speaks to its devices with bare bytes and keeps what it hears. For tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daq/codec/rdt.hpp"
#include "daq/codec/sensor_stream.hpp"
#include "sim/virtual_world.hpp"

namespace strigil::sim {

/// A phantom whose surface is the same height everywhere: forces are depth times stiffness.
inline SimConfig flat_config() {
  SimConfig config;
  config.phantom.curvature_amplitude_m = 0;
  return config;
}

/// Opens all three links. A tick is 1 ms.
class WireHost {
 public:
  explicit WireHost(const SimConfig& config, std::size_t ring_capacity = 4096)
      : chunks(ring_capacity), world(config, chunks), counts_per_N_(config.force.counts_per_N) {
    stage = open("memory:stage", 0);
    force = open("memory:force", 1);
    vibration = open("memory:vibration", 2);
  }

  void say(std::string_view text) { ASSERT_TRUE(stage->write(std::as_bytes(std::span(text)))); }
  void start_sensors() {
    ASSERT_TRUE(force->write(daq::encode(daq::RdtRequest{daq::RdtCommand::kStartRealtime, 0})));
    daq::sensor_stream::Frame frame;
    for (const auto type : {daq::sensor_stream::Type::kDescribe, daq::sensor_stream::Type::kStart}) {
      encode({daq::sensor_stream::kAnyDevice, daq::sensor_stream::Request{type}}, frame);
      ASSERT_TRUE(vibration->write(frame.data()));
    }
  }
  /// Lets `length` pass in ticks of 1 ms, asking the stage each 50 ms so that it knows that we live.
  void run(std::chrono::milliseconds length) {
    for (std::int64_t i = 0; i < length.count(); ++i) {
      if (ticks_++ % 50 == 0 && ask_stage) say("?");
      world.advance(world.now() + std::chrono::milliseconds(1));
      listen();
    }
  }
  void listen() {
    daq::Chunk chunk;
    while (chunks.pop(chunk)) {
      for (const auto byte : chunk.data()) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211ULL;
      hash = (hash ^ static_cast<std::uint64_t>(chunk.received.ns)) * 1099511628211ULL;
      EXPECT_LE(chunk.received, world.now());
      EXPECT_GE(chunk.received, last_received_);
      last_received_ = chunk.received;
      if (chunk.link == 0) {
        EXPECT_EQ(chunk.kind, daq::ChunkKind::kBytes);
        heard.append(reinterpret_cast<const char*>(chunk.bytes.data()), chunk.size);
        stage_at = chunk.received;
      } else if (chunk.link == 1) {
        EXPECT_EQ(chunk.kind, daq::ChunkKind::kDatagram);
        ASSERT_EQ(chunk.size, daq::kRdtRecordSize);
        records.push_back(daq::decode_rdt_record(chunk.data().first<daq::kRdtRecordSize>()));
        force_at.push_back(chunk.received);
      } else {
        take_vibration(chunk.data());
      }
    }
  }
  /// Of the newest record, bias included.
  [[nodiscard]] double normal_N() const { return records.back().counts[rig::kZ] / counts_per_N_; }
  [[nodiscard]] DeviceTotals totals(DeviceName device) const {
    return world.world().totals()[static_cast<std::size_t>(device)];
  }

  daq::ChunkRing chunks;
  VirtualWorld world;
  std::unique_ptr<daq::Link> stage;
  std::unique_ptr<daq::Link> force;
  std::unique_ptr<daq::Link> vibration;
  bool ask_stage = true;
  std::string heard;
  daq::HostTime stage_at;
  std::vector<daq::RdtRecord> records;
  std::vector<daq::HostTime> force_at;
  std::vector<std::array<std::int32_t, 3>> samples;
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a of every byte and its instant

 private:
  std::unique_ptr<daq::Link> open(const std::string& uri, daq::LinkId id) {
    auto link = world.open(uri, id);
    EXPECT_TRUE(link) << link.error().message;
    return link.ok() ? std::move(*link) : nullptr;
  }
  void take_vibration(std::span<const std::byte> bytes) {
    while (const auto packet = unframer_.next(bytes)) {
      const auto* data = std::get_if<daq::sensor_stream::Data>(&packet->body);
      if (data == nullptr) continue;
      for (std::size_t i = 0; i < data->samples; ++i)
        samples.push_back({data->count_at(3 * i), data->count_at(3 * i + 1), data->count_at(3 * i + 2)});
    }
    EXPECT_EQ(unframer_.rejected(), 0U);
  }

  double counts_per_N_;
  std::uint64_t ticks_ = 0;
  daq::HostTime last_received_;
  daq::sensor_stream::Unframer unframer_;
};

}  // namespace strigil::sim
