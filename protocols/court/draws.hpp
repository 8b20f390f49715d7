// Draws: random numbers of the court's resampling, whose bits depend on a seed and on nothing else.
#pragma once

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace strigil::protocols {

/// SplitMix64. Two streams of one seed are apart, so a resample's draws do not depend on how many were made before it.
/// Plain value, one thread at a time.
class Draws {
 public:
  explicit Draws(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : state_(mixed(mixed(seed + kStep) ^ mixed(stream + 2 * kStep))) {}

  std::uint64_t next() noexcept { return mixed(state_ += kStep); }
  /// In [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  /// In [0, n), each as likely as the other. n > 0.
  std::size_t below(std::size_t n) noexcept {
    assert(n > 0);
    const std::uint64_t uneven =
        (0 - static_cast<std::uint64_t>(n)) % n;  // 2^64 mod n: refused, or low ones come oftener
    std::uint64_t r = next();
    while (r < uneven) r = next();
    return static_cast<std::size_t>(r % n);
  }
  /// Mean 0, standard deviation 1 (Marsaglia's polar form).
  double normal() noexcept {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double u = 0;
    double v = 0;
    double s = 0;
    do {
      u = 2 * uniform() - 1;
      v = 2 * uniform() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s == 0);
    const double factor = std::sqrt(-2 * std::log(s) / s);
    spare_ = v * factor;
    has_spare_ = true;
    return u * factor;
  }
  /// Chi-squared, `dof` > 0 (gamma of Marsaglia & Tsang 2000; below shape 1 boosted by a power of a uniform).
  double chi_squared(double dof) noexcept {
    assert(dof > 0);
    const double shape = dof / 2;
    const double boost = shape < 1 ? std::pow(1 - uniform(), 1 / shape) : 1;
    const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal();
      const double t = 1 + c * x;
      if (t <= 0) continue;
      const double v = t * t * t;
      if (std::log(1 - uniform()) < 0.5 * x * x + d * (1 - v + std::log(v))) return 2 * d * v * boost;
    }
  }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;
  static std::uint64_t mixed(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  std::uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace strigil::protocols
