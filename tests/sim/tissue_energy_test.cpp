// No closed way gains energy: 10^5 random ones through the springs, 10^4 (10^5 with $STRIGIL_FULL_SIZE) with
// everything.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numbers>

#include "sim/noise.hpp"
#include "tests/sim/physics_csv.hpp"
#include "tests/sim/tissue_on_bench.hpp"

namespace strigil::sim {
namespace {

using rig::kZ;

/// A plant with everything that can be got wrong: slopes, bumps, fibres, hard and soft inclusions.
rig::Phantom hilly() {
  auto p = tissue();
  p.surface.slope = 0.05;
  p.surface.curvature_amplitude_m = 1e-3;
  p.surface.curvature_wavelength_m = 60e-3;
  p.surface.crown_radius_m = 0.1;
  p.surface.bumps = {{70e-3, 5e-3, 1e-3, 6e-3}, {50e-3, -10e-3, -1e-3, 6e-3}};
  p.texture.stiffness_sd = 0.2;
  p.texture.friction_sd = 0.2;
  p.texture.fibre_stiffness_sd = 0.1;
  for (int i = 0; i < 10; ++i) {
    auto n = nodule(40e-3 + 5e-3 * i, i % 2 == 0 ? 4 : 0.4);
    n.y_m = 6e-3 * (i % 3 - 1);
    n.friction_contrast = i % 2 == 0 ? 1.5 : 0.7;
    n.rise_m = i % 2 == 0 ? 0.2e-3 : -0.2e-3;
    p.inclusions.push_back(n);
  }
  return p;
}

/// A smooth closed way through the phantom and partly above it.
struct Way {
  explicit Way(Noise& noise, double scale = 1) {
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t k = 0; k < 2; ++k) {
        size[a][k] = scale * kReach_m[a] * noise.normal() / static_cast<double>(k + 1);
        phase[a][k] = 2 * std::numbers::pi * noise.uniform();
      }
    }
    middle = {45e-3 + 50e-3 * noise.uniform(), 20e-3 * (noise.uniform() - 0.5), -32e-3 - 3e-3 * noise.uniform()};
  }
  /// `turn` from 0 to 2 pi, and again.
  [[nodiscard]] rig::Position at(double turn) const {
    auto p = middle;
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t k = 0; k < 2; ++k)
        p[a] += size[a][k] * std::sin(static_cast<double>(k + 1) * turn + phase[a][k]);
    }
    return p;
  }
  static constexpr std::array<double, 3> kReach_m{10e-3, 6e-3, 2e-3};
  std::array<std::array<double, 2>, 3> size{};
  std::array<std::array<double, 2>, 3> phase{};
  rig::Position middle{};
};

TEST(TissueEnergy, SpringsGiveBackWhatTheyTookOnClosedWays) {
  constexpr int kWays = 100'000;
  constexpr int kSteps = 16;
  constexpr double kEnough = 1e-2;
  const auto plant = make_tissue(hilly());
  Noise noise(21);
  double worst = 0;
  double sum = 0;
  const auto work_round = [&](const Way& way, int steps, double& most_J) {
    double work_J = 0;  // of the springs on the edge
    rig::Position before = way.at(0);
    auto force_before = plant->elastic(before).force_N;
    for (int i = 1; i <= steps; ++i) {
      const auto at = way.at(2 * std::numbers::pi * i / steps);
      const auto c = plant->elastic(at);
      most_J = std::max(most_J, c.energy_J);
      for (std::size_t a = 0; a < 3; ++a) work_J += (c.force_N[a] + force_before[a]) / 2 * (at[a] - before[a]);
      before = at;
      force_before = c.force_N;
    }
    return work_J;
  };
  double worst_coarse = 0;
  std::int64_t evaluations = 0;
  for (int w = 0; w < kWays; ++w) {
    const Way way(noise, 0.3);
    double most_J = 1e-4;
    double share = work_round(way, kSteps, most_J) / most_J;
    worst_coarse = std::max(worst_coarse, std::abs(share));
    // A polygon of few corners does not see where contact is made and lost: such ways again, by finer steps.
    int steps = kSteps;
    for (; std::abs(share) > kEnough && steps < kSteps << 10; evaluations += steps) {
      steps *= 4;
      share = work_round(way, steps, most_J) / most_J;
    }
    worst = std::max(worst, std::abs(share));
    sum += share;
  }
  std::printf(
      "of the most that was stored: worst %.2g by %d steps, %.2g by as many as it takes (%.0f on the mean); mean "
      "%.2g\n",
      worst_coarse, kSteps, worst, kSteps + static_cast<double>(evaluations) / kWays, sum / kWays);
  EXPECT_LE(worst, kEnough);
  EXPECT_LT(std::abs(sum / kWays), 0.01 * kEnough) << "no side is favoured";
}

