// Do stated 95 % intervals hold the truth in 95 % of calibrations? 2,000 simulated ones for each claim: a share outside
// 94..96 % fails (its own standard deviation is 0.5 %; the seeds are fixed).
#include <gtest/gtest.h>

#include <cmath>

#include "calibration/fit/errors_in_variables.hpp"
#include "calibration/fit/inverse_prediction.hpp"
#include "calibration/uncertainty/input.hpp"
#include "calibration/uncertainty/propagate.hpp"
#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration::tested {
namespace {

using Eigen::Index;
constexpr int kRuns = 2000;

class Share {
 public:
  void count(bool inside) { inside_ += inside, ++all_; }
  void judge(const char* what) const {
    const double share = static_cast<double>(inside_) / all_;
    std::printf("%-60s %.2f %% of %d\n", what, 100 * share, all_);
    EXPECT_EQ(all_, kRuns) << what;
    EXPECT_GE(share, 0.94) << what;
    EXPECT_LE(share, 0.96) << what;
  }

 private:
  int inside_ = 0, all_ = 0;
};

/// n points of a polynomial with noise; coefficients, curve, prediction and inverse of each fit against the truth.
void polynomial_coverage(int degree, int n, std::uint64_t seed, const std::string& name) {
  Random random(seed);
  const double truth[] = {0.3, 2.0, -0.02, 0.001};
  const auto curve = [&](double x) {
    double y = 0;
    for (int k = degree; k >= 0; --k) y = y * x + truth[k];
    return y;
  };
  Share slope, middle, prediction, inverse;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> x, y;
    for (int i = 0; i < n; ++i) {
      x.push_back(10.0 * i / (n - 1));
      y.push_back(curve(x.back()) + 0.05 * random.normal());
    }
    PolynomialOptions options;
    options.degree = degree;
    auto fit = fit_polynomial(x, y, options);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    const double t = fit->fit().coverage_factor();
    slope.count(std::abs(fit->coefficient(1) - truth[1]) <= t * fit->fit().standard_errors[1]);
    middle.count(std::abs((*fit)(4.3) - curve(4.3)) <= t * fit->curve_uncertainty(4.3));
    const double reading = curve(6.1) + 0.05 * random.normal();
    prediction.count(std::abs((*fit)(6.1) - reading) <= t * fit->prediction_uncertainty(6.1));
    auto back = invert(*fit, reading);
    ASSERT_TRUE(back.ok()) << back.error().message;
    inverse.count(back->low <= 6.1 && 6.1 <= back->high);
  }
  slope.judge((name + ": slope").c_str());
  middle.judge((name + ": curve").c_str());
  prediction.judge((name + ": one new reading").c_str());
  inverse.judge((name + ": x of a reading").c_str());
}

TEST(Coverage, LineOfFivePoints) { polynomial_coverage(1, 5, 11, "line, n = 5"); }
TEST(Coverage, QuadraticOfFivePoints) { polynomial_coverage(2, 5, 12, "quadratic, n = 5"); }
TEST(Coverage, CubicOfTwentyPoints) { polynomial_coverage(3, 20, 13, "cubic, n = 20"); }

