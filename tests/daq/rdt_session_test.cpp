// The host's side of RDT against a scripted sensor: requests, blocks, loss, order, wraps, restarts, damage.
#include "daq/codec/rdt_session.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/daq/session_recorder.hpp"

namespace strigil::daq {
namespace {

using namespace std::chrono_literals;

constexpr LinkId kLink = 1;
constexpr StreamId kStream = 4;

RdtSessionConfig config() {
  RdtSessionConfig c;
  c.link = kLink;
  c.stream = kStream;
  return c;
}

/// Counts tell the sequence number, so that a block shows which records are in it.
RdtRecord record(std::uint32_t rdt, std::uint32_t ft, std::uint32_t status = 0) {
  RdtRecord r{rdt, ft, status, {}};
  for (std::size_t a = 0; a < kRdtAxes; ++a) r.counts[a] = static_cast<std::int32_t>((rdt & 0xFFFFU) * 8 + a);
  return r;
}

struct Host {
  RdtSession session{config()};
  SessionRecorder out;
  HostTime now{1'000'000'000};

  void hear(const std::vector<RdtRecord>& records) {
    std::vector<std::byte> bytes;
    for (const auto& r : records) {
      const auto wire = encode(r);
      bytes.insert(bytes.end(), wire.begin(), wire.end());
    }
    ASSERT_LE(bytes.size(), kChunkCapacity);
    session.on_chunk(chunk_of(bytes, now, kLink, ChunkKind::kDatagram), now, out);
  }
  /// Garbage, or a chunk of another kind.
  void hear_bytes(std::size_t size, ChunkKind kind = ChunkKind::kDatagram) {
    session.on_chunk(chunk_of(std::vector<std::byte>(size, std::byte{1}), now, kLink, kind), now, out);
  }
  void pass(Duration d) {
    now = now + d;
    session.on_time(now, out);
  }
  /// Ends the block that is gathered.
  void settle() { pass(20ms); }
  [[nodiscard]] const SessionCounts& counts() const { return session.counts(); }
  [[nodiscard]] static std::uint32_t known(const Block& b) { return b.flags & ~std::uint32_t{kClockUnlocked}; }
  [[nodiscard]] std::vector<RdtCommand> asked() const {
    std::vector<RdtCommand> commands;
    for (const auto& bytes : out.sent) {
      commands.push_back(decode_rdt_request(std::as_bytes(std::span(bytes))).value().command);
    }
    return commands;
  }
};

TEST(RdtSession, StartsAtOnceAndAsksAgainOnlyInSilence) {
  Host h;
  h.pass(0ms);
  EXPECT_EQ(h.asked(), std::vector{RdtCommand::kStartRealtime});
  h.pass(499ms);
  EXPECT_EQ(h.asked().size(), 1U);
  h.pass(1ms);
  EXPECT_EQ(h.asked().size(), 2U);
  for (std::uint32_t i = 1; i <= 2000; ++i) {
    h.hear({record(i, i)});
    h.pass(1ms);
  }
  EXPECT_EQ(h.asked().size(), 2U) << "a sensor that streams is left alone";
  h.pass(500ms);
  EXPECT_EQ(h.asked().size(), 3U) << "it fell silent";
  h.pass(499ms);
  EXPECT_EQ(h.asked().size(), 3U);
  h.session.stop(h.now, h.out);
  EXPECT_EQ(h.asked().back(), RdtCommand::kStop);
  h.pass(10s);
  EXPECT_EQ(h.asked().size(), 4U) << "after stop() silence is what we want";
  h.hear({record(2001, 2001)});
  EXPECT_EQ(h.counts().samples, 2001U) << "what was on its way is still taken in";
}

TEST(RdtSession, ARequestThatTheLinkDoesNotTakeIsTriedAtTheNextTick) {
  Host h;
  h.out.link_takes = false;
  h.pass(0ms);
  h.out.link_takes = true;
  h.pass(1ms);
  EXPECT_EQ(h.asked().size(), 1U);
}

TEST(RdtSession, DescribesForceAndTorque) {
  auto c = config();
  c.counts_per_N = 2e6;
  c.counts_per_N_m = 4e6;
  c.rate_Hz = 7000;
  const RdtSession session(c);
  const auto& d = session.description();
  EXPECT_EQ(d.id, kStream);
  EXPECT_EQ(d.quantity, "force");
  EXPECT_EQ(d.rate_Hz, 7000);
  EXPECT_EQ(d.tick_rate_Hz, 7000);
  ASSERT_EQ(d.channels.size(), kRdtAxes);
  EXPECT_EQ(d.channels[2].name, "Fz");
  EXPECT_EQ(d.channels[2].unit, "N");
  EXPECT_DOUBLE_EQ(d.channels[2].scale, 0.5e-6);
  EXPECT_EQ(d.channels[5].name, "Tz");
  EXPECT_EQ(d.channels[5].unit, "N m");
  EXPECT_DOUBLE_EQ(d.channels[5].scale, 0.25e-6);
}

TEST(RdtSession, TheNewestSampleComesAtOnceAndTheBlockWithinTenMilliseconds) {
  Host h;
  h.hear({record(7, 100)});
  ASSERT_EQ(h.out.newest_samples.size(), 1U);
  EXPECT_EQ(h.out.newest_samples[0].sample, 7U);
  EXPECT_EQ(h.out.newest_samples[0].stream, kStream);
  EXPECT_EQ(h.out.newest_samples[0].counts[5], 7 * 8 + 5);
  EXPECT_TRUE(h.out.blocks.empty());
  for (std::uint32_t i = 8; h.out.blocks.empty(); ++i) {
    h.pass(1ms);
    if (h.out.blocks.empty()) h.hear({record(i, i + 93)});
    ASSERT_LT(i, 20U);
  }
  const auto& b = h.out.blocks[0];
  EXPECT_EQ(b.first_sample, 7U);
  EXPECT_EQ(b.ticks.count, 100U);
  EXPECT_EQ(b.stream, kStream);
  EXPECT_EQ(b.channels, kRdtAxes);
  EXPECT_EQ(Host::known(b), 0U);
  for (std::size_t i = 0; i < b.samples; ++i) EXPECT_EQ(b.counts[i * kRdtAxes], static_cast<std::int32_t>((7 + i) * 8));
  EXPECT_LE((h.now - HostTime{1'000'000'000}), 10ms) << "the first sample waited no longer";
}

TEST(RdtSession, ABlockThatIsFullGoesOut) {
  Host h;
  std::vector<RdtRecord> records;
  for (std::uint32_t i = 0; i < 130; ++i) records.push_back(record(i, i));
  const std::span all(records);
  for (std::size_t at = 0; at < 130; at += 26) h.hear({&all[at], &all[at] + 26});
  ASSERT_EQ(h.out.blocks.size(), 2U);
  EXPECT_EQ(h.out.blocks[0].samples, kMaxBlockSamples);
  EXPECT_EQ(h.out.blocks[1].first_sample, kMaxBlockSamples);
  EXPECT_EQ(h.out.newest_samples.size(), 5U) << "one for each datagram";
  h.settle();
  EXPECT_EQ(h.out.samples(), 130U);
}

TEST(RdtSession, IsReadyAfterSomeSecondsOfSamplesAndTimesThemEvenly) {
  Host h;
  EXPECT_FALSE(h.session.ready());
  for (std::uint32_t i = 1; i <= 10000; ++i) {
    h.pass(1ms);
    h.hear({record(i, i)});
  }
  h.settle();
  EXPECT_TRUE(h.session.ready());
  for (std::size_t i = h.out.blocks.size() - 100; i < h.out.blocks.size(); ++i) {
    const auto& b = h.out.blocks[i];
    const auto& previous = h.out.blocks[i - 1];
    EXPECT_EQ(b.flags, 0U);
    EXPECT_NEAR(static_cast<double>((b.t0 - previous.t0).count()), previous.samples * 1e6, 1e3);
    EXPECT_LE(b.t0, b.received) << "nothing is measured after it came";
  }
}

TEST(RdtSession, LossIsCountedExactlyAndBeginsABlock) {
  Host h;
  h.hear({record(1, 1), record(2, 2)});
  h.hear({record(10, 10)});
  EXPECT_EQ(h.counts().lost, 7U);
  ASSERT_EQ(h.out.count(EventCode::kSamplesLost), 1U);
  EXPECT_EQ(h.out.events[0].arguments[0], 7);
  EXPECT_EQ(h.out.events[0].arguments[1], 3);
  EXPECT_EQ(h.out.events[0].source, kStream);
  h.settle();
  ASSERT_EQ(h.out.blocks.size(), 2U);
  EXPECT_EQ(h.out.blocks[1].gap, 7U);
  EXPECT_EQ(Host::known(h.out.blocks[1]), kGapBefore);
  EXPECT_EQ(h.out.blocks[1].first_sample, 10U);
}

TEST(RdtSession, LateRecordsAreDroppedAndNoMoreLostDuplicatesNeverWere) {
  Host h;
  h.hear({record(1, 1), record(2, 2), record(6, 6)});
  EXPECT_EQ(h.counts().lost, 3U);
  h.hear({record(4, 4)});
  EXPECT_EQ(h.counts().lost, 2U);
  EXPECT_EQ(h.counts().reordered, 1U);
  h.hear({record(4, 4), record(2, 2), record(6, 6), record(1, 1)});
  EXPECT_EQ(h.counts().lost, 2U);
  EXPECT_EQ(h.counts().reordered, 5U);
  h.hear({record(3, 3), record(5, 5)});
  EXPECT_EQ(h.counts().lost, 0U);
  EXPECT_EQ(h.out.count(EventCode::kSamplesReordered), 7U);
  EXPECT_EQ(h.counts().samples, 3U);
  h.hear({record(7, 7)});
  h.settle();
  EXPECT_EQ(h.out.samples(), 4U);
  EXPECT_EQ(h.out.gaps(), 3U) << "what came too late is missing from the blocks";
}

TEST(RdtSession, ARecordFromBeforeTheFirstIsLateAndWasNeverLost) {
  Host h;
  h.hear({record(0xFFFFFFFF, 500)});
  h.hear({record(1, 502)});
  EXPECT_EQ(h.counts().lost, 1U);
  h.hear({record(0xFFFFFFF0, 485)});
  EXPECT_EQ(h.counts().lost, 1U);
  EXPECT_EQ(h.counts().reordered, 1U);
}

TEST(RdtSession, BothCountersWrapWithoutAGap) {
  Host h;
  const std::uint32_t rdt = 0xFFFFFFFF - 20;
  const std::uint32_t ft = 0xFFFFFFFF - 5;
  for (std::uint32_t i = 0; i < 64; ++i) h.hear({record(rdt + i, ft + i)});
  ASSERT_EQ(h.out.blocks.size(), 1U);
  EXPECT_EQ(h.out.blocks[0].samples, 64);
  h.hear({record(rdt + 64, ft + 64)});
  h.settle();
  EXPECT_EQ(h.out.blocks[1].first_sample, std::uint64_t{rdt} + 64);
  EXPECT_EQ(h.out.blocks[1].ticks.count, std::uint64_t{ft} + 64);
  EXPECT_EQ(h.counts().lost, 0U);
  EXPECT_EQ(h.out.count(EventCode::kDeviceReset), 0U);
}

TEST(RdtSession, ARestartedSensorIsTold) {
  Host h;
  h.hear({record(50000, 90000)});
  h.hear({record(1, 17)});
  EXPECT_EQ(h.out.count(EventCode::kDeviceReset), 1U);
  EXPECT_EQ(h.counts().lost, 1U) << "nobody knows how many, at least one";
  h.settle();
  ASSERT_EQ(h.out.blocks.size(), 2U);
  const auto& b = h.out.blocks[1];
  EXPECT_EQ(Host::known(b), kDeviceReset | kGapBefore);
  EXPECT_EQ(b.gap, 1U);
  EXPECT_EQ(b.first_sample, (std::uint64_t{1} << 32U) + 1);
  EXPECT_EQ(b.ticks.count, 17U);
  EXPECT_NE(b.flags & kClockUnlocked, 0U) << "its old clock says nothing";
}

TEST(RdtSession, ASecondStartRequestRestartsTheCountButLosesNothing) {
  // Within the first second, too, where a step back could be a late record: ft_sequence tells them apart.
  for (const std::uint32_t before : {3U, 500U, 5000U}) {
    Host h;
    for (std::uint32_t i = 1; i <= before; ++i) h.hear({record(i, 1000 + i)});
    h.hear({record(1, 1001 + before), record(2, 1002 + before)});
    EXPECT_EQ(h.counts().lost, 0U);
    EXPECT_EQ(h.counts().reordered, 0U);
    EXPECT_EQ(h.counts().samples, before + 2U);
    EXPECT_EQ(h.out.count(EventCode::kDeviceReset), 1U);
    h.settle();
    EXPECT_EQ(Host::known(h.out.blocks.back()), kDeviceReset);
    EXPECT_EQ(h.out.blocks.back().gap, 0U);
    // And with silence before it: ft_sequence counted the records that nobody sent.
    h.hear({record(1, 1500 + before)});
    EXPECT_EQ(h.counts().lost, 497U);
    h.settle();
    EXPECT_EQ(Host::known(h.out.blocks.back()), kDeviceReset | kGapBefore);
    EXPECT_EQ(h.out.blocks.back().gap, 497U);
    EXPECT_EQ(h.out.blocks.back().ticks.count, 1500U + before);
  }
}

TEST(RdtSession, RefusesWhatIsNotWholeRecordsInOneDatagram) {
  Host h;
  for (const std::size_t size : {0U, 1U, 35U, 37U, 71U, 1471U}) h.hear_bytes(size);
  EXPECT_EQ(h.counts().rejected, 6U);
  h.hear_bytes(kRdtRecordSize, ChunkKind::kBytes);
  h.hear_bytes(kRdtRecordSize * 40, ChunkKind::kTruncated);
  EXPECT_EQ(h.counts().rejected, 8U);
  EXPECT_EQ(h.out.count(EventCode::kDecodeError), 8U);
  EXPECT_EQ(h.out.events.back().source, kLink);
  EXPECT_EQ(h.counts().records, 0U);
  EXPECT_TRUE(h.out.newest_samples.empty());
  // Garbage is no sign of life.
  h.pass(0ms);
  h.now = h.now + 490ms;
  h.hear_bytes(35);
  h.pass(10ms);
  EXPECT_EQ(h.asked().size(), 2U);
}

TEST(RdtSession, StatusIsToldWhenItChangesAndFlagsTheBlock) {
  Host h;
  h.hear({record(1, 1)});
  EXPECT_EQ(h.out.count(EventCode::kDeviceStatus), 0U);
  h.settle();
  h.hear({record(2, 2, 0x80000000), record(3, 3, 0x80000000)});
  ASSERT_EQ(h.out.count(EventCode::kDeviceStatus), 1U);
  EXPECT_EQ(h.out.events.back().severity, Severity::kFault);
  EXPECT_EQ(h.out.events.back().arguments[0], 0x80000000);
  EXPECT_NE(h.out.newest_samples.back().flags & kDeviceFault, 0U);
  h.settle();
  EXPECT_EQ(Host::known(h.out.blocks.back()), kDeviceFault);
  h.hear({record(4, 4)});
  EXPECT_EQ(h.out.count(EventCode::kDeviceStatus), 2U);
  EXPECT_EQ(h.out.events.back().severity, Severity::kInfo);
  EXPECT_EQ(h.counts().device_faults, 2U);
}

TEST(RdtSession, CountsAtTheEndsAreSaturated) {
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
  std::uint32_t i = 1;
  for (const auto& [v, saturated] : std::vector<std::pair<std::int32_t, bool>>{
           {0, false}, {kLeast, true}, {kLeast + 1, true}, {kLeast + 2, false}, {kMost - 2, false}, {kMost, true}}) {
    Host h;
    auto r = record(i, i);
    r.counts[3] = v;
    h.hear({r});
    h.settle();
    EXPECT_EQ(Host::known(h.out.blocks.back()), saturated ? kSaturated : 0U) << v;
    EXPECT_EQ(h.out.blocks.back().counts[3], v);
    ++i;
  }
}

/// Records that come together at one instant.
using Moment = std::vector<RdtRecord>;

std::vector<Moment> eventful_life() {
  std::vector<Moment> life;
  std::uint32_t rdt = 0xFFFFFF80;
  std::uint32_t ft = 0xFFFFFFC0;
  std::mt19937 random(7);
  for (int n = 0; n < 40; ++n) {
    Moment moment;
    for (auto left = random() % 40; left > 0; --left) moment.push_back(record(rdt++, ft++, n == 12 ? 0x8000U : 0U));
    switch (n % 10) {
      case 3:  // lost
        rdt += 5;
        ft += 5;
        break;
      case 5:  // late, and again
        moment.push_back(record(rdt - 3, ft - 3));
        moment.push_back(record(rdt - 3, ft - 3));
        break;
      case 9:  // restarted
        rdt = 1;
        ft = n == 9 ? ft + 100 : 40;
        break;
      default:
        break;
    }
    life.push_back(moment);
  }
  return life;
}

TEST(RdtSession, SameOutputsForAThousandRandomGroupings) {
  std::mt19937 random(1);
  const auto life = eventful_life();
  const auto play = [&](std::size_t most) {
    Host h;
    std::string newest;
    for (const auto& moment : life) {
      h.pass(3ms);
      for (std::size_t at = 0; at < moment.size();) {
        const auto n = std::min(moment.size() - at, most == 0 ? 1 : 1 + random() % most);
        h.hear(
            {moment.begin() + static_cast<std::ptrdiff_t>(at), moment.begin() + static_cast<std::ptrdiff_t>(at + n)});
        at += n;
      }
      if (!h.out.newest_samples.empty()) newest += std::to_string(h.out.newest_samples.back().sample) + ' ';
    }
    h.settle();
    EXPECT_EQ(h.out.samples(), h.counts().samples);
    return told(h.out) + newest + told(h.counts());
  };
  const auto one_by_one = play(0);
  for (const char* seen : {"samples_lost", "samples_reordered", "device_reset", "device_status"}) {
    EXPECT_NE(one_by_one.find(seen), std::string::npos) << seen;
  }
  for (int n = 0; n < 1000; ++n) ASSERT_EQ(play(1 + random() % 40), one_by_one);
}

TEST(RdtSession, SamplesGapsAndLossAddUpOverRandomLossReorderingAndDuplicates) {
  std::mt19937 random(2);
  for (int life = 0; life < 100; ++life) {
    Host h;
    // What reaches the host: records are lost, sent twice, or overtaken by up to `reach` later ones.
    const std::uint32_t begin = life % 2 == 0 ? 0U - 500U : static_cast<std::uint32_t>(random());
    const auto ft_begin = static_cast<std::uint32_t>(random());
    const auto reach = 1 + random() % 90;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> arrivals;  // when, which
    for (std::uint64_t i = 0; i < 1500; ++i) {
      if (random() % 10 == 0) continue;
      const int copies = random() % 10 == 0 ? 2 : 1;
      for (int c = 0; c < copies; ++c) arrivals.emplace_back(i + (random() % 4 == 0 ? random() % reach : 0), i);
    }
    std::stable_sort(arrivals.begin(), arrivals.end(), [](auto& a, auto& b) { return a.first < b.first; });
    // The same sums without a session: the newest so far counts, everything else is late or again.
    std::set<std::uint64_t> came;
    std::uint64_t samples = 0;
    std::uint64_t newest = 0;
    for (const auto& [when, i] : arrivals) {
      if (came.empty() || i > newest) {
        newest = i;
        ++samples;
      }
      if (i >= arrivals.front().second) came.insert(i);
      h.hear({record(begin + static_cast<std::uint32_t>(i), ft_begin + static_cast<std::uint32_t>(i))});
      if (random() % 4 == 0) h.pass(1ms);
    }
    h.settle();
    const auto span = newest - arrivals.front().second + 1;
    EXPECT_EQ(h.counts().records, arrivals.size());
    EXPECT_EQ(h.counts().samples, samples);
    EXPECT_EQ(h.counts().reordered, arrivals.size() - samples);
    EXPECT_EQ(h.counts().lost, span - came.size());
    EXPECT_EQ(h.out.samples(), samples);
    EXPECT_EQ(h.out.gaps(), span - samples);
    EXPECT_EQ(h.out.count(EventCode::kDeviceReset), 0U);
    std::uint64_t next = h.out.blocks.front().first_sample;
    for (const auto& b : h.out.blocks) {
      ASSERT_EQ(b.first_sample, next + b.gap);
      ASSERT_EQ((b.flags & kGapBefore) != 0, b.gap != 0);
      next = b.first_sample + b.samples;
    }
  }
}

TEST(RdtSession, SurvivesRandomBytesAndThenWorks) {
  std::mt19937 random(3);
  Host h;
  std::uint64_t last = 0;
  for (int n = 0; n < 20000; ++n) {
    std::vector<std::byte> noise(random() % 3 == 0 ? random() % 200 : kRdtRecordSize * (random() % 4));
    for (auto& b : noise) b = static_cast<std::byte>(random());
    // Small counters come often, so that all branches are taken.
    if (noise.size() >= 8 && random() % 2 == 0) noise[0] = noise[1] = noise[4] = noise[5] = std::byte{0};
    h.session.on_chunk(chunk_of(noise, h.now, kLink, static_cast<ChunkKind>(random() % 8 == 0 ? random() % 4 : 1)),
                       h.now, h.out);
    h.pass(std::chrono::milliseconds(random() % 20));
    for (const auto& b : h.out.blocks) {
      ASSERT_GE(b.samples, 1);
      ASSERT_LE(b.samples, kMaxBlockSamples);
      ASSERT_GE(b.first_sample, last) << "sample numbers never go back";
      last = b.first_sample + b.samples;
    }
    h.out = {};
  }
  EXPECT_GT(h.counts().rejected, 1000U);
  EXPECT_GT(h.counts().samples, 1000U);
  const auto samples = h.counts().samples;
  h.settle();
  h.out = {};
  h.hear({record(1, 1)});  // whatever it takes this for, the next ones follow it
  h.settle();
  h.hear({record(2, 2), record(3, 3)});
  h.settle();
  EXPECT_GE(h.counts().samples, samples + 2);
  EXPECT_EQ(Host::known(h.out.blocks.back()), 0U);
  EXPECT_EQ(h.out.blocks.back().samples, 2);
}

}  // namespace
}  // namespace strigil::daq
