#include "rig/intake.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <functional>
#include <memory>

#include "rig/frames.hpp"

namespace strigil::rig {
namespace {

using daq::from_seconds;
using daq::HostTime;

/// Puts out whatever the test wants, when a chunk comes.
class ScriptedSession final : public daq::Session {
 public:
  void on_chunk(const daq::Chunk& chunk, HostTime now, daq::SessionOutput& out) noexcept override {
    counts_.bytes += chunk.size;
    if (script) script(now, out);
  }
  void on_time(HostTime, daq::SessionOutput&) noexcept override { ++turns; }
  [[nodiscard]] bool ready() const noexcept override { return true; }
  [[nodiscard]] const daq::SessionCounts& counts() const noexcept override { return counts_; }
  std::function<void(HostTime, daq::SessionOutput&)> script;
  int turns = 0;

 private:
  daq::SessionCounts counts_;
};

class NoLink final : public daq::Link {
 public:
  bool write(std::span<const std::byte>) noexcept override { return true; }
  [[nodiscard]] const std::string& uri() const noexcept override { return uri_; }

 private:
  std::string uri_ = "memory:none";
};

daq::StreamDescription stream(daq::StreamId id, const char* name, double scale, std::size_t channels) {
  daq::StreamDescription d;
  d.id = id;
  d.name = name;
  for (std::size_t c = 0; c < channels; ++c) d.channels.push_back({"c" + std::to_string(c), "N", scale, 0});
  return d;
}

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() {
    limits_.stuck = from_seconds(0.25);
    sink_ = fanout_.add_sink("test", 64, 64);
    intake_ = std::make_unique<Intake>(chunks_, fanout_, limits_);
    intake_->attach(session_, link_);
    StreamRoles roles;
    roles.force = 0;
    roles.position = 1;
    roles.vibration = 2;
    roles.normal_channel = 2;
    roles.normal_sign = -1;
    intake_->configure({stream(0, "force", 0.001, 6), stream(1, "position", 1e-6, 3), stream(2, "vibration", 0.01, 3)},
                       roles);
  }
  void arrive(HostTime now, std::function<void(HostTime, daq::SessionOutput&)> script) {
    session_.script = std::move(script);
    daq::Chunk c;
    c.size = 1;
    c.received = now;
    ASSERT_TRUE(chunks_.push(c));
    intake_->drain(now, readings_);
  }
  static daq::NewestSample force(HostTime now, std::int32_t counts, std::uint64_t sample) {
    daq::NewestSample s;
    s.channels = 6;
    s.counts[2] = counts;
    s.received = s.t0 = now;
    s.sample = sample;
    return s;
  }

