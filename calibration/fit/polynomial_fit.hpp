// Polynomials: y = c0 + c1 x + ... + ck x^k, fitted in Chebyshev polynomials of x mapped to -1..1, told in powers of x.
// Curve, band and inverse use the Chebyshev form with its full covariance; powers of x are for certificates. Pure.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "calibration/fit/least_squares.hpp"
#include "calibration/fit/polynomial_basis.hpp"

namespace strigil::calibration {

struct PolynomialOptions {
  int degree = 1;             ///< 0..20
  bool through_zero = false;  ///< c0 = 0 by definition (then degree >= 1)
  /// As in LeastSquaresOptions, for n points.
  Eigen::VectorXd weights;
  bool weights_are_absolute = false;
};

/// A fitted polynomial. Predictions are of the curve itself (u of the mean) or of one new observation.
class PolynomialFit {
 public:
  /// Coefficients of x^0..x^k (x^1..x^k through zero), their standard errors, residuals, sd, R^2, dof, condition.
  [[nodiscard]] const LeastSquaresFit& fit() const { return fit_; }
  [[nodiscard]] int degree() const { return static_cast<int>(basis_.count()) - (through_zero() ? 0 : 1); }
  [[nodiscard]] bool through_zero() const { return basis_.through_zero(); }
  /// Coefficient of x^power; 0 for power 0 through zero. Precondition: 0 <= power <= degree.
  [[nodiscard]] double coefficient(int power) const;
  /// Where it was fitted: smallest and largest x of weight above 0. Beyond it nothing was measured.
  [[nodiscard]] double x_min() const { return x_min_; }
  [[nodiscard]] double x_max() const { return x_max_; }
  [[nodiscard]] bool covers(double x) const { return x >= x_min_ && x <= x_max_; }

  [[nodiscard]] double operator()(double x) const;
  [[nodiscard]] double slope(double x) const;
  /// Standard uncertainty of the curve at x, from the full covariance.
  [[nodiscard]] double curve_uncertainty(double x) const;
  /// The same with the scatter of the mean of `repeats` new observations of weight 1 beside it. Precondition: not
  /// absolute (the scatter is then not of this fit), repeats > 0.
  [[nodiscard]] double prediction_uncertainty(double x, double repeats = 1) const;

 private:
  friend daq::Result<PolynomialFit> as_polynomial(const PolynomialBasis&, double, double, ExtendedFit);

  LeastSquaresFit fit_;
  PolynomialBasis basis_;
  Eigen::VectorXd series_;             ///< Chebyshev coefficients
  Eigen::MatrixXd series_covariance_;  ///< of them
  double x_min_ = 0, x_max_ = 0;
};

/// Fits. Refuses in words what fit_least_squares refuses, and fewer different x than coefficients.
[[nodiscard]] daq::Result<PolynomialFit> fit_polynomial(std::span<const double> x, std::span<const double> y,
                                                        const PolynomialOptions& options = {});
/// For data of more digits than a double holds (parse_extended): NIST's Filip is ruined by rounding its x to double.
[[nodiscard]] daq::Result<PolynomialFit> fit_polynomial(std::span<const Extended> x, std::span<const Extended> y,
                                                        const PolynomialOptions& options = {});

/// A fit of the basis functions of `basis`, told as a polynomial over x_min..x_max: for who forms a design of his own.
[[nodiscard]] daq::Result<PolynomialFit> as_polynomial(const PolynomialBasis& basis, double x_min, double x_max,
                                                       ExtendedFit found);

/// Are the residuals more than the scatter of repeated points explains? F = (SS_lof/df) / (SS_pure/df).
struct LackOfFit {
  double f = 0;
  int dof_lack = 0, dof_pure = 0;
  double replicate_sd = 0;
  double p_value = 1;      ///< probability of an F at least as large where the model is right
  double critical_95 = 0;  ///< F(0.95; dof_lack, dof_pure)
};
/// From the fit of these points. Points are repeats where x is equal to the bit. Refuses where there are no repeats,
/// no degrees of freedom for lack of fit, or weights (the test is for equal ones).
[[nodiscard]] daq::Result<LackOfFit> lack_of_fit(std::span<const double> x, std::span<const double> y,
                                                 const PolynomialFit& fit);

}  // namespace strigil::calibration
