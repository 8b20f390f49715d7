// A ZaberSession and a ZaberTwin with a serial line between: every byte takes its time, and may be harmed on the way.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include "daq/codec/zaber_session.hpp"
#include "sim/zaber_twin.hpp"

namespace strigil::sim {

class ZaberBench final : public daq::SessionOutput, public TwinOutput {
 public:
  using Frame = std::vector<std::byte>;
  using Harm = std::function<void(Frame&)>;

  static constexpr daq::Duration kStep = std::chrono::microseconds(50);
  static constexpr daq::Duration kByte = std::chrono::nanoseconds(86806);  // ten bits at 115200 baud

  ZaberBench(const daq::ZaberSessionConfig& session_config, const ZaberTwinConfig& twin_config)
      : session(session_config), twin(twin_config, now), session_config_(session_config) {}

  /// Lets time pass: the world in steps, the session each `tick`.
  void pass(daq::Duration d) {
    const auto end = now + d;
    while (now < end) {
      now = now + kStep;
      deliver();
      twin.step(now, {}, *this);
      remember();
      if (now >= next_tick_) {
        next_tick_ = next_tick_ + tick;
        tick_once();
      }
    }
  }
  /// True when `done` came to be within `most`.
  bool pass_until(const std::function<bool()>& done, daq::Duration most) {
    for (const auto end = now + most; now < end;) {
      if (done()) return true;
      pass(tick);
    }
    return done();
  }
  bool get_ready() {
    return pass_until([&] { return session.ready(); }, std::chrono::seconds(2));
  }
  [[nodiscard]] double speed(std::size_t axis) const { return twin.motion(axis).velocity_m_s(); }
  [[nodiscard]] bool at_rest() const {
    return twin.motion(0).at_rest() && twin.motion(1).at_rest() && twin.motion(2).at_rest();
  }
  [[nodiscard]] std::size_t count(daq::EventCode code) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& e) { return e.code == code; }));
  }
  /// What the host has said so far, as text.
  [[nodiscard]] std::string said() const {
    std::string text;
    for (const auto b : sent) text += static_cast<char>(b);
    return text;
  }

  // What the session and the twin put out.
  void newest(const daq::NewestSample& s) noexcept override { samples.push_back(s); }
  void block(const daq::Block& b) noexcept override { blocks.push_back({b.first_sample, b.t0, b.bound, b.flags}); }
  void event(const daq::Event& e) noexcept override { events.push_back(e); }
  bool send(std::span<const std::byte> bytes) noexcept override {
    if (!link_takes) return false;
    put(to_twin_, bytes, harm_request);
    sent.insert(sent.end(), bytes.begin(), bytes.end());
    return true;
  }
  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    if (reply_delay) to_host_.free = std::max(to_host_.free, now + reply_delay());
    put(to_host_, bytes, harm_reply);
  }

  struct Told {
    std::uint64_t first_sample;
    daq::HostTime t0;
    daq::Duration bound;
    std::uint32_t flags;
  };

  daq::HostTime now{1'000'000'000};
  daq::Duration tick = std::chrono::milliseconds(1);
  bool link_takes = true;
  bool host_alive = true;  ///< false: the session is not called any more
  Harm harm_request;
  Harm harm_reply;
  std::function<daq::Duration()> reply_delay;
  daq::ZaberSession session;
  ZaberTwin twin;
  std::vector<daq::NewestSample> samples;
  std::vector<Told> blocks;
  std::vector<daq::Event> events;
  std::vector<std::byte> sent;
  /// Readings that were not where their axis was at any time while it was asked.
  std::uint64_t untrue = 0;

 private:
  struct Wire {
    std::deque<std::pair<daq::HostTime, std::byte>> bytes;
    daq::HostTime free;
  };
  struct Past {
    daq::HostTime at;
    std::array<std::int64_t, rig::kAxes> microsteps{};
  };

  void put(Wire& wire, std::span<const std::byte> bytes, const Harm& harm) {
    Frame frame(bytes.begin(), bytes.end());
    if (harm) harm(frame);
    wire.free = std::max(wire.free, now);
    for (const auto b : frame) {
      wire.free = wire.free + kByte;
      wire.bytes.emplace_back(wire.free, b);
    }
  }
  void deliver() {
    while (!to_twin_.bytes.empty() && to_twin_.bytes.front().first <= now) {
      const auto [at, b] = to_twin_.bytes.front();
      to_twin_.bytes.pop_front();
      twin.receive({&b, 1}, at, *this);
    }
  }
  void remember() {
    Past p{now};
    for (std::size_t a = 0; a < rig::kAxes; ++a) p.microsteps[a] = twin.microsteps(a);
    past_.push_back(p);
    if (past_.size() > 1000) past_.pop_front();
  }
  void tick_once() {
    daq::Chunk chunk;
    chunk.size = 0;
    while (!to_host_.bytes.empty() && to_host_.bytes.front().first <= now && chunk.size < 64) {
      chunk.received = to_host_.bytes.front().first;
      chunk.bytes[chunk.size++] = to_host_.bytes.front().second;
      to_host_.bytes.pop_front();
    }
    if (!host_alive) return;
    if (chunk.size > 0) session.on_chunk(chunk, now, *this);
    session.on_time(now, *this);
    judge();
  }
  void judge() {
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      const auto& r = session.axis(a);
      if (r.reports == judged_[a]) continue;
      judged_[a] = r.reports;
      const double microsteps = r.position_m * session_config_.axes[a].microsteps_per_m;
      const auto half = r.received - r.acquired;  // it was true between request and answer
      const bool held = std::any_of(past_.begin(), past_.end(), [&](const Past& p) {
        return std::abs(static_cast<double>(p.microsteps[a]) - microsteps) < 0.5 && p.at >= r.acquired - half - kStep &&
               p.at <= r.received;
      });
      if (!held) ++untrue;
    }
  }

  daq::ZaberSessionConfig session_config_;
  daq::HostTime next_tick_ = now;
  Wire to_twin_;
  Wire to_host_;
  std::deque<Past> past_;
  std::array<std::uint32_t, rig::kAxes> judged_{};
};

/// The twin's own scale, z with its home at the top.
inline daq::ZaberSessionConfig zaber_session_config() {
  daq::ZaberSessionConfig c;
  c.axes[2].microsteps_per_m = -1e6;
  return c;
}

/// Homed, each axis somewhere else.
inline ZaberTwinConfig zaber_twin_config() {
  ZaberTwinConfig c;
  c.start_m = {0.05, 0.02, -0.03};
  c.start_known = true;
  return c;
}

/// Harms a frame with one fault: a byte changed, lost, or too many; or the whole frame lost.
inline ZaberBench::Harm one_line_fault(std::mt19937& random, double probability) {
  return [&random, probability](ZaberBench::Frame& frame) {
    if (std::uniform_real_distribution<>(0, 1)(random) >= probability || frame.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(random() % frame.size());
    const auto byte = static_cast<std::byte>(random() % 255 + 1);
    switch (random() % 4) {
      case 0:
        frame[static_cast<std::size_t>(at)] ^= byte;
        break;
      case 1:
        frame.erase(frame.begin() + at);
        break;
      case 2:
        frame.insert(frame.begin() + at, byte);
        break;
      default:
        frame.clear();
        break;
    }
  };
}

}  // namespace strigil::sim
