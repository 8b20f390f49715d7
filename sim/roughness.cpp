#include "sim/roughness.hpp"

#include <cmath>
#include <numbers>

#include "sim/mount.hpp"

namespace strigil::sim {

Roughness::Roughness(const RoughnessWaves& waves, std::uint64_t seed) : table_(kPoints) {
  constexpr double kTwoPi = 2 * std::numbers::pi;
  std::vector<double> sum(kPoints, 0.0);
  for (std::size_t wave = 0; wave < waves.count; ++wave) {
    const double share = static_cast<double>(wave) / static_cast<double>(waves.count - 1);
    const double length_m = waves.longest_m * std::pow(waves.shortest_m / waves.longest_m, share);
    const double amplitude = std::pow(length_m / waves.longest_m, waves.slope);
    const double cycles = std::round(kPeriod_m / length_m);  // whole, so that the table closes on itself
    const double phase = kTwoPi * static_cast<double>(split_mix(seed) >> 11U) * 0x1p-53;
    for (std::size_t i = 0; i < kPoints; ++i) {
      sum[i] += amplitude * std::sin(kTwoPi * cycles * static_cast<double>(i) / kPoints + phase);
    }
  }
  double power = 0;
  for (const double s : sum) power += s * s;
  const double to_unit_rms = 1 / std::sqrt(power / kPoints);
  for (std::size_t i = 0; i < kPoints; ++i) table_[i] = static_cast<float>(sum[i] * to_unit_rms);
}

}  // namespace strigil::sim
