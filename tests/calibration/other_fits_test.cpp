// Fits that are not plain least squares: errors in both variables, robust, constrained, nonlinear.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/fit/constrained_fit.hpp"
#include "calibration/fit/errors_in_variables.hpp"
#include "calibration/fit/inverse_prediction.hpp"
#include "calibration/fit/nonlinear_fit.hpp"
#include "calibration/fit/robust_fit.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration::tested {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using ::testing::HasSubstr;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(ErrorsInVariables, ReproducesYorkAndTs28037) {
  UncertainPoints gdr;
  gdr.x = Eigen::Map<const VectorXd>(std::vector<double>{1.2, 1.9, 2.9, 4.0, 4.7, 5.9}.data(), 6);
  gdr.y = Eigen::Map<const VectorXd>(std::vector<double>{3.4, 4.4, 7.2, 8.5, 10.8, 13.5}.data(), 6);
  gdr.u_x = VectorXd::Constant(6, 0.2);
  gdr.u_y = Eigen::Map<const VectorXd>(std::vector<double>{0.2, 0.2, 0.2, 0.4, 0.4, 0.4}.data(), 6);
  auto fit = fit_errors_in_variables(gdr);
  ASSERT_TRUE(fit.ok()) << fit.error().message;
  EXPECT_NEAR(fit->curve.coefficient(0), 0.5788, 5.1e-5);
  EXPECT_NEAR(fit->curve.fit().standard_errors[0], 0.4764, 5.1e-5);  // and not 0.4804, of a peer
  EXPECT_NEAR(fit->curve.coefficient(1), 2.1597, 5.1e-5);
  EXPECT_NEAR(fit->curve.fit().standard_errors[1], 0.1355, 5.1e-5);
  EXPECT_NEAR(fit->curve.fit().covariance(0, 1), -0.0577, 5.1e-5);
  EXPECT_NEAR(fit->chi_squared, 2.743, 5.1e-4);

  // York (1966), Pearson's data with York's weights.
  UncertainPoints york;
  york.x.resize(10);
  york.y.resize(10);
  york.u_x.resize(10);
  york.u_y.resize(10);
  york.x << 0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4;
  york.y << 5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5;
  york.u_x << 1000, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1;
  york.u_y << 1, 1.8, 4, 8, 20, 20, 70, 70, 100, 500;
  york.u_x = york.u_x.cwiseInverse().cwiseSqrt();
  york.u_y = york.u_y.cwiseInverse().cwiseSqrt();
  auto line = fit_errors_in_variables(york);
  ASSERT_TRUE(line.ok());
  EXPECT_NEAR(line->curve.coefficient(0), 5.47991022403, 1e-10);
  EXPECT_NEAR(line->curve.coefficient(1), -0.480533407446, 1e-11);
  EXPECT_NEAR(line->chi_squared, 11.8663531941, 1e-9);
  // The same by matrices, and with x and y exchanged: the line has no preferred direction.
  UncertainPoints matrices{york.x,
                           york.y,
                           {},
                           {},
                           {},
                           york.u_x.array().square().matrix().asDiagonal(),
                           york.u_y.array().square().matrix().asDiagonal(),
                           {}};
  auto same = fit_errors_in_variables(matrices);
  UncertainPoints exchanged{york.y, york.x, york.u_y, york.u_x, {}, {}, {}, {}};
  auto turned = fit_errors_in_variables(exchanged);
  ASSERT_TRUE(same.ok() && turned.ok());
  EXPECT_NEAR(same->curve.coefficient(1), line->curve.coefficient(1), 1e-13);
  EXPECT_NEAR(1 / turned->curve.coefficient(1), line->curve.coefficient(1), 1e-10);
}

