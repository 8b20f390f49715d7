// Both ends of Grbl together, in memory: the host's session and the stage's double, with bytes under way for a while.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "daq/codec/grbl_session.hpp"
#include "sim/grbl_twin.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using daq::EventCode;
using daq::GrblState;

constexpr daq::HostTime kStart{1'000'000'000};

double norm(const rig::Position& v) { return std::hypot(v[0], v[1], v[2]); }

/// A wire in each direction: bytes arrive in order, `delay` later, in pieces as they were sent.
class Bench final : public TwinOutput, public daq::SessionOutput {
 public:
  explicit Bench(const GrblTwinConfig& config = {}, daq::Duration delay = 3ms) : twin(config, kStart), delay_(delay) {}

  void send(std::span<const std::byte> bytes, daq::HostTime at) override {
    to_host_.push_back({at + delay_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
  }
  bool send(std::span<const std::byte> bytes) noexcept override {
    if (host_alive) to_stage_.push_back({now + delay_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
    return true;
  }
  void newest(const daq::NewestSample&) noexcept override {}
  void block(const daq::Block& b) noexcept override { blocks.push_back(b); }
  void event(const daq::Event& e) noexcept override { events.push_back(e); }

  /// One millisecond.
  void tick() {
    now = now + 1ms;
    for (; !to_stage_.empty() && to_stage_.front().due <= now; to_stage_.pop_front()) {
      twin.receive(std::as_bytes(std::span(to_stage_.front().bytes)), now, *this);
    }
    twin.step(now, {}, *this);
    for (; !to_host_.empty() && to_host_.front().due <= now; to_host_.pop_front()) {
      daq::Chunk chunk;
      chunk.received = now;
      chunk.size = static_cast<std::uint16_t>(to_host_.front().bytes.size());
      std::copy_n(std::as_bytes(std::span(to_host_.front().bytes)).begin(), chunk.size, chunk.bytes.begin());
      session.on_chunk(chunk, now, *this);
    }
    if (host_alive) session.on_time(now, *this);
  }
  void pass(daq::Duration d) {
    for (const auto end = now + d; now < end;) tick();
  }
  /// False when it does not come true within `patience`.
  template <typename Condition>
  bool wait(Condition&& condition, daq::Duration patience = 10s) {
    for (const auto end = now + patience; now < end;) {
      if (condition()) return true;
      tick();
    }
    return condition();
  }
  bool begin() {
    return wait([&] { return session.ready(); }, 2s);
  }
  bool jog(const std::array<double, 3>& target_mm, double feed_mm_min = 3000, bool relative = false) {
    return session.queue_jog({target_mm, feed_mm_min, relative}, now, *this);
  }
  bool rest() {
    const auto then = session.reports();
    return wait([&] {
      return session.reports() > then + 2 && session.state() == GrblState::kIdle && session.outstanding_lines() == 0;
    });
  }
  [[nodiscard]] const daq::Event* find(EventCode code) const {
    const auto it = std::find_if(events.begin(), events.end(), [&](auto& e) { return e.code == code; });
    return it == events.end() ? nullptr : &*it;
  }

  GrblTwin twin;
  daq::GrblSession session{{.status_rate_Hz = 50}};
  daq::HostTime now = kStart;
  bool host_alive = true;
  std::vector<daq::Block> blocks;
  std::vector<daq::Event> events;

 private:
  struct Travelling {
    daq::HostTime due;
    std::string bytes;
  };
  daq::Duration delay_;
  std::deque<Travelling> to_host_;
  std::deque<Travelling> to_stage_;
};

TEST(GrblStage, IsReadyAndSaysItsSettings) {
  Bench b;
  ASSERT_TRUE(b.begin());
  EXPECT_EQ(b.session.settings().max_travel_mm, (std::array<double, 3>{200, 100, 80}));
  EXPECT_EQ(b.session.settings().max_rate_mm_min, (std::array<double, 3>{12000, 12000, 12000}));
  EXPECT_TRUE(b.session.settings().soft_limits);
  EXPECT_FALSE(b.session.settings().reports_inches);
}

TEST(GrblStage, MovesArriveAndEveryReportBecomesOneSample) {
  for (const bool work : {false, true}) {
    GrblTwinConfig config;
    config.report_work_position = work;
    config.work_offset_m = {0.05, 0.01, -0.02};
    Bench b(config);
    ASSERT_TRUE(b.begin());
    ASSERT_TRUE(b.jog({30, 20, -10}));
    ASSERT_TRUE(b.jog({1, -2, 3}, 3000, true));
    ASSERT_TRUE(b.rest());
    constexpr rig::Position kThere{0.031, 0.018, -0.007};
    for (std::size_t a = 0; a < 3; ++a) {
      EXPECT_NEAR(b.twin.position_m()[a], kThere[a], 1e-9);
      EXPECT_NEAR(b.session.position_m()[a], kThere[a], 1e-6);
    }
    EXPECT_EQ(b.session.acknowledged_jogs(), 2U);
    b.host_alive = false;
    b.pass(100ms);
    EXPECT_EQ(b.blocks.size(), b.twin.reports_sent());
    for (std::size_t i = 0; i < b.blocks.size(); ++i) EXPECT_EQ(b.blocks[i].first_sample, i);
  }
}

TEST(GrblStage, InchesAreRefused) {
  GrblTwinConfig config;
  config.report_inches = true;
  Bench b(config);
  ASSERT_TRUE(b.begin());
  EXPECT_TRUE(b.session.settings().reports_inches);
  EXPECT_FALSE(b.jog({1, 0, 0}));
}

TEST(GrblStage, CharacterCountingNeverOverrunsTheReceiveBuffer) {
  std::mt19937 random(7);
  std::size_t fullest = 0;
  for (int run = 0; run < 20; ++run) {
    Bench b({}, std::chrono::milliseconds(random() % 15));
    ASSERT_TRUE(b.begin());
    const auto uniform = [&](double lo, double hi) { return std::uniform_real_distribution<>(lo, hi)(random); };
    std::uint64_t queued = 0;
    for (int ms = 0; ms < 3000; ++ms) {
      for (auto n = random() % 4; n > 0; --n) {
        // Some go out of bounds on purpose: an error answer frees the buffer like an ok.
        queued += b.jog({uniform(0, 210), uniform(0, 100), uniform(-80, 0)}, std::exp(uniform(3, 10))) ? 1U : 0U;
      }
      if (random() % 300 == 0) (void)b.session.cancel_jog(b);
      b.tick();
      ASSERT_LE(b.session.outstanding_bytes(), daq::kGrblRxBuffer);
      ASSERT_LE(b.twin.buffered(), b.session.outstanding_bytes()) << "the host never thinks it has less there";
      ASSERT_EQ(b.session.acknowledged_jogs() + b.session.refused_jogs() + b.session.queued_jogs(), queued);
    }
    ASSERT_EQ(b.twin.overflowed(), 0U);
    fullest = std::max(fullest, b.twin.most_buffered());
    EXPECT_EQ(b.session.lost_answers(), 0U);
  }
  EXPECT_GT(fullest, 80U) << "the buffer was really put under pressure";
  EXPECT_LE(fullest, daq::kGrblRxBuffer);
}

TEST(GrblStage, StreamedSegmentsBlendWithoutStopping) {
  Bench b;
  ASSERT_TRUE(b.begin());
  // 50 mm/s across x and y, in 2 mm pieces rounded to a micrometre by the wire, topped up as the buffer empties.
  constexpr double kSpeed_m_s = 0.05;
  int sent = 0;
  double slowest = 1;
  const auto carry_on = [&] {
    while (sent < 50 && b.jog({2.0 * (sent + 1) * 0.8, 2.0 * (sent + 1) * 0.6, 0}, 3000)) ++sent;
    const double along_m = norm(b.twin.position_m());
    if (along_m > 0.005 && along_m < 0.095) slowest = std::min(slowest, norm(b.twin.velocity_m_s()));
    return sent == 50 && b.twin.planned() == 0 && b.session.outstanding_lines() == 0;
  };
  ASSERT_TRUE(b.wait(carry_on));
  EXPECT_NEAR(slowest, kSpeed_m_s, 1e-6);
  EXPECT_NEAR(norm(b.twin.position_m()), 0.1, 1e-9);
}

TEST(GrblStage, CancelStopsWithinTheAccelerationLimits) {
  GrblTwinConfig config;
  config.limits.acceleration_m_s2.fill(0.5);
  Bench b(config);
  ASSERT_TRUE(b.begin());
  ASSERT_TRUE(b.jog({150, 0, 0}, 6000));
  b.pass(500ms);
  ASSERT_NEAR(b.twin.velocity_m_s()[0], 0.1, 1e-9);
  const double from_m = b.twin.position_m()[0];
  ASSERT_TRUE(b.session.cancel_jog(b));
  double before = 0.1;
  ASSERT_TRUE(b.wait([&] {
    const double v = b.twin.velocity_m_s()[0];
    EXPECT_LE(before - v, 0.5e-3 * (1 + 1e-6)) << "no harder than the axis may";
    before = v;
    return v == 0;
  }));
  // 3 ms on the wire, then v^2 / 2a.
  EXPECT_NEAR(b.twin.position_m()[0] - from_m, 0.1 * 0.003 + 0.1 * 0.1 / (2 * 0.5), 2e-4);
  EXPECT_TRUE(b.rest());
  EXPECT_LT(b.session.position_m()[0], 0.1);
}

TEST(GrblStage, CancelAlsoStopsTheJogsThatStillWaitInTheReceiveBuffer) {
  Bench b;
  ASSERT_TRUE(b.begin());
  int sent = 0;
  ASSERT_TRUE(b.wait([&] {
    if (b.jog({3.0 * (sent + 1), 0, 0}, 1200)) ++sent;
    return b.twin.buffered() >= 64;
  })) << "some wait behind a full planner";
  ASSERT_TRUE(b.session.cancel_jog(b));
  const double from_m = b.twin.position_m()[0];
  ASSERT_TRUE(b.rest());
  b.pass(1s);
  EXPECT_EQ(norm(b.twin.velocity_m_s()), 0);
  // Each of the three that waited moves for one round trip at most.
  EXPECT_LT(b.twin.position_m()[0] - from_m, 0.002);
  EXPECT_EQ(b.session.queued_jogs(), 0U);
}

TEST(GrblStage, StopsWhenTheHostDies) {
  GrblTwinConfig config;
  config.limits.acceleration_m_s2.fill(0.5);
  Bench b(config);
  ASSERT_TRUE(b.begin());
  ASSERT_TRUE(b.jog({150, 0, 0}, 1200));
  b.pass(2s);
  EXPECT_GT(norm(b.twin.velocity_m_s()), 0) << "polls alone keep it going";
  b.host_alive = false;
  const double from_m = b.twin.position_m()[0];
  b.pass(500ms);
  EXPECT_GT(norm(b.twin.velocity_m_s()), 0);
  b.pass(100ms);
  EXPECT_EQ(norm(b.twin.velocity_m_s()), 0);
  EXPECT_LT(b.twin.position_m()[0] - from_m, 0.02 * 0.55);
  b.host_alive = true;
  EXPECT_TRUE(b.rest());
  EXPECT_TRUE(b.jog({100, 0, 0}, 1200)) << "and it can go on when the host is back";
}

TEST(GrblStage, ErrorsAndAlarmsComeInWords) {
  Bench b;
  ASSERT_TRUE(b.begin());
  ASSERT_TRUE(b.jog({201, 0, 0}));
  ASSERT_TRUE(b.rest());
  EXPECT_EQ(b.session.last_error(), 15);
  EXPECT_EQ(b.session.refused_jogs(), 1U);
  ASSERT_NE(b.find(EventCode::kStageError), nullptr);
  EXPECT_NE(std::string_view(b.find(EventCode::kStageError)->detail.data()).find("travel"), std::string_view::npos);
  EXPECT_EQ(norm(b.twin.position_m()), 0);

  ASSERT_TRUE(b.jog({100, 0, 0}));
  b.pass(300ms);
  b.twin.trigger_alarm(1, b.now, b);
  b.pass(50ms);
  EXPECT_EQ(b.session.state(), GrblState::kAlarm);
  EXPECT_EQ(b.session.last_alarm(), 1);
  ASSERT_NE(b.find(EventCode::kStageAlarm), nullptr);
  EXPECT_NE(std::string_view(b.find(EventCode::kStageAlarm)->detail.data()).find("hard limit"), std::string_view::npos);

  ASSERT_TRUE(b.session.soft_reset(b));
  ASSERT_TRUE(b.wait([&] { return b.session.ready() && b.session.outstanding_lines() == 0; }));
  ASSERT_TRUE(b.jog({110, 0, 0}));
  ASSERT_TRUE(b.wait([&] { return b.session.last_error() == 8; }, 1s)) << "in alarm no jog is taken";
  ASSERT_TRUE(b.session.unlock(b.now, b));
  ASSERT_TRUE(b.wait([&] { return b.session.state() == GrblState::kIdle; }, 1s));
  ASSERT_TRUE(b.jog({110, 0, 0}));
  ASSERT_TRUE(b.rest());
  EXPECT_NEAR(b.session.position_m()[0], 0.11, 1e-6);
}

TEST(GrblStage, AResetInMidStreamForgetsWhatWasOutstandingAndGoesOn) {
  Bench b;
  ASSERT_TRUE(b.begin());
  for (int i = 1; b.jog({10.0 * i, 0, 0}); ++i) {
  }
  b.pass(100ms);
  for (int i = 1; b.jog({10.0 * i, 0, 0}); ++i) {
  }
  ASSERT_TRUE(b.session.soft_reset(b));
  ASSERT_TRUE(b.wait([&] { return b.find(EventCode::kStageGreeting) != nullptr && !b.session.ready(); }, 1s));
  EXPECT_EQ(b.session.queued_jogs(), 0U);
  EXPECT_EQ(b.session.last_alarm(), 3) << "it was moving: the position is lost";
  ASSERT_TRUE(b.wait([&] { return b.session.ready(); }, 2s));
  EXPECT_EQ(b.session.state(), GrblState::kAlarm);
  EXPECT_TRUE(
      std::any_of(b.blocks.begin(), b.blocks.end(), [](auto& k) { return (k.flags & daq::kDeviceReset) != 0; }));
  ASSERT_TRUE(b.session.home(b.now, b));
  ASSERT_TRUE(b.rest());
  ASSERT_TRUE(b.jog({25, 0, 0}));
  ASSERT_TRUE(b.rest());
  EXPECT_NEAR(b.session.position_m()[0], 0.025, 1e-6);
  EXPECT_EQ(b.twin.overflowed(), 0U);
}

TEST(GrblStage, AStalledStageIsSeenNotToMove) {
  Bench b;
  ASSERT_TRUE(b.begin());
  b.twin.set_stalled(true);
  ASSERT_TRUE(b.jog({50, 0, 0}));
  ASSERT_TRUE(b.rest());
  EXPECT_EQ(b.session.acknowledged_jogs(), 1U);
  EXPECT_EQ(norm(b.session.position_m()), 0);
}

TEST(GrblStage, ASilentStageIsSeenByTheAgeOfItsPosition) {
  Bench b;
  ASSERT_TRUE(b.begin());
  b.twin.set_silent(true);
  b.pass(10ms);
  const auto last = b.session.position_received();
  b.pass(1s);
  EXPECT_EQ(b.session.position_received(), last);
}

}  // namespace
}  // namespace strigil::sim
