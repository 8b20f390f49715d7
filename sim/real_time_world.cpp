#include "sim/real_time_world.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "daq/chunk.hpp"
#include "sim/real_wires.hpp"

namespace strigil::sim {
namespace {

namespace fs = std::filesystem;

constexpr double kLongestTurn_ns = 250e3;
constexpr int kMostTakes = 64;  // a turn: a host that floods one wire must not starve the others
constexpr long kNanosecondsPerSecond = 1'000'000'000;

void sleep_until(daq::HostTime at) {
  const timespec when{static_cast<time_t>(at.ns / kNanosecondsPerSecond), at.ns % kNanosecondsPerSecond};
  (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);  // early by a signal: the turn is early
}

/// Turns lie on a grid from the world's start, where the force sensor's samples lie too, each of which is a datagram of
/// its own: it leaves when it is made. A grid that slid against them would delay samples by an amount that wanders, as
/// no device does, and would send two at once where the rig must wake up for each.
double turn_ns(const SimConfig& config) {
  const double period_ns = 1e9 / config.force.rate_Hz;
  return period_ns / std::ceil(period_ns / kLongestTurn_ns);
}

}  // namespace

struct RealTimeWorld::Wires {
  using Open = std::array<std::unique_ptr<RealWire>, kDevices>;
  Wires(const SimConfig& config, Open open, std::unique_ptr<RealWire> aside)
      : turn_period_ns(turn_ns(config)),
        wire(std::move(open)),
        generator(std::move(aside)),
        world(config, daq::host_now(), {wire[0].get(), wire[1].get(), wire[2].get()}, generator.get()) {
    for (std::size_t i = 0; i < kDevices; ++i) uris[i] = wire[i]->uri();
  }

  void turn(daq::HostTime now) {
    world.advance(now);
    std::array<std::byte, daq::kChunkCapacity> room;
    const auto serve = [&room](RealWire& w, const auto& receive) {
      for (int taken = 0; taken < kMostTakes; ++taken) {
        const std::size_t size = w.take(room);
        if (size == 0) break;
        receive(std::span(room).first(size));
      }
      w.flush();
    };
    for (std::size_t i = 0; i < kDevices; ++i) {
      serve(*wire[i], [&](auto bytes) { world.receive(static_cast<DeviceName>(i), bytes, now); });
    }
    if (generator) serve(*generator, [&](auto bytes) { world.receive_generator(bytes, now); });
  }

  const double turn_period_ns;
  Open wire;
  std::unique_ptr<RealWire> generator;  // nullptr: the bench has none
  World world;
  std::array<std::string, kDevices> uris;
};

RealTimeWorld::RealTimeWorld(std::unique_ptr<Wires> wires) : wires_(std::move(wires)) {}
RealTimeWorld::~RealTimeWorld() = default;

daq::Result<std::unique_ptr<RealTimeWorld>> RealTimeWorld::start(const SimConfig& config, const std::string& dir) {
  std::error_code failure;
  const auto folder = fs::absolute(dir, failure).lexically_normal();
  if (!failure) fs::create_directories(folder, failure);
  if (failure) {
    return daq::Error{
        fmt::format("cannot make the folder '{}': {}; choose one that can be written", dir, failure.message())};
  }
  // The paths go into a bench file: quotes there would end a text early.
  const auto awkward = [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < ' '); };
  if (std::ranges::any_of(folder.native(), awkward)) {
    return daq::Error{
        fmt::format("cannot use the folder '{}': quotes, backslashes and control characters have no "
                    "place in a bench file's links",
                    dir)};
  }
  auto stage = open_pty_wire((folder / name_of(DeviceName::kStage)).string());
  if (!stage) return stage.error();
  auto force = open_udp_wire();
  if (!force) return force.error();
  auto vibration = open_pty_wire((folder / name_of(DeviceName::kVibration)).string());
  if (!vibration) return vibration.error();
  std::unique_ptr<RealWire> aside;
  if (config.generator) {
    auto generator = open_pty_wire((folder / "generator").string());
    if (!generator) return generator.error();
    aside = std::move(*generator);
  }
  Wires::Open open{std::move(*stage), std::move(*force), std::move(*vibration)};
  return std::unique_ptr<RealTimeWorld>(
      new RealTimeWorld(std::make_unique<Wires>(config, std::move(open), std::move(aside))));
}

const std::array<std::string, kDevices>& RealTimeWorld::links() const noexcept { return wires_->uris; }

std::string RealTimeWorld::bench_on_these_wires(std::string_view bench_text) const {
  std::string text(bench_text);
  const auto put = [&](std::string_view name, const std::string& uri) {
    const auto from = fmt::format("\"memory:{}\"", name);
    const auto to = fmt::format("\"{}\"", uri);
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  for (std::size_t i = 0; i < kDevices; ++i) put(name_of(static_cast<DeviceName>(i)), wires_->uris[i]);
  if (wires_->generator) put("generator", wires_->generator->uri());
  // The twins' wires in virtual time have a delay, these have none but their own.
  constexpr std::string_view kLatency = "\nlatency_ms";
  for (auto at = text.find(kLatency); at != std::string::npos; at = text.find(kLatency, at + kLatency.size())) {
    const auto value = at + kLatency.size();
    text.replace(value, text.find('\n', value) - value, " = 0");
  }
  return text;
}

void RealTimeWorld::run(const std::atomic<bool>& stop, const std::function<void(daq::HostTime)>& each_turn) {
  const daq::HostTime start = wires_->world.start();
  while (!stop.load(std::memory_order_relaxed)) {
    const auto now = daq::host_now();
    wires_->turn(now);
    if (each_turn) each_turn(now);
    // Turns that were missed are not made up for: the plant's steps are.
    const auto turns = std::floor(static_cast<double>((daq::host_now() - start).count()) / wires_->turn_period_ns);
    sleep_until(start + daq::Duration(static_cast<std::int64_t>(std::ceil((turns + 1) * wires_->turn_period_ns))));
  }
  wires_->turn(daq::host_now());
}

WorldTotals RealTimeWorld::totals() const noexcept {
  auto totals = wires_->world.totals();
  for (std::size_t i = 0; i < kDevices; ++i) totals[i].lost_bytes = wires_->wire[i]->lost_bytes();
  return totals;
}
const World& RealTimeWorld::world() const noexcept { return wires_->world; }

}  // namespace strigil::sim
