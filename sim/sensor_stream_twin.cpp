#include "sim/sensor_stream_twin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::sim {
namespace {

using namespace daq::sensor_stream;

constexpr std::int32_t kFullScale = std::numeric_limits<std::int16_t>::max();  // a 16-bit converter
constexpr std::uint64_t kElectronicsSeed = 0x656C6563ULL;

}  // namespace

SensorStreamTwin::SensorStreamTwin(const SensorStreamTwinConfig& config, daq::HostTime start)
    : config_(config),
      noise_(config.seed),
      sampler_(start, config.rate_Hz, config.clock_error_ppm),
      channels_(config.reference ? kMostChannels : kAxes) {
  if (!config.electronics.any()) return;
  electronics_.emplace(config.electronics, config.temperature, config.plant_rate_Hz, config.rate_Hz,
                       config.seed ^ kElectronicsSeed);
}

void SensorStreamTwin::receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) {
  while (const auto packet = unframer_.next(bytes)) {
    const auto* request = std::get_if<Request>(&packet->body);
    if (request == nullptr || (packet->device != kAnyDevice && packet->device != config_.device_id)) continue;
    switch (request->type) {
      case Type::kDescribe:
        describe(now, out);
        break;
      case Type::kStart:
        streaming_ = true;
        break;
      case Type::kStop:
        streaming_ = false;
        gathered_samples_ = 0;
        break;
      default:
        break;
    }
  }
}

void SensorStreamTwin::describe(daq::HostTime now, TwinOutput& out) {
  send(Device{1, config_.name, config_.serial}, now, out);
  send(
      Stream{0, static_cast<std::uint8_t>(channels_), config_.rate_Hz, config_.tick_rate_Hz, -kFullScale, kFullScale,
             "vibration", "acceleration"},
      now, out);
  constexpr std::array<const char*, kAxes> kNames{"ax", "ay", "az"};
  for (std::uint8_t c = 0; c < kAxes; ++c) send(Channel{0, c, config_.scale_m_s2, 0, kNames[c], "m/s2"}, now, out);
  if (config_.reference) send(Channel{0, kAxes, config_.reference_scale_V, 0, "ref", "V"}, now, out);
}

void SensorStreamTwin::send(const Body& body, daq::HostTime now, TwinOutput& out) {
  if (silent_) return;
  encode({config_.device_id, body}, frame_);
  out.send(frame_.data(), now);
}

void SensorStreamTwin::reboot() {
  streaming_ = false;
  gathered_samples_ = 0;
  booted_ = sampler_.count();
  ticks_off_ = 0;
}

void SensorStreamTwin::step(daq::HostTime now, const PlantState& plant, TwinOutput& out) {
  if (!electronics_) {
    while (sampler_.due(now)) sample(sampler_.take(now, plant), out);
    sampler_.stepped(now, plant);
    return;
  }
  PlantState seen = plant;
  seen.acceleration_m_s2 = electronics_->feel(plant.acceleration_m_s2);
  while (sampler_.due(now)) sample(sampler_.take(now, seen), out);
  sampler_.stepped(now, seen);
}

void SensorStreamTwin::sample(const Sampler::Sample& felt, TwinOutput& out) {
  auto v = felt.acceleration_m_s2;
  for (auto& a : v) a += config_.noise_m_s2 * noise_.normal();
  if (electronics_) v = electronics_->convert(v);
  for (std::size_t c = 0; c < channels_; ++c) {
    if (c == kAxes - 1 && spiked_ > 0) v[c] += spike_m_s2_;
    const auto full = static_cast<double>(kFullScale);
    const double in_counts = c < kAxes ? v[c] / config_.scale_m_s2 : felt.reference_V / config_.reference_scale_V;
    const auto counts = static_cast<std::int32_t>(std::lround(std::clamp(in_counts, -full, full)));
    if (!frozen_) counts_[c] = saturated_ ? kFullScale : counts;
  }
  if (spiked_ > 0) --spiked_;
  if (!streaming_) return;
  if (gathered_samples_ == 0) first_gathered_ = sampler_.count() - booted_;
  for (std::size_t c = 0; c < channels_; ++c) {
    const auto bits = static_cast<std::uint32_t>(counts_[c]);
    const std::size_t at = 4 * (gathered_samples_ * channels_ + c);
    for (std::size_t i = 0; i < 4; ++i) gathered_[at + i] = static_cast<std::byte>(bits >> (8 * i));
  }
  if (++gathered_samples_ == config_.samples_per_packet) send_packet(felt.at, out);
}

void SensorStreamTwin::send_packet(daq::HostTime now, TwinOutput& out) {
  Data d;
  d.channels = static_cast<std::uint8_t>(channels_);
  d.samples = gathered_samples_;
  // Its own crystal makes both the samples and the ticks: in ticks, samples are exactly tick_rate / rate apart.
  d.ticks = static_cast<std::uint32_t>(
      static_cast<std::int64_t>(static_cast<double>(first_gathered_) * config_.tick_rate_Hz / config_.rate_Hz) +
      ticks_off_);
  d.fault = flagged_;
  d.first_sample = static_cast<std::uint32_t>(first_gathered_);
  d.counts = std::span<const std::byte>(gathered_).first(std::size_t{4} * channels_ * gathered_samples_);
  gathered_samples_ = 0;
  if (drop_ > 0) {
    --drop_;
    return;
  }
  if (silent_) return;
  sent_ += d.samples;
  encode({config_.device_id, d}, frame_);
  if (damage_ > 0) {
    --damage_;
    frame_.bytes[frame_.size / 2] ^= std::byte{0x10};  // the middle: counts, which the CRC guards
  }
  out.send(frame_.data(), now);
}

}  // namespace strigil::sim
