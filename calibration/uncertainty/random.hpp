// Random numbers for Monte Carlo: fast, the same bits on every run for a seed, and as many independent streams as
// wanted. xoshiro256++ (Blackman, Vigna, ACM TOMS 47 (2021)); normals by the ziggurat (Marsaglia, Tsang 2000; the tail
// and the independent layer bits as in Doornik 2005).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include "calibration/uncertainty/distribution.hpp"

namespace strigil::calibration {

/// A stream of random numbers. Value type; not thread-safe. Streams of different (seed, stream) are independent for all
/// that is known: their 256-bit states come from a hash of both.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept;

  [[nodiscard]] std::uint64_t bits() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// In (0, 1), never 0 or 1: the middles of 2^52 equal cells.
  [[nodiscard]] double uniform() noexcept {
    return (static_cast<double>(static_cast<std::int64_t>(bits() >> 12)) + 0.5) * 0x1p-52;
  }
  /// Mean 0, standard deviation 1.
  [[nodiscard]] double normal() noexcept;
  /// Gamma of `shape` > 0 and scale 1 (Marsaglia, Tsang 2000).
  [[nodiscard]] double gamma(double shape) noexcept;
  /// In 0..count-1. Precondition: count > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t count) noexcept;

 private:
  [[nodiscard]] double normal_slowly(std::size_t layer, double x) noexcept;
  std::uint64_t state_[4];
};

/// Fills `out` with independent draws. Precondition: check(distribution) is content.
void draw(const Distribution& distribution, Random& random, std::span<double> out) noexcept;

}  // namespace strigil::calibration
