// Derivatives by differences, with an estimate of their error.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <span>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

struct Derivatives {
  Eigen::MatrixXd value;  ///< outputs x inputs
  Eigen::MatrixXd error;  ///< estimates
};

/// df/dx of a function of several outputs at `at`, by central differences at halved steps, extrapolated to 0 (Ridders).
/// `scale`: a length of each input over which the function is smooth; 0: a thousandth of the value. Steps at which the
/// function is not finite are halved. Refuses a function that is not finite however small the step.
[[nodiscard]] daq::Result<Derivatives> differentiate(
    const std::function<void(std::span<const double> x, std::span<double> y)>& f, std::size_t outputs,
    std::span<const double> at, std::span<const double> scale);

/// Sum over i, j of g_ij^2/2 + g_i g_ijj, g = derivatives by inputs in units of `u`: the second-order terms of the
/// variance (JCGM 100 5.1.2 note). Inputs of u = 0 are left out. NaN where the function is not finite within u.
[[nodiscard]] double second_order_variance(const std::function<double(std::span<const double> x)>& f,
                                           std::span<const double> at, std::span<const double> u);

}  // namespace strigil::calibration
