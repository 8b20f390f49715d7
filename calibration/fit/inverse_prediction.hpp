// Inverse use of a calibration curve: a reading y, and the x that made it, with its interval. Pure.
#pragma once

#include <optional>

#include "calibration/fit/polynomial_fit.hpp"

namespace strigil::calibration {

struct InverseOptions {
  double probability = 0.95;  ///< of the interval, in (0, 1)
  double repeats = 1;         ///< the reading is the mean of so many; its scatter is residual_sd / sqrt(repeats)
  /// Standard uncertainty of the reading, instead of the fit's scatter; must be given where the fit's weights are
  /// absolute. At least 0.
  std::optional<double> reading_uncertainty;
};

/// The x of a reading. u: first order, reading and all coefficients with their covariances (metrology.md 1.3).
/// The interval is where the band y(x) +- k u(x) holds the reading; it need not be symmetric about x.
struct InversePrediction {
  double x = 0;
  double u = 0;
  double low = 0, high = 0;
  double coverage_factor = 0;
};

/// Refuses, in words: a reading that the curve does not reach between its lowest and highest x (nothing was measured
/// there), a curve that turns back in its range, a slope too uncertain for the interval to end.
[[nodiscard]] daq::Result<InversePrediction> invert(const PolynomialFit& curve, double reading,
                                                    const InverseOptions& options = {});

}  // namespace strigil::calibration
