// The 6 x N matrix of a force/torque sensor, its crosstalk, its interactions; the weight of a tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <Eigen/LU>

#include <cmath>
#include <limits>

#include "calibration/fit/force_torque_matrix.hpp"
#include "calibration/fit/tool_gravity.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration::tested {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using ::testing::HasSubstr;

VectorXd full_scale() { return (VectorXd(6) << 100, 100, 200, 5, 5, 5).finished(); }

/// A sensor of `bridges` bridges: u = S w / FS, with some bend where `bend` is not 0.
struct Sensor {
  MatrixXd s;
  double bend = 0;
  [[nodiscard]] VectorXd signals(const VectorXd& wrench) const {
    VectorXd u = s * wrench.cwiseQuotient(full_scale());
    u[0] += bend * u[1] * u[2];
    return u;
  }
};
Sensor sensor(Index bridges, Random& random) {
  Sensor out{MatrixXd::Zero(bridges, 6)};
  for (Index i = 0; i < bridges; ++i) {
    for (Index j = 0; j < 6; ++j) out.s(i, j) = (i % 6 == j ? 1 : 0) + 0.15 * random.normal();
  }
  return out;
}

/// Each axis at 5 levels of each sign, then `combined` random combinations.
LoadCases loads(const Sensor& s, int combined, double noise, Random& random) {
  std::vector<VectorXd> wrenches;
  for (Index axis = 0; axis < 6; ++axis) {
    for (int level = -5; level <= 5; ++level) {
      VectorXd w = VectorXd::Zero(6);
      w[axis] = full_scale()[axis] * level / 5;
      wrenches.push_back(w);
    }
  }
  for (int i = 0; i < combined; ++i) {
    VectorXd w(6);
    for (Index a = 0; a < 6; ++a) w[a] = full_scale()[a] * (1.4 * random.uniform() - 0.7);
    wrenches.push_back(w);
  }
  LoadCases out{MatrixXd(static_cast<Index>(wrenches.size()), s.s.rows()),
                MatrixXd(static_cast<Index>(wrenches.size()), 6)};
  for (Index r = 0; r < out.signals.rows(); ++r) {
    const auto& w = wrenches[static_cast<std::size_t>(r)];
    out.signals.row(r) = s.signals(w);
    // The applied wrench has the errors: what is fitted is wrench from signals.
    for (Index a = 0; a < 6; ++a) out.wrenches(r, a) = w[a] + noise * full_scale()[a] * random.normal();
  }
  return out;
}

TEST(ForceTorque, FindsTheMatrixAndItsBandHoldsNewLoads) {
  Random random(1);
  int inside = 0, all = 0;
  for (int trial = 0; trial < 30; ++trial) {
    const auto s = sensor(6, random);
    auto fit = fit_force_torque_matrix(loads(s, 40, 1e-3, random));
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    const MatrixXd truth = full_scale().asDiagonal() * s.s.inverse();
    for (Index a = 0; a < 6; ++a) {
      for (Index i = 0; i < 6; ++i) {
        const double u = std::sqrt(fit->covariances[static_cast<std::size_t>(a)](i, i));
        EXPECT_LT(std::abs(fit->matrix(a, i) - truth(a, i)), 5.5 * u);
        EXPECT_NEAR(fit->covariance(a, i, a, i), u * u, 1e-12 * u * u);
      }
    }
    const auto fresh = loads(s, 30, 1e-3, random);
    for (Index r = 66; r < fresh.signals.rows(); ++r) {
      const VectorXd band = fit->prediction_band(fresh.signals.row(r));
      const VectorXd off = fit->wrench(fresh.signals.row(r)) - fresh.wrenches.row(r).transpose();
      for (Index a = 0; a < 6; ++a) inside += std::abs(off[a]) <= band[a], ++all;
    }
  }
  EXPECT_NEAR(static_cast<double>(inside) / all, 0.95, 0.015);
}

TEST(ForceTorque, MoreBridgesThanAxesAndCrosstalk) {
  Random random(2);
  auto s = sensor(8, random);
  // Eight bridges of a linear sensor are dependent but for their noise: give the signals some.
  auto cases = loads(s, 60, 0, random);
  for (double& u : cases.signals.reshaped()) u += 1e-2 * random.normal();
  auto fit = fit_force_torque_matrix(cases);
  ASSERT_TRUE(fit.ok()) << fit.error().message;
  auto checked = cross_validate(*fit, loads(s, 20, 0, random), full_scale());
  ASSERT_TRUE(checked.ok());
  EXPECT_LT(checked->error_percent.maxCoeff(), 2);
  for (Index j = 0; j < 6; ++j) EXPECT_NEAR(checked->crosstalk_percent(j, j), 100, 2);

  // A matrix that is wrong on purpose: the crosstalk is what was put in.
  auto wrong = *fit_force_torque_matrix(loads(sensor(6, random), 30, 1e-6, random));
  Random same(3);
  const auto plain = sensor(6, same);
  auto exact = fit_force_torque_matrix(loads(plain, 30, 1e-9, same));
  ASSERT_TRUE(exact.ok());
  exact->matrix.row(4) += 0.03 * 5 / 200 * exact->matrix.row(2);  // 3 % of full scale of Ty at full Fz
  auto seen = cross_validate(*exact, loads(plain, 0, 0, same), full_scale());
  ASSERT_TRUE(seen.ok());
  EXPECT_NEAR(seen->crosstalk_percent(4, 2), 3, 1e-4);
  EXPECT_NEAR(seen->crosstalk_percent(2, 4), 0, 1e-4);
}

