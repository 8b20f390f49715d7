#include "daq/codec/sensor_stream_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace strigil::daq {
namespace {

using namespace sensor_stream;

constexpr Duration kAskAgain = std::chrono::milliseconds(300);
/// A counter that steps back by more than this is a restarted device, whatever the link.
constexpr std::int32_t kLateAtMost = 4096;

template <std::size_t N>
void copy_text(std::string_view from, std::array<char, N>& to) noexcept {
  to.fill('\0');
  std::copy_n(from.begin(), std::min(from.size(), N - 1), to.begin());
}

}  // namespace

SensorStreamSession::SensorStreamSession(const SensorStreamSessionConfig& config) : config_(config) {}

std::vector<StreamDescription> SensorStreamSession::streams() const {
  std::vector<StreamDescription> out;
  if (!described_) return out;
  for (std::size_t i = 0; i < streams_; ++i) {
    const auto& d = descriptions_[i];
    StreamDescription s;
    s.id = static_cast<StreamId>(config_.first_stream + i);
    s.name = d.name.data();
    s.device = fmt::format("{} serial {} (id {:08x})", name_.data(), serial_.data(), device_);
    s.quantity = d.quantity.data();
    s.rate_Hz = d.rate_Hz;
    s.tick_rate_Hz = d.tick_rate_Hz;
    s.counts_min = d.counts_min;
    s.counts_max = d.counts_max;
    for (std::size_t c = 0; c < d.channels; ++c) {
      const auto& channel = d.channel[c];
      s.channels.push_back({channel.name.data(), channel.unit.data(), channel.scale, channel.offset});
    }
    out.push_back(std::move(s));
  }
  return out;
}

void SensorStreamSession::on_chunk(const Chunk& chunk, HostTime, SessionOutput& out) noexcept {
  counts_.bytes += chunk.size;
  for (auto& flow : flows_) flow.witness.chunk(chunk);
  const auto rejected_before = counts_.rejected;
  if (chunk.kind == ChunkKind::kTruncated) {
    ++counts_.rejected;
    witness_rejection();
  } else {
    auto bytes = chunk.data();
    const auto bad_frames = unframer_.rejected();
    auto bad_before = bad_frames;
    while (const auto packet = unframer_.next(bytes)) {
      if (unframer_.rejected() != std::exchange(bad_before, unframer_.rejected())) witness_rejection();
      ++counts_.records;
      take(*packet, chunk, out);
    }
    if (unframer_.rejected() != bad_before) witness_rejection();
    counts_.rejected += unframer_.rejected() - bad_frames;
  }
  if (counts_.rejected == rejected_before) return;
  out.event({.at = chunk.received,
             .code = EventCode::kDecodeError,
             .severity = Severity::kWarning,
             .source = config_.link,
             .arguments = {static_cast<double>(counts_.rejected)}});
}

/// A damaged frame does not say whose it was.
void SensorStreamSession::witness_rejection() noexcept {
  for (auto& flow : flows_) flow.witness.rejected();
}

