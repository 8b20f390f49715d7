// The clock fit against random worlds (clock_world.hpp): is the stated bound true, and is the fit as good as promised?
#include "daq/clock_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "daq/clock_retime.hpp"
#include "tests/daq/clock_world.hpp"

namespace strigil::daq {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kJudged = false;  // here only the memory is watched; shares of so few worlds say nothing
constexpr int kWorlds = 20;
#else
constexpr bool kJudged = true;
constexpr int kWorlds = 400;  // for each of five links: 2,000
#endif
constexpr double kSeconds = 30;
/// Locked, and wrong by five times the greatest bound with which a fit may lock: a false lock.
constexpr double kFalseLock_s = 5 * ClockFitConfig{}.lock_bound_s;

struct Tally {
  std::vector<double> errors_s;
  std::size_t windows = 0;  // of one second, in which the fit was locked
  std::size_t covered = 0;  // windows in which no sample lay outside its bound
  std::size_t false_locks = 0;
  std::size_t packets = 0;
  std::size_t locked = 0;

  double quantile_s(double p) {
    const auto at = errors_s.begin() + static_cast<std::ptrdiff_t>(p * static_cast<double>(errors_s.size() - 1));
    std::nth_element(errors_s.begin(), at, errors_s.end());
    return *at;
  }
  double coverage() const { return static_cast<double>(covered) / static_cast<double>(windows); }
  double locked_share() const { return static_cast<double>(locked) / static_cast<double>(packets); }
};

/// Where docs/figures/plot_clock.py gets its numbers from: STRIGIL_CLOCK_CSV names a file, usually it is not set.
std::FILE* table() {
  static std::FILE* const file = [] {
    const char* const path = std::getenv("STRIGIL_CLOCK_CSV");
    std::FILE* const opened = path == nullptr ? nullptr : std::fopen(path, "w");
    if (opened != nullptr) std::fprintf(opened, "batch_us,fit,world,second,error_us,bound_us\n");
    return opened;
  }();
  return file;
}

/// Gathers errors by windows of one second of host time.
class Judge {
 public:
  Judge(Tally& tally, const std::string& label) : tally_(tally), label_(label) {}
  void see(double truth_s, bool locked, HostTime said, double bound_s) {
    if (truth_s > end_s_) close();
    while (truth_s > end_s_) end_s_ += 1;
    ++tally_.packets;
    if (!locked) return;
    ++tally_.locked;
    const double error = std::abs(static_cast<double>(said.ns) * 1e-9 - truth_s);
    tally_.errors_s.push_back(error);
    any_ = true;
    ok_ = ok_ && error <= bound_s;
    if (error * worst_bound_s_ >= worst_error_s_ * bound_s) {
      worst_error_s_ = error;
      worst_bound_s_ = bound_s;
    }
    if (error > kFalseLock_s) ++tally_.false_locks;
  }
  void close() {
    if (any_) {
      ++tally_.windows;
      tally_.covered += ok_ ? 1 : 0;
      if (table() != nullptr) {
        std::fprintf(table(), "%s,%.0f,%.3f,%.3f\n", label_.c_str(), end_s_, worst_error_s_ * 1e6,
                     worst_bound_s_ * 1e6);
      }
    }
    any_ = false;
    ok_ = true;
    worst_error_s_ = 0;
    worst_bound_s_ = 1;
  }

