#include "calibration/standards/tool_mass.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>

#include "calibration/fit/least_squares.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

constexpr double kLargestCondition = 100;   // beyond, a degree of lean or a count of noise decides the answer
constexpr std::size_t kEnoughAttitudes = 10;  // metrology.md 1.7

std::optional<daq::Error> refuse(const std::vector<AttitudeReading>& readings) {
  if (readings.size() < 3) {
    return daq::Error{fmt::format("{} attitudes; three at the least tell a centre of mass from bias", readings.size())};
  }
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const auto& r = readings[i];
    for (const auto* v : {&r.gravity_m_s2, &r.force_N, &r.torque_Nm}) {
      if (auto error = not_finite(fmt::format("attitude {}", i), *v)) return error;
    }
    const double g = std::hypot(r.gravity_m_s2[0], r.gravity_m_s2[1], r.gravity_m_s2[2]);
    if (auto error = out_of_bounds(fmt::format("gravity of attitude {} in m/s^2", i), g, 9.7, 9.9)) return error;
  }
  return std::nullopt;
}

}  // namespace

daq::Result<ToolMass> tool_mass(const std::vector<AttitudeReading>& readings, double gravity_u_relative) {
  if (auto error = refuse(readings)) return *error;
  if (auto error = out_of_bounds("gravity_u_relative", gravity_u_relative, 0, 0.1)) return *error;
  const auto n = static_cast<Eigen::Index>(readings.size());
  Eigen::MatrixXd forces = Eigen::MatrixXd::Zero(3 * n, 4), torques = Eigen::MatrixXd::Zero(3 * n, 6);
  Eigen::VectorXd f(3 * n), t(3 * n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& r = readings[static_cast<std::size_t>(i)];
    const auto& g = r.gravity_m_s2;
    for (Eigen::Index axis = 0; axis < 3; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      forces(3 * i + axis, 0) = -g[a];
      forces(3 * i + axis, 1 + axis) = 1;
      torques(3 * i + axis, 3 + axis) = 1;
      f(3 * i + axis) = r.force_N[a];
      t(3 * i + axis) = r.torque_Nm[a];
    }
    // g x (m c), row by row.
    torques(3 * i, 1) = -g[2];
    torques(3 * i, 2) = g[1];
    torques(3 * i + 1, 0) = g[2];
    torques(3 * i + 1, 2) = -g[0];
    torques(3 * i + 2, 0) = -g[1];
    torques(3 * i + 2, 1) = g[0];
  }
  const auto singular = (torques * (Eigen::VectorXd(6) << 0.1, 0.1, 0.1, 1, 1, 1).finished().asDiagonal()).jacobiSvd().singularValues();
  const double condition = singular(5) > 0 ? singular(0) / singular(5) : std::numeric_limits<double>::infinity();
  if (!(condition <= kLargestCondition)) {
    return daq::Error{fmt::format("the attitudes are too alike (condition {:.3g}, at most {:g}): lean the sensor by tens of "
                                  "degrees about two axes",
                                  condition, kLargestCondition)};
  }
  const auto force_fit = fit_least_squares(forces, f);
  if (!force_fit) return daq::Error{"mass could not be fitted: " + force_fit.error().message};
  const auto torque_fit = fit_least_squares(torques, t);
  if (!torque_fit) return daq::Error{"centre of mass could not be fitted: " + torque_fit.error().message};
  ToolMass out;
  out.condition = condition;
  out.force_sd_N = force_fit->residual_sd;
  out.torque_sd_Nm = torque_fit->residual_sd;
  const double m = force_fit->coefficients(0);
  if (!(m > 0)) {
    return daq::Error{fmt::format("the mass comes out as {:g} kg: the sensor reports the load and not its reaction (turn all "
                                  "signs), or gravity points the wrong way",
                                  m)};
  }
  const auto force_dof = static_cast<double>(force_fit->dof), torque_dof = static_cast<double>(torque_fit->dof);
  constexpr double kKnown = std::numeric_limits<double>::infinity();
  const double u_mass = force_fit->standard_errors(0), u_gravity = gravity_u_relative * m;
  out.mass_kg = {m, std::hypot(u_mass, u_gravity), effective_dof(u_mass, force_dof, u_gravity, kKnown)};
  for (std::size_t a = 0; a < 3; ++a) {
    const auto i = static_cast<Eigen::Index>(a);
    // Gravity cancels in the quotient: both the mass and its moment are over the same g.
    const double c = torque_fit->coefficients(i) / m;
    const double by_moment = torque_fit->standard_errors(i) / m, by_mass = std::abs(c) * u_mass / m;
    out.centre_m[a] = {c, std::hypot(by_moment, by_mass), effective_dof(by_moment, torque_dof, by_mass, force_dof)};
    out.force_bias_N[a] = {force_fit->coefficients(1 + i), force_fit->standard_errors(1 + i), force_dof};
    out.torque_bias_Nm[a] = {torque_fit->coefficients(3 + i), torque_fit->standard_errors(3 + i), torque_dof};
  }
  if (readings.size() < kEnoughAttitudes) {
    out.remarks.push_back(fmt::format("{} attitudes; {} or more are advised", readings.size(), kEnoughAttitudes));
  }
  return out;
}

}  // namespace strigil::calibration
