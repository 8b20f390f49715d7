// ForceCurve: what a calibrated force sensor may say of a reading, with an uncertainty that holds what it claims. The
// standards' figures sort sensors into classes; this is the number that a run carries. JCGM 100 on the model
// reading = (1 + g_position) p(F) + scatter, F = (1 + d_reference) F_stated.
#pragma once

#include <vector>

#include "calibration/fit/polynomial_fit.hpp"
#include "calibration/standards/estimate.hpp"
#include "calibration/standards/reference_force.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Forces applied in one mounting and what was read (zero taken off).
struct ForceRun {
  std::vector<double> force_N;
  std::vector<double> reading;
};

struct ForceCurveInput {
  std::vector<ForceRun> runs;
  int degree = 1;
  /// Each run was a new mounting or rotation, and so will be every use: runs may differ by more than their scatter.
  bool mounted_anew = true;
  double reference_relative_u = 0;  // standard, common to all forces
  double reference_dof = std::numeric_limits<double>::infinity();
};

/// A force with its parts. force_N.expanded() is the 95 % half-width.
struct ForceStatement {
  Estimate force_N;
  std::vector<ForceContribution> budget;  // scatter, curve, mounting, reference, other; with signs of magnitude only
  bool mounting_clamped = false;          // runs agree better than their scatter explains: mounting counted as zero
};

/// A value; const functions on any thread.
class ForceCurve {
 public:
  /// Refuses what fit_polynomial refuses, no runs, a single run where every use is mounted anew, no degrees of freedom.
  [[nodiscard]] static daq::Result<ForceCurve> make(const ForceCurveInput& input);

  /// The force of the mean of `repeats` readings. `other_u_N`: standard uncertainty of what else there is (temperature,
  /// drift, resolution). Refuses readings outside what was calibrated: nothing is extrapolated.
  [[nodiscard]] daq::Result<ForceStatement> force(double reading, double repeats = 1, double other_u_N = 0) const;

  [[nodiscard]] const PolynomialFit& pooled() const { return pooled_; }
  [[nodiscard]] double scatter() const { return scatter_; }  // of one reading within a run, in its unit

 private:
  PolynomialFit pooled_;
  std::vector<PolynomialFit> runs_;  // empty where mounting does not matter
  double scatter_ = 0;
  double scatter_dof_ = 0;
  ForceCurveInput input_;
};

}  // namespace strigil::calibration
