#include "protocols/calibrate/vibration_readings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibration/signal/sine_fit.hpp"

namespace strigil::protocols {
namespace {

using calibration::fit_sine;
using calibration::SineFit;

constexpr double kTurn = 2 * std::numbers::pi;
/// An exciter whose frequency is off by more was set wrong.
constexpr double kSameFrequency = 0.005;
/// And so was one whose amplitude is not between these parts of what was asked for: its resonances are its own.
constexpr double kLeastAmplitude = 0.1;
constexpr double kMostAmplitude = 4;
/// A signal with more beside its sine is none.
constexpr double kMostBesides = 0.3;
constexpr int kHighestHarmonic = 5;
/// Of the rate; nearer to half of it a sine cannot be told from its alias.
constexpr double kHighestPart = 0.45;
/// Hann windows that overlap so much add up to a constant, squared: a chirp that comes back with the window then weighs
/// every instant the same, and a delay between both channels leaves no trace on the magnitude.
constexpr double kOverlap = 0.75;

std::string name_of(const rig::Excitation& e) {
  return e.kind == rig::ExcitationKind::kSine
             ? fmt::format("at {:g} Hz and {:g} m/s2", e.frequency_Hz, e.amplitude_m_s2)
             : fmt::format("in the chirp from {:g} to {:g} Hz", e.frequency_Hz, e.to_Hz);
}

std::optional<daq::Error> spoilt(const StreamWindow& w, const rig::Excitation& asked, std::size_t least) {
  if (w.samples < least) {
    return daq::Error{fmt::format("{} only {} samples of the accelerometer came", name_of(asked), w.samples)};
  }
  if ((w.flags & (daq::kGapBefore | daq::kDeviceReset)) != 0) {
    return daq::Error{
        fmt::format("{} samples of the accelerometer were lost; check its line, and calibrate again", name_of(asked))};
  }
  if ((w.flags & daq::kSaturated) != 0) {
    return daq::Error{fmt::format("{} a converter was at the end of its range: ask for less", name_of(asked))};
  }
  return std::nullopt;
}

/// Values of the first `n` samples, in the channel's unit; the offset is none of a vibration.
std::vector<double> values_of(const StreamWindow& w, const daq::StreamDescription& s, std::size_t channel,
                              std::size_t n) {
  std::vector<double> out(w.counts[channel].begin(), w.counts[channel].begin() + static_cast<std::ptrdiff_t>(n));
  for (auto& v : out) v *= s.channels[channel].scale;
  return out;
}

double value_at(const SineFit& f, double at_s) {
  return f.amplitude * std::sin(kTurn * f.frequency_Hz * at_s + f.phase_rad);
}

/// Root sum of squares of the harmonics by the fundamental.
double distortion_of(std::vector<double> y, const SineFit& f, double rate_Hz) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] -= value_at(f, static_cast<double>(i) / rate_Hz);
  double squares = 0;
  for (int k = 2; k <= kHighestHarmonic && k * f.frequency_Hz < kHighestPart * rate_Hz; ++k) {
    if (const auto h = fit_sine(y, rate_Hz, k * f.frequency_Hz)) squares += h->amplitude * h->amplitude;
  }
  return std::sqrt(squares) / f.amplitude;
}

/// Standard uncertainty of an amplitude by rounding to counts, n of them.
double rounding(double scale, std::size_t n) {
  return std::abs(scale) / std::sqrt(12.0) * std::sqrt(2 / static_cast<double>(n));
}

}  // namespace

daq::Result<VibrationChannels> vibration_channels(const daq::StreamDescription& stream, std::size_t axis,
                                                  const std::string& reference) {
  constexpr const char* kNames[] = {"ax", "ay", "az"};
  VibrationChannels out;
  std::string missing;
  const auto find = [&](const std::string& name, const char* unit) {
    for (std::size_t c = 0; c < stream.channels.size(); ++c) {
      if (stream.channels[c].name == name && stream.channels[c].unit == unit) return c;
    }
    missing = fmt::format("the stream '{}' has no channel '{}' in {}", stream.name, name, unit);
    return std::size_t{0};
  };
  out.sensor = find(kNames[axis], "m/s2");
  out.reference = find(reference, "V");
  if (!missing.empty()) {
    return daq::Error{missing + ": sensor and reference are sampled by one device (docs/calibrate.md, Vibration)"};
  }
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t c = 0; a != axis && c < stream.channels.size(); ++c) {
      if (stream.channels[c].name == kNames[a] && stream.channels[c].unit == "m/s2") out.across.push_back(c);
    }
  }
  return out;
}