TEST(ErrorsInVariables, WithoutErrorsOfXItIsWeightedLeastSquaresAndItRefusesInWords) {
  UncertainPoints p;
  p.x = VectorXd::LinSpaced(8, 0, 7);
  p.y = p.x.array().square() + 0.1 * p.x.array().sin();
  p.u_y = VectorXd::LinSpaced(8, 0.1, 0.3);
  ErrorsInVariablesOptions two;
  two.degree = 2;
  auto fit = fit_errors_in_variables(p, two);
  PolynomialOptions plain;
  plain.degree = 2;
  plain.weights = p.u_y.array().square().inverse();
  plain.weights_are_absolute = true;
  auto direct = fit_polynomial(std::span<const double>(p.x.data(), 8), std::span<const double>(p.y.data(), 8), plain);
  ASSERT_TRUE(fit.ok() && direct.ok());
  for (int k = 0; k <= 2; ++k) EXPECT_NEAR(fit->curve.coefficient(k), direct->coefficient(k), 1e-11);
  EXPECT_NEAR(fit->chi_squared, direct->fit().sum_of_squares, 1e-10);

  const auto says = [](const UncertainPoints& q) {
    auto found = fit_errors_in_variables(q);
    return found.ok() ? std::string("accepted") : found.error().message;
  };
  auto bad = p;
  bad.u_y[2] = 0;
  EXPECT_THAT(says(bad), HasSubstr("point 3 has no uncertainty"));
  bad.u_y[2] = -1;
  EXPECT_THAT(says(bad), HasSubstr("none negative"));
  bad = p;
  bad.x[1] = kNaN;
  EXPECT_THAT(says(bad), HasSubstr("finite"));
  bad = p;
  bad.u_x = VectorXd::Constant(8, 0.1);
  bad.cov_xy = VectorXd::Constant(8, 1);
  EXPECT_THAT(says(bad), HasSubstr("exceeds"));
  bad = p;
  bad.v_x = MatrixXd::Constant(8, 8, -1);
  EXPECT_THAT(says(bad), HasSubstr("contradict"));
}

TEST(ErrorsInVariables, OnlyTheRatioKnownScalesTheCovariance) {
  Random random(20);
  UncertainPoints p;
  p.x = p.y = VectorXd::LinSpaced(30, 0, 29);
  for (double& v : p.x) v += 0.3 * random.normal();
  for (double& v : p.y) v += 0.3 * random.normal();
  p.u_x = p.u_y = VectorXd::Constant(30, 1);  // Deming: equal, and 0.3 in truth
  ErrorsInVariablesOptions options;
  auto known = fit_errors_in_variables(p, options);
  options.scale_unknown = true;
  auto scaled = fit_errors_in_variables(p, options);
  ASSERT_TRUE(known.ok() && scaled.ok());
  const double ratio = scaled->curve.fit().standard_errors[1] / known->curve.fit().standard_errors[1];
  EXPECT_NEAR(ratio, std::sqrt(known->chi_squared / 28), 1e-12);
  EXPECT_NEAR(ratio, 0.3, 0.12);
  EXPECT_THAT(invert(scaled->curve, 10).error().message, HasSubstr("reading's own"));
  InverseOptions reading;
  reading.reading_uncertainty = 0.3;
  EXPECT_TRUE(invert(scaled->curve, 10, reading).ok());
}

TEST(Robust, TwoWildReadingsBendNothing) {
  Random random(7);
  MatrixXd x(30, 2);
  VectorXd y(30);
  for (Index i = 0; i < 30; ++i) {
    x.row(i) << 1, static_cast<double>(i);
    y[i] = 1 + 2 * static_cast<double>(i) + 0.1 * random.normal();
  }
  y[3] += 40;
  y[22] -= 25;
  for (const auto kind : {RobustKind::kHuber, RobustKind::kTukey}) {
    RobustOptions options;
    options.kind = kind;
    auto fit = fit_robust(x, y, options);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    EXPECT_NEAR(fit->fit.coefficients[1], 2, 0.01);
    EXPECT_LT(fit->weights[3], 0.02);
    EXPECT_LT(fit->weights[22], 0.02);
    EXPECT_NEAR(fit->fit.residual_sd, 0.1, 0.05);
    EXPECT_LT(std::abs(fit->fit.coefficients[1] - 2), 4 * fit->fit.standard_errors[1]);
  }
  EXPECT_FALSE(fit_robust(x, x * Eigen::Vector2d(1, 2)).ok());  // exact: no scale
  EXPECT_FALSE(fit_robust(x, VectorXd::Constant(30, kNaN)).ok());
}

