#include "sim/random_field.hpp"

#include <cassert>
#include <cmath>
#include <numbers>

#include "sim/noise.hpp"

namespace strigil::sim {
namespace {

constexpr std::size_t kWaves = 48;

}  // namespace

RandomField::RandomField(double correlation_m, std::uint64_t seed) {
  assert(correlation_m > 0);
  Noise noise(seed);
  for (std::size_t i = 0; i < kWaves; ++i) {
    Wave wave;
    wave.along_x = noise.normal() / correlation_m;
    wave.along_y = noise.normal() / correlation_m;
    wave.phase = 2 * std::numbers::pi * noise.uniform();
    waves_.push_back(wave);
  }
}

void RandomField::along_x(double from_m, double pitch_m, double y_m, std::vector<double>& out) const {
  for (double& v : out) v = 0;
  const double scale = std::sqrt(2.0 / kWaves);
  for (const auto& wave : waves_) {
    // Turned on from place to place: a product is a tenth of a cosine.
    const double start = wave.along_x * from_m + wave.along_y * y_m + wave.phase;
    double re = scale * std::cos(start);
    double im = scale * std::sin(start);
    const double turn_re = std::cos(wave.along_x * pitch_m);
    const double turn_im = std::sin(wave.along_x * pitch_m);
    for (double& v : out) {
      v += re;
      const double next = re * turn_re - im * turn_im;
      im = re * turn_im + im * turn_re;
      re = next;
    }
  }
}

}  // namespace strigil::sim