  daq::ChunkRing chunks_{16};
  daq::Fanout fanout_;
  InterlockConfig limits_;
  std::shared_ptr<daq::SinkRings> sink_;
  ScriptedSession session_;
  NoLink link_;
  std::unique_ptr<Intake> intake_;
  Readings readings_;
};

TEST_F(IntakeTest, ForceIsConvertedSignedAndTared) {
  arrive({1000}, [](HostTime now, daq::SessionOutput& out) { out.newest(force(now, -6000, 1)); });
  EXPECT_DOUBLE_EQ(readings_.normal_force_N, 6.0);
  EXPECT_FALSE(intake_->tare(true, {1500}));
  arrive({2000}, [](HostTime now, daq::SessionOutput& out) { out.newest(force(now, -1000, 2)); });
  arrive({3000}, [](HostTime now, daq::SessionOutput& out) { out.newest(force(now, -2000, 3)); });
  EXPECT_TRUE(intake_->tare(false, {3500}));
  arrive({4000}, [](HostTime now, daq::SessionOutput& out) { out.newest(force(now, -7500, 4)); });
  EXPECT_DOUBLE_EQ(readings_.normal_force_N, 6.0);
  EXPECT_DOUBLE_EQ(readings_.untared_normal_force_N, 7.5);
}

TEST_F(IntakeTest, ASensorThatLeansWithTheInstrumentIsTurnedUpright) {
  StreamRoles roles;
  roles.lean_rad = lean_of(std::numbers::pi / 3);  // 60 degrees to the surface: it leans by 30
  intake_->configure({stream(0, "force", 0.001, 6), stream(1, "position", 1e-6, 3), stream(2, "vibration", 0.01, 3)},
                     roles);
  // 6 N from below and 2 N of drag against +x, along the axes of a sensor whose upper end lies 30 degrees towards -x.
  const double normal_N = 6 * std::cos(std::numbers::pi / 6) - -2 * std::sin(std::numbers::pi / 6);
  const double tangential_N = -2 * std::cos(std::numbers::pi / 6) + 6 * std::sin(std::numbers::pi / 6);
  arrive({1000}, [&](HostTime now, daq::SessionOutput& out) {
    auto s = force(now, static_cast<std::int32_t>(std::lround(normal_N * 1000)), 1);
    s.counts[0] = static_cast<std::int32_t>(std::lround(tangential_N * 1000));
    out.newest(s);
  });
  EXPECT_NEAR(readings_.untared_normal_force_N, 6, 1e-3) << "what the interlock judges";
  EXPECT_NEAR(readings_.normal_force_N, 6, 1e-3);
  EXPECT_NEAR(readings_.tangential_force_N, -2, 1e-3);
}

TEST_F(IntakeTest, BlocksCarryCountsAndValuesToTheSinks) {
  arrive({1000}, [](HostTime now, daq::SessionOutput& out) {
    daq::Block b{};
    b.stream = 2;
    b.channels = 3;
    b.samples = 2;
    b.first_sample = 10;
    b.received = now;
    b.counts = {100, 0, 0, -100, 0, 0};
    out.block(b);
  });
  daq::Block got;
  ASSERT_TRUE(sink_->blocks.pop(got));
  EXPECT_EQ(got.counts[3], -100);
  EXPECT_FLOAT_EQ(got.values[0], 1.0F);
  EXPECT_DOUBLE_EQ(readings_.vibration_rms_m_s2, 1.0);
  EXPECT_EQ(intake_->counts()[2].samples, 2U);
  EXPECT_EQ(intake_->counts()[2].next_sample, 12U);
}

TEST_F(IntakeTest, AGapBeforeTheRunIsNotTheRunsButEveryLaterOneIs) {
  const auto with_gap = [](HostTime, daq::SessionOutput& out) {
    daq::Block b{};
    b.stream = 0;
    b.channels = 6;
    b.samples = 1;
    b.gap = 3;
    b.flags = daq::kGapBefore;
    out.block(b);
  };
  arrive({1000}, with_gap);
  EXPECT_EQ(intake_->take_sensed(), 0U);
  arrive({2000}, with_gap);
  EXPECT_EQ(intake_->take_sensed(), std::uint32_t{kForceGap});
  EXPECT_EQ(intake_->counts()[0].gap_samples, 3U);
  EXPECT_EQ(intake_->take_sensed(), 0U) << "an edge is told once; the interlock latches it";
}

TEST_F(IntakeTest, CountsThatNeverChangeAreStuck) {
  for (int i = 0; i < 300; ++i) {
    arrive({1'000'000LL * i},
           [i](HostTime now, daq::SessionOutput& out) { out.newest(force(now, 4242, static_cast<std::uint64_t>(i))); });
  }
  EXPECT_EQ(intake_->take_sensed(), std::uint32_t{kForceStuck});
  arrive({300'000'000}, [](HostTime now, daq::SessionOutput& out) { out.newest(force(now, 4243, 300)); });
  EXPECT_EQ(intake_->take_sensed(), 0U);
}

TEST_F(IntakeTest, AClosedLinkIsAFaultThatStays) {
  daq::Chunk c;
  c.kind = daq::ChunkKind::kClosed;
  c.size = 0;
  ASSERT_TRUE(chunks_.push(c));
  intake_->drain({1}, readings_);
  EXPECT_EQ(intake_->take_sensed(), std::uint32_t{kLinkClosed});
  EXPECT_EQ(intake_->take_sensed(), std::uint32_t{kLinkClosed});
  daq::Event e;
  ASSERT_TRUE(sink_->events.pop(e));
  EXPECT_EQ(e.code, daq::EventCode::kLinkClosed);
}

TEST_F(IntakeTest, AChunkOfAnUnknownLinkIsIgnored) {
  daq::Chunk c;
  c.link = 77;
  c.size = 1;
  ASSERT_TRUE(chunks_.push(c));
  intake_->drain({1}, readings_);
  EXPECT_EQ(session_.counts().bytes, 0U);
  EXPECT_EQ(session_.turns, 1);
}

}  // namespace
}  // namespace strigil::rig
