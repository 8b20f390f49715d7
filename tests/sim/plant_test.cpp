// The plant alone: signs, passivity, friction, texture laws, repeatability, speed.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

#include "sim/spring_damper_plant.hpp"

namespace strigil::sim {
namespace {

using rig::kX;
using rig::kY;
using rig::kZ;

constexpr double kStep_s = 1.0 / 12800;

daq::HostTime at_step(std::int64_t step) {
  return daq::HostTime{} + daq::from_seconds(static_cast<double>(step) * kStep_s);
}

PhantomConfig flat() {
  PhantomConfig phantom;
  phantom.curvature_amplitude_m = 0;
  return phantom;
}

MountConfig quiet() {
  MountConfig mount;
  mount.machine_noise_m_s2 = 0;
  return mount;
}

/// The force with the instrument standing `depth_m` under the surface at x.
PlantState press(SpringDamperPlant& plant, double x_m, double depth_m) {
  return plant.step(at_step(0), {x_m, 0, plant.surface_m(x_m) - depth_m}, {});
}

TEST(Plant, NormalForceFollowsDepthAndIsNeverThereAboveTheSurface) {
  SpringDamperPlant plant(flat(), quiet(), 1);
  EXPECT_EQ(press(plant, 0.1, -1e-6).force_N[kZ], 0);
  EXPECT_NEAR(press(plant, 0.1, 1e-3).force_N[kZ], 1.0, 1e-9);
  EXPECT_NEAR(press(plant, 0.1, 6e-3).force_N[kZ], 6.0, 1e-9);
  EXPECT_NEAR(plant.compression_m(), 6e-3, 1e-12);
}

TEST(Plant, StiffeningExponentBendsTheCurveAboutItsReference) {
  auto phantom = flat();
  phantom.stiffening_exponent = 1.5;
  SpringDamperPlant plant(phantom, quiet(), 1);
  EXPECT_NEAR(press(plant, 0.1, 1e-3).force_N[kZ], 1.0, 1e-9);
  EXPECT_NEAR(press(plant, 0.1, 4e-3).force_N[kZ], 8.0, 1e-9);
}

TEST(Plant, NeverPullsHoweverFastItIsLeft) {
  SpringDamperPlant plant(flat(), quiet(), 1);
  const double z = plant.surface_m(0.1) - 1e-3;
  EXPECT_GT(plant.step(at_step(0), {0.1, 0, z}, {0, 0, -0.1}).force_N[kZ], 1.0);  // pressing adds the damper
  EXPECT_LT(plant.step(at_step(1), {0.1, 0, z}, {0, 0, 0.1}).force_N[kZ], 1.0);
  EXPECT_EQ(plant.step(at_step(2), {0.1, 0, z}, {0, 0, 10}).force_N[kZ], 0);
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int i = 0; i < 20000; ++i) {
    const rig::Position at{0.2 * unit(random), 0.1 * unit(random), 0.04 * unit(random)};
    const auto& state = plant.step(at_step(3 + i), at, {unit(random), unit(random), unit(random)});
    ASSERT_GE(state.force_N[kZ], 0);
  }
}

TEST(Plant, FrictionOpposesMotionAndIsMuTimesNormal) {
  SpringDamperPlant plant(flat(), quiet(), 1);
  const double z = plant.surface_m(0.1) - 6e-3;
  EXPECT_NEAR(plant.step(at_step(0), {0.1, 0, z}, {0.1, 0, 0}).force_N[kX], -0.6, 1e-3);
  EXPECT_NEAR(plant.step(at_step(1), {0.1, 0, z}, {-0.1, 0, 0}).force_N[kX], 0.6, 1e-3);
  EXPECT_EQ(plant.step(at_step(2), {0.1, 0, z}, {}).force_N[kX], 0);
  const auto& oblique = plant.step(at_step(3), {0.1, 0, z}, {0.06, 0.08, 0});
  EXPECT_NEAR(std::hypot(oblique.force_N[kX], oblique.force_N[kY]), 0.6, 1e-3);
  EXPECT_NEAR(oblique.force_N[kY] / oblique.force_N[kX], 0.08 / 0.06, 1e-9);
}

TEST(Plant, TorqueIsLeverTimesForce) {
  auto mount = quiet();
  mount.lever_m = 0.1;
  SpringDamperPlant plant(flat(), mount, 1);
  const auto& state = plant.step(at_step(0), {0.1, 0, plant.surface_m(0.1) - 6e-3}, {0.1, 0, 0});
  EXPECT_NEAR(state.torque_N_m[1], -0.1 * state.force_N[kX], 1e-12);
  EXPECT_EQ(state.torque_N_m[0], 0);
}

/// Work that the phantom does on the instrument once round an ellipse in x and z, partly in the air.
double work_round(const PhantomConfig& phantom, double period_s) {
  SpringDamperPlant plant(phantom, quiet(), 1);
  const auto steps = static_cast<std::int64_t>(period_s * 40000);
  const double omega = 2 * std::numbers::pi / period_s;
  double work = 0;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double dt = period_s / static_cast<double>(steps);
    const double phase = omega * (static_cast<double>(i) + 0.5) * dt;
    const rig::Position at{0.1 + 0.02 * std::cos(phase), 0, plant.surface_m(0.1) - 2e-3 + 4e-3 * std::sin(phase)};
    const rig::Position velocity{-0.02 * omega * std::sin(phase), 0, 4e-3 * omega * std::cos(phase)};
    const auto& state = plant.step(daq::HostTime{} + daq::from_seconds(static_cast<double>(i) * dt), at, velocity);
    work += (state.force_N[kX] * velocity[kX] + state.force_N[kZ] * velocity[kZ]) * dt;
  }
  return work;
}

