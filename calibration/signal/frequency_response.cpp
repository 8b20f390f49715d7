#include "calibration/signal/frequency_response.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace strigil::calibration {
namespace {

using daq::Error;

/// Total least squares of y = H x once both have been scaled to equal power: the eigenvector of the larger eigenvalue
/// of
/// [[1, c], [c*, 1]], whose two components have equal size. So |Hv| = sqrt(Gyy/Gxx), its phase that of Gxy.
std::complex<double> hv_of(double xx, double yy, std::complex<double> xy) {
  const double size = std::abs(xy);
  return size > 0 ? std::sqrt(yy / xx) * (xy / size) : std::complex<double>(0);
}

}  // namespace

double FrequencyResponse::resolution_bias(double half_power_bandwidth_Hz) const {
  assert(half_power_bandwidth_Hz > 0);
  const double ratio = noise_bandwidth_Hz / half_power_bandwidth_Hz;
  return -ratio * ratio / 3;
}

daq::Result<FrequencyResponse> frequency_response(std::span<const double> x, std::span<const double> y, double rate_Hz,
                                                  const SpectrumOptions& options) {
  auto spectra = cross_spectrum(x, y, rate_Hz, options);
  if (!spectra) return spectra.error();
  if (spectra->segments < 2) {
    return Error{"one segment alone has a coherence of 1 whatever the noise: record longer, or take shorter segments"};
  }
  FrequencyResponse out;
  out.averages = spectra->averages;
  out.resolution_Hz = spectra->resolution_Hz;
  out.noise_bandwidth_Hz = spectra->noise_bandwidth_Hz;
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t k = 0; k < spectra->xx.size(); ++k) {
    ResponseLine line;
    line.frequency_Hz = spectra->frequency_Hz(k);
    const double xx = spectra->xx[k], yy = spectra->yy[k];
    const auto xy = spectra->xy[k];
    if (xx > 0) {
      line.h1 = xy / xx;
      line.h2 = std::abs(xy) > 0 ? yy / std::conj(xy) : std::complex<double>(kNaN, kNaN);
      line.hv = hv_of(xx, yy, xy);
      line.coherence = yy > 0 ? std::min(1.0, std::norm(xy) / (xx * yy)) : 0;
    } else {
      line.h1 = line.h2 = line.hv = {kNaN, kNaN};
    }
    const double g2 = line.coherence;
    line.relative_error = g2 > 0 ? std::sqrt((1 - g2) / (2 * g2 * out.averages)) : kNaN;
    line.phase_error_rad = g2 > 0 ? std::asin(std::min(1.0, line.relative_error)) : kNaN;
    out.lines.push_back(line);
  }
  return out;
}

std::complex<double> complex_transmissibility(double frequency_ratio, double damping_ratio) {
  assert(frequency_ratio >= 0);
  const std::complex<double> damped(0, 2 * damping_ratio * frequency_ratio);
  return (1.0 + damped) / (1 - frequency_ratio * frequency_ratio + damped);
}

double transmissibility(double frequency_ratio, double damping_ratio) {
  const double d = 2 * damping_ratio * frequency_ratio, s = 1 - frequency_ratio * frequency_ratio;
  return std::sqrt((1 + d * d) / (s * s + d * d));
}

}  // namespace strigil::calibration
