// Least squares and polynomials: against a reference of 50 digits, by their invariances, and with input to be refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <limits>

#include "calibration/fit/degree_selection.hpp"
#include "calibration/fit/inverse_prediction.hpp"
#include "calibration/fit/summary.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration::tested {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using ::testing::HasSubstr;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Big = boost::multiprecision::cpp_bin_float_50;

/// (X' W X)^-1 X' W y by Gauss with pivots, in 50 digits; and the diagonal of the inverse.
struct Reference {
  std::vector<Big> b, inverse_diagonal;
};
Reference reference_of(const MatrixXd& x, const VectorXd& y, const VectorXd& w) {
  const auto p = static_cast<std::size_t>(x.cols());
  std::vector<std::vector<Big>> a(p, std::vector<Big>(2 * p + 1));
  for (std::size_t i = 0; i < p; ++i) {
    for (Index r = 0; r < x.rows(); ++r) {
      for (std::size_t j = 0; j < p; ++j) {
        a[i][j] += Big(w[r]) * x(r, static_cast<Index>(i)) * Big(x(r, static_cast<Index>(j)));
      }
      a[i][2 * p] += Big(w[r]) * x(r, static_cast<Index>(i)) * Big(y[r]);
    }
    a[i][p + i] = 1;
  }
  for (std::size_t c = 0; c < p; ++c) {
    std::size_t top = c;
    for (std::size_t r = c + 1; r < p; ++r) top = abs(a[r][c]) > abs(a[top][c]) ? r : top;
    std::swap(a[c], a[top]);
    const Big pivot = a[c][c];
    for (auto& v : a[c]) v /= pivot;
    for (std::size_t r = 0; r < p; ++r) {
      if (r == c) continue;
      const Big factor = a[r][c];
      for (std::size_t k = 0; k < 2 * p + 1; ++k) a[r][k] -= factor * a[c][k];
    }
  }
  Reference out;
  for (std::size_t i = 0; i < p; ++i) {
    out.b.push_back(a[i][2 * p]);
    out.inverse_diagonal.push_back(a[i][p + i]);
  }
  return out;
}

struct Problem {
  MatrixXd x;
  VectorXd y, w;
};
/// Columns from 1e-6 to 1e6 in size, some of them nearly dependent.
Problem random_problem(Random& random) {
  const auto p = static_cast<Index>(1 + random.below(6)), n = p + 1 + static_cast<Index>(random.below(20));
  Problem out{MatrixXd(n, p), VectorXd(n), VectorXd(n)};
  for (Index j = 0; j < p; ++j) {
    const double size = std::pow(10.0, 12 * random.uniform() - 6);
    for (Index i = 0; i < n; ++i) out.x(i, j) = size * random.normal();
    if (j > 0 && random.uniform() < 0.3)
      out.x.col(j) =
          out.x.col(j - 1) + 1e-4 * out.x.col(j - 1).norm() * VectorXd::NullaryExpr(n, [&] { return random.normal(); });
  }
  for (Index i = 0; i < n; ++i) {
    out.y[i] = random.normal() * 10;
    out.w[i] = std::pow(10.0, 4 * random.uniform() - 2);
  }
  return out;
}

TEST(LeastSquares, MatchesFiftyDigitsOnRandomProblems) {
  Random random(1);
  for (int trial = 0; trial < 150; ++trial) {
    const auto q = random_problem(random);
    LeastSquaresOptions options;
    options.weights = q.w;
    auto fit = fit_least_squares(q.x, q.y, options);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    const auto exact = reference_of(q.x, q.y, q.w);
    double s2 = 0;
    for (Index j = 0; j < q.x.cols(); ++j) {
      const auto b = static_cast<double>(exact.b[static_cast<std::size_t>(j)]);
      EXPECT_NEAR(fit->coefficients[j] / b, 1, 1e-13) << trial << " condition " << fit->condition;
      s2 = fit->residual_sd * fit->residual_sd;
      const double variance = s2 * static_cast<double>(exact.inverse_diagonal[static_cast<std::size_t>(j)]);
      EXPECT_NEAR(fit->standard_errors[j] / std::sqrt(variance), 1, 1e-12) << trial;
    }
    EXPECT_NEAR(s2 * static_cast<double>(fit->dof), fit->sum_of_squares, 1e-12 * fit->sum_of_squares);
    EXPECT_GE(fit->covariance.selfadjointView<Eigen::Lower>().eigenvalues().minCoeff(),
              -1e-12 * fit->covariance.norm());
  }
}

