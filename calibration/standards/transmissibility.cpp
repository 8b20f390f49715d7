#include "calibration/standards/transmissibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

std::optional<daq::Error> refuse(std::span<const ResponsePoint> lines, const TransmissibilityOptions& o) {
  if (lines.empty()) return daq::Error{"no lines: no transmissibility"};
  double last = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& l = lines[i];
    if (!std::isfinite(l.frequency_Hz) || !std::isfinite(l.response.real()) || !std::isfinite(l.response.imag())) {
      return daq::Error{fmt::format("line {} is not a finite number", i)};
    }
    if (!(l.frequency_Hz > last))
      return daq::Error{fmt::format("frequencies must rise from above zero; line {} does not", i)};
    last = l.frequency_Hz;
    if (!(l.coherence >= 0 && l.coherence <= 1)) {
      return daq::Error{fmt::format("coherence of line {} is {:g}; it cannot leave 0 to 1", i, l.coherence)};
    }
  }
  if (auto error = out_of_bounds("averages", o.averages, 1, 1e9)) return error;
  if (auto error = out_of_bounds("gain_ratio_u", o.gain_ratio_u, 0, 1)) return error;
  if (auto error = out_of_bounds("phase_u_rad", o.phase_u_rad, 0, std::numbers::pi)) return error;
  if (auto error = out_of_bounds("coherence_at_least", o.coherence_at_least, 0, 1)) return error;
  for (const auto& [low, high] : o.bands_Hz) {
    if (!(low >= 0 && high > low)) return daq::Error{fmt::format("a band from {:g} to {:g} Hz is none", low, high)};
  }
  return std::nullopt;
}

/// Root mean square over the lines of a band; lines are independent, gain is common.
BandTransmissibility band_of(const std::vector<TransmissibilityPoint>& points, std::span<const ResponsePoint> lines,
                             std::pair<double, double> limits, const TransmissibilityOptions& o) {
  BandTransmissibility out;
  out.low_Hz = limits.first;
  out.high_Hz = limits.second;
  double squares = 0, variance = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& p = points[i];
    if (!p.usable || p.frequency_Hz < limits.first || p.frequency_Hz > limits.second) continue;
    ++out.lines;
    const double square = p.magnitude.value * p.magnitude.value;
    const double random = estimated_random_error(lines[i].coherence, o.averages).relative_u;
    squares += square;
    variance += std::pow(2 * square * random, 2);
  }
  if (out.lines == 0 || squares == 0) return out;
  const auto n = static_cast<double>(out.lines);
  out.magnitude.value = std::sqrt(squares / n);
  // d sqrt(S/n) = dS / (2 n sqrt(S/n)).
  const double random = std::sqrt(variance) / (2 * n * out.magnitude.value);
  out.magnitude.u = std::hypot(random, o.gain_ratio_u * out.magnitude.value);
  return out;
}

}  // namespace

RandomError estimated_random_error(double coherence, double averages) {
  if (!(averages > 1 && coherence > 0)) return {std::numeric_limits<double>::infinity(), 1};
  return {std::sqrt((1 - coherence) / (2 * coherence * (averages - 1))), std::max(2 * (averages - 1), 1.0)};
}

daq::Result<TransmissibilityReport> assess_transmissibility(std::span<const ResponsePoint> lines,
                                                            const TransmissibilityOptions& o) {
  if (auto error = refuse(lines, o)) return *error;
  TransmissibilityReport out;
  std::size_t left_out = 0;
  for (const auto& l : lines) {
    TransmissibilityPoint p;
    p.frequency_Hz = l.frequency_Hz;
    p.coherence = l.coherence;
    p.usable = l.coherence >= o.coherence_at_least && l.coherence > 0;
    if (!p.usable) ++left_out;
    const auto [random, dof] = estimated_random_error(l.coherence, o.averages);
    const double magnitude = std::abs(l.response);
    constexpr double kKnown = std::numeric_limits<double>::infinity();
    const double gain = o.gain_ratio_u * magnitude;
    p.magnitude = {magnitude, std::hypot(random * magnitude, gain),
                   effective_dof(random * magnitude, dof, gain, kKnown)};
    p.magnitude_dB = 20 * std::log10(magnitude);
    const double angle = random < 1 ? std::asin(random) : std::numbers::pi;
    p.phase_rad = {std::arg(l.response), std::hypot(angle, o.phase_u_rad),
                   effective_dof(angle, dof, o.phase_u_rad, kKnown)};
    out.points.push_back(p);
  }
  if (left_out > 0) {
    out.remarks.push_back(fmt::format("{} of {} lines have a coherence below {:g} and are left out of bands and checks",
                                      left_out, lines.size(), o.coherence_at_least));
  }
  for (const auto& limits : o.bands_Hz) {
    out.bands.push_back(band_of(out.points, lines, limits, o));
    if (out.bands.back().lines == 0) {
      out.remarks.push_back(fmt::format("no usable line between {:g} and {:g} Hz: that band was not measured",
                                        limits.first, limits.second));
    }
  }
  return out;
}

UsableBand usable_band(double resonance_Hz) { return {resonance_Hz / 5, resonance_Hz / 3}; }

daq::Result<SqrtTwoCheck> check_sqrt_two(const TransmissibilityReport& report, const Estimate& natural_Hz) {
  SqrtTwoCheck out;
  out.frequency_Hz = std::numbers::sqrt2 * natural_Hz.value;
  const TransmissibilityPoint* before = nullptr;
  for (const auto& p : report.points) {
    if (!p.usable) continue;
    if (p.frequency_Hz < out.frequency_Hz) {
      before = &p;
      continue;
    }
    if (before == nullptr && p.frequency_Hz > out.frequency_Hz) break;
    const auto& a = before == nullptr ? p : *before;
    const double width = p.frequency_Hz - a.frequency_Hz;
    const double part = width > 0 ? (out.frequency_Hz - a.frequency_Hz) / width : 1;
    const double slope = width > 0 ? (p.magnitude.value - a.magnitude.value) / width : 0;
    // The larger of both ends' uncertainty: gain is common to both, so that averaging must not make it less.
    const double u = std::hypot(std::max(a.magnitude.u, p.magnitude.u), slope * std::numbers::sqrt2 * natural_Hz.u);
    out.magnitude = {a.magnitude.value + part * (p.magnitude.value - a.magnitude.value), u,
                     std::min(a.magnitude.dof, p.magnitude.dof)};
    out.kept = std::abs(out.magnitude.value - 1) <= out.magnitude.expanded();
    return out;
  }
  return daq::Error{
      fmt::format("no usable lines on both sides of {:g} Hz, sqrt 2 times the natural frequency", out.frequency_Hz)};
}

}  // namespace strigil::calibration
