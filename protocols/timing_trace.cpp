#include "protocols/timing_trace.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "protocols/plan.hpp"
#include "protocols/runner.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
/// Kept on either side of a tap: what tap_timing.cpp looks at, and the latency that it may find.
constexpr daq::Duration kMargin = std::chrono::milliseconds(300);
constexpr daq::Duration kForget = std::chrono::seconds(1);
constexpr std::size_t kPruneEvery = 8192;  // samples

constexpr double kStep = 1.05;
constexpr double kLeast_s = 1e-9;

TimeSeries series_of(const std::vector<std::int64_t>& at_ns, const std::vector<double>& value, std::int64_t origin_ns) {
  TimeSeries s;
  s.at_s.reserve(at_ns.size());
  for (const auto t : at_ns) s.at_s.push_back(static_cast<double>(t - origin_ns) * 1e-9);
  s.value = value;
  return s;
}

}  // namespace

std::vector<TracedStream> traced_streams(const std::vector<daq::StreamDescription>& streams, std::size_t normal_channel,
                                         double normal_sign) {
  std::vector<TracedStream> out;
  for (const auto& d : streams) {
    TracedStream t{d, TapSense::kNone, {}, 1};
    if (d.quantity == "force" && normal_channel < d.channels.size()) {
      t.sense = TapSense::kForce;
      t.channels = {normal_channel};
      t.sign = normal_sign;
    } else if (d.quantity == "position" && d.channels.size() > rig::kZ) {
      t.sense = TapSense::kPosition;
      t.channels = {rig::kZ};
    } else if (d.quantity == "acceleration") {
      t.sense = TapSense::kAcceleration;
      for (std::size_t c = 0; c < d.channels.size(); ++c) t.channels.push_back(c);
    }
    out.push_back(std::move(t));
  }
  return out;
}

void BoundHistogram::add(double bound_s, std::uint64_t weight) noexcept {
  const double step = std::log(std::max(bound_s, kLeast_s) / kLeast_s) / std::log(kStep);
  counts_[static_cast<std::size_t>(std::clamp(step, 0.0, static_cast<double>(kSteps - 1)))] += weight;
  total_ += weight;
  max_s_ = std::max(max_s_, bound_s);
}

double BoundHistogram::quantile_s(double share) const noexcept {
  const double wanted = share * static_cast<double>(total_);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kSteps; ++i) {
    sum += counts_[i];
    if (sum > 0 && static_cast<double>(sum) >= wanted) {
      return std::min(max_s_, kLeast_s * std::pow(kStep, static_cast<double>(i + 1)));
    }
  }
  return 0;
}

TimingTrace::TimingTrace(std::vector<TracedStream> streams) : streams_(std::move(streams)), gathered_(streams_.size()) {
  for (std::size_t i = 0; i < streams_.size(); ++i) gathered_[i].channels.resize(streams_[i].channels.size());
}

void TimingTrace::take(const daq::Event& event) {
  if (event.code == daq::EventCode::kStepBegan) {
    const auto kind = static_cast<StepKind>(static_cast<int>(event.arguments[1]));
    stroked_ = stroked_ || kind == StepKind::kStroke;
    if (kind == StepKind::kTap) windows_.push_back({event.at, event.at, stroked_ ? 1U : 0U, true});
  } else if (event.code == daq::EventCode::kStepEnded && !windows_.empty() && windows_.back().open) {
    windows_.back().ended = event.at;
    windows_.back().open = false;
    // Half a tap tells nothing, and it is made again.
    if (static_cast<StepOutcome>(static_cast<int>(event.arguments[1])) == StepOutcome::kInterrupted) {
      windows_.pop_back();
    }
  }
}

void TimingTrace::take(const daq::Block& block) {
  if (block.stream >= streams_.size() || block.samples == 0) return;
  auto& g = gathered_[block.stream];
  auto& trace = g.trace;
  const auto& stream = streams_[block.stream];
  trace.samples += block.samples;
  if ((block.flags & daq::kClockUnlocked) != 0) trace.unlocked_samples += block.samples;
  trace.bounds.add(daq::seconds(block.bound), block.samples);
  const bool broken = (block.flags & (daq::kClockJump | daq::kDeviceReset)) != 0;
  if (broken && g.blocks > 0) ++trace.breaks;
  if (broken || g.blocks == 0) {
    g.first_ticks = block.ticks;
    g.first_t0 = block.t0;
  }
  g.last_ticks = block.ticks;
  g.last_t0 = block.t0;
  ++g.blocks;
  const auto last = block.t0 + daq::Duration{static_cast<std::int64_t>((block.samples - 1) * block.period_ns)};
  g.delay_sum_s += daq::seconds(block.received - last);
  if (stream.sense != TapSense::kNone) gather(block, stream, g);
}

