#include "sim/sampler.hpp"

#include <cmath>

namespace strigil::sim {

Sampler::Sampler(daq::HostTime start, double rate_Hz, double clock_error_ppm)
    : start_(start), period_ns_(1e9 / rate_Hz * (1 + clock_error_ppm * 1e-6)), before_at_(start) {}

daq::HostTime Sampler::next() const noexcept {
  // From the count and not by adding up, so that no rounding gathers in an hour.
  return start_ + daq::Duration{static_cast<std::int64_t>(std::ceil(static_cast<double>(count_ + 1) * period_ns_))};
}

Sampler::Sample Sampler::take(daq::HostTime now, const PlantState& plant) noexcept {
  Sample s;
  s.at = next();
  ++count_;
  const auto step_ns = static_cast<double>((now - before_at_).count());
  const double share = step_ns > 0 ? static_cast<double>((s.at - before_at_).count()) / step_ns : 1;
  for (std::size_t i = 0; i < 3; ++i) {
    s.force_N[i] = std::lerp(before_.force_N[i], plant.force_N[i], share);
    s.torque_N_m[i] = std::lerp(before_.torque_N_m[i], plant.torque_N_m[i], share);
    s.acceleration_m_s2[i] = std::lerp(before_.acceleration_m_s2[i], plant.acceleration_m_s2[i], share);
  }
  s.reference_V = std::lerp(before_.reference_V, plant.reference_V, share);
  return s;
}

void Sampler::stepped(daq::HostTime now, const PlantState& plant) noexcept {
  before_at_ = now;
  before_ = plant;
}

}  // namespace strigil::sim