TEST(Robust, CostsLittleWhereAllReadingsAreGood) {
  Random random(8);
  double plain = 0, robust = 0, stated = 0;
  constexpr int kRuns = 1000;
  MatrixXd x(20, 2);
  for (Index i = 0; i < 20; ++i) x.row(i) << 1, static_cast<double>(i) - 9.5;
  for (int run = 0; run < kRuns; ++run) {
    VectorXd y(20);
    for (double& v : y) v = random.normal();
    auto a = fit_least_squares(x, y);
    auto b = fit_robust(x, y);
    ASSERT_TRUE(a.ok() && b.ok());
    plain += std::pow(a->coefficients[1], 2);
    robust += std::pow(b->fit.coefficients[1], 2);
    stated += std::pow(b->fit.standard_errors[1], 2);
  }
  EXPECT_NEAR(plain / robust, 0.95, 0.05);
  EXPECT_NEAR(stated / robust, 1, 0.12);
}

TEST(Constrained, EqualitiesHoldAndFreeDirectionsAreFitted) {
  Random random(9);
  MatrixXd x(15, 3);
  VectorXd y(15);
  for (Index i = 0; i < 15; ++i) {
    x.row(i) << 1, random.normal(), random.normal();
    y[i] = random.normal();
  }
  const MatrixXd c = (MatrixXd(1, 3) << 1, 1, 1).finished();
  const VectorXd d = VectorXd::Constant(1, 4);
  auto fit = fit_with_equalities(x, y, c, d);
  ASSERT_TRUE(fit.ok()) << fit.error().message;
  EXPECT_NEAR(fit->coefficients.sum(), 4, 1e-13);
  EXPECT_NEAR((c * fit->covariance * c.transpose())(0, 0), 0, 1e-15);
  // Lagrange: the gradient is a multiple of the constraint.
  const VectorXd gradient = x.transpose() * fit->residuals;
  EXPECT_LT((gradient.array() - gradient.mean()).abs().maxCoeff(), 1e-11 * gradient.norm());
  EXPECT_EQ(fit->dof, 13);
  EXPECT_FALSE(fit_with_equalities(x, y, MatrixXd::Ones(2, 3), Eigen::Vector2d(1, 2)).ok());
  EXPECT_FALSE(fit_with_equalities(x, y, MatrixXd::Identity(3, 3), Eigen::Vector3d(1, 2, 3)).ok());
}

TEST(Constrained, NonNegativeMeetsItsConditions) {
  Random random(10);
  for (int trial = 0; trial < 100; ++trial) {
    MatrixXd x(12, 4);
    VectorXd y(12);
    for (double& v : x.reshaped()) v = random.normal();
    for (double& v : y) v = random.normal();
    auto fit = fit_non_negative(x, y);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    const VectorXd gradient = x.transpose() * fit->fit.residuals;
    for (Index j = 0; j < 4; ++j) {
      EXPECT_GE(fit->fit.coefficients[j], 0);
      if (fit->at_bound[static_cast<std::size_t>(j)]) {
        EXPECT_EQ(fit->fit.coefficients[j], 0);
        EXPECT_LE(gradient[j], 1e-10);
      } else {
        EXPECT_NEAR(gradient[j], 0, 1e-11);
      }
    }
  }
}

TEST(Nonlinear, RefusesInWords) {
  const VectorXd y = VectorXd::LinSpaced(6, 1, 6);
  const PointModel decay = [](std::span<const double> b, std::size_t i) {
    return b[0] * std::exp(-b[1] * static_cast<double>(i));
  };
  const auto says = [&](const PointModel& m, const VectorXd& v, const std::vector<double>& start) {
    auto fit = fit_nonlinear(m, v, start);
    return fit.ok() ? std::string("accepted") : fit.error().message;
  };
  EXPECT_THAT(says(decay, y.head(2), {1, 1}), HasSubstr("too few"));
  EXPECT_THAT(says(decay, VectorXd::Constant(6, kNaN), {1, 1}), HasSubstr("finite"));
  EXPECT_THAT(says(decay, y, {}), HasSubstr("without parameters"));
  EXPECT_THAT(says([](auto, auto) { return kNaN; }, y, {1, 1}), HasSubstr("any of the starts"));
  // Two parameters of which only the product counts.
  EXPECT_THAT(says([](auto b, auto i) { return b[0] * b[1] * static_cast<double>(i); }, y, {1, 1}),
              HasSubstr("cannot be told apart"));
}

}  // namespace
}  // namespace strigil::calibration::tested
