// A simulated ATI Net F/T: answers RDT requests, one record a datagram.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "daq/codec/rdt.hpp"
#include "sim/force_electronics.hpp"
#include "sim/noise.hpp"
#include "sim/sampler.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

struct RdtTwinConfig {
  double rate_Hz = 1000;
  double counts_per_N = 1e6;
  double counts_per_N_m = 1e6;
  double noise_N = 0.01;           ///< RMS, each force axis; torques get it at 0.01 m
  std::array<double, 3> bias_N{};  ///< what an untared sensor shows
  double clock_error_ppm = 0;      ///< of its sampling against host time
  std::uint64_t seed = 1;
  ForceElectronicsConfig electronics;
  TemperatureCourse temperature;
  double plant_rate_Hz = 12800;  ///< steps that the electronics get
};

class RdtTwin final : public Twin {
 public:
  RdtTwin(const RdtTwinConfig& config, daq::HostTime start);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;

  /// Samples go on, their counts never change.
  void set_frozen(bool frozen) { frozen_ = frozen; }
  /// Nothing is sent; the internal counter runs on.
  void set_silent(bool silent) { silent_ = silent; }
  /// The next `records` are counted by the device and never reach the wire.
  void drop_next(std::uint32_t records) { drop_ = records; }
  /// The next `records` go out a byte short.
  void damage_next(std::uint32_t records) { damage_ = records; }
  /// The next `samples` read `force_N` more along z.
  void spike(double force_N, std::uint32_t samples) {
    spike_N_ = force_N;
    spiked_ = samples;
  }
  /// Its zero along z moves.
  void step_bias(double force_N) { config_.bias_N[2] += force_N; }
  /// Every count is the converter's largest.
  void set_saturated(bool saturated) { saturated_ = saturated; }
  /// What every record has as its status word; 0: healthy.
  void set_status(std::uint32_t status) { record_.status = status; }
  /// z reads no more than this; nothing: as much as there is.
  void set_rail(std::optional<double> force_N) { rail_N_ = force_N; }
  /// Its clock steps: ft_sequence and nothing else.
  void jump_clock(double seconds);
  /// Counters begin again; nothing is sent until it is asked.
  void reboot();
  [[nodiscard]] double rate_Hz() const { return config_.rate_Hz; }
  [[nodiscard]] std::uint64_t samples_sent() const { return sent_; }

 private:
  void sample(const Sampler::Sample& felt, TwinOutput& out);

  RdtTwinConfig config_;
  Noise noise_;
  Sampler sampler_;  // its count is ft_sequence
  std::optional<ForceElectronics> electronics_;
  bool streaming_ = false;
  std::uint32_t limit_ = 0;  // records wanted; 0: until stopped
  daq::RdtRecord record_;
  bool frozen_ = false;
  bool silent_ = false;
  std::uint32_t drop_ = 0;
  std::uint32_t damage_ = 0;
  double spike_N_ = 0;
  std::uint32_t spiked_ = 0;
  bool saturated_ = false;
  std::optional<double> rail_N_;
  std::int64_t ticks_off_ = 0;  // ft_sequence less the samples since power-on
  std::uint64_t sent_ = 0;
};

}  // namespace strigil::sim
