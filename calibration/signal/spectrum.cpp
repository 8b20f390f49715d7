#include "calibration/signal/spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <unsupported/Eigen/FFT>

namespace strigil::calibration {
namespace {

using daq::Error;
using Spectrum = std::vector<std::complex<double>>;

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

/// Transforms windowed pieces of a record, lines 0..n/2.
class Transform {
 public:
  explicit Transform(std::vector<double> window) : window_(std::move(window)), piece_(window_.size()) {
    fft_.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  }
  void operator()(std::span<const double> values, bool remove_mean, Spectrum& out) {
    double mean = 0;
    if (remove_mean) {
      for (const double v : values) mean += v;
      mean /= static_cast<double>(values.size());
    }
    for (std::size_t i = 0; i < values.size(); ++i) piece_[i] = window_[i] * (values[i] - mean);
    fft_.fwd(out, piece_);
  }

 private:
  Eigen::FFT<double> fft_;
  std::vector<double> window_, piece_;
};

}  // namespace

std::vector<double> window_of(Window window, std::size_t length) {
  assert(length >= 2);
  // Cosine sums; flat top as in ISO 18431-2 and SciPy, Blackman-Harris with four terms.
  std::vector<double> terms;
  switch (window) {
    case Window::kRectangular:
      terms = {1};
      break;
    case Window::kHann:
      terms = {0.5, -0.5};
      break;
    case Window::kHamming:
      terms = {0.54, -0.46};
      break;
    case Window::kBlackmanHarris:
      terms = {0.35875, -0.48829, 0.14128, -0.01168};
      break;
    case Window::kFlatTop:
      terms = {0.21557895, -0.41663158, 0.277263158, -0.083578947, 0.006947368};
      break;
  }
  std::vector<double> out(length);
  for (std::size_t i = 0; i < length; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
    for (std::size_t k = 0; k < terms.size(); ++k) out[i] += terms[k] * std::cos(static_cast<double>(k) * angle);
  }
  return out;
}

double noise_bandwidth_bins(std::span<const double> window) {
  assert(!window.empty());
  double sum = 0, squares = 0;
  for (const double w : window) {
    sum += w;
    squares += w * w;
  }
  return static_cast<double>(window.size()) * squares / (sum * sum);
}

double effective_averages(std::span<const double> window, std::size_t segments, std::size_t hop) {
  assert(segments >= 1 && hop >= 1);
  double squares = 0;
  for (const double w : window) squares += w * w;
  const auto n = static_cast<double>(segments);
  double sum = 0;
  for (std::size_t k = 1; k < segments && k * hop < window.size(); ++k) {
    double shared = 0;
    for (std::size_t i = 0; i + k * hop < window.size(); ++i) shared += window[i] * window[i + k * hop];
    const double rho = shared / squares;
    sum += (1 - static_cast<double>(k) / n) * rho * rho;
  }
  return n / (1 + 2 * sum);
}

daq::Result<CrossSpectrum> cross_spectrum(std::span<const double> x, std::span<const double> y, double rate_Hz,
                                          const SpectrumOptions& options) {
  if (x.size() != y.size()) return Error{fmt::format("two channels of {} and {} samples", x.size(), y.size())};
  if (!(rate_Hz > 0 && std::isfinite(rate_Hz))) return Error{fmt::format("a sample rate of {} Hz", rate_Hz)};
  if (options.segment < 8 || options.segment % 2 != 0 || !(options.overlap >= 0 && options.overlap <= 0.95)) {
    return Error{fmt::format("segments of {} samples overlapping by {}: an even number from 8 on, and 0 to 0.95",
                             options.segment, options.overlap)};
  }
  if (x.size() < options.segment) {
    return Error{fmt::format("{} samples are less than one segment of {}: record longer, or take shorter segments",
                             x.size(), options.segment)};
  }
  if (!all_finite(x) || !all_finite(y)) return Error{"a sample is not a finite number: no spectrum can be formed"};

  const auto length = options.segment;
  const auto hop = std::max<std::size_t>(
      1, length - static_cast<std::size_t>(std::lround(options.overlap * static_cast<double>(length))));
  const auto window = window_of(options.window, length);
  double squares = 0;
  for (const double w : window) squares += w * w;
  CrossSpectrum out;
  out.segments = (x.size() - length) / hop + 1;
  out.averages = effective_averages(window, out.segments, hop);
  out.resolution_Hz = rate_Hz / static_cast<double>(length);
  out.noise_bandwidth_Hz = noise_bandwidth_bins(window) * out.resolution_Hz;
  const std::size_t lines = length / 2 + 1;
  out.xx.assign(lines, 0);
  out.yy.assign(lines, 0);
  out.xy.assign(lines, {});
  Transform transform(window);
  Spectrum of_x, of_y;
  for (std::size_t s = 0; s < out.segments; ++s) {
    transform(x.subspan(s * hop, length), options.remove_mean, of_x);
    transform(y.subspan(s * hop, length), options.remove_mean, of_y);
    for (std::size_t k = 0; k < lines; ++k) {
      out.xx[k] += std::norm(of_x[k]);
      out.yy[k] += std::norm(of_y[k]);
      out.xy[k] += std::conj(of_x[k]) * of_y[k];
    }
  }
  for (std::size_t k = 0; k < lines; ++k) {
    const double sides = k == 0 || k == length / 2 ? 1 : 2;
    const double scale = sides / (rate_Hz * squares * static_cast<double>(out.segments));
    out.xx[k] *= scale;
    out.yy[k] *= scale;
    out.xy[k] *= scale;
  }
  return out;
}

daq::Result<double> largest_line(std::span<const double> y, double rate_Hz) {
  if (y.size() < 8 || !(rate_Hz > 0 && std::isfinite(rate_Hz)) || !all_finite(y)) {
    return Error{fmt::format("{} samples at {} Hz: a line wants 8 finite samples or more", y.size(), rate_Hz)};
  }
  const std::size_t length = y.size() - y.size() % 2;
  Transform transform(window_of(Window::kHann, length));
  Spectrum spectrum;
  transform(y.first(length), true, spectrum);
  std::size_t top = 1;
  for (std::size_t k = 1; k < length / 2; ++k) {
    if (std::norm(spectrum[k]) > std::norm(spectrum[top])) top = k;
  }
  if (!(std::norm(spectrum[top]) > 0)) return Error{"the record does not change: there is no line in it"};
  const auto level = [&](std::size_t k) { return std::log(std::max(std::norm(spectrum[k]), 1e-300)); };
  const double low = level(top - 1), middle = level(top), high = level(top + 1);
  const double bend = low - 2 * middle + high;
  const double shift = bend < 0 ? std::clamp(0.5 * (low - high) / bend, -0.5, 0.5) : 0;
  return (static_cast<double>(top) + shift) * rate_Hz / static_cast<double>(length);
}

}  // namespace strigil::calibration
