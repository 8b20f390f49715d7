// A recorded device against the sessions of the real ones: what comes out must be what was recorded.
#include "daq/link/recorded_device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>


#include "daq/codec/rdt_session.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "daq/link/io_thread.hpp"
#include "daq/record/run_writer.hpp"
#include "daq/temporary_folder.hpp"

namespace strigil::daq {
namespace {

using testing::HasSubstr;

StreamDescription described(StreamId id, const std::string& name, const std::string& quantity, std::size_t channels,
                            double rate_Hz, double tick_rate_Hz) {
  StreamDescription d;
  d.id = id;
  d.name = name;
  d.device = "recorded";
  d.quantity = quantity;
  d.rate_Hz = rate_Hz;
  d.tick_rate_Hz = tick_rate_Hz;
  d.counts_min = -2'000'000'000;
  d.counts_max = 2'000'000'000;
  for (std::size_t c = 0; c < channels; ++c) d.channels.push_back({"c" + std::to_string(c), "N", 1e-3, 0});
  return d;
}

Block block_of(StreamId stream, std::uint16_t channels, std::uint16_t samples, std::uint64_t first, double period_ns,
               std::uint64_t ticks) {
  Block b{};
  b.stream = stream;
  b.channels = channels;
  b.samples = samples;
  b.first_sample = first;
  b.ticks = {ticks};
  b.period_ns = period_ns;
  b.t0 = HostTime{static_cast<std::int64_t>(static_cast<double>(first) * period_ns)};
  b.received = HostTime{static_cast<std::int64_t>(static_cast<double>(first + samples - 1) * period_ns) + 50'000};
  for (std::size_t v = 0; v < b.value_count(); ++v) {
    b.counts[v] = static_cast<std::int32_t>((first * channels + v) * 7919 % 1'000'003) - 500'000;
  }
  return b;
}

class Heard final : public SessionOutput {
 public:
  explicit Heard(RecordedDevice& device) : device_(device) {}
  void newest(const NewestSample&) noexcept override {}
  void block(const Block& b) noexcept override {
    for (std::size_t s = 0; s < b.samples; ++s) samples.push_back(b.first_sample + s);
    counts.insert(counts.end(), b.counts.begin(), b.counts.begin() + static_cast<std::ptrdiff_t>(b.value_count()));
    gaps += b.gap;
  }
  void event(const Event&) noexcept override {}
  bool send(std::span<const std::byte> bytes) noexcept override {
    device_.receive(bytes, now);
    return true;
  }
  HostTime now;
  std::vector<std::uint64_t> samples;
  std::vector<std::int32_t> counts;
  std::uint64_t gaps = 0;

 private:
  RecordedDevice& device_;
};

class RecordedDeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_.path() + "/run.h5";
    RunHeader header;
    header.run_id = "test";
    header.streams = {described(0, "force", "force", 6, 1000, 1000),
                      described(1, "vibration", "acceleration", 3, 6400, 1e6),
                      described(2, "position", "position", 3, 0, 0)};
    auto writer = RunWriter::create(path_, header);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    // 1,000 force samples in blocks of 10 with 5 missing in the middle; 6,400 of vibration in blocks of 64.
    std::uint64_t first = 4'294'967'000;  // the 32-bit sequence on the wire wraps on the way
    for (int i = 0; i < 100; ++i, first += 10) {
      if (i == 50) first += 5;
      auto b = block_of(0, 6, 10, first, 1e6, first);
      if (i == 50) b.gap = 5;
      write(**writer, b);
    }
    for (std::uint64_t i = 0; i < 100; ++i) write(**writer, block_of(1, 3, 64, i * 64, 156'250, i * 10'000));
    ASSERT_TRUE((*writer)->finish("{}", {}).ok());
  }

  void write(RunWriter& writer, const Block& b) {
    ASSERT_TRUE(writer.append(b).ok());
    auto& all = written_[b.stream];
    all.insert(all.end(), b.counts.begin(), b.counts.begin() + static_cast<std::ptrdiff_t>(b.value_count()));
  }

