#include "calibration/uncertainty/random.hpp"

#include <array>
#include <numbers>

namespace strigil::calibration {
namespace {

std::uint64_t split_mix(std::uint64_t& state) noexcept {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

/// 256 layers of equal area under exp(-x^2/2). edge[0] is the virtual one of the base layer, edge[256] = 0.
struct Ziggurat {
  static constexpr std::size_t kLayers = 256;
  static constexpr double kTail = 3.6541528853610088;   ///< right edge of the lowest full layer
  static constexpr double kArea = 0.00492867323399141;  ///< of each layer, tail included
  std::array<double, kLayers + 1> edge{}, height{};
  std::array<double, kLayers> inside{};  ///< below this part of its width a layer lies wholly under the curve

  Ziggurat() {
    const auto curve = [](double x) { return std::exp(-0.5 * x * x); };
    edge[0] = kArea / curve(kTail);
    edge[1] = kTail;
    for (std::size_t i = 2; i < kLayers; ++i) {
      edge[i] = std::sqrt(-2 * std::log(kArea / edge[i - 1] + curve(edge[i - 1])));
    }
    edge[kLayers] = 0;
    for (std::size_t i = 0; i < kLayers; ++i) inside[i] = edge[i + 1] / edge[i];
    for (std::size_t i = 0; i <= kLayers; ++i) height[i] = curve(edge[i]);
  }
};
const Ziggurat kZiggurat;

template <typename Draw>
void fill(std::span<double> out, const Draw& one) noexcept {
  for (double& x : out) x = one();
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) noexcept {
  std::uint64_t s = seed;
  s = split_mix(s) ^ (stream * 0xD1342543DE82EF95ULL + 0x2545F4914F6CDD1DULL);
  for (auto& word : state_) word = split_mix(s);
}

double Random::normal() noexcept {
  const std::uint64_t b = bits();
  const auto layer = static_cast<std::size_t>(b & 0xFF);
  // Signed, from bits that the layer does not use.
  const double u = static_cast<double>(static_cast<std::int64_t>(b) >> 11) * 0x1p-52;
  const double x = u * kZiggurat.edge[layer];
  if (std::abs(u) < kZiggurat.inside[layer]) [[likely]]
    return x;
  return normal_slowly(layer, x);
}

double Random::normal_slowly(std::size_t layer, double x) noexcept {
  for (;;) {
    if (layer == 0) {  // the tail beyond kTail: Marsaglia 1964
      double far = 0, y = 0;
      do {
        far = -std::log(uniform()) / Ziggurat::kTail;
        y = -std::log(uniform());
      } while (2 * y < far * far);
      return x < 0 ? -(Ziggurat::kTail + far) : Ziggurat::kTail + far;
    }
    const double low = kZiggurat.height[layer], high = kZiggurat.height[layer + 1];
    if (low + uniform() * (high - low) < std::exp(-0.5 * x * x)) return x;
    const std::uint64_t b = bits();
    layer = static_cast<std::size_t>(b & 0xFF);
    const double u = static_cast<double>(static_cast<std::int64_t>(b) >> 11) * 0x1p-52;
    x = u * kZiggurat.edge[layer];
    if (std::abs(u) < kZiggurat.inside[layer]) return x;
  }
}

double Random::gamma(double shape) noexcept {
  if (shape < 1) return gamma(shape + 1) * std::pow(uniform(), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

std::uint64_t Random::below(std::uint64_t count) noexcept {
  const std::uint64_t unbiased = count * (~std::uint64_t{0} / count);
  std::uint64_t b = bits();
  while (b >= unbiased) b = bits();
  return b % count;
}

void draw(const Distribution& distribution, Random& random, std::span<double> out) noexcept {
  Random r = random;  // a local copy lives in registers
  std::visit(
      [&](const auto& d) {
        using D = std::decay_t<decltype(d)>;
        if constexpr (std::is_same_v<D, Normal>) {
          fill(out, [&] { return d.mean + d.sd * r.normal(); });
        } else if constexpr (std::is_same_v<D, StudentT>) {
          fill(out, [&] {
            const double z = r.normal();
            return d.mean + d.scale * z * std::sqrt(d.dof / (2 * r.gamma(d.dof / 2)));
          });
        } else if constexpr (std::is_same_v<D, Exponential>) {
          fill(out, [&] { return d.minimum - (d.mean - d.minimum) * std::log(r.uniform()); });
        } else if constexpr (std::is_same_v<D, Samples>) {
          const auto& values = *d.values;
          fill(out, [&] { return values[r.below(values.size())]; });
        } else {
          const double middle = d.low / 2 + d.high / 2, half = d.high / 2 - d.low / 2;
          if constexpr (std::is_same_v<D, Rectangular>) {
            const double width = d.high - d.low;
            fill(out, [&] { return d.low + width * r.uniform(); });
          } else if constexpr (std::is_same_v<D, Triangular>) {
            fill(out, [&] {
              const double first = r.uniform();
              return middle + half * (first + r.uniform() - 1);
            });
          } else if constexpr (std::is_same_v<D, Trapezoidal>) {
            const double wide = half * (1 + d.top_ratio), narrow = half * (1 - d.top_ratio);
            fill(out, [&] {
              const double first = r.uniform() - 0.5;
              return middle + wide * first + narrow * (r.uniform() - 0.5);
            });
          } else if constexpr (std::is_same_v<D, CurvilinearTrapezoid>) {  // JCGM 101 6.4.3.4
            fill(out, [&] {
              const double reach = half + d.limit_uncertainty * (2 * r.uniform() - 1);
              return middle + reach * (2 * r.uniform() - 1);
            });
          } else {
            static_assert(std::is_same_v<D, ArcSine>);
            fill(out, [&] { return middle + half * std::sin(2 * std::numbers::pi * r.uniform()); });
          }
        }
      },
      distribution);
  random = r;
}

}  // namespace strigil::calibration