TEST(LeastSquares, DoesNotCareForUnitsOrderOrShiftedValues) {
  Random random(2);
  for (int trial = 0; trial < 50; ++trial) {
    const auto q = random_problem(random);
    auto plain = fit_least_squares(q.x, q.y);
    ASSERT_TRUE(plain.ok());
    // Units: columns by 10^k, values by 7.
    VectorXd scale(q.x.cols());
    for (double& s : scale) s = std::pow(10.0, std::floor(9 * random.uniform()) - 4);
    auto scaled = fit_least_squares(q.x * scale.asDiagonal(), 7 * q.y);
    ASSERT_TRUE(scaled.ok());
    for (Index j = 0; j < q.x.cols(); ++j) {
      EXPECT_NEAR(scaled->coefficients[j] * scale[j] / 7 / plain->coefficients[j], 1, 1e-9);
      EXPECT_NEAR(scaled->standard_errors[j] * scale[j] / 7 / plain->standard_errors[j], 1, 1e-9);
    }
    // Order.
    auto turned = fit_least_squares(q.x.colwise().reverse(), q.y.reverse());
    ASSERT_TRUE(turned.ok());
    EXPECT_LT((turned->coefficients - plain->coefficients).cwiseQuotient(plain->coefficients).cwiseAbs().maxCoeff(),
              1e-12);
    // y + X c has coefficients b + c; residuals are orthogonal to X.
    const VectorXd c = plain->standard_errors;
    auto shifted = fit_least_squares(q.x, q.y + q.x * c);
    ASSERT_TRUE(shifted.ok());
    EXPECT_LT((shifted->coefficients - plain->coefficients - c).cwiseQuotient(c).cwiseAbs().maxCoeff(), 1e-8);
    for (Index j = 0; j < q.x.cols(); ++j) {
      EXPECT_LT(std::abs(q.x.col(j).dot(plain->residuals)), 1e-12 * q.x.col(j).norm() * q.y.norm());
    }
    // A point of weight 0 is as if it were not there.
    LeastSquaresOptions without;
    without.weights = VectorXd::Ones(q.y.size());
    without.weights[0] = 0;
    if (q.y.size() < q.x.cols() + 2) continue;
    auto left = fit_least_squares(q.x, q.y, without);
    auto cut = fit_least_squares(q.x.bottomRows(q.x.rows() - 1), q.y.tail(q.y.size() - 1));
    ASSERT_TRUE(left.ok() && cut.ok());
    EXPECT_EQ(left->dof, cut->dof);
    EXPECT_LT((left->coefficients - cut->coefficients).norm(), 1e-12 * cut->coefficients.norm());
  }
}