TEST(ForceTorque, InteractionsAreKeptWhereTheyAreAndOnlyThere) {
  Random random(4);
  ForceTorqueOptions options;
  options.interactions = true;
  int kept_of_none = 0;
  for (int trial = 0; trial < 10; ++trial) {
    auto fit = fit_force_torque_matrix(loads(sensor(6, random), 60, 1e-3, random), options);
    ASSERT_TRUE(fit.ok());
    kept_of_none += static_cast<int>(fit->interactions.size());
  }
  EXPECT_LE(kept_of_none, 4);  // 10 x 6 axes at 1 % each
  auto bent = sensor(6, random);
  bent.bend = 0.1;
  const auto cases = loads(bent, 100, 1e-4, random);
  auto flat = fit_force_torque_matrix(cases);
  auto curved = fit_force_torque_matrix(cases, options);
  ASSERT_TRUE(flat.ok() && curved.ok());
  const bool found = std::any_of(curved->interactions.begin(), curved->interactions.end(),
                                 [](const Interaction& t) { return t.i == 1 && t.j == 2; });
  EXPECT_TRUE(found);
  EXPECT_LT(curved->residual_sd[0], 0.2 * flat->residual_sd[0]);
}

TEST(ForceTorque, RefusesInWords) {
  Random random(5);
  const auto good = loads(sensor(6, random), 20, 1e-3, random);
  const auto says = [](const LoadCases& c) {
    auto fit = fit_force_torque_matrix(c);
    return fit.ok() ? std::string("accepted") : fit.error().message;
  };
  EXPECT_EQ(says(good), "accepted");
  EXPECT_THAT(says({good.signals.leftCols(5), good.wrenches}), HasSubstr("six axes"));
  EXPECT_THAT(says({good.signals, good.wrenches.topRows(9)}), HasSubstr("as many rows"));
  auto bad = good;
  bad.signals(3, 2) = std::numeric_limits<double>::infinity();
  EXPECT_THAT(says(bad), HasSubstr("load case 4"));
  bad = good;
  bad.signals.col(2) = bad.signals.col(2).unaryExpr([](double v) { return v > 0 ? 1.0 : 0.0; });
  EXPECT_THAT(says(bad), HasSubstr("bridge signal 3 was seen at 2 level"));
  bad = good;
  bad.wrenches.col(5).setZero();
  EXPECT_THAT(says(bad), HasSubstr("axis Tz was loaded at 1 level"));
  bad = good;
  bad.signals.col(4) = bad.signals.col(1) + 1e-9 * bad.signals.col(4);
  EXPECT_THAT(says(bad), HasSubstr("condition number"));
  auto fit = fit_force_torque_matrix(good);
  EXPECT_FALSE(cross_validate(*fit, good, VectorXd::Zero(6)).ok());
}

TEST(ToolGravity, FindsWeightCentreAndZero) {
  Random random(6);
  const Eigen::Vector3d centre(0.01, -0.02, 0.08), force_zero(1, -2, 0.5), torque_zero(0.1, 0.05, -0.02);
  const double mass = 0.75;
  MatrixXd g(14, 3), w(14, 6);
  for (Index r = 0; r < 14; ++r) {
    Eigen::Vector3d direction(random.normal(), random.normal(), random.normal());
    const Eigen::Vector3d a = 9.81 * direction.normalized();
    g.row(r) = a;
    w.row(r).head<3>() = force_zero - mass * a;
    w.row(r).tail<3>() = torque_zero + a.cross(mass * centre);
    for (Index k = 0; k < 6; ++k) w(r, k) += (k < 3 ? 0.01 : 0.001) * random.normal();
  }
  auto tool = identify_tool(g, w);
  ASSERT_TRUE(tool.ok()) << tool.error().message;
  EXPECT_NEAR(tool->mass_kg, mass, 4 * tool->u_mass_kg);
  EXPECT_LT(tool->u_mass_kg, 1e-3);
  for (Index k = 0; k < 3; ++k) {
    EXPECT_NEAR(tool->centre_m[k], centre[k], 4 * tool->u_centre_m[k]);
    EXPECT_NEAR(tool->force_zero_N[k], force_zero[k], 4 * tool->u_force_zero_N[k]);
    EXPECT_NEAR(tool->torque_zero_N_m[k], torque_zero[k], 4 * tool->u_torque_zero_N_m[k]);
  }
  EXPECT_NEAR(tool->force_sd_N, 0.01, 0.004);
  EXPECT_THAT(identify_tool(g.topRows(2), w.topRows(2)).error().message, HasSubstr("3 attitudes"));
  EXPECT_THAT(identify_tool(g.row(0).replicate(5, 1), w.topRows(5)).error().message, HasSubstr("turn it further"));
  EXPECT_THAT(identify_tool(-g, w).error().message, HasSubstr("told from 0"));
  MatrixXd odd = g;
  odd.row(2) *= 1.2;
  EXPECT_THAT(identify_tool(odd, w).error().message, HasSubstr("one vector"));
}

}  // namespace
}  // namespace strigil::calibration::tested