TEST(Plant, ClosedPathsNeverGainEnergy) {
  PhantomConfig hilly;
  hilly.slope = 0.1;
  hilly.curvature_amplitude_m = 1e-3;
  hilly.curvature_wavelength_m = 50e-3;
  hilly.stiffening_exponent = 1.4;
  hilly.inclusions = {{0.11, 8e-3, 5}};
  auto lossless = hilly;
  lossless.friction = 0;
  lossless.damping_N_s_m = 0;
  EXPECT_NEAR(work_round(lossless, 1.0), 0, 1e-6);  // J; some 20 mJ go in and out
  auto damped = lossless;
  damped.damping_N_s_m = 20;
  auto rubbing = lossless;
  rubbing.friction = 0.3;
  for (const double period_s : {0.1, 1.0}) {
    EXPECT_LT(work_round(damped, period_s), -1e-5) << period_s;
    EXPECT_LT(work_round(rubbing, period_s), -1e-3) << period_s;
    EXPECT_LT(work_round(hilly, period_s), -1e-3) << period_s;
  }
}

/// RMS over all axes of the acceleration in a steady stroke of 100 mm.
double stroke_rms(SpringDamperPlant& plant, double speed_m_s, double depth_m) {
  double sum = 0;
  std::int64_t count = 0;
  const auto steps = static_cast<std::int64_t>(0.131 / speed_m_s / kStep_s);
  for (std::int64_t i = 0; i < steps; ++i) {
    const double x = 0.01 + speed_m_s * static_cast<double>(i) * kStep_s;
    const auto& a = plant.step(at_step(i), {x, 0, plant.surface_m(x) - depth_m}, {speed_m_s, 0, 0}).acceleration_m_s2;
    sum += a[0] * a[0] + a[1] * a[1] + a[2] * a[2];
    ++count;
  }
  return std::sqrt(sum / static_cast<double>(count));
}

TEST(Plant, TextureGrowsWithSpeedAndHardlyWithForce) {
  for (const std::uint64_t seed : {1U, 2U, 77U}) {
    SpringDamperPlant plant(flat(), quiet(), seed);
    const double slow = stroke_rms(plant, 0.04, 1e-3);
    SpringDamperPlant again(flat(), quiet(), seed);
    const double fast = stroke_rms(again, 0.16, 1e-3);
    SpringDamperPlant pressed(flat(), quiet(), seed);
    const double hard = stroke_rms(pressed, 0.04, 8e-3);
    EXPECT_NEAR(std::log(fast / slow) / std::log(4.0), 0.99, 0.1) << seed;
    EXPECT_NEAR(std::log(hard / slow) / std::log(8.0), 0.09, 0.1) << seed;
    EXPECT_GT(hard, slow);
    EXPECT_GT(slow, 0.5) << seed;  // science.md 2.8: median 0.71 m/s2 in 20-60 mm/s
    EXPECT_LT(slow, 0.9) << seed;
  }
}

TEST(Plant, TextureIsAPlaceNotATime) {
  // Half the speed over the same ground gives the same roughness, point by point, at half the rate.
  auto phantom = flat();
  phantom.texture_speed_exponent = 0;
  SpringDamperPlant fast(phantom, quiet(), 5);
  SpringDamperPlant slow(phantom, quiet(), 5);
  const double z = fast.surface_m(0.1) - 2e-3;
  fast.step(at_step(0), {0.0, 0, z}, {0.1, 0, 0});
  slow.step(at_step(0), {0.0, 0, z}, {0.05, 0, 0});
  for (int i = 1; i < 500; ++i) {
    const double x = 0.1 * i * kStep_s;
    const auto a = fast.step(at_step(i), {x, 0, z}, {0.1, 0, 0}).acceleration_m_s2;
    const auto b = slow.step(at_step(2 * i), {x, 0, z}, {0.05, 0, 0}).acceleration_m_s2;
    ASSERT_NEAR(a[kZ], b[kZ], 1e-9) << i;
    ASSERT_NEAR(a[kX], b[kX], 1e-9) << i;
  }
}