  /// Plays until the recording has ended, in steps of a millisecond; the chunks as the io thread cuts them.
  template <typename S>
  static void play(RecordedDevice& device, S& session, Heard& heard) {
    for (int ms = 0; ms < 3000 && !device.ended(); ++ms) {
      heard.now = HostTime{1'000'000'000} + std::chrono::milliseconds(ms);
      session.on_time(heard.now, heard);
      for (auto out = device.next(heard.now); !out.empty(); out = device.next(heard.now)) {
        for (; !out.empty(); out = out.subspan(std::min(out.size(), kChunkCapacity))) {
          Chunk chunk;
          chunk.kind = device.kind();
          chunk.received = heard.now;
          chunk.size = static_cast<std::uint16_t>(std::min(out.size(), kChunkCapacity));
          std::copy_n(out.begin(), chunk.size, chunk.bytes.begin());
          session.on_chunk(chunk, heard.now, heard);
        }
      }
    }
    heard.now = heard.now + std::chrono::milliseconds(50);
    session.on_time(heard.now, heard);
  }

  TemporaryFolder folder_ = TemporaryFolder::make("recorded").value();
  std::string path_;
  std::map<StreamId, std::vector<std::int32_t>> written_;
};

TEST_F(RecordedDeviceTest, ForceSpeaksRdtCountForCountWithItsGap) {
  auto device = RecordedDevice::load(path_, "force");
  ASSERT_TRUE(device.ok()) << device.error().message;
  EXPECT_EQ((*device)->kind(), ChunkKind::kDatagram);
  EXPECT_FALSE((*device)->due()) << "it waits for the host's start";
  RdtSession session({.stream = 0, .rate_Hz = 1000});
  Heard heard(**device);
  play(**device, session, heard);
  EXPECT_TRUE((*device)->ended());
  EXPECT_EQ(heard.counts, written_[0]);
  EXPECT_EQ(heard.gaps, 5U);
  EXPECT_EQ(session.counts().lost, 5U);
  EXPECT_EQ(session.counts().rejected, 0U);
}

TEST_F(RecordedDeviceTest, AnythingElseSpeaksTheSensorStreamAndDescribesItself) {
  auto device = RecordedDevice::load(path_, "vibration");
  ASSERT_TRUE(device.ok()) << device.error().message;
  SensorStreamSession session(SensorStreamSessionConfig{});
  Heard heard(**device);
  play(**device, session, heard);
  EXPECT_TRUE(session.described());
  EXPECT_EQ(heard.counts, written_[1]);
  EXPECT_EQ(heard.gaps, 0U);
}

TEST_F(RecordedDeviceTest, WhatIsNoSensorIsRefusedInWords) {
  EXPECT_THAT(RecordedDevice::load(path_, "position").error().message, HasSubstr("no rate"));
  EXPECT_THAT(RecordedDevice::load(path_, "pressure").error().message, HasSubstr("it has force, vibration, position"));
  EXPECT_FALSE(RecordedDevice::load(folder_.path() + "/none.h5", "force").ok());
}

TEST_F(RecordedDeviceTest, TheIoThreadPlaysItAndSaysWhenItIsOver) {
  ChunkRing ring(4096);
  IoThread io(ring);
  auto link = io.open("replay:" + path_ + "#force", 3);
  ASSERT_TRUE(link.ok()) << link.error().message;
  const auto start = encode(RdtRequest{RdtCommand::kStartRealtime, 0});
  ASSERT_TRUE((*link)->write(start));
  std::size_t records = 0;
  bool closed = false;
  for (int waits = 0; waits < 5000 && !closed; ++waits) {
    (void)io.wait(std::chrono::milliseconds(10));
    Chunk chunk;
    while (ring.pop(chunk)) {
      EXPECT_EQ(chunk.link, 3);
      closed = chunk.kind == ChunkKind::kClosed;
      if (!closed) ++records;
    }
  }
  EXPECT_TRUE(closed);
  EXPECT_EQ(records, 1000U);
  link = Error{"closed"};  // while the timer still turns
}

}  // namespace
}  // namespace strigil::daq
