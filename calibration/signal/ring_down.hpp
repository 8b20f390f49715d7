// What rings after a tap: natural frequencies and damping of several modes at once, from one free decay. Pure.
//
// y(t) = offset + sum over modes of exp(-s t) (a cos wt + b sin wt), s = zeta w_n, w^2 = w_n^2 - s^2. Start values by
// a matrix pencil (Hua and Sarkar 1990) [M], then least squares of the model itself.
#pragma once

#include <span>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

struct RingingMode {
  double natural_Hz = 0;  ///< undamped
  double damping = 0;     ///< of critical
  double amplitude = 0;   ///< at the first sample, unit of y
};

struct RingDown {
  std::vector<RingingMode> modes;  ///< rising in frequency
  double residual_sd = 0;
  double offset = 0;
};

struct RingDownOptions {
  /// Standard deviation of the noise, from the samples before the tap: what is weaker is no mode. Above 0.
  double noise_sd = 0;
  int most_modes = 8;
};

/// Refuses numbers that are not finite, fewer than 64 samples or more than 4096, a rate or a noise not above 0, and a
/// record in which nothing rings.
[[nodiscard]] daq::Result<RingDown> fit_ring_down(std::span<const double> y, double rate_Hz,
                                                  const RingDownOptions& options);

}  // namespace strigil::calibration
