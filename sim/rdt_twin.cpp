#include "sim/rdt_twin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::sim {
namespace {

/// Lever arm that turns force noise into torque noise [A].
constexpr double kNoiseArm_m = 0.01;
constexpr std::uint64_t kElectronicsSeed = 0x656C6563ULL;

std::int32_t to_counts(double v) {
  constexpr double kLow = std::numeric_limits<std::int32_t>::min();
  constexpr double kHigh = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::llround(std::clamp(v, kLow, kHigh)));
}

}  // namespace

RdtTwin::RdtTwin(const RdtTwinConfig& config, daq::HostTime start)
    : config_(config), noise_(config.seed), sampler_(start, config.rate_Hz, config.clock_error_ppm) {
  if (!config.electronics.any()) return;
  electronics_.emplace(config.electronics, config.temperature, config.plant_rate_Hz, config.rate_Hz,
                       config.seed ^ kElectronicsSeed);
}

void RdtTwin::receive(std::span<const std::byte> bytes, daq::HostTime, TwinOutput&) {
  const auto request = daq::decode_rdt_request(bytes);
  if (!request) return;  // a real one ignores what it does not know
  switch (request->command) {
    case daq::RdtCommand::kStop:
      streaming_ = false;
      break;
    case daq::RdtCommand::kStartRealtime:
    case daq::RdtCommand::kStartBuffered:
      streaming_ = true;
      limit_ = request->samples;
      record_.rdt_sequence = 0;
      break;
    case daq::RdtCommand::kSetBias:
      break;  // taring is the rig's business; the bias stays where it was
  }
}

void RdtTwin::jump_clock(double seconds) { ticks_off_ += std::llround(seconds * config_.rate_Hz); }

void RdtTwin::reboot() {
  streaming_ = false;
  ticks_off_ = -static_cast<std::int64_t>(sampler_.count());
  record_.rdt_sequence = 0;
}

void RdtTwin::step(daq::HostTime now, const PlantState& plant, TwinOutput& out) {
  if (!electronics_) {
    while (sampler_.due(now)) sample(sampler_.take(now, plant), out);
    sampler_.stepped(now, plant);
    return;
  }
  PlantState seen = plant;
  const auto& f = plant.force_N;
  const auto& t = plant.torque_N_m;
  const auto wrench = electronics_->feel({f[0], f[1], f[2], t[0], t[1], t[2]}, plant.position_m);
  std::copy_n(wrench.begin(), 3, seen.force_N.begin());
  std::copy_n(wrench.begin() + 3, 3, seen.torque_N_m.begin());
  while (sampler_.due(now)) sample(sampler_.take(now, seen), out);
  sampler_.stepped(now, seen);
}

void RdtTwin::sample(const Sampler::Sample& felt, TwinOutput& out) {
  std::array<double, 3> force{};
  for (auto& f : force) f = config_.noise_N * noise_.normal();
  std::array<double, 3> torque{};
  for (auto& t : torque) t = config_.noise_N * kNoiseArm_m * noise_.normal();
  record_.ft_sequence = static_cast<std::uint32_t>(static_cast<std::int64_t>(sampler_.count()) + ticks_off_);
  Wrench w;
  for (std::size_t a = 0; a < 3; ++a) {
    w[a] = felt.force_N[a] + config_.bias_N[a] + force[a];
    w[a + 3] = felt.torque_N_m[a] + torque[a];
  }
  if (electronics_) w = electronics_->convert(w);
  if (spiked_ > 0) {
    --spiked_;
    w[2] += spike_N_;
  }
  if (rail_N_) w[2] = std::min(w[2], *rail_N_);
  if (!frozen_) {
    for (std::size_t a = 0; a < 6; ++a)
      record_.counts[a] = to_counts(w[a] * (a < 3 ? config_.counts_per_N : config_.counts_per_N_m));
    if (saturated_) record_.counts.fill(std::numeric_limits<std::int32_t>::max());
  }
  if (!streaming_) return;
  ++record_.rdt_sequence;
  if (drop_ > 0) {
    --drop_;
  } else if (!silent_) {
    ++sent_;
    const auto bytes = encode(record_);
    const bool damaged = damage_ > 0;
    if (damaged) --damage_;
    out.send(std::span(bytes).first(bytes.size() - (damaged ? 1 : 0)), felt.at);
  }
  if (limit_ != 0 && record_.rdt_sequence == limit_) streaming_ = false;
}

}  // namespace strigil::sim
