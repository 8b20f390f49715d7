// Friction with bristles: its steady curve, presliding, stability for any step, what it may store, and where it sticks
// and slips.
#include "sim/lugre.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/noise.hpp"
#include "tests/sim/physics_csv.hpp"

namespace strigil::sim {
namespace {

FrictionLaw plain() {
  FrictionLaw law;
  law.kinetic = 0.3;
  law.static_ratio = 1.4;
  law.stribeck_speed_m_s = 20e-3;
  return law;
}

TEST(LuGre, SlidesAtStribecksCurveWhateverTheStep) {
  auto law = plain();
  law.viscous_s_m = 0.01;
  for (const double dt_s : {1e-5, 1e-4, 1e-3, 0.1, 10.0}) {
    for (const double speed : {1e-3, 5e-3, 20e-3, 0.1, 0.4}) {
      LuGre edge;
      LuGre::Planar force{};
      const LuGre::Planar v{0.8 * speed, -0.6 * speed};
      for (double t = 0; t < 5e-3 / speed; t += dt_s) force = edge.step(dt_s, v, 5, law);
      for (int i = 0; i < 20; ++i) force = edge.step(dt_s, v, 5, law);
      const double mu = 0.3 * (1 + 0.4 * std::exp(-(speed / 20e-3) * (speed / 20e-3))) + 0.01 * speed;
      EXPECT_NEAR(force[0], -5 * mu * 0.8, 2e-3 * 5 * mu) << speed << " by " << dt_s;
      EXPECT_NEAR(force[1], 5 * mu * 0.6, 2e-3 * 5 * mu);
    }
  }
}

TEST(LuGre, BendsBeforeItSlips) {
  const auto law = plain();
  LuGre edge;
  LuGre::Planar force{};
  constexpr double kDt_s = 1e-4;
  constexpr double kSpeed = 1e-3;
  for (int i = 0; i < 200; ++i) force = edge.step(kDt_s, {kSpeed, 0}, 6, law);  // 20 um
  EXPECT_NEAR(force[0], -6 * law.bristles_per_m * 20e-6 - law.micro_damping_N_s_m * kSpeed, 0.004);
  for (int i = 0; i < 200; ++i) force = edge.step(kDt_s, {-kSpeed, 0}, 6, law);
  EXPECT_NEAR(force[0], 0, 0.006) << "little is lost on so short a way";
}

TEST(LuGre, MoreForceDoesNotJumpAndLessLetsGo) {
  const auto law = plain();
  LuGre edge;
  for (int i = 0; i < 500; ++i) (void)edge.step(1e-4, {1e-3, 0}, 2, law);
  const double before = edge.step(1e-4, {}, 2, law)[0];
  const double stored = edge.stored_J(law.bristles_per_m);
  EXPECT_NEAR(edge.step(1e-4, {}, 6, law)[0], before, 1e-9);
  EXPECT_NEAR(edge.stored_J(law.bristles_per_m), stored / 3, 1e-9);
  EXPECT_NEAR(edge.step(1e-4, {}, 3, law)[0], before / 2, 1e-9);
  EXPECT_EQ(edge.step(1e-4, {0.1, 0}, 0, law)[0], 0);
  EXPECT_EQ(edge.stored_J(law.bristles_per_m), 0);
}

TEST(LuGre, DecayIsTheExponential) {
  EXPECT_EQ(decay(0), 1);
  for (double x = 1e-6; x < 40; x *= 1.1) {
    EXPECT_NEAR(decay(x), std::exp(-x), 4e-6) << x;
    EXPECT_LT(decay(x), 1);
  }
  EXPECT_GE(decay(1e200), 0);
  EXPECT_LT(decay(1e200), 1e-9);
}

/// Never more energy out than was put in, on 2,000 wild rides with steps of every size.
TEST(LuGre, NeverGivesEnergy) {
  Noise noise(5);
  double worst_J = 0;
  double put_in_J = 0;
  for (int ride = 0; ride < 2000; ++ride) {
    FrictionLaw law = plain();
    law.kinetic = 0.05 + 0.6 * noise.uniform();
    law.static_ratio = 1 + noise.uniform();
    law.stribeck_speed_m_s = 1e-3 * std::pow(100, noise.uniform());
    const double dt_s = 1e-5 * std::pow(100, noise.uniform());
    LuGre edge;
    double work_J = 0;  // on the friction, of the hand
    LuGre::Planar v{};
    LuGre::Planar force_before{};
    double normal_N = 5 * noise.uniform();
    for (int i = 0; i < 300; ++i) {
      for (auto& c : v) c = 0.95 * c + 0.02 * noise.normal();
      normal_N = std::max(0.0, normal_N + 0.3 * noise.normal());
      const auto force = edge.step(dt_s, v, normal_N, law);
      for (std::size_t a = 0; a < 2; ++a) work_J -= (force[a] + force_before[a]) / 2 * v[a] * dt_s;
      force_before = force;
      // What was put in is at least what is stored now.
      worst_J = std::max(worst_J, edge.stored_J(law.bristles_per_m) - work_J);
    }
    put_in_J += work_J;
  }
  std::printf("worst creation %.3g J of %.3g J put in on the mean ride\n", worst_J, put_in_J / 2000);
  EXPECT_LT(worst_J, 1e-3 * put_in_J / 2000);
}

struct Ride {
  double swing = 0;  ///< of the slider's speed about the belt's, at the end, over that at the start
};
/// A mass on a spring and a damper, its foot drawn along at a steady speed: swings grow where it sticks and slips.
Ride ride(double damping_N_s_m, double speed_m_s, double normal_N, const FrictionLaw& law) {
  constexpr double kMass_kg = 0.28;
  constexpr double kStiffness_N_m = 20e3;
  constexpr double kDt_s = 1e-5;
  LuGre edge;
  double place = 0;  // of the mass, against its foot
  double rate = 1e-6 * speed_m_s;
  for (int i = 0; i < 20000; ++i) (void)edge.step(kDt_s, {speed_m_s, 0}, normal_N, law);  // bristles are bent
  place = edge.step(kDt_s, {speed_m_s, 0}, normal_N, law)[0] / kStiffness_N_m;
  double early = 0;
  double late = 0;
  constexpr int kSteps = 30000;
  for (int i = 0; i < kSteps; ++i) {
    const double force = edge.step(kDt_s, {speed_m_s + rate, 0}, normal_N, law)[0];
    rate += kDt_s / kMass_kg * (force - kStiffness_N_m * place - damping_N_s_m * rate);
    place += kDt_s * rate;
    if (i < kSteps / 10) early = std::max(early, std::abs(rate));
    if (i >= kSteps - kSteps / 10) late = std::max(late, std::abs(rate));
  }
  return {late / early};
}

/// Steady sliding loses its stability where c_t = N |d mu / d v| (science.md 2.7). Bristles that hardly bend, as the
/// closed form has none.
TEST(LuGre, SticksAndSlipsBelowTheClosedFormsDamping) {
  PhysicsCsv csv("stick_slip", "speed_mm_s,closed_form_N_s_m,found_N_s_m");
  FrictionLaw law = plain();
  law.bristles_per_m = 2e6;
  law.micro_damping_N_s_m = 0;
  constexpr double kNormal_N = 6;
  for (const double speed : {8e-3, 14e-3, 20e-3, 30e-3}) {
    const double by = speed / law.stribeck_speed_m_s;
    const double falls = law.kinetic * (law.static_ratio - 1) * 2 * by / law.stribeck_speed_m_s * std::exp(-by * by);
    const double closed = kNormal_N * falls;
    double low = 0.2 * closed;
    double high = 3 * closed;
    ASSERT_GT(ride(low, speed, kNormal_N, law).swing, 1) << "no stick-slip at all";
    ASSERT_LT(ride(high, speed, kNormal_N, law).swing, 1);
    for (int i = 0; i < 8; ++i) {
      const double middle = (low + high) / 2;
      (ride(middle, speed, kNormal_N, law).swing > 1 ? low : high) = middle;
    }
    csv.row(speed * 1e3, closed, (low + high) / 2);
    std::printf("%.0f mm/s: closed form %.2f N s/m, found %.2f\n", speed * 1e3, closed, (low + high) / 2);
    EXPECT_NEAR((low + high) / 2 / closed, 1, 0.05) << speed;
  }
}

}  // namespace
}  // namespace strigil::sim