// Reference forces share the error of their standard: x correlated from point to point, y independent.
TEST(Coverage, LineWithCorrelatedReferences) {
  Random random(14);
  constexpr Index kPoints = 5;
  UncertainPoints p;
  p.x.resize(kPoints);
  p.y.resize(kPoints);
  p.u_y = Eigen::VectorXd::Constant(kPoints, 0.02);
  p.v_x = Eigen::MatrixXd::Constant(kPoints, kPoints, 0.05 * 0.05);
  p.v_x.diagonal().array() += 0.02 * 0.02;
  Share slope, intercept, curve;
  for (int run = 0; run < kRuns; ++run) {
    const double shared = 0.05 * random.normal();
    for (Index i = 0; i < kPoints; ++i) {
      const double x = 2.5 * static_cast<double>(i);
      p.x[i] = x + shared + 0.02 * random.normal();
      p.y[i] = 1 + 0.5 * x + 0.02 * random.normal();
    }
    auto fit = fit_errors_in_variables(p);
    ASSERT_TRUE(fit.ok()) << fit.error().message;
    const double k = fit->curve.fit().coverage_factor();
    slope.count(std::abs(fit->curve.coefficient(1) - 0.5) <= k * fit->curve.fit().standard_errors[1]);
    intercept.count(std::abs(fit->curve.coefficient(0) - 1) <= k * fit->curve.fit().standard_errors[0]);
    curve.count(std::abs(fit->curve(4.3) - 3.15) <= k * fit->curve.curve_uncertainty(4.3));
  }
  slope.judge("line, n = 5, correlated references: slope");
  intercept.judge("line, n = 5, correlated references: intercept");
  curve.judge("line, n = 5, correlated references: curve");
}

// Three quantities observed together five times, correlated; the result's U by Welch-Satterthwaite for ensembles.
TEST(Coverage, CorrelatedInputsObservedTogether) {
  Random random(15);
  Share share;
  const Eigen::Matrix3d factor = (Eigen::Matrix3d() << 0.003, 0, 0, -0.002, 0.002, 0, 0.001, 0.0015, 0.001).finished();
  const auto model = [](std::span<const double> x) { return x[0] / x[1] * std::cos(x[2]); };
  const double truth = 5.0 / 2.0 * std::cos(1.05);
  for (int run = 0; run < kRuns; ++run) {
    constexpr Index kTimes = 5;
    Eigen::MatrixXd seen(kTimes, 3);
    for (Index r = 0; r < kTimes; ++r) {
      const Eigen::Vector3d z(random.normal(), random.normal(), random.normal());
      seen.row(r) = Eigen::Vector3d(5, 2, 1.05) + factor * z;
    }
    const Eigen::RowVector3d mean = seen.colwise().mean();
    const Eigen::MatrixXd d = seen.rowwise() - mean;
    const Eigen::Matrix3d s = d.transpose() * d / (kTimes - 1) / kTimes;
    std::vector<Input> in;
    std::vector<Correlation> r;
    for (Index i = 0; i < 3; ++i) {
      in.push_back({"x", "", Normal{mean[i], std::sqrt(s(i, i))}, kTimes - 1, "together"});
      for (Index j = 0; j < i; ++j) {
        r.push_back({static_cast<std::size_t>(i), static_cast<std::size_t>(j), s(i, j) / std::sqrt(s(i, i) * s(j, j))});
      }
    }
    auto gum = propagate(model, in, r);
    ASSERT_TRUE(gum.ok()) << gum.error().message;
    ASSERT_TRUE(gum->expanded);
    share.count(std::abs(gum->value - truth) <= *gum->expanded);
  }
  share.judge("ratio of correlated means, n = 5");
}

// Independent contributions with few degrees of freedom: Welch-Satterthwaite as it stands, within what it can do.
TEST(Coverage, IndependentInputsOfFewDegreesOfFreedom) {
  Random random(16);
  Share share;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<Input> in;
    for (const auto& [n, sd] : {std::pair{5, 1.0}, {8, 0.7}, {12, 1.5}}) {
      std::vector<double> seen;
      for (int i = 0; i < n; ++i) seen.push_back(3 + sd * random.normal());
      in.push_back({"x", "", *mean_of_observations(seen)});
    }
    auto gum = propagate([](auto x) { return x[0] + x[1] - x[2]; }, in);
    ASSERT_TRUE(gum.ok() && gum->expanded);
    share.count(std::abs(gum->value - 3) <= *gum->expanded);
  }
  share.judge("sum of three means, n = 5, 8, 12");
}

}  // namespace
}  // namespace strigil::calibration::tested
