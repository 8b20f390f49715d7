#include "daq/time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace strigil::daq {
namespace {

std::int64_t read_clock(clockid_t id) noexcept {
  timespec t{};
  ::clock_gettime(id, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::tm utc(WallTime wall) {
  const auto s = static_cast<std::time_t>(wall.ns / 1'000'000'000);
  std::tm out{};
  ::gmtime_r(&s, &out);
  return out;
}

}  // namespace

HostTime host_now() noexcept { return {read_clock(CLOCK_MONOTONIC)}; }
WallTime wall_now() noexcept { return {read_clock(CLOCK_REALTIME)}; }

std::string iso8601(WallTime wall) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc(wall), wall.ns / 1'000'000 % 1000);
}

std::string file_stamp(WallTime wall) { return fmt::format("{:%Y%m%dT%H%M%SZ}", utc(wall)); }

}  // namespace strigil::daq