void TimingTrace::gather(const daq::Block& block, const TracedStream& stream, Gathered& g) {
  for (std::size_t c = 0; c < stream.channels.size(); ++c) {
    auto& channel = g.channels[c];
    if (stream.channels[c] >= block.channels) continue;
    for (std::size_t s = 0; s < block.samples; ++s) {
      channel.at_ns.push_back(block.t0.ns + std::llround(static_cast<double>(s) * block.period_ns));
      channel.value.push_back(stream.sign * static_cast<double>(block.values[s * block.channels + stream.channels[c]]));
    }
  }
  if (g.channels.front().at_ns.size() > g.pruned_at + kPruneEvery) forget(block.t0, g);
}

bool TimingTrace::kept(std::int64_t at_ns) const {
  return std::any_of(windows_.begin(), windows_.end(), [&](const Window& w) {
    return at_ns >= (w.began - kMargin).ns && (w.open || at_ns <= (w.ended + kMargin).ns);
  });
}

void TimingTrace::forget(daq::HostTime now, Gathered& g) const {
  for (auto& channel : g.channels) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < channel.at_ns.size(); ++i) {
      if (channel.at_ns[i] < (now - kForget).ns && !kept(channel.at_ns[i])) continue;
      channel.at_ns[to] = channel.at_ns[i];
      channel.value[to] = channel.value[i];
      ++to;
    }
    channel.at_ns.resize(to);
    channel.value.resize(to);
  }
  g.pruned_at = g.channels.front().at_ns.size();
}

std::vector<StreamTrace> TimingTrace::finish() const {
  std::vector<StreamTrace> out;
  std::vector<TapByPosition> by_position(windows_.size());
  for (auto& p : by_position) p.at_s.fill(kUnknown), p.speed_m_s = kUnknown;
  const auto origin_ns = gathered_.empty() ? 0 : gathered_.front().first_t0.ns;
  const auto seconds_of = [&](daq::HostTime t) { return static_cast<double>(t.ns - origin_ns) * 1e-9; };
  const auto find = [&](std::size_t stream, const auto& instants_of) {
    const auto& g = gathered_[stream];
    std::vector<TimeSeries> series;
    for (const auto& c : g.channels) series.push_back(series_of(c.at_ns, c.value, origin_ns));
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      out[stream].taps[windows_[w].group].push_back(instants_of(series, w));
    }
  };
  for (const auto& g : gathered_) {
    auto& t = out.emplace_back(g.trace);
    t.delay_s = g.blocks > 0 ? g.delay_sum_s / static_cast<double>(g.blocks) : kUnknown;
    const auto& d = streams_[out.size() - 1].description;
    const auto device_ns = static_cast<double>(g.last_ticks.count - g.first_ticks.count) / d.tick_rate_Hz * 1e9;
    const auto host_ns = static_cast<double>((g.last_t0 - g.first_t0).count());
    t.drift_ppm = d.tick_rate_Hz > 0 && device_ns > 0 ? (host_ns / device_ns - 1) * 1e6 : kUnknown;
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].sense != TapSense::kPosition) continue;
    find(i, [&](const std::vector<TimeSeries>& series, std::size_t w) {
      by_position[w] = tap_by_position(series[0], seconds_of(windows_[w].began), seconds_of(windows_[w].ended));
      return by_position[w].at_s;
    });
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].sense == TapSense::kForce) {
      find(i, [&](const auto& series, std::size_t w) { return tap_by_force(series[0], by_position[w]); });
    } else if (streams_[i].sense == TapSense::kAcceleration) {
      find(i, [&](const auto& series, std::size_t w) { return tap_by_acceleration(series, by_position[w]); });
    }
  }
  return out;
}

}  // namespace strigil::protocols