TEST(Plant, NoTextureInTheAirOrAtRest) {
  SpringDamperPlant plant(flat(), quiet(), 1);
  EXPECT_EQ(stroke_rms(plant, 0.1, -1e-3), 0);
  SpringDamperPlant resting(flat(), quiet(), 1);
  resting.step(at_step(0), {0.1, 0, -23e-3}, {});
  const auto& rest = resting.step(at_step(1), {0.1, 0, -23e-3}, {});
  EXPECT_EQ(rest.acceleration_m_s2, (std::array<double, 3>{}));
}

TEST(Plant, FeelsTheStagesOwnAcceleration) {
  SpringDamperPlant plant(flat(), quiet(), 1);
  PlantState last;
  for (int i = 0; i < 400; ++i) {  // 1 m/s2 along x in the air: 31 ms, many times the mount's constant
    const double t = i * kStep_s;
    last = plant.step(at_step(i), {0.5 * t * t, 0, 0}, {t, 0, 0});
  }
  EXPECT_NEAR(last.acceleration_m_s2[kX], 1.0, 1e-3);
  EXPECT_NEAR(last.acceleration_m_s2[kZ], 0.0, 1e-9);
}

TEST(Plant, MachineNoiseHasItsRms) {
  MountConfig mount;
  mount.machine_noise_m_s2 = 0.05;
  SpringDamperPlant plant(flat(), mount, 3);
  double sum = 0;
  constexpr int kSteps = 20000;
  for (int i = 0; i < kSteps; ++i) {
    const double a = plant.step(at_step(i), {0, 0, 0}, {}).acceleration_m_s2[kY];
    sum += a * a;
  }
  EXPECT_NEAR(std::sqrt(sum / kSteps), 0.05, 0.002);
}

TEST(Plant, AbsentPhantomGivesNothingAndTheVanishingOneStopsAtItsEdge) {
  auto phantom = flat();
  phantom.present = false;
  SpringDamperPlant absent(phantom, quiet(), 1);
  EXPECT_EQ(press(absent, 0.1, 30e-3).force_N[kZ], 0);
  phantom.present = true;
  phantom.absent_from_x_m = 0.1;
  SpringDamperPlant cut(phantom, quiet(), 1);
  EXPECT_NEAR(press(cut, 0.0999, 5e-3).force_N[kZ], 5, 1e-9);
  EXPECT_EQ(press(cut, 0.1, 5e-3).force_N[kZ], 0);
}

TEST(Plant, InclusionMultipliesStiffnessAndLeavesTheRestAlone) {
  auto phantom = flat();
  phantom.inclusions = {{0.1, 6e-3, 10}};
  SpringDamperPlant plant(phantom, quiet(), 1);
  EXPECT_NEAR(press(plant, 0.1, 5e-3).force_N[kZ], 50, 1e-6);
  EXPECT_NEAR(press(plant, 0.103, 5e-3).force_N[kZ], 27.5, 1e-6);
  EXPECT_NEAR(press(plant, 0.1061, 5e-3).force_N[kZ], 5, 1e-9);
}

std::vector<PlantState> wander(std::uint64_t seed) {
  PhantomConfig phantom;
  phantom.inclusions = {{0.1, 6e-3, 3}};
  SpringDamperPlant plant(phantom, MountConfig{}, seed);
  std::vector<PlantState> states;
  for (int i = 0; i < 5000; ++i) {
    states.push_back(plant.step(at_step(i), {0.05 + 1e-5 * i, 0, -24e-3}, {0.128, 0, 0}));
  }
  return states;
}

TEST(Plant, SameSeedSameStatesToTheLastBit) {
  const auto first = wander(11);
  const auto second = wander(11);
  const auto other = wander(12);
  static_assert(sizeof(PlantState) == 16 * sizeof(double));  // no padding: bytes may be compared
  EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size() * sizeof(PlantState)), 0);
  EXPECT_NE(std::memcmp(first.data(), other.data(), first.size() * sizeof(PlantState)), 0);
}

TEST(Plant, SpeedIsPrinted) {
  SpringDamperPlant plant(PhantomConfig{}, MountConfig{}, 1);
  constexpr int kSteps = 1'000'000;
  double sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kSteps; ++i) {
    sum += plant.step(at_step(i), {0.05 + 1e-8 * i, 0, -24e-3}, {0.1, 0, 0}).force_N[kZ];
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  std::printf("plant: %.0f ns a step\n", took.count() / kSteps);
  EXPECT_GT(sum / kSteps, 3.5);  // N: it was in contact throughout
}

}  // namespace
}  // namespace strigil::sim
