#include "rig/contact_model.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

/// RMS travel about its mean that must be seen before a slope is believed: some steps of a stage's readback [A].
constexpr double kLeastTravel_m = 8e-6;
constexpr double kLeastWeight = 5;
/// Tissue and phantoms under an edge are 0.27-4.3 N/mm (science.md 2.4, 2.6), the stiffest stage 20 N/mm; here wider.
constexpr double kSoftest_N_m = 50;
constexpr double kStiffest_N_m = 60e3;
/// c/k of soft things; above, the line is fitted to something else [A].
constexpr double kLongestDamping_s = 40e-3;

}  // namespace

void ContactModel::begin(double stiffness_N_m) noexcept {
  *this = {};
  stiffness_ = stiffness_N_m;
}

void ContactModel::add(double force_N, double depth_m, double rate_m_s, double dt_s, double memory_s) noexcept {
  if (!begun_) {
    begun_ = true;
    first_depth_ = depth_m;
  }
  const double keep = memory_s > 0 ? std::exp(-dt_s / memory_s) : 1;
  const double d = depth_m - first_depth_;
  const std::array<double, 9> one{1,       d,           rate_m_s,          d * d, d * rate_m_s, rate_m_s * rate_m_s,
                                  force_N, force_N * d, force_N * rate_m_s};
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] = keep * sums_[i] + one[i];
  solve();
}

void ContactModel::solve() noexcept {
  const double n = sums_[0];
  if (n < kLeastWeight) return;
  // Centred second moments: the intercept F0 falls out.
  const double dd = sums_[3] - sums_[1] * sums_[1] / n;
  const double dv = sums_[4] - sums_[1] * sums_[2] / n;
  const double vv = sums_[5] - sums_[2] * sums_[2] / n;
  const double fd = sums_[7] - sums_[6] * sums_[1] / n;
  const double fv = sums_[8] - sums_[6] * sums_[2] / n;
  if (dd < n * kLeastTravel_m * kLeastTravel_m) return;
  const double alone = fd / dd;  // as if there were no damping
  double k = alone;
  double c = 0;
  const double determinant = dd * vv - dv * dv;
  if (determinant > 1e-3 * dd * vv) {  // travel and speed can be told apart
    k = (fd * vv - fv * dv) / determinant;
    c = (fv * dd - fd * dv) / determinant;
    if (c < 0 || k < kSoftest_N_m) {
      k = alone;
      c = 0;
    }
  }
  if (!std::isfinite(k) || k <= 0) return;
  learned_ = true;
  stiffness_ = std::clamp(k, kSoftest_N_m, kStiffest_N_m);
  damping_ = std::min(c, kLongestDamping_s * stiffness_);
}

}  // namespace strigil::rig