 private:
  Tally& tally_;
  std::string label_;  // link, fit and world in the table
  double end_s_ = 1;
  bool any_ = false;
  bool ok_ = true;
  double worst_error_s_ = 0;  // of the sample that comes nearest to its bound, or is furthest beyond it
  double worst_bound_s_ = 1;
};

/// Runs `worlds` worlds through the causal fit and the two-sided one.
void run_worlds(double batch_s, int worlds, Tally& causal, Tally& two_sided) {
  for (int w = 0; w < worlds; ++w) {
    std::mt19937_64 random(static_cast<std::uint64_t>(w) * 2654435761U + 12345);
    const auto config = draw_clock_world(random, batch_s);
    ClockWorld world(config, random());
    const ClockFitConfig fit_config{.tick_rate_Hz = config.tick_rate_Hz, .tick_s = 1 / config.tick_rate_Hz};
    ClockFit fit(fit_config);
    const auto label = [&](const char* kind) {
      return std::to_string(std::lround(batch_s * 1e6)) + kind + std::to_string(w);
    };
    Judge judge(causal, label(",causal,"));
    std::vector<TickPair> pairs;
    std::vector<bool> restarts;
    std::vector<double> truths;
    DeviceTicks ticks;
    std::uint32_t last = 0;
    for (bool first = true;; first = false) {
      const auto p = world.next();
      if (p.truth_s > kSeconds) break;
      if (p.reset) fit.reset();
      ticks.count = first || p.reset ? p.ticks : ticks.count + (p.ticks - last);  // as sessions extend them
      last = p.ticks;
      fit.update(ticks, p.received);
      judge.see(p.truth_s, fit.locked(), fit.to_host(ticks), seconds(fit.bound()));
      pairs.push_back({ticks, p.received});
      restarts.push_back(p.reset);
      truths.push_back(p.truth_s);
    }
    judge.close();
    const auto retiming = retime(pairs, restarts, fit_config);
    Judge after(two_sided, label(",two-sided,"));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto segment = retiming.segment_of[i];
      after.see(truths[i], retiming.locked(pairs[i].ticks, segment), retiming.to_host(pairs[i].ticks, segment),
                retiming.bound_s(pairs[i].ticks, segment));
    }
    after.close();
  }
}

class ClockWorlds : public testing::TestWithParam<double> {};

TEST_P(ClockWorlds, TheBoundIsTrueAndTheErrorSmall) {
  Tally causal;
  Tally two_sided;
  run_worlds(GetParam(), kWorlds, causal, two_sided);
  const double p99_limit_s = GetParam() <= 1e-3 ? 50e-6 : 100e-6;
  for (auto* tally : {&causal, &two_sided}) {
    const char* name = tally == &causal ? "causal" : "two-sided";
    std::printf(
        "batch %5.2f ms %-9s worlds %d locked %.3f p50 %.1f us p95 %.1f us p99 %.1f us windows %zu covered %.4f\n",
        GetParam() * 1e3, name, kWorlds, tally->locked_share(), tally->quantile_s(0.5) * 1e6,
        tally->quantile_s(0.95) * 1e6, tally->quantile_s(0.99) * 1e6, tally->windows, tally->coverage());
    EXPECT_GT(tally->windows, 0U) << name;
    if (!kJudged) continue;
    EXPECT_GE(tally->coverage(), 0.95) << name;
    EXPECT_LT(tally->quantile_s(0.99), p99_limit_s) << name;
    EXPECT_EQ(tally->false_locks, 0U) << name;
    EXPECT_GT(tally->locked_share(), 0.7) << name << ": a fit that never dares is no fit";
  }
  if (kJudged) {
    EXPECT_LT(two_sided.quantile_s(0.5), causal.quantile_s(0.5)) << "looking both ways must pay";
  }
}

INSTANTIATE_TEST_SUITE_P(Links, ClockWorlds, testing::Values(0.0, 0.25e-3, 1e-3, 4e-3, 16e-3),
                         [](const auto& world) { return std::to_string(std::lround(world.param * 1e6)) + "us"; });

