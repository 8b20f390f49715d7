// TmclSession against the module's double over lines that harm, lose and delay: no axis is ever taken for another.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "tests/sim/tmcl_bench.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;

/// Axes far from each other, in pulses too, so that one taken for another is seen.
struct Noisy {
  explicit Noisy(std::uint32_t seed, bool jumpy_reads) : random(seed), bench(session_config(), twin_config()) {
    if (jumpy_reads) bench.tick = 250us;
  }
  static TmclTwinConfig twin_config() {
    auto c = mid_travel();
    c.pulses_per_m = {1e6, 0.4e6, -2e6};
    return c;
  }
  static daq::TmclSessionConfig session_config() {
    auto c = tmcl_session_config();
    const auto twin = twin_config();
    for (std::size_t a = 0; a < daq::kStageAxes; ++a) c.axes[a].pulses_per_m = twin.pulses_per_m[a];
    return c;
  }
  void command() {
    const auto uniform = [&](double lo, double hi) { return std::uniform_real_distribution<>(lo, hi)(random); };
    const std::size_t a = random() % daq::kStageAxes;
    switch (random() % 8) {
      case 0:
        (void)bench.session.stop_axes(bench.now, bench);
        break;
      case 1:
        (void)bench.session.move_to(a, bench.twin.position_m()[a] + uniform(-0.01, 0.01), uniform(0.005, 0.1),
                                    bench.now, bench);
        break;
      case 2:
        (void)bench.session.stop_hard(bench.now, bench);
        break;
      default:
        // Towards the middle of its travel, so that the axes stay apart.
        const auto& c = twin_config();
        const double middle = (c.travel_min_m[a] + c.travel_max_m[a]) / 2;
        const double speed = uniform(0, 0.05);
        (void)bench.session.set_velocity(a, bench.twin.position_m()[a] < middle ? speed : -speed, bench.now, bench);
        break;
    }
  }
  std::mt19937 random;
  TmclBench bench;
};

TEST(TmclNoise, NoisyLinesNeverMixAxesAndKeepWorking) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Noisy n(seed, seed % 2 == 0);
    auto& b = n.bench;
    b.harm_request = one_fault(n.random, 0.05);
    b.harm_reply = one_fault(n.random, 0.05);
    ASSERT_TRUE(b.get_ready()) << seed;
    const auto before = b.positions();
    for (int i = 0; i < 1000; ++i) {
      n.command();
      b.pass(std::chrono::milliseconds(n.random() % 20));
    }
    EXPECT_EQ(b.untrue, 0U) << seed;
    EXPECT_GT(b.positions() - before, 400U) << seed << ": a tenth of the frames are harmed";
    EXPECT_EQ(b.session.restarts(), 0U) << seed;
    EXPECT_GT(b.session.lost_answers(), 100U) << seed;
    b.harm_request = b.harm_reply = nullptr;
    b.pass(100ms);
    ASSERT_TRUE(b.session.stop_axes(b.now, b));
    b.pass(1s);
    EXPECT_TRUE(b.at_rest()) << seed;
    for (std::size_t a = 0; a < daq::kStageAxes; ++a) {
      EXPECT_NEAR(b.session.axis(a).position_m, b.twin.position_m()[a], 5e-6) << seed;
    }
  }
}

TEST(TmclNoise, EveryTwentiethByteHarmedNeverTakesOneAxisForAnother) {
  // Two or more harmed bytes in a frame pass an 8-bit checksum one time in 256. What cannot be is then thrown away, so
  // that a reading may be wrong by what the axis could have moved, and never by the distance to another axis.
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    Noisy n(seed, seed % 2 == 0);
    auto& b = n.bench;
    const auto harm = [&n](TmclBench::Frame& frame) {
      for (auto& byte : frame) {
        if (n.random() % 20 == 0) byte ^= static_cast<std::byte>(n.random() % 255 + 1);
      }
    };
    b.harm_request = b.harm_reply = harm;
    ASSERT_TRUE(b.pass_until([&] { return b.session.ready(); }, 20s)) << seed;
    const auto before = b.positions();
    for (int i = 0; i < 1000; ++i) {
      if (i % 10 == 0) n.command();
      b.pass(std::chrono::milliseconds(n.random() % 20));
    }
    EXPECT_LT(b.farthest_m, 0.02) << seed;
    EXPECT_GT(b.positions() - before, 40U) << seed;
    EXPECT_EQ(b.session.restarts(), 0U) << seed;
    b.harm_request = b.harm_reply = nullptr;
    b.pass(500ms);
    b.session.stop(b.now, b);
    b.pass(1s);
    EXPECT_TRUE(b.at_rest()) << seed;
  }
}

TEST(TmclNoise, AnswersThatComeLateAreNobodys) {
  // A module that answers after the time-out for a while: every answer is a whole request late.
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    Noisy n(seed, false);
    auto& b = n.bench;
    ASSERT_TRUE(b.get_ready());
    std::deque<TmclBench::Frame> held;
    for (int i = 0; i < 300; ++i) {
      b.harm_reply = [&](TmclBench::Frame& frame) {
        if (n.random() % 10 == 0) {
          held.push_back(frame);
          frame.clear();
        } else if (!held.empty() && n.random() % 3 == 0) {
          frame.insert(frame.begin(), held.front().begin(), held.front().end());
          held.pop_front();
        }
      };
      n.command();
      b.pass(std::chrono::milliseconds(n.random() % 20));
    }
    EXPECT_EQ(b.untrue, 0U) << seed;
    b.harm_reply = nullptr;
    b.pass(500ms);
    EXPECT_TRUE(b.session.stop_axes(b.now, b));
    b.pass(500ms);
    EXPECT_TRUE(b.at_rest());
  }
}

TEST(TmclNoise, TheSameCallsGiveTheSameBytes) {
  const auto run = [] {
    Noisy n(77, true);
    n.bench.harm_request = one_fault(n.random, 0.05);
    n.bench.harm_reply = one_fault(n.random, 0.05);
    for (int i = 0; i < 300; ++i) {
      n.command();
      n.bench.pass(std::chrono::milliseconds(n.random() % 20));
    }
    return n.bench.sent;
  };
  const auto first = run();
  EXPECT_GT(first.size(), 1000U);
  EXPECT_EQ(first, run());
}

}  // namespace
}  // namespace strigil::sim
