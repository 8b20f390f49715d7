// A simulated ATI Net F/T: answers RDT requests, one record a datagram.
#pragma once

#include <array>
#include <cstdint>

#include "daq/codec/rdt.hpp"
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
  [[nodiscard]] std::uint64_t samples_sent() const { return sent_; }

 private:
  RdtTwinConfig config_;
  Noise noise_;
  Sampler sampler_;  // its count is ft_sequence
  bool streaming_ = false;
  std::uint32_t limit_ = 0;  // records wanted; 0: until stopped
  daq::RdtRecord record_;
  bool frozen_ = false;
  bool silent_ = false;
  std::uint32_t drop_ = 0;
  std::uint32_t damage_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace strigil::sim
