#include "calibration/fit/degree_selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <cassert>
#include <cmath>
#include <map>
#include <set>

namespace strigil::calibration {
namespace {

using daq::Error;

/// Fits degrees 1..highest, as far as points and different x allow; judges each against the one below.
template <typename Judge>
daq::Result<DegreeChoice> choose(std::span<const double> x, std::span<const double> y, int highest,
                                 const Judge& judge) {
  if (highest < 1 || highest > 20) return Error{fmt::format("degrees 1 to {} cannot be compared: 1..20", highest)};
  if (x.size() != y.size()) return Error{fmt::format("the fit has {} x and {} y", x.size(), y.size())};
  const auto different = static_cast<int>(std::set<double>(x.begin(), x.end()).size());
  const int n = static_cast<int>(x.size());
  highest = std::min({highest, different - 1, n - 2});
  if (highest < 1) {
    return Error{
        fmt::format("{} points at {} different x are too few to choose a degree: 3 are needed at least", n, different)};
  }
  double largest = 0;
  for (const double v : y) largest = std::max(largest, std::abs(v));
  const double nothing = 1e-14 * largest;  // scatter of rounding alone: an exact fit cannot be bettered

  DegreeChoice out;
  double below = 0;
  for (int k = 1; k <= highest; ++k) {
    PolynomialOptions options;
    options.degree = k;
    auto fit = fit_polynomial(x, y, options);
    if (!fit) return fit.error();
    DegreeStep step;
    step.degree = k;
    step.residual_sd = fit->fit().residual_sd;
    if (k > 1) {
      judge(n, below, step);
      step.kept = step.ratio > step.critical && below > nothing;
    }
    below = step.residual_sd;
    out.steps.push_back(step);
  }
  for (const auto& step : out.steps) {
    if (step.kept) out.degree = step.degree;
  }
  return out;
}

}  // namespace

double e74_critical_ratio(int n1, int k) {
  assert(k >= 1 && n1 >= k + 2);
  const double f = boost::math::quantile(boost::math::fisher_f(1, n1 - k - 1), 0.975);
  return std::sqrt(1 + (f - 1) / (n1 - k));
}

daq::Result<DegreeChoice> select_degree_e74(std::span<const double> x, std::span<const double> y, int highest) {
  if (std::set<double>(x.begin(), x.end()).size() != x.size()) {
    return Error{"the E74 rule is for the averages at different forces, and some of these are equal: average first"};
  }
  return choose(x, y, highest, [](int n, double below, DegreeStep& step) {
    step.ratio = below / step.residual_sd;
    step.critical = e74_critical_ratio(n, step.degree);
  });
}

daq::Result<DegreeChoice> select_degree_f(std::span<const double> x, std::span<const double> y, int highest,
                                          double alpha) {
  if (!(alpha > 0 && alpha < 1)) return Error{fmt::format("significance {} is not in (0, 1)", alpha)};
  return choose(x, y, highest, [alpha](int n, double below, DegreeStep& step) {
    const int dof = n - step.degree - 1;
    const double ratio = below / step.residual_sd;
    step.ratio = (dof + 1) * ratio * ratio - dof;  // (SS(k-1) - SS(k)) / s(k)^2
    step.critical = boost::math::quantile(boost::math::fisher_f(1, dof), 1 - alpha);
  });
}

Averages average_repeats(std::span<const double> x, std::span<const double> y) {
  assert(x.size() == y.size());
  std::map<double, std::vector<double>> groups;
  for (std::size_t i = 0; i < x.size(); ++i) groups[x[i]].push_back(y[i]);
  Averages out;
  for (const auto& [at, values] : groups) {
    out.x.push_back(at);
    out.y.push_back((extended_sum(values) / Extended(static_cast<double>(values.size()))).value());
    out.repeats.push_back(static_cast<int>(values.size()));
  }
  return out;
}

}  // namespace strigil::calibration
