#include "calibration/standards/estimate.hpp"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>

namespace strigil::calibration {

double coverage_factor(double dof, double p) {
  assert(p > 0 && p < 1);
  const double upper = (1 + p) / 2;
  if (!(dof >= 1)) return std::numeric_limits<double>::infinity();
  if (dof > 1e6) return boost::math::quantile(boost::math::normal(), upper);
  return boost::math::quantile(boost::math::students_t(std::floor(dof)), upper);
}

double Estimate::expanded(double p) const { return u == 0 ? 0 : coverage_factor(dof, p) * u; }

double effective_dof(double u1, double dof1, double u2, double dof2) {
  const double square = u1 * u1 + u2 * u2;
  const double parts = (u1 > 0 ? std::pow(u1, 4) / dof1 : 0) + (u2 > 0 ? std::pow(u2, 4) / dof2 : 0);
  return parts > 0 ? square * square / parts : std::numeric_limits<double>::infinity();
}

}  // namespace strigil::calibration
