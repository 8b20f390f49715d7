// What the host makes of a sensor stream does not depend on how its bytes are cut, survives any bytes, and adds up.
#include <gtest/gtest.h>

#include <random>

#include "tests/daq/sensor_stream_host.hpp"

namespace strigil::daq {
namespace {

using namespace sensor_stream_host;

/// Bytes that come together at one instant.
struct Moment {
  Duration after;
  Bytes bytes;
};

std::vector<Moment> eventful_life() {
  std::vector<Moment> life;
  const auto garbage = Bytes(20, std::byte{0x33});
  auto damaged = data(128, 4 * kTicksPerPacket);
  damaged[9] ^= std::byte{0x10};
  life.push_back({0ms, garbage + Bytes{std::byte{0}} + described()});
  life.push_back({1ms, data(0, 0) + data(32, kTicksPerPacket)});
  life.push_back({5ms, data(96, 3 * kTicksPerPacket)});                                // a loss
  life.push_back({5ms, damaged + data(160, 5 * kTicksPerPacket, 32, 3, 0, true)});     // a bad CRC, a fault
  life.push_back({5ms, Bytes(5000, std::byte{7}) + Bytes{std::byte{0}}});              // an oversize frame
  life.push_back({400ms, framed(Status{3, "brown-out"}) + described() + data(0, 0)});  // a restart
  life.push_back({5ms, data(32, kTicksPerPacket, 64) + data(96, 3 * kTicksPerPacket, 1)});
  life.push_back({5ms, data(97, 3 * kTicksPerPacket + 156, 64, 4)});  // another shape
  life.push_back({5ms, data(0xFFFFFFF8, 1, 8) + data(0, 1251)});      // over the wrap, with a huge loss
  return life;
}

TEST(SensorStreamSession, SameOutputsForAThousandRandomSplittings) {
  std::mt19937 random(1);
  const auto life = eventful_life();
  const auto play = [&](std::size_t longest) {
    Host h;
    h.session.on_time(h.now, h.out);
    for (const auto& moment : life) {
      h.now = h.now + moment.after;
      for (std::span<const std::byte> left(moment.bytes); !left.empty();) {
        const auto n = std::min(left.size(), longest == 0 ? kChunkCapacity : 1 + random() % longest);
        h.hear(left.first(n));
        left = left.subspan(n);
      }
      h.session.on_time(h.now, h.out);
    }
    // The reports of rejected bytes are gathered for each chunk, but the last of them knows the sum.
    const auto last = std::find_if(h.out.events.rbegin(), h.out.events.rend(),
                                   [](auto& e) { return e.code == EventCode::kDecodeError; });
    EXPECT_EQ(last->arguments[0], static_cast<double>(h.counts().rejected));
    return told(h.out) + told(h.counts());
  };
  const auto whole = play(0);
  for (const char* seen : {"described", "samples_lost", "device_reset", "device_status", "rejected 4"}) {
    EXPECT_NE(whole.find(seen), std::string::npos) << seen << '\n' << whole;
  }
  for (int n = 0; n < 1000; ++n) ASSERT_EQ(play(1 + random() % (n % 2 == 0 ? 20 : 1400)), whole);
}

TEST(SensorStreamSession, SurvivesRandomBytesAndThenWorks) {
  std::mt19937 random(2);
  Host h;
  const std::array<Bytes, 6> good{described(),
                                  data(0, 0),
                                  data(32, 99),
                                  framed(Status{1, "x"}),
                                  framed(Device{4, "y", "z"}, 9),
                                  framed(Stream{3, 16, 1, 1000, 0, 1, "s", "q"})};
  for (int n = 0; n < 20000; ++n) {
    Bytes piece;
    if (random() % 2 == 0) {
      piece = good[random() % good.size()];
      if (random() % 2 == 0) piece[random() % piece.size()] = static_cast<std::byte>(random());
    } else {
      piece.resize(random() % 100);
      for (auto& b : piece) b = static_cast<std::byte>(random());
    }
    h.hear(piece, random() % 3 == 0 ? ChunkKind::kDatagram : ChunkKind::kBytes);
    h.pass(std::chrono::milliseconds(random() % 20));
    for (const auto& b : h.out.blocks) {
      ASSERT_GE(b.samples, 1);
      ASSERT_LE(b.samples, kMaxBlockSamples);
      ASSERT_LE(b.value_count(), kMaxBlockValues);
      ASSERT_LT(b.stream, kFirstStream + kMaxStreams);
    }
    h.out.blocks.clear();
    h.out.sent.clear();
    h.out.newest_samples.clear();
    h.out.events.clear();
  }
  EXPECT_GT(h.counts().rejected, 1000U);
  EXPECT_GT(h.counts().samples, 1000U);
  const auto samples = h.counts().samples;
  h.hear(Bytes{std::byte{0}});
  h.hear(data(1'000'000, 5) + data(1'000'032, 5 + kTicksPerPacket));
  EXPECT_EQ(h.counts().samples, samples + 64);
  EXPECT_EQ(h.last_flags(), 0U);
}

/// Sums over a lossy life, against sums made without the session.
TEST(SensorStreamSession, SamplesGapsAndLossAddUpOverRandomLoss) {
  std::mt19937 random(3);
  for (int life = 0; life < 50; ++life) {
    Host h;
    h.hear(described());
    auto at = static_cast<std::uint32_t>(random());  // anywhere, also just before the wrap
    if (life % 2 == 0) at = 0U - 2000U;
    std::uint32_t first = 0;
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t pending = 0;
    for (int n = 0; n < 300; ++n) {
      const auto samples = static_cast<std::uint8_t>(1 + random() % 64);
      auto frame = data(at, at * 156U, samples);
      const bool arrives = random() % 5 != 0;
      if (!arrives && random() % 2 == 0) frame.clear();
      if (!arrives && !frame.empty()) frame[frame.size() / 2] ^= std::byte{0x40};
      h.hear(frame);
      if (delivered == 0 && arrives) first = at;
      if (arrives) {
        if (delivered != 0) lost += pending;
        pending = 0;
        delivered += samples;
      } else {
        pending += samples;
      }
      at += samples;
    }
    EXPECT_EQ(h.counts().samples, delivered);
    EXPECT_EQ(h.out.samples(), delivered);
    EXPECT_EQ(h.counts().lost, lost);
    EXPECT_EQ(h.out.gaps(), lost);
    EXPECT_EQ(h.last().first_sample + h.last().samples - h.out.blocks.front().first_sample, delivered + lost);
    EXPECT_EQ(h.out.blocks.front().first_sample, first);
    EXPECT_EQ(h.counts().reordered, 0U);
  }
}

}  // namespace
}  // namespace strigil::daq
