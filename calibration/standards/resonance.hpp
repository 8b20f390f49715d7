// Natural frequency and damping of one resonance out of a frequency response, three ways that should agree: half-power
// points, circle, and a fit of the model. metrology.md 2.4 [M].
#pragma once

#include <complex>
#include <span>
#include <string>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/transmissibility.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// What the response is a quotient of. Receptance: displacement over force, mobility: velocity over force, accelerance:
/// acceleration over force; transmissibility: motion over motion of the base.
enum class ResponseKind { transmissibility, receptance, mobility, accelerance };

struct Resonance {
  std::string method;
  Estimate natural_Hz;  // u is 0 where a method gives none
  Estimate damping;     // zeta, of critical
  double residual = 0;  // root mean square of |measured - model|, where there is a model
};

/// Half-power points of the mobility-shaped response (a transmissibility less one over frequency): exact for one
/// viscously damped resonance, zeta = (f2-f1)/(2 f_n). f_n is the geometric mean of the two points. Refuses a peak at
/// the end of the lines and half-power points that are not among them, or fewer than three lines between them.
[[nodiscard]] daq::Result<Resonance> half_power(std::span<const ResponsePoint> lines, ResponseKind kind);

/// Circle through the mobility-shaped response around its peak; f_n and zeta from the angles about the circle's centre,
/// tan(b) f = (f_n^2 - f^2)/(2 zeta f_n). Refuses fewer than five lines on the arc.
[[nodiscard]] daq::Result<Resonance> circle_fit(std::span<const ResponsePoint> lines, ResponseKind kind);

/// Least squares of the model itself, complex: (c0 + i w c1)/(a - w^2 + i b w), with c0 = a and c1 = b for a
/// transmissibility and c0 free complex, c1 none for the others. Lines are weighted by their coherence (`averages` as
/// for random errors); uncertainty from the scatter. Refuses fewer than four lines, and what has no resonance.
[[nodiscard]] daq::Result<Resonance> model_fit(std::span<const ResponsePoint> lines, ResponseKind kind);

/// Damping without that of the exponential window exp(-t/tau): zeta - 1/(tau w_n). Refuses what would be negative.
[[nodiscard]] daq::Result<Estimate> without_window(const Estimate& damping, double natural_Hz, double window_tau_s);

}  // namespace strigil::calibration
