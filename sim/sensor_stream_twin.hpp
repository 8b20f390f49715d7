// A simulated 3-axis accelerometer on a microcontroller that speaks the Strigil sensor stream.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "daq/codec/sensor_stream.hpp"
#include "sim/accelerometer_electronics.hpp"
#include "sim/noise.hpp"
#include "sim/sampler.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

struct SensorStreamTwinConfig {
  std::uint32_t device_id = 0x57A1C0DE;
  std::string name = "Strigil twin accelerometer";
  std::string serial = "SIM-1";
  double rate_Hz = 6400;
  double tick_rate_Hz = 1e6;             ///< its microsecond counter
  std::uint8_t samples_per_packet = 32;  ///< 5 ms at 6.4 kHz
  double scale_m_s2 = 4.7884e-3;         ///< per count: +-16 g over 16 bits
  double noise_m_s2 = 0.05;              ///< RMS, each axis
  bool reference = false;                ///< a fourth channel takes what a reference accelerometer says, in V
  double reference_scale_V = 5e-5;       ///< per count
  double clock_error_ppm = 0;            ///< of its crystal: sampling and ticks alike
  std::uint64_t seed = 2;
  AccelerometerElectronicsConfig electronics;
  TemperatureCourse temperature;
  double plant_rate_Hz = 12800;  ///< steps that the electronics get
};

class SensorStreamTwin final : public Twin {
 public:
  SensorStreamTwin(const SensorStreamTwinConfig& config, daq::HostTime start);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;

  void set_frozen(bool frozen) { frozen_ = frozen; }
  void set_silent(bool silent) { silent_ = silent; }
  /// The next `packets` are counted by the device and never reach the wire.
  void drop_next(std::uint32_t packets) { drop_ = packets; }
  /// The next `packets` of samples go out with a flipped bit.
  void damage_next(std::uint32_t packets) { damage_ = packets; }
  /// The next `samples` read this much more along z.
  void spike(double acceleration_m_s2, std::uint32_t samples) {
    spike_m_s2_ = acceleration_m_s2;
    spiked_ = samples;
  }
  /// Every count is the converter's largest.
  void set_saturated(bool saturated) { saturated_ = saturated; }
  /// Its packets say that it has a fault.
  void set_flagged(bool flagged) { flagged_ = flagged; }
  /// Its microsecond counter steps; the samples are counted on.
  void jump_clock(double seconds) { ticks_off_ += static_cast<std::int64_t>(seconds * config_.tick_rate_Hz); }
  /// Counters begin again; nothing is sent until it is asked.
  void reboot();
  [[nodiscard]] double rate_Hz() const { return config_.rate_Hz; }
  [[nodiscard]] std::uint64_t samples_sent() const { return sent_; }

 private:
  static constexpr std::size_t kAxes = 3;
  static constexpr std::size_t kMostChannels = kAxes + 1;
  void describe(daq::HostTime now, TwinOutput& out);
  void send(const daq::sensor_stream::Body& body, daq::HostTime now, TwinOutput& out);
  void sample(const Sampler::Sample& felt, TwinOutput& out);
  void send_packet(daq::HostTime now, TwinOutput& out);

  SensorStreamTwinConfig config_;
  Noise noise_;
  Sampler sampler_;  // its count is the sample counter
  std::optional<AccelerometerElectronics> electronics_;
  daq::sensor_stream::Unframer unframer_;
  daq::sensor_stream::Frame frame_;
  bool streaming_ = false;
  std::size_t channels_;
  std::array<std::int32_t, kMostChannels> counts_{};
  std::array<std::byte, 4 * kMostChannels * daq::kMaxBlockSamples> gathered_{};
  std::uint64_t first_gathered_ = 0;
  std::uint8_t gathered_samples_ = 0;
  bool frozen_ = false;
  bool silent_ = false;
  std::uint32_t drop_ = 0;
  std::uint32_t damage_ = 0;
  double spike_m_s2_ = 0;
  std::uint32_t spiked_ = 0;
  bool saturated_ = false;
  bool flagged_ = false;
  std::uint64_t booted_ = 0;    // samples since power-on when it booted
  std::int64_t ticks_off_ = 0;  // its tick counter less what its samples took
  std::uint64_t sent_ = 0;
};

}  // namespace strigil::sim