void SensorStreamSession::take(const Packet& packet, const Chunk& chunk, SessionOutput& out) noexcept {
  if (const auto* data = std::get_if<Data>(&packet.body)) {
    if (described_ && packet.device == device_) take_data(*data, chunk, out);
    return;
  }
  if (const auto* status = std::get_if<Status>(&packet.body)) {
    Event e{.at = chunk.received,
            .code = EventCode::kDeviceStatus,
            .severity = status->code == 0 ? Severity::kInfo : Severity::kWarning,
            .source = config_.link,
            .arguments = {static_cast<double>(status->code)}};
    set_detail(e, status->text);
    out.event(e);
    return;
  }
  if (described_) return;  // a device does not change while a run depends on it
  if (const auto* device = std::get_if<Device>(&packet.body)) {
    // Another device, or the same one with other streams: what was said before is of no use.
    if (packet.device != device_ || device->streams != streams_) descriptions_ = {};
    device_ = packet.device;
    streams_ = device->streams;
    copy_text(device->name, name_);
    copy_text(device->serial, serial_);
  } else if (packet.device != device_ || streams_ == 0) {
    return;
  } else if (const auto* stream = std::get_if<Stream>(&packet.body)) {
    auto& d = descriptions_[stream->index];
    d.stream_seen = true;
    d.channels = stream->channels;
    d.rate_Hz = stream->rate_Hz;
    d.tick_rate_Hz = stream->tick_rate_Hz;
    d.counts_min = stream->counts_min;
    d.counts_max = stream->counts_max;
    copy_text(stream->name, d.name);
    copy_text(stream->quantity, d.quantity);
  } else if (const auto* channel = std::get_if<Channel>(&packet.body)) {
    auto& d = descriptions_[channel->stream];
    auto& c = d.channel[channel->channel];
    d.channels_seen = static_cast<std::uint16_t>(d.channels_seen | 1U << channel->channel);
    c.scale = channel->scale;
    c.offset = channel->offset;
    copy_text(channel->name, c.name);
    copy_text(channel->unit, c.unit);
  }
  check_described(chunk.received, out);
}

void SensorStreamSession::check_described(HostTime at, SessionOutput& out) noexcept {
  if (streams_ == 0) return;
  for (std::size_t i = 0; i < streams_; ++i) {
    const auto& d = descriptions_[i];
    const auto wanted = (1U << d.channels) - 1;
    if (!d.stream_seen || (d.channels_seen & wanted) != wanted) return;
  }
  for (std::size_t i = 0; i < streams_; ++i) {
    flows_[i].clock.emplace(ClockFitConfig{.tick_rate_Hz = descriptions_[i].tick_rate_Hz,
                                           .tick_s = 1 / descriptions_[i].tick_rate_Hz,
                                           .latency_s = config_.latency_s,
                                           .lock_bound_s = config_.lock_bound_s});
  }
  described_ = true;
  asked_once_ = false;  // the next request is the start
  Event e{.at = at, .code = EventCode::kDescribed, .source = config_.link};
  set_detail(e, name_.data());
  out.event(e);
}

SensorStreamSession::Place SensorStreamSession::place(std::int32_t step, const Data& data, const Chunk& chunk,
                                                      const Flow& flow) noexcept {
  if (step >= 0) return Place::kInOrder;
  const bool ticks_ahead = static_cast<std::int32_t>(data.ticks - flow.last_ticks) > 0;
  if (chunk.kind == ChunkKind::kBytes || step < -kLateAtMost || ticks_ahead) return Place::kRestarted;
  return Place::kLate;
}

