#include "daq/link/recorded_device.hpp"

#include <fmt/format.h>

#include <cmath>
#include <variant>

#include "daq/codec/rdt.hpp"
#include "daq/record/run_reader.hpp"

namespace strigil::daq {
namespace {

/// What the one device of a recording calls itself.
constexpr std::uint32_t kDeviceId = 1;

std::byte byte_of(std::uint32_t bits, std::size_t i) { return static_cast<std::byte>(bits >> (8 * i)); }

}  // namespace

Result<std::unique_ptr<RecordedDevice>> RecordedDevice::load(const std::string& path, const std::string& stream) {
  auto reader = RunReader::open(path);
  if (!reader) return reader.error();
  const auto& streams = (*reader)->header().streams;
  std::size_t s = 0;
  std::string known;
  for (; s < streams.size() && streams[s].name != stream; ++s) known += (s == 0 ? "" : ", ") + streams[s].name;
  if (s == streams.size()) return Error{fmt::format("'{}' has no stream '{}'; it has {}", path, stream, known)};
  std::unique_ptr<RecordedDevice> device(new RecordedDevice());
  auto& d = device->description_ = streams[s];
  const auto count = (*reader)->block_count(s);
  if (d.rate_Hz <= 0 || d.tick_rate_Hz <= 0) {
    return Error{fmt::format("stream '{}' of '{}' has no rate of its own: no sensor sends it", stream, path)};
  }
  if (count == 0 || count > kMostBlocks) {
    return Error{fmt::format("stream '{}' of '{}' has {} blocks; a replay link plays 1 to {}", stream, path, count,
                             kMostBlocks)};
  }
  device->channels_ = d.channels.size();
  device->rdt_ = d.quantity == "force" && d.channels.size() == kRdtAxes;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto b = (*reader)->block(s, i);
    if (!b) return b.error();
    device->blocks_.push_back({.received = b->received,
                               .period_ns = b->period_ns,
                               .first_sample = b->first_sample,
                               .ticks = b->ticks.count,
                               .first_value = device->values_.size(),
                               .samples = b->samples,
                               .fault = (b->flags & kDeviceFault) != 0});
    device->values_.insert(device->values_.end(), b->counts.begin(),
                           b->counts.begin() + static_cast<std::ptrdiff_t>(b->value_count()));
  }
  return device;
}

void RecordedDevice::receive(std::span<const std::byte> bytes, HostTime now) {
  const auto start = [&](bool on) {
    if (on && !started_ && next_block_ == 0) start_ = now;
    started_ = on;
  };
  if (rdt_) {
    if (const auto request = decode_rdt_request(bytes)) start(request->command != RdtCommand::kStop);
    return;
  }
  while (const auto packet = unframer_.next(bytes)) {
    const auto* request = std::get_if<sensor_stream::Request>(&packet->body);
    if (request == nullptr) continue;
    if (request->type == sensor_stream::Type::kDescribe) describe();
    if (request->type == sensor_stream::Type::kStart) start(true);
    if (request->type == sensor_stream::Type::kStop) start(false);
  }
}

void RecordedDevice::say(const sensor_stream::Body& body) {
  sensor_stream::encode({kDeviceId, body}, frame_);
  answers_.emplace_back(frame_.data().begin(), frame_.data().end());
}

void RecordedDevice::describe() {
  answers_.clear();
  next_answer_ = 0;
  const auto& d = description_;
  say(sensor_stream::Device{1, d.device, "recording"});
  say(sensor_stream::Stream{0, static_cast<std::uint8_t>(channels_), d.rate_Hz, d.tick_rate_Hz, d.counts_min,
                            d.counts_max, d.name, d.quantity});
  for (std::size_t c = 0; c < channels_; ++c) {
    const auto& channel = d.channels[c];
    say(sensor_stream::Channel{0, static_cast<std::uint8_t>(c), channel.scale, channel.offset, channel.name,
                               channel.unit});
  }
}

HostTime RecordedDevice::recorded_arrival() const {
  const auto& b = blocks_[next_block_];
  const int before_last = rdt_ ? b.samples - 1 - next_sample_ : 0;
  return b.received - Duration{std::llround(before_last * b.period_ns)};
}

std::optional<HostTime> RecordedDevice::due() const {
  if (next_answer_ < answers_.size()) return start_;
  if (!started_ || ended()) return {};
  return start_ + (recorded_arrival() - blocks_.front().received);
}

std::span<const std::byte> RecordedDevice::next(HostTime now) {
  if (next_answer_ < answers_.size()) return answers_[next_answer_++];
  const auto when = due();
  if (!when || *when > now) return {};
  if (rdt_) {
    next_record();
  } else {
    next_frame();
  }
  return out_;
}

void RecordedDevice::next_record() {
  const auto& b = blocks_[next_block_];
  RdtRecord record;
  record.rdt_sequence = static_cast<std::uint32_t>(b.first_sample + next_sample_);
  record.ft_sequence = static_cast<std::uint32_t>(b.ticks + next_sample_);
  record.status = b.fault ? 1 : 0;
  for (std::size_t a = 0; a < kRdtAxes; ++a) record.counts[a] = values_[b.first_value + next_sample_ * kRdtAxes + a];
  const auto bytes = encode(record);
  out_.assign(bytes.begin(), bytes.end());
  if (++next_sample_ == b.samples) {
    next_sample_ = 0;
    ++next_block_;
  }
}

void RecordedDevice::next_frame() {
  const auto& b = blocks_[next_block_++];
  std::array<std::byte, 4 * kMaxBlockValues> counts;
  const std::size_t values = b.samples * channels_;
  for (std::size_t v = 0; v < values; ++v) {
    const auto bits = static_cast<std::uint32_t>(values_[b.first_value + v]);
    for (std::size_t i = 0; i < 4; ++i) counts[4 * v + i] = byte_of(bits, i);
  }
  sensor_stream::Data data;
  data.fault = b.fault;
  data.channels = static_cast<std::uint8_t>(channels_);
  data.samples = static_cast<std::uint8_t>(b.samples);
  data.ticks = static_cast<std::uint32_t>(b.ticks);
  data.first_sample = static_cast<std::uint32_t>(b.first_sample);
  data.counts = std::span<const std::byte>(counts).first(4 * values);
  sensor_stream::encode({kDeviceId, data}, frame_);
  out_.assign(frame_.data().begin(), frame_.data().end());
}

}  // namespace strigil::daq
