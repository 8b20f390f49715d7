// Range of n normal values: the factors by which ranges become standard deviations.
//
// d2 and d3 by quadrature of the range's density (Tippett 1925), good to 1e-10; d2* = sqrt(d2^2 + d3^2 / g) (Duncan
// 1955). Each n is computed once. Any thread; n in 2 ... 25, else programmer's mistake.
#pragma once

#include <cstddef>

namespace strigil::protocols {

struct RangeFactors {
  double d2 = 0;  ///< mean of the range, in standard deviations
  double d3 = 0;  ///< its standard deviation
};
RangeFactors range_factors(std::size_t n);
/// Of the mean of g ranges of n: what to divide by for an unbiased variance.
double d2_star(std::size_t n, std::size_t g);
/// Mean standard deviation of n values over the true one; any n >= 2.
double c4_factor(std::size_t n);

}  // namespace strigil::protocols