void SensorStreamSession::take_data(const Data& data, const Chunk& chunk, SessionOutput& out) noexcept {
  if (data.stream >= streams_ || data.channels != descriptions_[data.stream].channels) {
    ++counts_.rejected;
    return;
  }
  heard_data_ = true;
  heard_data_at_ = chunk.received;
  auto& flow = flows_[data.stream];
  const auto& description = descriptions_[data.stream];
  const auto id = static_cast<StreamId>(config_.first_stream + data.stream);
  auto& b = block_;
  b.flags = 0;
  b.gap = 0;
  if (!flow.synchronised) {
    flow.synchronised = true;
    flow.next_sample = data.first_sample;
    flow.ticks = flow.last_ticks = data.ticks;
  }
  const auto step = static_cast<std::int32_t>(data.first_sample - static_cast<std::uint32_t>(flow.next_sample));
  const auto where = place(step, data, chunk, flow);
  if (where == Place::kLate) {
    counts_.reordered += data.samples;
    const auto behind = static_cast<std::uint64_t>(-std::int64_t{step});
    counts_.lost -= flow.window.came_late(flow.next_sample - behind, std::min<std::uint64_t>(behind, data.samples));
    out.event({.at = chunk.received,
               .code = EventCode::kSamplesReordered,
               .severity = Severity::kWarning,
               .source = id,
               .arguments = {static_cast<double>(data.first_sample)}});
    return;
  }
  if (where == Place::kRestarted) {
    flow.clock->reset();
    flow.window.forget();
    counts_.lost += 1;  // how many nobody knows; at least the one that makes this a gap
    b.flags |= kDeviceReset | kGapBefore;
    b.gap = 1;
    flow.next_sample = ((flow.next_sample >> 32U) + 1) << 32U | data.first_sample;
    flow.ticks = flow.last_ticks = data.ticks;
    out.event({.at = chunk.received, .code = EventCode::kDeviceReset, .severity = Severity::kWarning, .source = id});
  } else if (step > 0) {
    b.gap = static_cast<std::uint32_t>(step);
    b.flags |= flow.witness.gap_flags();
    counts_.lost += b.gap;
    out.event({.at = chunk.received,
               .code = EventCode::kSamplesLost,
               .severity = Severity::kWarning,
               .source = id,
               .arguments = {static_cast<double>(b.gap), static_cast<double>(flow.next_sample)}});
    flow.window.lost(flow.next_sample, b.gap);
    flow.next_sample += b.gap;
  }
  flow.witness.none();
  flow.window.came(flow.next_sample, data.samples);
  flow.ticks += data.ticks - flow.last_ticks;  // unsigned 32-bit difference: wraps by itself
  flow.last_ticks = data.ticks;

  const double ticks_per_sample = description.tick_rate_Hz / description.rate_Hz;
  const auto last_tick = flow.ticks + static_cast<std::uint64_t>(ticks_per_sample * (data.samples - 1));
  // The packet left when its last sample was made, not its first.
  if (flow.clock->update({last_tick}, chunk.received) == ClockFit::Update::kJump) {
    b.flags |= kClockJump;
    out.event({.at = chunk.received, .code = EventCode::kClockJump, .severity = Severity::kWarning, .source = id});
  }
  b.stream = id;
  b.channels = data.channels;
  b.samples = data.samples;
  b.first_sample = flow.next_sample;
  b.ticks = {flow.ticks};
  b.received = chunk.received;
  b.t0 = flow.clock->to_host({flow.ticks});
  b.bound = flow.clock->bound();
  b.period_ns = flow.clock->period_ns() * ticks_per_sample;
  if (flow.clock->locked()) {
    locked_ = true;
  } else {
    b.flags |= kClockUnlocked;
  }
  if (data.fault) {
    b.flags |= kDeviceFault;
    ++counts_.device_faults;
  }
  for (std::size_t i = 0; i < b.value_count(); ++i) {
    b.counts[i] = data.count_at(i);
    if (b.counts[i] <= description.counts_min || b.counts[i] >= description.counts_max) b.flags |= kSaturated;
  }
  flow.next_sample += data.samples;
  counts_.samples += data.samples;

  NewestSample newest;
  newest.stream = id;
  newest.channels = b.channels;
  newest.flags = b.flags;
  newest.sample = flow.next_sample - 1;
  newest.received = chunk.received;
  newest.t0 = flow.clock->to_host({last_tick});
  std::copy_n(&b.counts[b.value_count() - b.channels], b.channels, newest.counts.begin());
  out.newest(newest);
  out.block(b);
}

bool SensorStreamSession::send(Type type, SessionOutput& out) noexcept {
  encode({described_ ? device_ : kAnyDevice, Request{type}}, frame_);
  return out.send(frame_.data());
}

void SensorStreamSession::on_time(HostTime now, SessionOutput& out) noexcept {
  if (!wanted_ || (asked_once_ && now - asked_ < kAskAgain)) return;
  const bool silent = !heard_data_ || now - heard_data_at_ >= kAskAgain;
  if (described_ && !silent) return;
  if (send(described_ ? Type::kStart : Type::kDescribe, out)) {
    asked_once_ = true;
    asked_ = now;
  }
}

void SensorStreamSession::stop(HostTime, SessionOutput& out) noexcept {
  wanted_ = false;  // what is still on its way is taken in, so that the counts of both ends balance
  (void)send(Type::kStop, out);
}

}  // namespace strigil::daq
