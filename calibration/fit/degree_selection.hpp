// Which degree? The rule of ASTM E74 Annex A1 on averages, and the F test of the last term on all points. Pure.
#pragma once

#include <span>
#include <vector>

#include "calibration/fit/polynomial_fit.hpp"

namespace strigil::calibration {

/// One degree of the comparison with the degree below it.
struct DegreeStep {
  int degree = 0;
  double residual_sd = 0;
  double ratio = 0;     ///< E74: s(k-1)/s(k). F test: F of the last term
  double critical = 0;  ///< E74: C(n1, k). F test: F(1 - alpha; 1, n - k - 1)
  bool kept = false;    ///< ratio above critical
};
struct DegreeChoice {
  int degree = 1;
  std::vector<DegreeStep> steps;  ///< by degree, from 1; ratio and critical of degree 1 are 0
};

/// C(n1, k) = sqrt(1 + (F_0.975(1, n1-k-1) - 1)/(n1-k)) of ASTM E74 Annex A1, as recalled (metrology.md 1.2 [M]).
/// Precondition: k >= 1, n1 >= k + 2.
[[nodiscard]] double e74_critical_ratio(int n1, int k);

/// E74 Annex A1: from the highest degree (5, or what the points allow) down, the first whose s(k-1)/s(k) exceeds C.
/// `x`, `y`: the averages at the n1 different forces that are not zero. Refuses fewer than 3 points or equal x.
[[nodiscard]] daq::Result<DegreeChoice> select_degree_e74(std::span<const double> x, std::span<const double> y,
                                                          int highest = 5);
/// From the highest degree down, the first whose last term is significant at `alpha` (F with 1 and n-k-1 degrees of
/// freedom). All points, repeats too.
[[nodiscard]] daq::Result<DegreeChoice> select_degree_f(std::span<const double> x, std::span<const double> y,
                                                        int highest = 5, double alpha = 0.05);

/// Averages of y at each different x, by rising x.
struct Averages {
  std::vector<double> x, y;
  std::vector<int> repeats;
};
/// Precondition: as many x as y.
[[nodiscard]] Averages average_repeats(std::span<const double> x, std::span<const double> y);

}  // namespace strigil::calibration