daq::Result<SineReading> read_sine(const StreamWindow& w, const daq::StreamDescription& s, const VibrationChannels& c,
                                   const rig::Excitation& asked, const ReferenceStandard& reference) {
  constexpr std::size_t kLeast = 16;
  if (auto error = spoilt(w, asked, kLeast)) return *error;
  const double by_rate = asked.frequency_Hz / s.rate_Hz;
  const double periods = std::floor(static_cast<double>(w.samples) * by_rate);
  const auto n = static_cast<std::size_t>(std::floor(periods / by_rate));
  if (periods < 1 || n < kLeast)
    return daq::Error{fmt::format("{} not one period was seen; lengthen 'read_s'", name_of(asked))};
  const auto volts = values_of(w, s, c.reference, n);
  const auto fitted = calibration::fit_sine_and_frequency(volts, s.rate_Hz);
  if (!fitted)
    return daq::Error{fmt::format("{} the reference shows no sine: {}", name_of(asked), fitted.error().message)};
  const double off = fitted->frequency_Hz / asked.frequency_Hz - 1;
  const auto certified = response_at(reference, asked.frequency_Hz);
  if (!certified) return daq::Error{fmt::format("{} the reference is not calibrated", name_of(asked))};
  SineReading out;
  out.frequency_Hz = fitted->frequency_Hz;
  out.amplitude_m_s2 = fitted->amplitude / certified->sensitivity_V_m_s2;
  out.periods = periods;
  const double part = out.amplitude_m_s2 / asked.amplitude_m_s2;
  if (!(std::abs(off) <= kSameFrequency) || !(part >= kLeastAmplitude && part <= kMostAmplitude)) {
    return daq::Error{
        fmt::format("{} the reference shows {:.3g} m/s2 at {:.6g} Hz: is the exciter on and set as asked, the "
                    "reference's amplifier "
                    "in its range, and the sample rate of {:g} Hz true?",
                    name_of(asked), out.amplitude_m_s2, out.frequency_Hz, s.rate_Hz)};
  }
  out.distortion = distortion_of(volts, *fitted, s.rate_Hz);
  const double besides = fitted->rms_residual * std::numbers::sqrt2 / fitted->amplitude;
  if (besides > kMostBesides)
    return daq::Error{fmt::format("{} {:.0f} % of what the reference shows is no sine of that frequency",
                                  name_of(asked), 100 * besides)};
  const auto sensor = fit_sine(values_of(w, s, c.sensor, n), s.rate_Hz, fitted->frequency_Hz);
  if (!sensor)
    return daq::Error{fmt::format("{} the sensor shows no sine: {}", name_of(asked), sensor.error().message)};
  out.ratio = std::polar(sensor->amplitude / fitted->amplitude, sensor->phase_rad - fitted->phase_rad);
  out.u_ratio = std::hypot(sensor->u_amplitude / sensor->amplitude, fitted->u_amplitude / fitted->amplitude);
  out.resolution = std::hypot(rounding(s.channels[c.sensor].scale, n) / sensor->amplitude,
                              rounding(s.channels[c.reference].scale, n) / fitted->amplitude);
  double squares = 0;
  for (const auto across : c.across) {
    // One that does not change at all says 0.
    if (const auto f = fit_sine(values_of(w, s, across, n), s.rate_Hz, fitted->frequency_Hz))
      squares += f->amplitude * f->amplitude;
  }
  out.transverse = std::sqrt(squares) / sensor->amplitude;
  return out;
}

daq::Result<calibration::FrequencyResponse> read_chirp(const StreamWindow& w, const daq::StreamDescription& s,
                                                       const VibrationChannels& c, const rig::Excitation& asked) {
  calibration::SpectrumOptions options;
  options.segment = 2 * static_cast<std::size_t>(std::lround(s.rate_Hz * asked.period_s / 2));
  options.overlap = kOverlap;
  if (auto error = spoilt(w, asked, 2 * options.segment)) return *error;
  auto out = calibration::frequency_response(values_of(w, s, c.reference, w.samples),
                                             values_of(w, s, c.sensor, w.samples), s.rate_Hz, options);
  if (!out) return daq::Error{fmt::format("{}: {}", name_of(asked), out.error().message)};
  return out;
}

}  // namespace strigil::protocols
