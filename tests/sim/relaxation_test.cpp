// Relaxation: the curve of real meat, the energy it may keep, and the surface that comes back by itself.
#include "sim/relaxation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/noise.hpp"
#include "tests/sim/physics_csv.hpp"
#include "tests/sim/tissue_on_bench.hpp"

namespace strigil::sim {
namespace {

RelaxationBranches meat() { return {{0.25, 0.2175, 0.255}, {0.01, 0.38, 4.1}, 20e-3}; }

/// The mean of 25 fitted curves, normalised where the hold begins (science.md 2.3 [D]).
double mean_of_25(double t) { return 0.37 + 0.29 * std::exp(-t / 0.38) + 0.34 * std::exp(-t / 4.1); }

TEST(Relaxation, AStepDecaysAsPronysSeriesWhateverTheStep) {
  for (const double dt_s : {1e-5, 1e-3, 0.1, 1.0}) {
    Relaxation r(meat());
    const double at_once = r.step(0, 2e-3, 0).factor;
    EXPECT_NEAR(at_once, 1 / (1 - 0.25 - 0.2175 - 0.255), 1e-9);
    const auto steps = std::max(1, static_cast<int>(0.5 / dt_s));
    double factor = 0;
    for (int i = 0; i < steps; ++i) factor = r.step(dt_s, 2e-3, 0).factor;
    const double t = steps * dt_s;
    const double known =
        0.2775 + 0.25 * std::exp(-t / 0.01) + 0.2175 * std::exp(-t / 0.38) + 0.255 * std::exp(-t / 4.1);
    EXPECT_NEAR(factor / at_once, known, 1e-6) << dt_s;
  }
}

/// As measured: pressed, held for 10 s, logged at 10 Hz. How fast it was pressed is not stated: 0.05 s here, and the
/// hold begins when the fast branch, which such a log cannot see, is gone.
TEST(Relaxation, ThePlantsHoldIsTheMeanOf25Curves) {
  PhysicsCsv csv("relaxation", "time_s,ours,mean_of_25,low,high");
  const auto plant = make_tissue(slab("muscle", 20e-3));
  Hand hand(*plant, 80e-3, 0, 0, 5e3);
  hand.press(4e-3, 80e-3);
  (void)hand.move_for(0.04, {});
  const double first_N = plant->state().force_N[rig::kZ];
  double worst = 0;
  for (double t = 0; t < 10; t += 0.1) {
    const double ours = plant->state().force_N[rig::kZ] / first_N;
    worst = std::max(worst, std::abs(ours - mean_of_25(t)));
    const auto curve = [&](double inf, double g1, double tau1, double g2, double tau2) {
      return (inf + g1 * std::exp(-t / tau1) + g2 * std::exp(-t / tau2)) / (inf + g1 + g2);
    };
    csv.row(t, ours, mean_of_25(t), curve(0.29, 0.35, 0.30, 0.36, 3.6), curve(0.46, 0.24, 0.53, 0.30, 4.8));
    (void)hand.move_for(0.1, {});
  }
  std::printf("worst departure from the mean of 25 curves: %.3f of the first force\n", worst);
  EXPECT_LT(worst, 0.04);
}

TEST(Relaxation, FastIsStiffAndSlowIsSoft) {
  const auto plant = make_tissue(slab("muscle", 20e-3));
  const auto peak_N = [&](double speed_m_s) {
    plant->rest();
    Hand hand(*plant, 80e-3, 0, 0, speed_m_s > 1e-2 ? 20e3 : 1e3);
    return hand.press(3e-3, speed_m_s).force_N[rig::kZ];
  };
  const double slow_N = peak_N(1e-4);
  const double ratio = peak_N(0.1) / slow_N;
  std::printf("fast over quasi-static: %.2f\n", ratio);
  EXPECT_GT(ratio, 2);  // science.md 2.3: palm, 2-2.75x [S]
  EXPECT_LT(ratio, 3.6);
  EXPECT_NEAR(slow_N / plant->poke_N(3e-3, 80e-3, 0), 1, 0.25) << "30 s are nearly all of it";
}

TEST(Relaxation, ASlideMeetsFreshMaterialAndPaysForIt) {
  Relaxation still(meat());
  Relaxation sliding(meat());
  for (int i = 0; i < 100000; ++i) (void)still.step(1e-3, 1e-3, 0);
  const auto held = still.step(1e-3, 1e-3, 0);
  EXPECT_NEAR(held.factor, 1, 1e-6);
  EXPECT_NEAR(held.drag_N, 0, 1e-9);
  Relaxed slid;
  for (int i = 0; i < 100000; ++i) slid = sliding.step(1e-3, 1e-3, 0.1);
  // Each branch settles where renewal and relaxation balance: y/x = 1 / (1 + tau v / l).
  double known = 1;
  const auto b = meat();
  for (std::size_t i = 0; i < 3; ++i) known += b.share[i] / 0.2775 * (1 - 1 / (1 + b.time_s[i] * 0.1 / b.renewal_m));
  EXPECT_NEAR(slid.factor, known, 0.02 * known);
  EXPECT_GT(slid.drag_N, 0);
}

TEST(Relaxation, TheSurfaceComesBackByItselfSlowerThanTheEdgeLeaves) {
  const auto plant = make_tissue(slab("muscle", 20e-3));
  Hand hand(*plant, 80e-3, 0, 0, 10e3);
  hand.press(4e-3);
  (void)hand.move_for(10, {});
  (void)hand.move_for(0.035, {0, 0, 0.1});  // 0.5 mm below what was the surface
  EXPECT_EQ(plant->state().force_N[rig::kZ], 0) << "a dent is left";
  (void)hand.move_for(20, {});
  EXPECT_GT(plant->state().force_N[rig::kZ], 0.5 * plant->poke_N(0.5e-3, 80e-3, 0)) << "it is filled again";
}

/// What is stored never exceeds what was put in, over 250 rides (through x, where the springs are linear) of random
/// swings, partly in the air, partly sliding; but for the rounding of steps, which falls with them.
TEST(Relaxation, NeverGivesEnergy) {
  const auto worst_by = [](int per_ride) {
    Noise noise(9);
    double worst = 0;
    for (int ride = 0; ride < 250; ++ride) {
      Relaxation r(meat());
      std::array<double, 4> size{}, rate{}, phase{};
      for (std::size_t i = 0; i < 4; ++i) {
        size[i] = noise.normal();
        rate[i] = 40 * noise.uniform();
        phase[i] = 6.3 * noise.uniform();
      }
      const double speed = 0.2 * std::max(0.0, noise.normal());
      double x = 0;
      double put_in_J = 0;
      double before_N = 0;
      double most_J = 1e-12;
      const double dt_s = 1.0 / per_ride;
      for (int i = 0; i < per_ride; ++i) {
        double to = 0;
        for (std::size_t k = 0; k < 4; ++k)
          to += size[k] * (std::sin(rate[k] * i * dt_s + phase[k]) - std::sin(phase[k]));
        to = std::max(0.0, to);
        const auto now = r.step(dt_s, to * to / 2, speed);
        const double force_N = now.factor * to;
        put_in_J += (force_N + before_N) / 2 * (to - x) + now.drag_N * speed * dt_s;
        before_N = force_N;
        x = to;
        most_J = std::max(most_J, r.stored_J());
        worst = std::max(worst, (r.stored_J() - put_in_J) / most_J);
      }
    }
    return worst;
  };
  const double coarse = worst_by(500);
  const double fine = worst_by(4000);
  std::printf("worst creation, of the most that was stored: %.2g by 2 ms, %.2g by 0.25 ms\n", coarse, fine);
  EXPECT_LT(fine, 2e-3);
  EXPECT_LT(fine, 0.4 * coarse + 1e-9);
}

}  // namespace
}  // namespace strigil::sim
