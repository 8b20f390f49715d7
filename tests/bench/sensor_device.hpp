// A device that speaks the sensor stream, as bytes: its description and its samples, made by the codec itself.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "daq/codec/sensor_stream.hpp"

namespace strigil::bench {

struct SensorDeviceConfig {
  std::uint32_t id = 1;
  std::string stream = "vibration";
  std::uint8_t channels = 3;
  std::uint8_t samples_per_packet = 32;
  double rate_Hz = 25600;
};

class SensorDevice {
 public:
  explicit SensorDevice(const SensorDeviceConfig& config) : config_(config) {
    const std::size_t values = std::size_t{config.channels} * config.samples_per_packet;
    assert(values <= daq::kMaxBlockValues);
    counts_.resize(values * sizeof(std::int32_t));
    // 16-bit readings, no two packets' worth alike in length of zero runs, which is what COBS sees.
    for (std::size_t i = 0; i < values; ++i) {
      const auto count = static_cast<std::int32_t>(static_cast<std::int16_t>(0x9E37U * (i + 1)));
      std::memcpy(&counts_[i * sizeof count], &count, sizeof count);
    }
  }

  /// Everything a host must know before samples, each a frame.
  [[nodiscard]] std::vector<daq::sensor_stream::Frame> description() const {
    namespace ss = daq::sensor_stream;
    std::vector<ss::Frame> frames;
    const auto say = [&](const ss::Body& body) { ss::encode({config_.id, body}, frames.emplace_back()); };
    say(ss::Device{1, "benchmark", "0"});
    say(ss::Stream{0, config_.channels, config_.rate_Hz, kTickRate_Hz, -40000, 40000, config_.stream, "acceleration"});
    for (std::uint8_t c = 0; c < config_.channels; ++c) {
      const auto name = "a" + std::to_string(c);
      say(ss::Channel{0, c, 4.7884e-3, 0, name, "m/s2"});
    }
    return frames;
  }

  /// The next packet of samples.
  const daq::sensor_stream::Frame& next() {
    daq::sensor_stream::Data data;
    data.channels = config_.channels;
    data.samples = config_.samples_per_packet;
    data.ticks = static_cast<std::uint32_t>(
        static_cast<std::uint64_t>(static_cast<double>(samples_) * (kTickRate_Hz / config_.rate_Hz)));
    data.first_sample = static_cast<std::uint32_t>(samples_);
    data.counts = counts_;
    daq::sensor_stream::encode({config_.id, data}, frame_);
    samples_ += config_.samples_per_packet;
    return frame_;
  }
  /// Of all packets so far.
  [[nodiscard]] std::uint64_t samples() const { return samples_; }

 private:
  static constexpr double kTickRate_Hz = 1e6;
  SensorDeviceConfig config_;
  std::vector<std::byte> counts_;
  daq::sensor_stream::Frame frame_;
  std::uint64_t samples_ = 0;
};

}  // namespace strigil::bench
