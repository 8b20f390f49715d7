// Sampler: when a device with a crystal of its own samples the plant, and what it feels at that instant.
#pragma once

#include <array>
#include <cstdint>

#include "daq/time.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// The plant is known at its steps, a device samples between them: it feels the straight line from one step to the
/// next. One thread; no allocation. Use: while (sampler.due(now)) { sampler.take(now, plant) ... } sampler.stepped(...)
class Sampler {
 public:
  /// `clock_error_ppm` > 0: the device's clock is slow, its periods are longer.
  Sampler(daq::HostTime start, double rate_Hz, double clock_error_ppm);

  /// True while the next sample's instant is not later than `now`.
  [[nodiscard]] bool due(daq::HostTime now) const noexcept { return next() <= now; }
  /// The next sample: counts it, and gives what is felt at its instant. `plant` is the state at `now`.
  struct Sample {
    daq::HostTime at;
    std::array<double, 3> force_N{};
    std::array<double, 3> torque_N_m{};
    std::array<double, 3> acceleration_m_s2{};
    double reference_V = 0;
  };
  [[nodiscard]] Sample take(daq::HostTime now, const PlantState& plant) noexcept;
  /// The step is over: `plant` is where the next line begins.
  void stepped(daq::HostTime now, const PlantState& plant) noexcept;
  /// Samples since power-on.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  [[nodiscard]] daq::HostTime next() const noexcept;

  daq::HostTime start_;
  double period_ns_;
  std::uint64_t count_ = 0;
  daq::HostTime before_at_;
  PlantState before_;
};

}  // namespace strigil::sim
