// The distributions that the court's statistics need: Boost.Math behind one door, so that its headers are read once.
// Pure, any thread. A probability outside [0, 1], degrees of freedom not above 0 or a NaN is a programmer's mistake.
#pragma once

namespace strigil::protocols {

double normal_cdf(double z) noexcept;
double normal_density(double z) noexcept;
/// ln of normal_cdf, without loss where it underflows.
double log_normal_cdf(double z) noexcept;
/// -inf at 0, +inf at 1.
double normal_quantile(double p);
/// z such that the middle of the normal distribution holds `level`: 1.959964 for 0.95.
double two_sided_z(double level);
/// P(|Z| > |z|); NaN for NaN.
double two_sided_p(double z) noexcept;
double student_quantile(double p, double dof);
/// P(|T| > |t|).
double two_sided_student_p(double t, double dof);
double chi_squared_quantile(double p, double dof);
/// P(X > x).
double chi_squared_survival(double x, double dof);
double fisher_quantile(double p, double dof1, double dof2);
/// P(X > x).
double fisher_survival(double x, double dof1, double dof2);
/// Shapes above 0.
double beta_quantile(double p, double a, double b);
/// P(K <= k) of n trials at probability p.
double binomial_cdf(double k, double n, double p);

}  // namespace strigil::protocols