TEST(LeastSquares, CovarianceIsWhatRepeatedExperimentsShow) {
  Random random(3);
  MatrixXd x(12, 2);
  for (Index i = 0; i < 12; ++i) x.row(i) << 1, static_cast<double>(i * i) / 10;
  LeastSquaresOptions options;
  options.weights.resize(12);
  for (Index i = 0; i < 12; ++i) options.weights[i] = 1 / std::pow(0.1 + 0.05 * static_cast<double>(i), 2);
  options.weights_are_absolute = true;
  constexpr int kRuns = 4000;
  VectorXd sum = VectorXd::Zero(2);
  MatrixXd squares = MatrixXd::Zero(2, 2), stated;
  for (int run = 0; run < kRuns; ++run) {
    VectorXd y(12);
    for (Index i = 0; i < 12; ++i) y[i] = 2 - 0.3 * x(i, 1) + random.normal() / std::sqrt(options.weights[i]);
    auto fit = fit_least_squares(x, y, options);
    ASSERT_TRUE(fit.ok());
    const VectorXd d = fit->coefficients - Eigen::Vector2d(2, -0.3);
    sum += d;
    squares += d * d.transpose();
    stated = fit->covariance;
  }
  const MatrixXd seen = squares / kRuns;
  for (Index i = 0; i < 2; ++i) EXPECT_NEAR(seen(i, i) / stated(i, i), 1, 5 * std::sqrt(2.0 / kRuns));
  EXPECT_NEAR(seen(0, 1) / stated(0, 1), 1, 0.15);
}

std::string refusal(const MatrixXd& x, const VectorXd& y, const LeastSquaresOptions& options = {}) {
  auto fit = fit_least_squares(x, y, options);
  return fit.ok() ? "accepted" : fit.error().message;
}

TEST(LeastSquares, RefusesInWordsWhatCannotBeFitted) {
  MatrixXd x(5, 2);
  x << 1, 1, 1, 2, 1, 3, 1, 4, 1, 5;
  const VectorXd y = VectorXd::LinSpaced(5, 1, 2);
  EXPECT_EQ(refusal(x, y), "accepted");
  EXPECT_THAT(refusal(x, y.head(4)), HasSubstr("one value for each row"));
  EXPECT_THAT(refusal(MatrixXd(5, 0), y), HasSubstr("no columns"));
  EXPECT_THAT(refusal(MatrixXd(0, 2), VectorXd(0)), HasSubstr("too few"));
  EXPECT_THAT(refusal(x.topRows(2), y.head(2)), HasSubstr("too few"));
  for (const double bad : {kNaN, kInf, -kInf}) {
    MatrixXd x_bad = x;
    x_bad(3, 1) = bad;
    VectorXd y_bad = y;
    y_bad[2] = bad;
    EXPECT_THAT(refusal(x_bad, y), HasSubstr("point 4"));
    EXPECT_THAT(refusal(x, y_bad), HasSubstr("point 3"));
  }
  MatrixXd same = x;
  same.col(1).setConstant(7);
  EXPECT_THAT(refusal(same, y), HasSubstr("cannot be told apart"));
  same.col(1).setZero();
  EXPECT_THAT(refusal(same, y), HasSubstr("coefficient 2 cannot be known"));
  LeastSquaresOptions options;
  options.weights = VectorXd::Zero(5);
  EXPECT_THAT(refusal(x, y, options), HasSubstr("all weights"));
  options.weights = VectorXd::Ones(5);
  options.weights[1] = -1;
  EXPECT_THAT(refusal(x, y, options), HasSubstr("weight 2"));
  options.weights[1] = kNaN;
  EXPECT_THAT(refusal(x, y, options), HasSubstr("weight 2"));
  options.weights = VectorXd::Ones(4);
  EXPECT_THAT(refusal(x, y, options), HasSubstr("4 weights"));
}

