#include "calibration/uncertainty/input.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <cmath>

namespace strigil::calibration {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;

double Input::gum_uncertainty() const {
  if (const auto* t = std::get_if<StudentT>(&distribution)) return t->scale;
  return standard_uncertainty_of(distribution);
}

double Input::gum_dof() const {
  if (!std::isnan(dof)) return dof;
  if (const auto* t = std::get_if<StudentT>(&distribution)) return t->dof;
  return std::numeric_limits<double>::infinity();
}

daq::Result<MatrixXd> semidefinite_factor(const MatrixXd& matrix) {
  if (matrix.rows() != matrix.cols() || !matrix.allFinite() || matrix != matrix.transpose()) {
    return Error{"the matrix of (co)variances is not symmetric, or holds numbers that are not finite"};
  }
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(matrix);
  const double largest = eigen.eigenvalues().cwiseAbs().maxCoeff();
  if (eigen.info() != Eigen::Success || eigen.eigenvalues().minCoeff() < -1e-9 * largest) {
    return Error{
        fmt::format("the (co)variances contradict each other: the smallest eigenvalue of their matrix is {:.3g}, "
                    "and none may be negative",
                    eigen.eigenvalues().minCoeff())};
  }
  return MatrixXd(eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal());
}

daq::Result<MatrixXd> correlation_matrix(std::size_t count, const std::vector<Correlation>& correlations) {
  MatrixXd r = MatrixXd::Identity(static_cast<Index>(count), static_cast<Index>(count));
  for (const auto& c : correlations) {
    if (c.first >= count || c.second >= count || c.first == c.second) {
      return Error{
          fmt::format("a correlation names inputs {} and {}; there are {}, counted from 0, and none is "
                      "correlated with itself",
                      c.first, c.second, count)};
    }
    if (!(std::abs(c.r) <= 1)) {
      return Error{
          fmt::format("the correlation of inputs {} and {} is {}: it must lie in -1..1", c.first, c.second, c.r)};
    }
    const auto i = static_cast<Index>(c.first), j = static_cast<Index>(c.second);
    if (r(i, j) != 0) return Error{fmt::format("the correlation of inputs {} and {} is said twice", c.first, c.second)};
    r(i, j) = r(j, i) = c.r;
  }
  if (auto factor = semidefinite_factor(r); !factor) return factor.error();
  return r;
}

daq::Result<void> check(const std::vector<Input>& inputs) {
  if (inputs.empty()) return Error{"the model has no inputs: there is nothing to propagate"};
  for (const auto& input : inputs) {
    if (auto sound = check(input.distribution); !sound) {
      return Error{fmt::format("input \"{}\": {}", input.name, sound.error().message)};
    }
    if (!(input.gum_dof() > 0)) {
      return Error{
          fmt::format("input \"{}\": its degrees of freedom are {}, and must be above 0", input.name, input.dof)};
    }
  }
  return {};
}

}  // namespace strigil::calibration
