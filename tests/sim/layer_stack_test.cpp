// The layers' law against what is known: Johnson's line contact at small load, compression of silicones, thin layers.
#include "sim/layer_stack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numbers>
#include <sstream>

#include "rig/phantom_material.hpp"
#include "tests/sim/physics_csv.hpp"
#include "tests/sim/tissue_on_bench.hpp"

namespace strigil::sim {
namespace {

/// Johnson's closed form (science.md 2.6): depth under a load per metre, and half-width.
LineContact johnson(double load_N_m, double youngs_modulus_Pa, double nu, double radius_m, double thickness_m) {
  const double modulus = plane_modulus_Pa(youngs_modulus_Pa, nu);
  const double a = std::sqrt(4 * load_N_m * radius_m / (std::numbers::pi * modulus));
  const double depth = load_N_m / (std::numbers::pi * modulus) * (2 * std::log(2 * thickness_m / a) - nu / (1 - nu));
  return {load_N_m, depth, a};
}

TEST(LayerStack, OneLayerIsHertzLineContactAtSmallLoad) {
  PhysicsCsv csv("hertz", "modulus_kPa,radius_mm,half_width_by_radius,depth_by_johnson,load_by_johnson");
  double worst = 0;
  for (const double modulus_Pa : {10e3, 30e3, 60e3, 150e3}) {
    for (const double radius_m : {1e-3, 3e-3, 6e-3}) {
      const double thickness_m = 60e-3;  // deep: what a thin layer does is apart
      const LayerStack stack({{thickness_m, modulus_Pa, 0.49, 6}}, {radius_m, 10});
      for (double by_radius = 0.003; by_radius < 2; by_radius *= 1.3) {
        const double a = by_radius * radius_m;
        const double load = std::numbers::pi * plane_modulus_Pa(modulus_Pa, 0.49) * a * a / (4 * radius_m);
        const auto ours = stack.under(load);
        const auto known = johnson(load, modulus_Pa, 0.49, radius_m, thickness_m);
        const double depth_ratio = ours.depth_m / known.depth_m;
        csv.row(modulus_Pa * 1e-3, radius_m * 1e3, by_radius, depth_ratio, ours.load_N_m / load);
        EXPECT_NEAR(ours.half_width_m / known.half_width_m, 1, 1e-3);
        if (by_radius > 0.03) continue;  // small load
        worst = std::max({worst, std::abs(depth_ratio - 1), std::abs(ours.load_N_m / load - 1)});
      }
    }
  }
  std::printf("worst departure from Johnson's line contact at a/R <= 0.03: %.2f %%\n", 100 * worst);
  EXPECT_LT(worst, 0.02);
}

/// The same through the whole plant: its tables, its map, its strips.
TEST(LayerStack, ThePlantsOwnForceIsHertzLineContactAtSmallLoad) {
  auto phantom = slab("ecoflex_00_30", 60e-3);
  auto bar = bar_of_steel();
  bar.edge_radius_m = 6e-3;
  const auto plant = make_tissue(phantom, bar);
  const auto& layer = plant->specimen().layers.front();
  double worst = 0;
  for (const double force_N : {0.02, 0.05, 0.1, 0.2}) {
    const auto known = johnson(force_N / bar.edge_length_m, layer.youngs_modulus_Pa, layer.poisson_ratio,
                               bar.edge_radius_m, layer.thickness_m);
    worst = std::max(worst, std::abs(plant->poke_N(known.depth_m, 80e-3, 0) / force_N - 1));
  }
  std::printf("worst departure of the plant: %.2f %%\n", 100 * worst);
  EXPECT_LT(worst, 0.02);
}

TEST(LayerStack, ALayerOfItsLikeIsNoLayer) {
  const EdgeSection edge{3e-3, 3e-3};
  const LayerStack one({{30e-3, 40e3, 0.49, 7}}, edge);
  const LayerStack cut({{2e-3, 40e3, 0.49, 7}, {7e-3, 40e3, 0.49, 7}, {21e-3, 40e3, 0.49, 7}}, edge);
  for (double load = 1; load < 1000; load *= 3) {
    EXPECT_NEAR(cut.under(load).depth_m / one.under(load).depth_m, 1, 1e-3) << load << ": Simpson's rule";
    EXPECT_NEAR(cut.under(load).half_width_m / one.under(load).half_width_m, 1, 1e-9);
  }
}

TEST(LayerStack, DepthGrowsWithLoadAndNeverReachesTheGround) {
  const LayerStack stack({{2e-3, 60e3, 0.49, 6}, {5e-3, 10e3, 0.49, 10}}, {3e-3, 3e-3});
  double before = 0;
  for (double load = 1e-3; load < 1e7; load *= 1.5) {
    const double depth = stack.under(load).depth_m;
    ASSERT_GT(depth, before) << load;
    ASSERT_LT(depth, stack.thickness_m()) << load;
    before = depth;
  }
}

TEST(LayerStack, LayersStiffenFourToTenTimesByHalf) {
  for (const auto& m : rig::shipped_phantom_materials().materials) {
    const double s = m.stiffening_at_half;
    constexpr double kStep = 1e-6;
    const auto tangent = [&](double e) {
      return (stress_by_modulus_of(e + kStep, s) - stress_by_modulus_of(e - kStep, s)) / (2 * kStep);
    };
    EXPECT_NEAR(tangent(0), 1, 1e-6) << m.name;
    EXPECT_NEAR(tangent(0.5), s, 1e-4 * s) << m.name;
    for (const double e : {0.01, 0.3, 0.9}) EXPECT_NEAR(compression_of(stress_by_modulus_of(e, s), s), e, 1e-9);
  }
}

TEST(LayerStack, ThinLayersAreStifferByTheTabledFactor) {
  EXPECT_EQ(thin_layer_factor(0), 1);
  EXPECT_LT(thin_layer_factor(0.1), 1.05);  // science.md 2.6: about 1 below 0.2, 1.6 at 0.5, 2.5-3 at 1 [M]
  EXPECT_NEAR(thin_layer_factor(0.5), 1.6, 0.1);
  EXPECT_NEAR(thin_layer_factor(1), 2.75, 0.25);
}

/// A block between plates, as in the database: stress over strain of our layer law at 5 % against its modulus.
TEST(LayerStack, ModuliAreThoseOfTheDatabase) {
  const auto path = reference_data("phantom_moduli/phantoms_table.csv");
  if (path.empty()) GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA";
  PhysicsCsv csv("moduli", "label,database_kPa,sd_kPa,ours_kPa");
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::size_t rows = 0;
  while (std::getline(file, line)) {
    // 1,EF50_12.5T,"Ecoflex 00-50 (A + B + 12.5% T)",111.1,6.44
    std::istringstream in(line);
    std::string number, label, skip, mean, sd;
    std::getline(in, number, ',');
    std::getline(in, label, ',');
    std::getline(in, skip, '"');
    std::getline(in, skip, '"');
    std::getline(in, skip, ',');
    std::getline(in, mean, ',');
    std::getline(in, sd, ',');
    const auto thinner = label.substr(5, label.find_first_of(".T", 5) - 5);
    const auto name = "ecoflex_00_" + label.substr(2, 2) + (thinner == "0" ? "" : "_t" + thinner);
    const auto* row = rig::shipped_phantom_materials().material(name);
    ASSERT_NE(row, nullptr) << label << " as " << name;
    constexpr double kStrain = 0.02;
    const double stress = row->youngs_modulus_Pa * stress_by_modulus_of(kStrain, row->stiffening_at_half);
    const double ours_kPa = 1e-3 * stress / kStrain;
    csv.row(label, std::stod(mean), std::stod(sd), ours_kPa);
    EXPECT_NEAR(ours_kPa, std::stod(mean), std::max(std::stod(sd), 0.03 * std::stod(mean))) << label;
    ++rows;
  }
  EXPECT_EQ(rows, 15U);
}

}  // namespace
}  // namespace strigil::sim
