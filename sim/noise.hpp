// Noise: normal random numbers whose bits do not depend on the standard library's distributions.
#pragma once

#include <cstdint>

namespace strigil::sim {

/// SplitMix64 into Box-Muller's polar form: deterministic for a seed on every platform with IEEE doubles.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) noexcept : state_(seed) {}
  /// Mean 0, standard deviation 1.
  double normal() noexcept;
  /// In [0, 1).
  double uniform() noexcept;

 private:
  std::uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace strigil::sim