TEST(LeastSquares, LivesAtTheEdgesOfDoubles) {
  MatrixXd x(5, 2);
  x << 1, 1, 1, 2, 1, 3, 1, 4, 1, 5.5;
  VectorXd y(5);
  y << 1, 3, 2, 5, 4;
  auto plain = fit_least_squares(x, y);
  ASSERT_TRUE(plain.ok());
  for (const double y_scale : {1e-300, 1e300, 1e-150}) {
    auto fit = fit_least_squares(x, y * y_scale);
    if (!fit.ok()) {  // a variance of 1e600 cannot be stated, and that is said
      EXPECT_THAT(fit.error().message, HasSubstr("range of a double"));
      continue;
    }
    EXPECT_NEAR(fit->coefficients[1] / y_scale / plain->coefficients[1], 1, 1e-12) << y_scale;
    EXPECT_NEAR(fit->standard_errors[1] / y_scale / plain->standard_errors[1], 1, 1e-12) << y_scale;
    EXPECT_NEAR(fit->r_squared, plain->r_squared, 1e-12);
  }
  MatrixXd wide = x;
  wide.col(1) *= 1e300;
  wide.col(0) *= 1e-200;
  auto fit = fit_least_squares(wide, y);
  if (fit.ok()) {
    EXPECT_NEAR(fit->coefficients[1] * 1e300 / plain->coefficients[1], 1, 1e-12);
  } else {
    EXPECT_THAT(fit.error().message, HasSubstr("range of a double"));
  }
  // Exact data: no scatter, and no division by it.
  const VectorXd line = x * Eigen::Vector2d(3, -0.5);
  auto exact = fit_least_squares(x, line);
  ASSERT_TRUE(exact.ok());
  EXPECT_NEAR(exact->residual_sd, 0, 1e-15);
  EXPECT_DOUBLE_EQ(exact->r_squared, 1);
  auto nothing = fit_least_squares(x, VectorXd::Zero(5));
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->coefficients[0], 0);
  EXPECT_TRUE(std::isnan(nothing->r_squared));
}

TEST(Polynomial, RefusesInWords) {
  const std::vector<double> x{1, 1, 1, 2}, y{1, 2, 3, 4};
  PolynomialOptions two;
  two.degree = 2;
  EXPECT_THAT(fit_polynomial(x, y, two).error().message, HasSubstr("different x"));
  two.degree = -1;
  EXPECT_THAT(fit_polynomial(x, y, two).error().message, HasSubstr("degree -1"));
  two.degree = 0;
  two.through_zero = true;
  EXPECT_FALSE(fit_polynomial(x, y, two).ok());
  EXPECT_FALSE(fit_polynomial(std::span(x).first(3), y).ok());
  EXPECT_FALSE(fit_polynomial(std::vector<double>{1, kNaN, 3, 4}, y).ok());
  EXPECT_FALSE(fit_polynomial(std::vector<double>{}, std::vector<double>{}).ok());
}

TEST(Polynomial, FarFromZeroTheCurveIsStillRight) {
  // x about 1e6 +- 1: powers of x are hopeless there, the curve is not.
  Random random(4);
  std::vector<double> x, y;
  for (int i = 0; i < 40; ++i) {
    x.push_back(1e6 + i / 20.0 - 1);
    const double t = x.back() - 1e6;
    y.push_back(2 + t - 3 * t * t + 0.5 * t * t * t + 1e-6 * random.normal());
  }
  PolynomialOptions three;
  three.degree = 3;
  auto fit = fit_polynomial(x, y, three);
  ASSERT_TRUE(fit.ok()) << fit.error().message;
  EXPECT_NEAR((*fit)(1e6), 2, 1e-6);
  EXPECT_NEAR(fit->slope(1e6), 1, 1e-5);
  EXPECT_LT(fit->curve_uncertainty(1e6), 1e-6);
}