TEST(TissueEnergy, NothingIsGainedWithEverythingSwitchedOn) {
  PhysicsCsv csv("energy", "way,put_in_mJ,stored_mJ");
  const int ways = std::getenv("STRIGIL_FULL_SIZE") != nullptr ? 100'000 : 4'000;
  constexpr int kSteps = 120;
  auto p = hilly();
  p.passport.dose_softening = 0.2;
  auto stiff = bar_of_steel();
  stiff.grip_loss_factor = 0;
  const auto plant = make_tissue(p, stiff);
  Noise noise(22);
  double worst_J = 0;
  double put_in_all_J = 0;
  std::int64_t now_ns = 0;
  for (int w = 0; w < ways; ++w) {
    const Way way(noise);
    const double time_s = 0.05 * std::pow(20, noise.uniform());  // once round
    const double dt_s = time_s / kSteps;
    const double rate = 2 * std::numbers::pi / kSteps;
    plant->rest();
    double work_J = 0;  // of the hand
    rig::Position before = way.at(0);
    before[kZ] = plant->surface_m(before[0], before[1]) + 20e-3;  // it comes from above, at once
    std::array<double, 3> force_before{};
    std::array<double, 2> gives_before{};
    bool first = true;
    for (int i = 0; i <= kSteps; ++i) {
      const auto at = way.at(rate * i);
      const auto ahead = way.at(rate * (i + 0.5));
      const auto behind = way.at(rate * (i - 0.5));
      rig::Position v{};
      for (std::size_t a = 0; a < 3; ++a) v[a] = (ahead[a] - behind[a]) / dt_s;
      now_ns += std::llround(dt_s * 1e9);
      const auto& s = plant->step(daq::HostTime{now_ns}, at, v);
      if (first) {
        // Put where it stands: what that took is what is stored now.
        work_J = plant->stored_J();
        first = false;
      } else {
        // Of the edge, which is not quite where the stage is.
        auto way_m = rig::Position{at[0] - before[0], at[1] - before[1], at[2] - before[2]};
        for (std::size_t a = 0; a < 2; ++a) way_m[a] += (gives_before[a] + plant->gives_m_s()[a]) / 2 * dt_s;
        for (std::size_t a = 0; a < 3; ++a) work_J -= (s.force_N[a] + force_before[a]) / 2 * way_m[a];
      }
      before = at;
      force_before = s.force_N;
      gives_before = plant->gives_m_s();
    }
    const double left_J = work_J - plant->stored_J();
    if (w < 250) csv.row(w, work_J * 1e3, plant->stored_J() * 1e3);
    worst_J = std::max(worst_J, -left_J);
    put_in_all_J += work_J;
  }
  const double mean_J = put_in_all_J / ways;
  std::printf("%d ways: %.3g mJ put in on the mean; worst creation %.3g mJ\n", ways, mean_J * 1e3, worst_J * 1e3);
  EXPECT_GT(mean_J, 0);
  EXPECT_LT(worst_J, 0.01 * mean_J);
}

}  // namespace
}  // namespace strigil::sim
