// Time: arithmetic, words for people, and that the clocks are the ones they say.
#include "daq/time.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace strigil::daq {
namespace {

using namespace std::chrono_literals;

// The three kinds of time cannot be mixed up.
template <typename A, typename B>
concept Subtractable = requires(A a, B b) {
  a - b;
};
static_assert(Subtractable<HostTime, HostTime>);
static_assert(Subtractable<HostTime, Duration>);
static_assert(!Subtractable<HostTime, WallTime>);
static_assert(!Subtractable<WallTime, WallTime>);
static_assert(!Subtractable<DeviceTicks, HostTime>);
static_assert(!std::is_convertible_v<HostTime, WallTime> && !std::is_convertible_v<DeviceTicks, HostTime>);

TEST(Time, HostTimesSubtractAddAndCompare) {
  const HostTime a{5'000'000'000};
  const HostTime b{7'500'000'001};
  EXPECT_EQ(b - a, 2'500'000'001ns);
  EXPECT_EQ(a - b, -2'500'000'001ns);
  EXPECT_EQ(a + 1ms, HostTime{5'001'000'000});
  EXPECT_EQ(a - 1ms, HostTime{4'999'000'000});
  EXPECT_EQ(a + (b - a), b);
  EXPECT_LT(a, b);
  EXPECT_GE(b, a);
  EXPECT_LT(DeviceTicks{1}, DeviceTicks{std::uint64_t{1} << 63U});
}

TEST(Time, SecondsAreExactToTheNanosecond) {
  EXPECT_EQ(seconds(1500ms), 1.5);
  EXPECT_EQ(from_seconds(1.5), 1500ms);
  EXPECT_EQ(from_seconds(0), 0ns);
  EXPECT_EQ(from_seconds(1e-9), 1ns);
  EXPECT_EQ(from_seconds(0.4e-9), 0ns);
  EXPECT_EQ(from_seconds(0.6e-9), 1ns);
  EXPECT_EQ(from_seconds(-0.4e-9), 0ns);
  EXPECT_EQ(from_seconds(-0.6e-9), -1ns);
  for (const std::int64_t ns : {1LL, 999LL, 123'456'789LL, 86'400'000'000'001LL}) {
    EXPECT_EQ(from_seconds(seconds(Duration(ns))), Duration(ns));
    EXPECT_EQ(from_seconds(seconds(Duration(-ns))), Duration(-ns));
  }
}

TEST(Time, WallTimeInWords) {
  EXPECT_EQ(iso8601({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso8601({1'795'435'200'000'000'000}), "2026-11-23T12:00:00.000Z");
  EXPECT_EQ(iso8601({1'795'435'200'007'999'999}), "2026-11-23T12:00:00.007Z") << "cut, not rounded";
  EXPECT_EQ(iso8601({1'709'251'199'999'000'000}), "2024-02-29T23:59:59.999Z") << "a leap day";
  EXPECT_EQ(file_stamp({1'795'435'200'999'000'000}), "20261123T120000Z");
}

TEST(Time, HostTimeIsTheSteadyClockAndWallTimeTheCivilOne) {
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  const auto host = host_now();
  const auto after = std::chrono::steady_clock::now().time_since_epoch();
  EXPECT_LE(before, Duration(host.ns));
  EXPECT_LE(Duration(host.ns), after);
  // 2020 or later: no monotonic clock says so. (Civil time may jump, so nothing more can be asked of it.)
  EXPECT_GT(wall_now().ns, 1'577'836'800'000'000'000);
}

TEST(Time, HostTimeNeverGoesBack) {
  auto last = host_now();
  for (int n = 0; n < 100'000; ++n) {
    const auto now = host_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace strigil::daq
