// A TmclSession and a TmclTwin with a serial line between: every byte takes its time, and may be harmed on the way.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include "daq/codec/tmcl_session.hpp"
#include "sim/tmcl_twin.hpp"

namespace strigil::sim {

class TmclBench final : public daq::SessionOutput, public TwinOutput {
 public:
  using Frame = std::vector<std::byte>;
  using Harm = std::function<void(Frame&)>;

  static constexpr daq::Duration kStep = std::chrono::microseconds(50);
  static constexpr daq::Duration kByte = std::chrono::nanoseconds(86806);  // ten bits at 115200 baud

  TmclBench(const daq::TmclSessionConfig& session_config, const TmclTwinConfig& twin_config)
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
  [[nodiscard]] std::uint64_t positions() const {
    return std::uint64_t{session.axis(0).reports} + session.axis(1).reports + session.axis(2).reports;
  }

  // What the session and the twin put out.
  void newest(const daq::NewestSample& s) noexcept override { samples.push_back(s); }
  void block(const daq::Block&) noexcept override { ++blocks; }
  void event(const daq::Event& e) noexcept override { events.push_back(e); }
  bool send(std::span<const std::byte> bytes) noexcept override {
    if (!link_takes) return false;
    put(to_twin_, bytes, harm_request);
    sent.insert(sent.end(), bytes.begin(), bytes.end());
    return true;
  }
  void send(std::span<const std::byte> bytes, daq::HostTime) override { put(to_host_, bytes, harm_reply); }

  daq::HostTime now{1'000'000'000};
  daq::Duration tick = std::chrono::milliseconds(1);
  bool link_takes = true;
  bool host_alive = true;  ///< false: the session is not called any more
  Harm harm_request;
  Harm harm_reply;
  daq::TmclSession session;
  TmclTwin twin;
  std::vector<daq::NewestSample> samples;
  std::vector<daq::Event> events;
  std::vector<std::byte> sent;
  std::size_t blocks = 0;
  /// Readings that were not where their axis was at any time while it was asked.
  std::uint64_t untrue = 0;
  /// The farthest that a reading was from any place of its axis in the last 50 ms.
  double farthest_m = 0;

 private:
  struct Wire {
    std::deque<std::pair<daq::HostTime, std::byte>> bytes;
    daq::HostTime free;
  };
  struct Past {
    daq::HostTime at;
    std::array<std::int32_t, rig::kAxes> pulses{};
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
    for (std::size_t a = 0; a < rig::kAxes; ++a) p.pulses[a] = twin.pulses(a);
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
      const double pulses = r.position_m * session_config_.axes[a].pulses_per_m;
      const auto half = r.received - r.acquired;  // it was true between request and reply
      double nearest = 1e12;
      bool held = false;
      for (const auto& p : past_) {
        const double away = std::abs(p.pulses[a] - pulses);
        nearest = std::min(nearest, away);
        if (away < 0.5 && p.at >= r.acquired - half - kStep && p.at <= r.received) held = true;
      }
      if (!held) ++untrue;
      farthest_m = std::max(farthest_m, nearest / std::abs(session_config_.axes[a].pulses_per_m));
    }
  }

  daq::TmclSessionConfig session_config_;
  daq::HostTime next_tick_ = now;
  Wire to_twin_;
  Wire to_host_;
  std::deque<Past> past_;
  std::array<std::uint32_t, rig::kAxes> judged_{};
};

/// The twin's own scale and switches, z with its reference at the top.
inline daq::TmclSessionConfig tmcl_session_config() {
  daq::TmclSessionConfig c;
  c.axes[2].pulses_per_m = -1e6;
  for (auto& a : c.axes) {
    a.reference_speed_m_s = 0.05;
    a.reference_slow_m_s = 0.005;
  }
  return c;
}

/// A stage in the middle of its travel that knows where it is.
inline TmclTwinConfig mid_travel() {
  TmclTwinConfig c;
  c.start_m = {0.1, 0.05, -0.04};
  c.start_known = true;
  return c;
}

/// Harms a frame with one fault: a byte changed, lost, or too many; or the whole frame lost.
inline TmclBench::Harm one_fault(std::mt19937& random, double probability) {
  return [&random, probability](TmclBench::Frame& frame) {
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