TEST(Polynomial, ThroughZeroIsZeroThereAndKnowsIt) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6}, y{2.1, 3.9, 6.2, 8.1, 9.8, 12.1};
  PolynomialOptions options;
  options.degree = 2;
  options.through_zero = true;
  auto fit = fit_polynomial(x, y, options);
  ASSERT_TRUE(fit.ok());
  EXPECT_EQ((*fit)(0), 0);
  EXPECT_EQ(fit->curve_uncertainty(0), 0);
  EXPECT_EQ(fit->coefficient(0), 0);
  MatrixXd design(6, 2);
  for (Index i = 0; i < 6; ++i)
    design.row(i) << x[static_cast<std::size_t>(i)], std::pow(x[static_cast<std::size_t>(i)], 2);
  auto direct = fit_least_squares(design, Eigen::Map<const VectorXd>(y.data(), 6));
  ASSERT_TRUE(direct.ok());
  EXPECT_NEAR(fit->coefficient(1), direct->coefficients[0], 1e-13);
  EXPECT_NEAR(fit->coefficient(2), direct->coefficients[1], 1e-13);
  EXPECT_NEAR(fit->fit().covariance(0, 1) / direct->covariance(0, 1), 1, 1e-11);
  EXPECT_NEAR(fit->fit().r_squared, direct->r_squared, 1e-14);
  EXPECT_NEAR(fit->slope(2.5), direct->coefficients[0] + 5 * direct->coefficients[1], 1e-12);
}

TEST(LackOfFit, IsForRepeatsOfWeightOne) {
  const std::vector<double> x{1, 1, 2, 2, 3, 3}, y{1, 1.1, 2.3, 2.1, 2.9, 3.0};
  auto fit = fit_polynomial(x, y);
  ASSERT_TRUE(fit.ok());
  auto lack = lack_of_fit(x, y, *fit);
  ASSERT_TRUE(lack.ok());
  // Pure scatter by hand: 0.005 + 0.02 + 0.005 of 3 degrees of freedom.
  EXPECT_NEAR(lack->replicate_sd, std::sqrt(0.03 / 3), 1e-14);
  EXPECT_EQ(lack->dof_lack, 1);
  EXPECT_NEAR(lack->f, (fit->fit().sum_of_squares - 0.03) / 0.01, 1e-10);
  PolynomialOptions weighted;
  weighted.weights = (VectorXd(6) << 1, 2, 1, 2, 1, 2).finished();
  auto other = fit_polynomial(x, y, weighted);
  ASSERT_TRUE(other.ok());
  EXPECT_THAT(lack_of_fit(x, y, *other).error().message, HasSubstr("weight 1"));
  const std::vector<double> no_repeats{1, 2, 3, 4, 5, 6};
  auto single = fit_polynomial(no_repeats, y);
  ASSERT_TRUE(single.ok());
  EXPECT_THAT(lack_of_fit(no_repeats, y, *single).error().message, HasSubstr("twice"));
}

TEST(Inverse, UndoesTheCurveAndRefusesWhatItCannotKnow) {
  Random random(5);
  std::vector<double> x, y;
  for (int i = 0; i <= 20; ++i) {
    x.push_back(i * 5.0);
    y.push_back(0.01 + 0.02 * x.back() - 3e-6 * x.back() * x.back() + 1e-5 * random.normal());
  }
  PolynomialOptions two;
  two.degree = 2;
  auto fit = fit_polynomial(x, y, two);
  ASSERT_TRUE(fit.ok());
  for (const double at : {0.5, 20.0, 61.8, 99.9}) {
    auto back = invert(*fit, (*fit)(at));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_NEAR(back->x, at, 1e-10);
    // metrology.md 1.3: partial derivatives of the quadratic's inverse, with covariances.
    const double a = fit->coefficient(0), b = fit->coefficient(1), c = fit->coefficient(2), reading = (*fit)(at);
    const double root = std::sqrt(b * b - 4 * c * (a - reading));
    const VectorXd d =
        Eigen::Vector3d(-1 / root, (-1 + b / root) / (2 * c), (reading - a) / (c * root) - (-b + root) / (2 * c * c));
    const double u = std::sqrt(std::pow(fit->fit().residual_sd / root, 2) + d.dot(fit->fit().covariance * d));
    EXPECT_NEAR(back->u / u, 1, 1e-6) << at;
    EXPECT_LT(back->low, at);
    EXPECT_GT(back->high, at);
  }
  EXPECT_THAT(invert(*fit, 5).error().message, HasSubstr("outside what was calibrated"));
  EXPECT_THAT(invert(*fit, kNaN).error().message, HasSubstr("finite"));
  std::vector<double> turning;
  for (const double v : x) turning.push_back((v - 50) * (v - 50));
  auto parabola = fit_polynomial(x, turning, two);
  ASSERT_TRUE(parabola.ok());
  EXPECT_THAT(invert(*parabola, 400).error().message, HasSubstr("more than one x"));
  InverseOptions bad;
  bad.probability = 0;
  EXPECT_FALSE(invert(*fit, 1, bad).ok());
  const std::vector<double> flat_y{1, -1, 1.2, -0.9, 1.1}, flat_x{1, 2, 3, 4, 5};
  auto flat = fit_polynomial(flat_x, flat_y);
  ASSERT_TRUE(flat.ok());
  EXPECT_THAT(invert(*flat, (*flat)(3)).error().message, HasSubstr("has no end"));
}

