// Friction of an edge on a phantom: coefficient from normal and tangential forces of strokes in both directions.
#pragma once

#include <vector>

#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Forces of one moment of even sliding. The tangential force is signed in the sensor's axis: what resists a forward
/// stroke is positive, what resists a backward stroke negative.
struct ForcePair {
  double normal_N = 0;
  double tangential_N = 0;
};

struct FrictionReadings {
  std::vector<ForcePair> forward;
  std::vector<ForcePair> backward;
  double normal_u_N = 0;          // standard, of one reading, beside the scatter that the fit sees
  double gain_ratio_u = 0;        // relative standard uncertainty of the tangential over the normal channel's gain
  bool tangential_tared = false;  // true: no zero offset is fitted (then one normal force is enough)
};

/// mu = tan phi. A surface or sensor that leans by alpha shows tan(phi + alpha) forward and tan(phi - alpha) backward:
/// both directions together are free of it.
struct FrictionResult {
  Estimate mu_forward;
  Estimate mu_backward;
  Estimate mu;        // of both, free of lean and offset
  Estimate lean_rad;  // alpha; also what a friction that depends on direction looks like: the two cannot be told apart
  Estimate offset_N;  // zero of the tangential channel
  double residual_sd_N = 0;
  bool directions_agree = false;  // lean is within its 95 % interval of zero
};

/// Joint least squares of both directions: T = +-mu N + offset. Refuses NaN, normal forces not above zero, fewer than
/// two pairs a direction, friction of the wrong sign, and normal forces too alike to tell offset from friction (range
/// under 20 times normal_u_N, or none). Pure.
[[nodiscard]] daq::Result<FrictionResult> edge_friction(const FrictionReadings& readings);

}  // namespace strigil::calibration
