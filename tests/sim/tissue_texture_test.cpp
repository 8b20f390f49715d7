// Texture in space against real textures (science.md 2.8): how vibration grows with speed and force, and that a steel
// tool's own modes keep its spectrum where it is while speed changes.
#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include "tests/sim/physics_csv.hpp"
#include "tests/sim/tissue_on_bench.hpp"

namespace strigil::sim {
namespace {

using rig::kZ;

struct Felt {
  double rms_m_s2 = 0;  ///< all axes
  double centroid_Hz = 0;
  double normal_N = 0;
};

/// Power at `frequency_Hz` of a piece, windowed: Goertzel would do the same, and say less.
double power_at(const std::vector<double>& piece, double frequency_Hz, double dt_s) {
  std::complex<double> sum = 0;
  const std::complex<double> turn = std::polar(1.0, -2 * std::numbers::pi * frequency_Hz * dt_s);
  std::complex<double> now = 1;
  const auto n = static_cast<double>(piece.size());
  for (std::size_t i = 0; i < piece.size(); ++i) {
    sum += piece[i] * (0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / n)) * now;
    now *= turn;
  }
  return std::norm(sum);
}

/// Strokes at `speed_m_s` over several specimens, `depth_m` deep; what is felt once the stage has come to speed.
Felt stroke(double speed_m_s, double depth_m) {
  constexpr int kSpecimens = 5;
  constexpr double kAcceleration_m_s2 = 2;
  Felt felt;
  double power = 0;
  double weighted = 0;
  double spectrum = 0;
  std::size_t samples = 0;
  for (int s = 0; s < kSpecimens; ++s) {
    auto p = tissue();
    p.texture.seed = 100 + static_cast<std::uint64_t>(s);
    const auto plant = make_tissue(p);
    Hand hand(*plant, -15e-3, 0);
    hand.press(depth_m, 20e-3);
    (void)hand.move_for(0.1, {});
    double v = 0;
    std::array<std::vector<double>, 3> heard;
    while (hand.at()[rig::kX] < 155e-3) {
      v = std::min(speed_m_s, v + kAcceleration_m_s2 * hand.dt_s());
      const auto& state = hand.move({v, 0, 0});
      if (hand.at()[rig::kX] < 35e-3) continue;  // until what the start has rung has died away
      for (std::size_t a = 0; a < 3; ++a) heard[a].push_back(state.acceleration_m_s2[a]);
      felt.normal_N += state.force_N[kZ];
      ++samples;
    }
    for (auto& axis : heard) {
      double mean = 0;
      for (const double a : axis) mean += a;
      mean /= static_cast<double>(axis.size());
      for (double& a : axis) {
        a -= mean;
        power += a * a;
      }
      axis.resize(std::min<std::size_t>(axis.size(), 4096));  // 0.4 s are enough for a centroid
      for (double f = 10; f < 500; f *= 1.05) {               // HaTT ends there; evenly over the logarithm
        const double here = power_at(axis, f, hand.dt_s()) * f;
        spectrum += here;
        weighted += here * f;
      }
    }
  }
  felt.rms_m_s2 = std::sqrt(power / static_cast<double>(samples));
  felt.centroid_Hz = weighted / spectrum;
  felt.normal_N /= static_cast<double>(samples);
  return felt;
}

/// Slope of ln y over ln x.
double exponent(const std::vector<std::array<double, 2>>& points) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [px, py] : points) {
    const double lx = std::log(px);
    const double ly = std::log(py);
    n += 1, x += lx, y += ly, xx += lx * lx, xy += lx * ly;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

TEST(TissueTexture, GrowsWithSpeedAndHardlyWithForceAndKeepsItsSpectrum) {
  PhysicsCsv csv("texture", "what,speed_mm_s,normal_N,rms_m_s2,centroid_Hz");
  std::vector<std::array<double, 2>> by_speed;
  std::vector<double> centroids;
  for (const double v : {40e-3, 60e-3, 90e-3, 135e-3, 200e-3}) {
    const auto f = stroke(v, 2.2e-3);
    std::printf("%4.0f mm/s, %.2f N: %.3f m/s2, centroid %.0f Hz\n", v * 1e3, f.normal_N, f.rms_m_s2, f.centroid_Hz);
    csv.row("speed", v * 1e3, f.normal_N, f.rms_m_s2, f.centroid_Hz);
    by_speed.push_back({v, f.rms_m_s2});
    centroids.push_back(f.centroid_Hz);
  }
  std::vector<std::array<double, 2>> by_force;
  for (const double depth : {0.8e-3, 1.4e-3, 2.2e-3, 3.4e-3}) {
    const auto f = stroke(90e-3, depth);
    std::printf("  90 mm/s, %.2f N: %.3f m/s2, centroid %.0f Hz\n", f.normal_N, f.rms_m_s2, f.centroid_Hz);
    csv.row("force", 90, f.normal_N, f.rms_m_s2, f.centroid_Hz);
    by_force.push_back({f.normal_N, f.rms_m_s2});
  }
  const double speed = exponent(by_speed);
  const double force = exponent(by_force);
  const auto [low, high] = std::minmax_element(centroids.begin(), centroids.end());
  std::printf("RMS ~ v^%.3f F^%.3f; centroid %.0f to %.0f Hz while speed grows fivefold\n", speed, force, *low, *high);
  EXPECT_NEAR(speed, 0.99, 0.1);  // science.md 2.8 [D]
  EXPECT_NEAR(force, 0.09, 0.1);  // likewise
  EXPECT_LT(*high / *low, 1.5) << "f = v / lambda would make it five";
  // Lubricated skin at or below the p10 line: 0.33 m/s2 at 60-100 mm/s (science.md 2.8, [A]).
  EXPECT_LT(by_speed[1][1], 0.40);
  EXPECT_GT(by_speed[1][1], 0.1);
}

/// The process itself is in space: twice the speed, twice the frequency of the force at the edge.
TEST(TissueTexture, ForceAtTheEdgeShiftsWithSpeed) {
  const SurfaceTexture texture{rig::PhantomTexture{}};
  const auto felt = [&](double speed_m_s, double t) {
    return texture.force_N({speed_m_s * t, 0, {speed_m_s, 0, 0}, 3, 1, 1, 1});
  };
  for (double t = 0; t < 1; t += 1e-3) {
    const auto slow = felt(50e-3, 2 * t);
    const auto fast = felt(100e-3, t);
    const double ratio = (100.0 / 101) / (50.0 / 51);  // how much of a slide each is
    for (std::size_t a = 0; a < 3; ++a) EXPECT_NEAR(fast[a], ratio * slow[a], 1e-9);
  }
}

}  // namespace
}  // namespace strigil::sim