TEST(Degree, FindsWhatWasPutIn) {
  Random random(6);
  int right_e74 = 0, right_f = 0;
  constexpr int kRuns = 100;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> x, y;
    for (int i = 1; i <= 12; ++i) {
      x.push_back(i);
      y.push_back(i + 0.003 * i * i + 1e-3 * random.normal());
    }
    auto e74 = select_degree_e74(x, y);
    auto f = select_degree_f(x, y);
    ASSERT_TRUE(e74.ok() && f.ok());
    right_e74 += e74->degree == 2;
    right_f += f->degree == 2;
  }
  EXPECT_GE(right_e74, 80);
  EXPECT_GE(right_f, 75);  // three tests at 5 % above the true degree
  const std::vector<double> line{1, 2, 3, 4, 5, 6, 7, 8};
  auto exact = select_degree_e74(line, line);
  ASSERT_TRUE(exact.ok());
  EXPECT_EQ(exact->degree, 1);
  EXPECT_FALSE(select_degree_e74(std::vector<double>{1, 1, 2, 3}, std::vector<double>{1, 1, 2, 3}).ok());
  EXPECT_FALSE(select_degree_e74(std::vector<double>{1, 2}, std::vector<double>{1, 2}).ok());
  // metrology.md 1.2.
  for (const auto& [n, k, c] :
       {std::tuple{10, 2, 1.373}, {10, 5, 1.801}, {12, 3, 1.315}, {15, 4, 1.241}, {20, 5, 1.163}}) {
    EXPECT_NEAR(e74_critical_ratio(n, k), c, 5.1e-4) << n << " " << k;
  }
}

TEST(Summary, RefusesAndStandsHostileInput) {
  EXPECT_FALSE(summarize(std::vector<double>{1}).ok());
  EXPECT_FALSE(summarize(std::vector<double>{1, kNaN}).ok());
  auto same = summarize(std::vector<double>{3, 3, 3});
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->sd, 0);
  EXPECT_TRUE(std::isnan(same->autocorrelation));
  EXPECT_FALSE(summarize(std::vector<double>{1e308, -1e308, 1e308}).ok());
  using Groups = std::vector<std::vector<double>>;
  EXPECT_FALSE(one_way_anova(Groups{{1, 2}}).ok());
  EXPECT_FALSE(one_way_anova(Groups{{1}, {2}}).ok());
  EXPECT_FALSE(one_way_anova(Groups{{1, 2}, {}}).ok());
  EXPECT_FALSE(one_way_anova(Groups{{1, 1}, {2, 2}}).ok());
  auto uneven = one_way_anova(Groups{{1, 2, 3}, {2, 4}});
  ASSERT_TRUE(uneven.ok());
  EXPECT_NEAR(uneven->ss_between, 1.2, 1e-14);
  EXPECT_NEAR(uneven->ss_within, 4, 1e-14);
}

}  // namespace
}  // namespace strigil::calibration::tested
