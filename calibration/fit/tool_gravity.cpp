#include "calibration/fit/tool_gravity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::calibration {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::Vector3d;
using Eigen::VectorXd;

daq::Result<ToolGravity> identify_tool(const MatrixXd& gravity_m_s2, const MatrixXd& wrenches) {
  const Index n = gravity_m_s2.rows();
  if (n < 3 || gravity_m_s2.cols() != 3 || wrenches.rows() != n || wrenches.cols() != 6) {
    return Error{
        fmt::format("{} x {} gravities and {} x {} wrenches: 3 attitudes or more are needed, each with 3 and 6 "
                    "numbers",
                    n, gravity_m_s2.cols(), wrenches.rows(), wrenches.cols())};
  }
  if (!gravity_m_s2.allFinite() || !wrenches.allFinite())
    return Error{"an attitude or a reading is not a finite number"};
  const VectorXd lengths = gravity_m_s2.rowwise().norm();
  if (!(lengths.minCoeff() > 0) || lengths.maxCoeff() > 1.01 * lengths.minCoeff()) {
    return Error{
        fmt::format("gravity is {:.4g} to {:.4g} m/s2 long in these attitudes: it is one vector, seen from "
                    "several sides",
                    lengths.minCoeff(), lengths.maxCoeff())};
  }
  // Forces know mass and zero; torques know first moment and zero: the ten unknowns fall into two problems.
  MatrixXd force(3 * n, 4), torque(3 * n, 6);
  VectorXd forces(3 * n), torques(3 * n);
  for (Index r = 0; r < n; ++r) {
    const Vector3d g = gravity_m_s2.row(r);
    Eigen::Matrix3d cross;
    cross << 0, -g.z(), g.y(), g.z(), 0, -g.x(), -g.y(), g.x(), 0;
    force.block<3, 1>(3 * r, 0) = -g;
    force.block<3, 3>(3 * r, 1).setIdentity();
    torque.block<3, 3>(3 * r, 0) = cross;
    torque.block<3, 3>(3 * r, 3).setIdentity();
    forces.segment<3>(3 * r) = wrenches.row(r).head<3>();
    torques.segment<3>(3 * r) = wrenches.row(r).tail<3>();
  }
  LeastSquaresOptions options;
  options.largest_condition = 1e3;
  auto by_force = fit_least_squares(force, forces, options);
  auto by_torque = fit_least_squares(torque, torques, options);
  if (!by_force || !by_torque) {
    return Error{
        "the attitudes do not tell the tool's weight from the sensor's zero: turn it further, about two axes (" +
        (by_force ? by_torque.error().message : by_force.error().message) + ")"};
  }
  ToolGravity out;
  out.mass_kg = by_force->coefficients[0];
  out.u_mass_kg = by_force->standard_errors[0];
  out.force_zero_N = by_force->coefficients.tail<3>();
  out.u_force_zero_N = by_force->standard_errors.tail<3>();
  out.first_moment_kg_m = by_torque->coefficients.head<3>();
  out.torque_zero_N_m = by_torque->coefficients.tail<3>();
  out.u_torque_zero_N_m = by_torque->standard_errors.tail<3>();
  out.force_sd_N = by_force->residual_sd;
  out.torque_sd_N_m = by_torque->residual_sd;
  out.condition = std::max(by_force->condition, by_torque->condition);
  if (!(out.mass_kg > 3 * out.u_mass_kg)) {
    return Error{
        fmt::format("the tool's mass comes out as {:.4g} +- {:.2g} kg: too little to be told from 0. Is there a "
                    "tool, and does gravity point the right way?",
                    out.mass_kg, out.u_mass_kg)};
  }
  out.centre_m = out.first_moment_kg_m / out.mass_kg;
  for (Index a = 0; a < 3; ++a) {
    out.u_centre_m[a] = std::hypot(by_torque->standard_errors[a], out.centre_m[a] * out.u_mass_kg) / out.mass_kg;
  }
  return out;
}

}  // namespace strigil::calibration
