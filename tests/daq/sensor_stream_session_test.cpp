// The host's side of a sensor stream against a scripted device: description, loss, wraps, restarts, silence, damage.
#include <gtest/gtest.h>

#include "tests/daq/sensor_stream_host.hpp"

namespace strigil::daq {
namespace {

using namespace sensor_stream_host;

TEST(SensorStreamSession, AsksForTheDescriptionThenStartsThenListens) {
  Host h;
  h.pass(0ms);
  EXPECT_EQ(h.asked(), std::vector{Type::kDescribe});
  h.pass(100ms);
  EXPECT_EQ(h.asked().size(), 1U) << "not impatient";
  EXPECT_FALSE(h.session.described());
  EXPECT_TRUE(h.session.streams().empty());
  h.hear(described());
  ASSERT_TRUE(h.session.described());
  EXPECT_FALSE(h.session.ready()) << "no sample has come";
  EXPECT_EQ(h.out.count(EventCode::kDescribed), 1U);
  h.pass(1ms);
  EXPECT_EQ(h.asked(), (std::vector{Type::kDescribe, Type::kStart}));
  h.stream(0, 0, 100);
  EXPECT_EQ(h.asked().size(), 2U) << "a device that streams is left alone";
  h.session.stop(h.now, h.out);
  h.pass(1s);
  EXPECT_EQ(h.asked(), (std::vector{Type::kDescribe, Type::kStart, Type::kStop}));
}

TEST(SensorStreamSession, RequestsNameTheDeviceOnceItIsKnown) {
  Host h = streaming();
  Unframer unframer;
  std::vector<std::uint32_t> devices;
  for (const auto& bytes : h.out.sent) {
    auto piece = std::as_bytes(std::span(bytes));
    while (const auto p = unframer.next(piece)) devices.push_back(p->device);
  }
  EXPECT_EQ(devices, (std::vector{kAnyDevice, kDevice}));
}

TEST(SensorStreamSession, TheDescriptionBecomesStreams) {
  const Host h = streaming();
  const auto streams = h.session.streams();
  ASSERT_EQ(streams.size(), 1U);
  const auto& s = streams[0];
  EXPECT_EQ(s.id, kFirstStream);
  EXPECT_EQ(s.name, "vibration");
  EXPECT_EQ(s.quantity, "acceleration");
  EXPECT_EQ(s.device, "accelerometer serial S-7 (id 57a1c0de)");
  EXPECT_EQ(s.rate_Hz, kRate_Hz);
  EXPECT_EQ(s.tick_rate_Hz, 1e6);
  EXPECT_EQ(s.counts_min, -32767);
  EXPECT_EQ(s.counts_max, 32767);
  ASSERT_EQ(s.channels.size(), 3U);
  EXPECT_EQ(s.channels[0].unit, "m/s2");
  EXPECT_EQ(s.channels[0].scale, 1e-3);
  EXPECT_EQ(s.channels[0].offset, 0.5);
}

TEST(SensorStreamSession, ADataPacketBecomesABlockAtOnce) {
  const Host h = streaming();
  ASSERT_EQ(h.out.blocks.size(), 1U);
  const auto& b = h.last();
  EXPECT_EQ(b.stream, kFirstStream);
  EXPECT_EQ(b.samples, 32);
  EXPECT_EQ(b.channels, 3);
  EXPECT_EQ(b.first_sample, 0U);
  EXPECT_EQ(b.gap, 0U);
  EXPECT_EQ(h.last_flags(), 0U);
  EXPECT_EQ(b.counts[0], 0);
  EXPECT_EQ(b.counts[95], 31);
  EXPECT_EQ(b.received, h.now);
  EXPECT_DOUBLE_EQ(b.period_ns, 1e9 / kRate_Hz);
  ASSERT_EQ(h.out.newest_samples.size(), 1U);
  EXPECT_EQ(h.out.newest_samples[0].sample, 31U);
  EXPECT_EQ(h.out.newest_samples[0].counts[2], 31);
  EXPECT_EQ(h.out.newest_samples[0].channels, 3);
  EXPECT_EQ(h.counts().samples, 32U);
}

TEST(SensorStreamSession, IsReadyAfterSomeSecondsOfSamplesAndTimesThemEvenly) {
  Host h = streaming();
  h.stream(32, kTicksPerPacket, 2000);  // 10 s
  EXPECT_TRUE(h.session.ready());
  EXPECT_EQ(h.last().flags, 0U);
  for (std::size_t i = h.out.blocks.size() - 100; i < h.out.blocks.size(); ++i) {
    const auto& b = h.out.blocks[i];
    EXPECT_NEAR(static_cast<double>((b.t0 - h.out.blocks[i - 1].t0).count()), 5e6, 1e3);
    EXPECT_LE(b.t0, b.received) << "nothing is measured after it came";
  }
}

TEST(SensorStreamSession, ALostDescriptionPacketIsAskedForAgain) {
  Host h;
  h.pass(0ms);
  h.hear(framed(Device{1, "accelerometer", "S-7"}) + framed(Channel{0, 0, 1, 0, "ax", "m/s2"}));
  h.pass(299ms);
  EXPECT_EQ(h.asked().size(), 1U);
  h.pass(1ms);
  EXPECT_EQ(h.asked(), (std::vector{Type::kDescribe, Type::kDescribe}));
  h.hear(described());
  EXPECT_TRUE(h.session.described());
}

TEST(SensorStreamSession, ARequestThatTheLinkDoesNotTakeIsTriedAtTheNextTick) {
  Host h;
  h.out.link_takes = false;
  h.pass(0ms);
  h.out.link_takes = true;
  h.pass(1ms);
  EXPECT_EQ(h.asked(), std::vector{Type::kDescribe});
}

TEST(SensorStreamSession, AnotherDeviceBeforeTheDescriptionIsCompleteBeginsItAgain) {
  Host h;
  h.hear(framed(Device{2, "first", "1"}) + framed(Stream{0, 2, 100, 1000, 0, 9, "old", "old"}));
  // It was swapped; the new one has one stream with one channel.
  constexpr std::uint32_t kOther = 77;
  h.hear(framed(Device{1, "second", "2"}, kOther));
  h.hear(framed(Stream{0, 1, 50, 5000, 0, 9, "new", "new"}, kOther));
  EXPECT_FALSE(h.session.described());
  h.hear(framed(Channel{0, 0, 2, 0, "stray", "N"}, kDevice));
  EXPECT_FALSE(h.session.described()) << "that was the first device's";
  h.hear(framed(Channel{0, 0, 2, 0, "v", "V"}, kOther));
  ASSERT_TRUE(h.session.described());
  EXPECT_EQ(h.session.streams()[0].name, "new");
  EXPECT_EQ(h.session.streams()[0].device, "second serial 2 (id 0000004d)");
  EXPECT_EQ(h.session.streams()[0].channels.size(), 1U);
}

TEST(SensorStreamSession, AStreamThatIsDescribedAnewWithFewerChannelsIsComplete) {
  Host h;
  h.hear(framed(Device{1, "d", "1"}) + framed(Stream{0, 4, 100, 1000, 0, 9, "s", "q"}));
  for (std::uint8_t c = 0; c < 3; ++c) h.hear(framed(Channel{0, c, 1, 0, "c", "V"}));
  EXPECT_FALSE(h.session.described());
  h.hear(framed(Device{1, "d", "1"}) + framed(Stream{0, 2, 100, 2000, 0, 9, "s", "q"}));
  ASSERT_TRUE(h.session.described());
  EXPECT_EQ(h.session.streams()[0].channels.size(), 2U);
  EXPECT_EQ(h.session.streams()[0].tick_rate_Hz, 2000);
}

TEST(SensorStreamSession, TheDescriptionDoesNotChangeWhileARunDependsOnIt) {
  Host h = streaming();
  const auto before = to_json(h.session.streams()[0]);
  h.hear(described(2e-3));
  h.hear(framed(Device{4, "other", "other"}, 99));
  EXPECT_EQ(to_json(h.session.streams()[0]), before);
  EXPECT_EQ(h.out.count(EventCode::kDescribed), 1U);
  // Samples of another shape are no samples of this stream: refused, counted, told.
  h.hear(data(32, kTicksPerPacket, 32, 4));
  h.hear(data(32, kTicksPerPacket, 32, 3, 1));
  EXPECT_EQ(h.out.blocks.size(), 1U);
  EXPECT_EQ(h.counts().rejected, 2U);
  EXPECT_EQ(h.out.count(EventCode::kDecodeError), 2U);
}

TEST(SensorStreamSession, DataOfAnotherDeviceOrBeforeTheDescriptionIsNotOurs) {
  Host h;
  h.hear(data(0, 0));
  EXPECT_TRUE(h.out.blocks.empty());
  h = streaming();
  h.hear(data(32, kTicksPerPacket, 32, 3, 0, false, 99));
  EXPECT_EQ(h.out.blocks.size(), 1U);
  EXPECT_EQ(h.counts().samples, 32U);
  EXPECT_EQ(h.counts().lost, 0U);
}

TEST(SensorStreamSession, FourStreamsKeepTheirOwnCounters) {
  Host h;
  h.hear(framed(Device{4, "d", "1"}));
  for (std::uint8_t s = 0; s < 4; ++s) {
    h.hear(framed(Stream{s, 1, 100, 1000, -9, 99999, "s", "q"}) + framed(Channel{s, 0, 1, 0, "c", "V"}));
  }
  ASSERT_TRUE(h.session.described());
  for (std::uint8_t s = 0; s < 4; ++s) h.hear(data(100U * s, 1000, 10, 1, s));
  h.hear(data(110, 1100, 10, 1, 1));
  h.hear(data(215, 1100, 10, 1, 2));
  EXPECT_EQ(h.counts().lost, 5U);
  ASSERT_EQ(h.out.blocks.size(), 6U);
  EXPECT_EQ(h.out.blocks[4].stream, kFirstStream + 1);
  EXPECT_EQ(h.out.blocks[4].gap, 0U);
  EXPECT_EQ(h.out.blocks[5].stream, kFirstStream + 2);
  EXPECT_EQ(h.out.blocks[5].gap, 5U);
}

TEST(SensorStreamSession, LossIsCountedExactly) {
  Host h = streaming();
  h.hear(data(32 + 7 * 32, 8 * kTicksPerPacket));
  EXPECT_EQ(h.counts().lost, 7U * 32);
  EXPECT_EQ(h.last().gap, 7U * 32);
  EXPECT_EQ(h.last_flags(), kGapBefore);
  ASSERT_EQ(h.out.count(EventCode::kSamplesLost), 1U);
  EXPECT_EQ(h.out.events.back().arguments[0], 224);
  EXPECT_EQ(h.out.events.back().arguments[1], 32);
  h.hear(data(288, 9 * kTicksPerPacket));
  EXPECT_EQ(h.last().gap, 0U);
  EXPECT_EQ(h.last_flags(), 0U);
  EXPECT_EQ(h.counts().samples, 96U);
}

TEST(SensorStreamSession, CountersAndTicksWrapWithoutAGap) {
  Host h;
  h.hear(described());
  // Both counters wrap, at different packets.
  const std::uint32_t first = 0xFFFFFFFF - 10 * 32 - 5;
  const std::uint32_t ticks = 0xFFFFFFFF - 4 * kTicksPerPacket - 77;
  h.stream(first, ticks, 20);
  EXPECT_EQ(h.counts().lost, 0U);
  EXPECT_EQ(h.counts().samples, 640U);
  ASSERT_EQ(h.out.blocks.size(), 20U);
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(h.out.blocks[i].first_sample, first + 32 * i);
    EXPECT_EQ(h.out.blocks[i].ticks.count, ticks + kTicksPerPacket * i);
    EXPECT_EQ(h.out.blocks[i].flags & ~std::uint32_t{kClockUnlocked}, 0U);
  }
  // And with a loss over the wrap.
  Host lossy;
  lossy.hear(described());
  lossy.hear(data(0xFFFFFFF0, 0, 8));
  lossy.hear(data(0x00000010, 3750, 8));
  EXPECT_EQ(lossy.counts().lost, 24U);
  EXPECT_EQ(lossy.last().first_sample, 0x100000010U);
}

TEST(SensorStreamSession, TheCounterWrapsTwiceInALongRun) {
  Host h;
  h.hear(described());
  // A packet now and then over 2.5 turns of the counter: every gap is told exactly.
  constexpr std::uint64_t kStride = 1'000'000'007;
  std::uint64_t sent = 0;
  for (std::uint64_t i = 0; i < 11; ++i, ++sent) h.hear(data(static_cast<std::uint32_t>(i * kStride), 0));
  EXPECT_EQ(h.last().first_sample, 10 * kStride);
  EXPECT_EQ(h.counts().lost, 10 * (kStride - 32));
  EXPECT_EQ(h.counts().samples, 11U * 32);
}

TEST(SensorStreamSession, ACounterThatStepsBackIsARestartedDevice) {
  // Also by less than the window of late packets: a byte stream keeps its order.
  for (const std::uint32_t before : {64U, 3200U, 1'000'000U}) {
    Host h = streaming();
    h.hear(data(before, 2 * kTicksPerPacket));
    const auto lost = h.counts().lost;
    h.hear(data(0, 0));
    EXPECT_EQ(h.last_flags(), kDeviceReset | kGapBefore);
    EXPECT_EQ(h.last().gap, 1U) << "nobody knows how many, at least one";
    EXPECT_EQ(h.last().first_sample, std::uint64_t{1} << 32U);
    EXPECT_EQ(h.counts().lost, lost + 1);
    EXPECT_EQ(h.counts().reordered, 0U);
    EXPECT_EQ(h.out.count(EventCode::kDeviceReset), 1U);
    EXPECT_NE(h.last().flags & kClockUnlocked, 0U) << "its old clock says nothing";
    h.hear(data(32, kTicksPerPacket));
    EXPECT_EQ(h.last_flags(), 0U);
    EXPECT_EQ(h.last().first_sample, (std::uint64_t{1} << 32U) + 32);
  }
}

TEST(SensorStreamSession, ARestartWhileOfAnEarlierEpochStillRises) {
  Host h = streaming();
  std::uint64_t last = h.last().first_sample;
  for (int restart = 0; restart < 5; ++restart) {
    h.hear(data(40000, 1000));
    EXPECT_GT(h.last().first_sample, last);
    last = h.last().first_sample;
    h.hear(data(0, 0));
    EXPECT_GT(h.last().first_sample, last);
    last = h.last().first_sample;
  }
  EXPECT_EQ(h.out.count(EventCode::kDeviceReset), 5U);
}

TEST(SensorStreamSession, AmongDatagramsLatePacketsAreDroppedAndCountedOnce) {
  Host h;
  h.hear(described(), ChunkKind::kDatagram);
  h.hear(data(0, 0), ChunkKind::kDatagram);
  h.hear(data(96, 3 * kTicksPerPacket), ChunkKind::kDatagram);
  EXPECT_EQ(h.counts().lost, 64U);
  h.hear(data(64, 2 * kTicksPerPacket), ChunkKind::kDatagram);
  EXPECT_EQ(h.counts().lost, 32U);
  EXPECT_EQ(h.counts().reordered, 32U);
  EXPECT_EQ(h.out.count(EventCode::kSamplesReordered), 1U);
  // The same once more, and one that was never missing: duplicates change no loss.
  h.hear(data(64, 2 * kTicksPerPacket), ChunkKind::kDatagram);
  h.hear(data(96, 3 * kTicksPerPacket), ChunkKind::kDatagram);
  EXPECT_EQ(h.counts().lost, 32U);
  EXPECT_EQ(h.counts().reordered, 96U);
  EXPECT_EQ(h.out.blocks.size(), 2U);
  EXPECT_EQ(h.out.samples(), h.counts().samples);
  h.hear(data(128, 4 * kTicksPerPacket), ChunkKind::kDatagram);
  EXPECT_EQ(h.last_flags(), 0U);
  // Its counter begins again while its ticks go on, or both far back: a restart, also among datagrams.
  h.hear(data(0, 5 * kTicksPerPacket), ChunkKind::kDatagram);
  EXPECT_EQ(h.last_flags(), kDeviceReset | kGapBefore);
  h.hear(data(50000, 6 * kTicksPerPacket), ChunkKind::kDatagram);
  h.hear(data(0, 0), ChunkKind::kDatagram);
  EXPECT_EQ(h.last_flags(), kDeviceReset | kGapBefore);
}

TEST(SensorStreamSession, DamagedFramesAreCountedTheirSamplesLostAndNothingElse) {
  Host h = streaming();
  auto bad = data(32, kTicksPerPacket);
  bad[40] ^= std::byte{0x80};
  h.hear(bad);
  EXPECT_EQ(h.counts().rejected, 1U);
  EXPECT_EQ(h.out.count(EventCode::kDecodeError), 1U);
  EXPECT_EQ(h.out.events.back().source, kLink);
  EXPECT_EQ(h.out.events.back().arguments[0], 1);
  h.hear(Bytes(4000, std::byte{9}) + Bytes{std::byte{0}});  // oversize
  EXPECT_EQ(h.counts().rejected, 2U);
  h.hear(data(64, 2 * kTicksPerPacket));
  EXPECT_EQ(h.counts().lost, 32U);
  EXPECT_EQ(h.last().gap, 32U);
}

TEST(SensorStreamSession, ATruncatedDatagramIsNotDecoded) {
  Host h = streaming();
  h.hear(data(32, kTicksPerPacket), ChunkKind::kTruncated);
  EXPECT_EQ(h.out.blocks.size(), 1U);
  EXPECT_EQ(h.counts().rejected, 1U);
  EXPECT_EQ(h.out.count(EventCode::kDecodeError), 1U);
}

TEST(SensorStreamSession, FlagsFaultsAndSaturation) {
  Host h = streaming();
  h.hear(data(32, kTicksPerPacket, 32, 3, 0, true));
  EXPECT_EQ(h.last_flags(), kDeviceFault);
  EXPECT_EQ(h.counts().device_faults, 1U);
  Bytes counts(12, std::byte{0});
  const auto put = [&](std::int32_t v) {
    for (unsigned i = 0; i < 4; ++i) counts[4 + i] = static_cast<std::byte>(static_cast<std::uint32_t>(v) >> (8 * i));
  };
  std::uint32_t at = 64;
  for (const auto& [v, saturated] : std::vector<std::pair<std::int32_t, bool>>{
           {32766, false}, {32767, true}, {40000, true}, {-32766, false}, {-32767, true}, {-40000, true}}) {
    put(v);
    h.hear(framed(Data{0, false, 3, 1, at, at, counts}));
    ++at;
    EXPECT_EQ(h.last_flags(), saturated ? kSaturated : 0U) << v;
    EXPECT_EQ(h.last().counts[1], v);
    EXPECT_EQ(h.out.newest_samples.back().flags, h.last().flags);
  }
}

TEST(SensorStreamSession, StatusIsPassedOn) {
  Host h = streaming();
  h.hear(framed(Status{0, "ready"}));
  EXPECT_EQ(h.out.events.back().code, EventCode::kDeviceStatus);
  EXPECT_EQ(h.out.events.back().severity, Severity::kInfo);
  EXPECT_STREQ(h.out.events.back().detail.data(), "ready");
  h.hear(framed(Status{9, "sensor over range, and more words than an event has room for"}));
  EXPECT_EQ(h.out.events.back().severity, Severity::kWarning);
  EXPECT_EQ(h.out.events.back().arguments[0], 9);
  EXPECT_EQ(std::string_view(h.out.events.back().detail.data()).size(), h.out.events.back().detail.size() - 1);
}

TEST(SensorStreamSession, ASilentDeviceIsStartedAgainAlsoWhenItOnlyChats) {
  Host h = streaming();
  h.pass(299ms);
  const auto asked = h.asked().size();
  // It restarted: it says so again and again, and waits to be started.
  for (int i = 0; i < 20; ++i) {
    h.hear(framed(Status{1, "powered up"}));
    h.pass(50ms);
  }
  EXPECT_GE(h.asked().size(), asked + 3);
  EXPECT_LE(h.asked().size(), asked + 5) << "not more often than every 300 ms";
  EXPECT_EQ(h.asked().back(), Type::kStart);
  h.session.stop(h.now, h.out);
  const auto stopped = h.asked().size();
  h.pass(10s);
  EXPECT_EQ(h.asked().size(), stopped) << "after stop() silence is what we want";
  h.hear(data(32, kTicksPerPacket));
  EXPECT_EQ(h.counts().samples, 64U) << "what was on its way is still taken in";
}

}  // namespace
}  // namespace strigil::daq