TEST(ClockFit, AnUndelayedLinkIsFollowedToTheResolutionOfItsStamps) {
  ClockFit fit({.tick_rate_Hz = 1e6, .tick_s = 0});
  for (std::uint64_t i = 0; i <= 200; ++i)
    fit.update({i * 10'000}, HostTime{static_cast<std::int64_t>(i) * 10'001'000});
  EXPECT_TRUE(fit.locked());
  EXPECT_NEAR(fit.state().drift_ppm, 100, 0.01);
  EXPECT_NEAR(fit.period_ns(), 1000.1, 1e-4);
  EXPECT_LE(std::abs(fit.to_host({2'000'000}).ns - 2'000'200'000), 2);
  EXPECT_LT(fit.bound(), std::chrono::microseconds(5));
}

TEST(ClockFit, NothingIsTrustedBeforeASecondHasBeenSeen) {
  ClockFit fit({.tick_rate_Hz = 1e6});
  EXPECT_EQ(fit.to_host({5}), HostTime{});
  for (std::uint64_t i = 0; i < 85; ++i) {
    fit.update({i * 10'000}, HostTime{static_cast<std::int64_t>(i) * 10'000'000});
    EXPECT_FALSE(fit.locked());
  }
}

class ClockJumps : public testing::TestWithParam<double> {};

TEST_P(ClockJumps, AreSeenAndSplitTheFit) {
  ClockFit fit({.tick_rate_Hz = 1e6});
  int jumps = 0;
  std::int64_t seen_after_packets = -1;
  for (std::int64_t i = 0; i < 800; ++i) {
    const bool leapt = i >= 400;
    const auto ticks = 10'000'000 + i * 10'000 + (leapt ? static_cast<std::int64_t>(GetParam() * 1e6) : 0);
    const auto update = fit.update({static_cast<std::uint64_t>(ticks)}, HostTime{i * 10'000'000});
    if (update == ClockFit::Update::kJump) {
      ++jumps;
      seen_after_packets = i - 400;
      EXPECT_FALSE(fit.locked()) << "after a jump nothing is trusted";
    }
  }
  EXPECT_EQ(jumps, 1);
  EXPECT_GE(seen_after_packets, 0);
  EXPECT_LE(seen_after_packets, 110) << "at once, or after the second that tells a backlog from a jump";
  EXPECT_TRUE(fit.locked()) << "and locks again";
  EXPECT_EQ(fit.state().jumps, 1U);
}
INSTANTIATE_TEST_SUITE_P(BothWays, ClockJumps, testing::Values(0.05, -0.05, 3.0, -3.0));

TEST(ClockFit, AHostStallIsNoJump) {
  ClockFit fit({.tick_rate_Hz = 1e6});
  for (std::int64_t i = 0; i < 1000; ++i) {
    const std::int64_t at = i * 10'000'000;
    const std::int64_t stalled = at >= 5'000'000'000 && at < 5'600'000'000 ? 5'600'000'000 : at;
    EXPECT_EQ(fit.update({static_cast<std::uint64_t>(i * 10'000)}, HostTime{stalled}), ClockFit::Update::kTaken);
  }
  EXPECT_TRUE(fit.locked());
  EXPECT_LE(std::abs(fit.to_host({9'990'000}).ns - 9'990'000'000), 10'000);
}

TEST(ClockRetiming, SegmentsDoNotMixAndEndsAreCarriedOn) {
  std::vector<TickPair> pairs;
  std::vector<bool> restarts;
  for (std::int64_t i = 0; i < 500; ++i) {
    const bool second = i >= 250;
    pairs.push_back({{static_cast<std::uint64_t>((second ? i - 250 : i) * 10'000)}, HostTime{i * 10'000'000}});
    restarts.push_back(i == 250);
  }
  const auto r = retime(pairs, restarts, {.tick_rate_Hz = 1e6});
  EXPECT_EQ(r.segment_of.front(), 0U);
  EXPECT_EQ(r.segment_of.back(), 1U);
  EXPECT_NEAR(static_cast<double>(r.to_host({1'000'000}, 0).ns), 1.0e9, 5e3);
  EXPECT_NEAR(static_cast<double>(r.to_host({1'000'000}, 1).ns), 3.5e9, 5e3);
  EXPECT_NEAR(static_cast<double>(r.to_host({3'000'000}, 1).ns), 5.5e9, 5e3) << "beyond the last knot";
  EXPECT_TRUE(r.locked({1'000'000}, 1));
  EXPECT_FALSE(r.locked({1'000'000}, 2)) << "there is no such segment";
}

TEST(ClockRetiming, ATickMayBeAsLongAsAMillisecond) {
  std::vector<TickPair> pairs;
  for (std::uint64_t i = 0; i < 8113; ++i)
    pairs.push_back({{7 + i}, HostTime{static_cast<std::int64_t>(i) * 1'000'000}});
  const auto r = retime(pairs, {}, {.tick_rate_Hz = 1000});
  for (const auto& p : pairs) {
    ASSERT_LE(std::abs((r.to_host(p.ticks, 0) - p.received).count()), 10'000) << "tick " << p.ticks.count;
  }
}

}  // namespace
}  // namespace strigil::daq
