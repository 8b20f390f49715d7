// Roughness: a periodic profile in space of unit RMS, drawn from a seed. A table, because sines would cost more than
// all the rest of a plant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace strigil::sim {

/// What its waves are. A wave of length l has the amplitude (l / longest)^slope: with waves evenly spread over log(l)
/// the power spectral density over wave number falls as k^-(1 + 2 slope).
struct RoughnessWaves {
  std::size_t count = 24;
  double shortest_m = 0.25e-3;
  double longest_m = 4e-3;
  double slope = 0;
};

/// Immutable; any thread.
class Roughness {
 public:
  static constexpr std::size_t kPoints = 8192;
  static constexpr double kPitch_m = 16e-6;  ///< resolves a wave of 0.25 mm into 15 points
  static constexpr double kPeriod_m = kPoints * kPitch_m;

  Roughness(const RoughnessWaves& waves, std::uint64_t seed);
  /// At a place along the profile (m, any sign), linear between its points.
  [[nodiscard]] double at(double place_m) const noexcept {
    const double place = place_m * (1 / kPitch_m);
    auto whole = static_cast<std::int64_t>(place);
    whole -= place < static_cast<double>(whole) ? 1 : 0;  // std::floor, without the call
    const auto index = static_cast<std::size_t>(whole) & (kPoints - 1);
    const double left = table_[index];
    const double right = table_[(index + 1) & (kPoints - 1)];
    return left + (place - static_cast<double>(whole)) * (right - left);
  }

 private:
  std::vector<float> table_;
};

}  // namespace strigil::sim
