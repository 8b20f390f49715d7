// Variance components from mean squares, with intervals: what gage R&R and nested studies share.
//
// Burdick & Graybill 1992: modified large-sample limits (Graybill & Wang 1980 for sums, Ting et al. 1990 for
// differences); Satterthwaite 1946; generalised intervals (Weerahandi 1993) for ratios. Pure, any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "protocols/court/interval.hpp"

namespace strigil::protocols {

/// Independent, `dof` > 0; value x dof / expectation has a chi-squared distribution.
struct MeanSquare {
  double value = 0;
  double dof = 0;
};

/// sum of coefficient x mean square.
struct MeanSquareTerm {
  double coefficient = 0;
  MeanSquare square;
};

struct VarianceComponent {
  double estimate = 0;     ///< as computed: may be below 0
  double variance = 0;     ///< max(0, estimate)
  bool clamped = false;    ///< the estimate was below 0: say so wherever `variance` is shown
  bool estimable = true;   ///< false: the study has no such factor, all else is 0
  Interval mls;            ///< modified large-sample, bounds clamped at 0
  Interval satterthwaite;  ///< not known where the estimate is not above 0
  double satterthwaite_dof = 0;
  [[nodiscard]] double sd() const;
};
/// Up to one negative coefficient against one positive, or any number of positive ones.
VarianceComponent variance_component(std::span<const MeanSquareTerm> terms, double level);

/// Interval of any function of the expected mean squares: each is value x dof / chi-squared(dof), drawn anew.
/// NaN draws are left out.
Interval generalised_interval(std::span<const MeanSquare> squares,
                              const std::function<double(std::span<const double>)>& function, double level,
                              std::size_t draws = 10'000, std::uint64_t seed = 1);

}  // namespace strigil::protocols
