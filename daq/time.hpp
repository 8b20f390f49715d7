// The three kinds of time (DESIGN.md, Time), each with a name that says which it is.
// All functions here are pure or read one system clock; any thread may call them.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace strigil::daq {

/// A length of host time in nanoseconds, signed.
using Duration = std::chrono::nanoseconds;

/// An instant of CLOCK_MONOTONIC (real time) or of a ManualClock (virtual time), in nanoseconds.
/// The origin is arbitrary: only differences mean anything, and only within one run.
struct HostTime {
  std::int64_t ns = 0;

  friend constexpr auto operator<=>(HostTime, HostTime) = default;
  friend constexpr Duration operator-(HostTime a, HostTime b) { return Duration{a.ns - b.ns}; }
  friend constexpr HostTime operator+(HostTime a, Duration d) { return {a.ns + d.count()}; }
  friend constexpr HostTime operator-(HostTime a, Duration d) { return {a.ns - d.count()}; }
};

/// A device's own counter, extended to 64 bits by whoever decodes it.
struct DeviceTicks {
  std::uint64_t count = 0;
  friend constexpr auto operator<=>(DeviceTicks, DeviceTicks) = default;
};

/// Civil time, nanoseconds since the Unix epoch. For people and file names only, never for arithmetic on samples.
struct WallTime {
  std::int64_t ns = 0;
};

/// Seconds as a double, for formulas.
constexpr double seconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }
/// The nearest Duration to `s` seconds.
constexpr Duration from_seconds(double s) {
  return Duration{static_cast<std::int64_t>(s * 1e9 + (s < 0 ? -0.5 : 0.5))};
}

/// Now on CLOCK_MONOTONIC. Never called by codecs, sessions or the tick: they are given `now`.
HostTime host_now() noexcept;
/// Now on CLOCK_REALTIME.
WallTime wall_now() noexcept;
/// `wall` as ISO 8601 in UTC with milliseconds, e.g. "2026-11-23T12:00:00.000Z".
std::string iso8601(WallTime wall);
/// `wall` for file names, e.g. "20261123T120000Z".
std::string file_stamp(WallTime wall);

}  // namespace strigil::daq
