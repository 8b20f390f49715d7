#include "calibration/signal/sine_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "calibration/fit/least_squares.hpp"
#include "calibration/signal/spectrum.hpp"

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kTwoPi = 2 * std::numbers::pi;

daq::Result<void> check(std::span<const double> y, double rate_Hz, double frequency_Hz, std::size_t least) {
  if (y.size() < least) return Error{fmt::format("{} samples are too few for a sine: {} at least", y.size(), least)};
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!std::isfinite(y[i])) return Error{fmt::format("sample {} of the sine is not a finite number", i)};
  }
  if (!(rate_Hz > 0 && std::isfinite(rate_Hz)) || !(frequency_Hz > 0 && frequency_Hz < rate_Hz / 2)) {
    return Error{fmt::format("a sine of {} Hz sampled at {} Hz: its frequency must lie above 0 and below half the rate",
                             frequency_Hz, rate_Hz)};
  }
  return {};
}

double wrapped(double phase) { return std::remainder(phase, kTwoPi); }

/// From y = a cos(w s) + b sin(w s) + c [+ frequency], s from the middle of the record, to the first sample's phase.
daq::Result<SineFit> tell(const LeastSquaresFit& fit, double frequency_Hz, double middle_s, std::size_t samples,
                          double a, double b, double c) {
  SineFit out;
  out.frequency_Hz = frequency_Hz;
  out.amplitude = std::hypot(a, b);
  if (!(out.amplitude > 0)) return Error{"there is no sine of this frequency in the samples: its amplitude is 0"};
  const double w = kTwoPi * frequency_Hz;
  const double at_middle = std::atan2(a, b);
  out.phase_rad = wrapped(at_middle - w * middle_s);
  if (out.phase_rad == -std::numbers::pi) out.phase_rad = std::numbers::pi;
  out.offset = c;
  out.cosine = out.amplitude * std::sin(out.phase_rad);
  out.sine = out.amplitude * std::cos(out.phase_rad);

  const Index p = fit.coefficients.size();  // a, b, c [, Hz]
  MatrixXd j = MatrixXd::Zero(p, p);        // of amplitude, phase, offset [, Hz]
  const double amplitude2 = out.amplitude * out.amplitude;
  j(0, 0) = a / out.amplitude;
  j(0, 1) = b / out.amplitude;
  j(1, 0) = b / amplitude2;
  j(1, 1) = -a / amplitude2;
  j(2, 2) = 1;
  if (p == 4) {
    j(1, 3) = -kTwoPi * middle_s;
    j(3, 3) = 1;
  }
  out.covariance = j * fit.covariance * j.transpose();
  const VectorXd u = out.covariance.diagonal().cwiseMax(0.0).cwiseSqrt();
  out.u_amplitude = u[0];
  out.u_phase_rad = u[1];
  out.u_offset = u[2];
  out.u_frequency_Hz = p == 4 ? u[3] : 0;
  out.rms_residual = std::sqrt(fit.sum_of_squares / static_cast<double>(samples));
  out.noise_sd = fit.residual_sd;
  return out;
}

}  // namespace

daq::Result<SineFit> fit_sine(std::span<const double> y, double rate_Hz, double frequency_Hz) {
  if (auto sound = check(y, rate_Hz, frequency_Hz, 4); !sound) return sound.error();
  const auto n = static_cast<Index>(y.size());
  const double middle_s = static_cast<double>(n - 1) / 2 / rate_Hz;
  MatrixXd design(n, 3);
  for (Index i = 0; i < n; ++i) {
    const double angle = kTwoPi * frequency_Hz * (static_cast<double>(i) / rate_Hz - middle_s);
    design.row(i) << std::cos(angle), std::sin(angle), 1;
  }
  auto fit = fit_least_squares(design, Eigen::Map<const VectorXd>(y.data(), n));
  if (!fit) return Error{"the sine cannot be told from the offset: take a longer record (" + fit.error().message + ")"};
  return tell(*fit, frequency_Hz, middle_s, y.size(), fit->coefficients[0], fit->coefficients[1], fit->coefficients[2]);
}

daq::Result<SineFit> fit_sine_and_frequency(std::span<const double> y, double rate_Hz, double start_Hz) {
  constexpr int kMost = 30;
  double frequency_Hz = start_Hz;
  if (start_Hz == 0) {
    auto line = largest_line(y, rate_Hz);
    if (!line) return line.error();
    frequency_Hz = *line;
  }
  if (auto sound = check(y, rate_Hz, frequency_Hz, 5); !sound) return sound.error();
  const auto n = static_cast<Index>(y.size());
  const double middle_s = static_cast<double>(n - 1) / 2 / rate_Hz;
  const VectorXd values = Eigen::Map<const VectorXd>(y.data(), n);
  auto three = fit_sine(y, rate_Hz, frequency_Hz);
  if (!three) return three.error();
  double a = three->amplitude * std::sin(three->phase_rad + kTwoPi * frequency_Hz * middle_s);
  double b = three->amplitude * std::cos(three->phase_rad + kTwoPi * frequency_Hz * middle_s);
  double last = std::numeric_limits<double>::infinity();
  LeastSquaresFit fit;
  double c = three->offset;
  for (int step = 1; step <= kMost; ++step) {
    MatrixXd design(n, 4);
    for (Index i = 0; i < n; ++i) {
      const double s = static_cast<double>(i) / rate_Hz - middle_s, angle = kTwoPi * frequency_Hz * s;
      design.row(i) << std::cos(angle), std::sin(angle), 1, kTwoPi * s * (b * std::cos(angle) - a * std::sin(angle));
    }
    LeastSquaresOptions options;
    options.refine = last < 1e-6 * frequency_Hz;
    auto found = fit_least_squares(design, values, options);
    if (!found) return Error{"the four parameters of the sine cannot be told apart: " + found.error().message};
    fit = std::move(*found);
    a = fit.coefficients[0];
    b = fit.coefficients[1];
    c = fit.coefficients[2];
    const double change = fit.coefficients[3];
    frequency_Hz += change;
    if (!(frequency_Hz > 0 && frequency_Hz < rate_Hz / 2)) {
      return Error{fmt::format(
          "the search for the frequency left the band below half the rate, from {} Hz: start nearer", start_Hz)};
    }
    const double size = std::abs(change);
    if ((options.refine && size <= 4e-16 * frequency_Hz) ||
        (options.refine && size <= 1e-11 * frequency_Hz && size >= last / 2)) {
      // Fitted at a frequency that is right to the last digits: the other three belong to it.
      auto out = tell(fit, frequency_Hz, middle_s, y.size(), a, b, c);
      if (out) out->iterations = step;
      return out;
    }
    last = size;
  }
  return Error{
      fmt::format("the frequency did not settle in {} steps from {} Hz (the last was {:.2g} Hz): start nearer, or "
                  "there is no sine",
                  kMost, start_Hz, last)};
}

SineBounds sine_bounds(std::size_t samples, double rate_Hz, double amplitude, double noise_sd, bool frequency_known) {
  assert(samples >= 4 && rate_Hz > 0 && amplitude > 0 && noise_sd > 0);
  const auto n = static_cast<double>(samples);
  SineBounds out;
  out.amplitude = noise_sd * std::sqrt(2 / n);
  out.phase_rad = std::sqrt((frequency_known ? 2 : 8) / n) * noise_sd / amplitude;
  if (!frequency_known) {
    out.frequency_Hz = std::sqrt(24 / (n * (n * n - 1))) * noise_sd / amplitude * rate_Hz / kTwoPi;
  }
  return out;
}

}  // namespace strigil::calibration
