#include "calibration/fit/summary.hpp"

#include <fmt/format.h>

#include <boost/math/distributions/fisher_f.hpp>
#include <cmath>
#include <limits>

namespace strigil::calibration {
namespace {

using daq::Error;

Extended mean_of(std::span<const Extended> values) {
  Extended sum;
  for (const Extended v : values) sum = sum + v;
  return sum / Extended(static_cast<double>(values.size()));
}

/// Sum of squares about `mean`.
Extended squares_about(std::span<const Extended> values, Extended mean) {
  Extended sum;
  for (const Extended v : values) sum = sum + (v - mean) * (v - mean);
  return sum;
}

bool all_finite(std::span<const Extended> values) {
  for (const Extended v : values) {
    if (!std::isfinite(v.hi)) return false;
  }
  return true;
}

}  // namespace

daq::Result<Summary> summarize(std::span<const double> values) {
  const std::vector<Extended> wide(values.begin(), values.end());
  return summarize(std::span<const Extended>(wide));
}

daq::Result<Summary> summarize(std::span<const Extended> values) {
  if (values.size() < 2) return Error{fmt::format("{} value(s) show no scatter: at least 2 are needed", values.size())};
  if (!all_finite(values)) return Error{"a value is not a finite number: no mean can be formed"};
  Summary out;
  out.n = values.size();
  const Extended mean = mean_of(values);
  const Extended squares = squares_about(values, mean);
  Extended lagged;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) lagged = lagged + (values[i] - mean) * (values[i + 1] - mean);
  out.mean = mean.value();
  out.sd = sqrt(squares / Extended(static_cast<double>(values.size() - 1))).value();
  out.autocorrelation = squares.hi > 0 ? (lagged / squares).value() : std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(out.mean) || !std::isfinite(out.sd)) return Error{"mean or scatter is beyond a double's range"};
  return out;
}

daq::Result<OneWayAnova> one_way_anova(const std::vector<std::vector<double>>& groups) {
  std::vector<std::vector<Extended>> wide;
  for (const auto& g : groups) wide.emplace_back(g.begin(), g.end());
  return one_way_anova(wide);
}

daq::Result<OneWayAnova> one_way_anova(const std::vector<std::vector<Extended>>& groups) {
  OneWayAnova out;
  out.groups = groups.size();
  if (groups.size() < 2)
    return Error{fmt::format("{} group(s): an analysis of variance compares 2 or more", groups.size())};
  Extended total;
  double squared_sizes = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].empty() || !all_finite(groups[g])) {
      return Error{fmt::format("group {} is empty or holds a value that is not a finite number", g + 1)};
    }
    out.n += groups[g].size();
    squared_sizes += static_cast<double>(groups[g].size()) * static_cast<double>(groups[g].size());
    for (const Extended v : groups[g]) total = total + v;
  }
  out.dof_between = static_cast<int>(groups.size()) - 1;
  out.dof_within = static_cast<int>(out.n - groups.size());
  if (out.dof_within < 1) return Error{"each group has one value: the scatter within groups cannot be known"};

  const auto n = static_cast<double>(out.n);
  const Extended mean = total / Extended(n);
  Extended between, within;
  for (const auto& g : groups) {
    const Extended own = mean_of(g);
    between = between + Extended(static_cast<double>(g.size())) * ((own - mean) * (own - mean));
    within = within + squares_about(g, own);
  }
  out.ss_between = between.value();
  out.ss_within = within.value();
  if (!std::isfinite(out.ss_between) || !std::isfinite(out.ss_within)) {
    return Error{"sums of squares are beyond a double's range: choose a unit in which the values lie nearer to 1"};
  }
  if (!(out.ss_within > 0)) return Error{"within the groups all values are equal: no F can be formed of that"};
  const Extended ms_between = between / Extended(out.dof_between), ms_within = within / Extended(out.dof_within);
  out.ms_between = ms_between.value();
  out.ms_within = ms_within.value();
  out.f = (ms_between / ms_within).value();
  out.p_value =
      boost::math::cdf(boost::math::complement(boost::math::fisher_f(out.dof_between, out.dof_within), out.f));
  out.r_squared = (between / (between + within)).value();
  out.residual_sd = sqrt(ms_within).value();
  const double n0 = (n - squared_sizes / n) / out.dof_between;
  out.variance_between = (out.ms_between - out.ms_within) / n0;
  return out;
}

}  // namespace strigil::calibration
