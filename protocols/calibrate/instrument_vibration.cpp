// Of protocols/calibrate/instrument_evaluation.hpp: modes and transmissibility.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/signal/frequency_response.hpp"
#include "calibration/signal/ring_down.hpp"
#include "calibration/signal/taps.hpp"
#include "calibration/standards/readings_check.hpp"
#include "calibration/standards/transmissibility.hpp"
#include "protocols/calibrate/instrument_evaluation.hpp"

namespace strigil::protocols {
namespace {

constexpr double kRectangular = 0.5773502691896258;

/// Both accelerometers in one step, m/s2.
struct Shaken {
  std::vector<double> edge, grip;
  double rate_Hz = 0;  ///< by the host's clock
};

daq::Result<Shaken> shaken_in(const InstrumentData& d, std::size_t step) {
  const auto id = d.data.roles.vibration;
  const auto& stream = d.data.streams[id];
  const auto& w = d.data.windows[step][id];
  Shaken out;
  const auto take = [&](const std::string& name, std::vector<double>& to) -> daq::Result<void> {
    const auto found =
        std::find_if(stream.channels.begin(), stream.channels.end(), [&](const auto& c) { return c.name == name; });
    if (found == stream.channels.end())
      return daq::Error{fmt::format("the accelerometers' stream has no channel '{}'", name)};
    const auto& counts = w.counts[static_cast<std::size_t>(found - stream.channels.begin())];
    to.reserve(counts.size());
    for (const double c : counts) to.push_back(found->scale * c + found->offset);
    return {};
  };
  if (w.at_s.size() < 2) return daq::Error{"the accelerometers said nothing"};
  if (auto r = take(d.plan.vibration.edge, out.edge); !r) return r.error();
  if (auto r = take(d.plan.vibration.grip, out.grip); !r) return r.error();
  out.rate_Hz = static_cast<double>(w.at_s.size() - 1) / (w.at_s.back() - w.at_s.front());
  // Samples are cut by their count: one that is missing would move all after it.
  constexpr double kRate = 1e-3;
  if (stream.rate_Hz > 0 && std::abs(out.rate_Hz / stream.rate_Hz - 1) > kRate)
    return daq::Error{"samples of the accelerometers are missing, or their clock is off by more than 0.1 %"};
  return out;
}

/// Values of one mode from all taps.
struct ModeFound {
  std::vector<double> natural_Hz, damping;
};

/// Lists of modes, tap by tap, put together by what lies nearest.
std::vector<ModeFound> match(const std::vector<calibration::RingDown>& taps) {
  constexpr double kSame = 0.04;  // relative: modes of a bar lie much further apart
  std::vector<ModeFound> out;
  for (const auto& tap : taps) {
    for (const auto& mode : tap.modes) {
      ModeFound* nearest = nullptr;
      for (auto& known : out) {
        const double off = std::abs(known.natural_Hz.front() - mode.natural_Hz);
        if (off > kSame * mode.natural_Hz) continue;
        if (nearest == nullptr || off < std::abs(nearest->natural_Hz.front() - mode.natural_Hz)) nearest = &known;
      }
      if (nearest == nullptr) nearest = &out.emplace_back();
      nearest->natural_Hz.push_back(mode.natural_Hz);
      nearest->damping.push_back(mode.damping);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.natural_Hz.front() < b.natural_Hz.front(); });
  return out;
}

/// Lines of a response to many repeats of one thing; each repeat is a segment of its own.
struct Response {
  std::vector<calibration::ResponsePoint> lines;
  std::vector<double> bias_u;  ///< relative, standard: H1 and H2 enclose what is true where both channels are noisy
  double averages = 0;
};

/// Each segment holds all of its event.
calibration::SpectrumOptions event_by_event(std::size_t segment) {
  return {.window = calibration::Window::kRectangular, .segment = segment, .overlap = 0};
}

/// Nothing begins or ends: segments go out softly, and all instants weigh the same.
calibration::SpectrumOptions without_pause(std::size_t segment) {
  return {.window = calibration::Window::kHann, .segment = segment, .overlap = 0.75};
}

daq::Result<Response> respond(const std::vector<double>& edge, const std::vector<double>& grip, double rate_Hz,
                              const calibration::SpectrumOptions& o, std::pair<double, double> within_Hz) {
  const auto r = calibration::frequency_response(edge, grip, rate_Hz, o);
  if (!r) return r.error();
  Response out;
  out.averages = r->averages;
  for (const auto& l : r->lines) {
    if (l.frequency_Hz < within_Hz.first || l.frequency_Hz > within_Hz.second) continue;
    const double low = std::abs(l.h1), high = std::abs(l.h2);
    const double middle = std::sqrt(low * high);
    if (!(low > 0) || !std::isfinite(middle)) continue;
    out.lines.push_back({l.frequency_Hz, l.h1 * (middle / low), std::clamp(l.coherence, 0.0, 1.0)});
    out.bias_u.push_back(kRectangular * (high - low) / (2 * middle));
  }
  if (out.lines.empty()) return daq::Error{"no line of the response lies within the bands"};
  return out;
}

/// Samples of a tap: half of a sweep's, so that every line of the taps is one of the sweeps too.
std::size_t segment_of(const InstrumentData& d, double rate_Hz) {
  return 2 * static_cast<std::size_t>(std::lround(d.plan.vibration.sweep_period_s * rate_Hz / 4));
}

/// Where to cut a record of sweeps: in the middle of the quietest tenth of the period.
std::size_t quietest(const std::vector<double>& y, std::size_t period) {
  constexpr std::size_t kBins = 100, kQuiet = 10;
  const double middle = calibration::spread_of(y).mean;
  std::vector<double> power(kBins, 0.0);
  const std::size_t whole = y.size() / period * period;
  for (std::size_t i = 0; i < whole; ++i) power[i % period * kBins / period] += (y[i] - middle) * (y[i] - middle);
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t b = 0; b < kBins; ++b) {
    double sum = 0;
    for (std::size_t k = 0; k < kQuiet; ++k) sum += power[(b + k) % kBins];
    if (sum < least) {
      least = sum;
      best = b;
    }
  }
  return (best + kQuiet - 1) % kBins * period / kBins;
}

/// The taps' segments, one after the other.
daq::Result<Response> respond_to_taps(const InstrumentData& d, InstrumentFindings& out, std::pair<double, double> hz) {
  const auto shaken = shaken_in(d, d.at.soft_taps);
  if (!shaken) return shaken.error();
  const auto taps = calibration::find_taps(shaken->edge, shaken->rate_Hz);
  if (!taps) return daq::Error{"soft taps: " + taps.error().message};
  for (const auto& why : taps->refused) out.remarks.push_back("soft taps, " + why);
  constexpr double kBefore_s = 10e-3;
  const auto before = static_cast<std::size_t>(kBefore_s * shaken->rate_Hz);
  const auto segment = segment_of(d, shaken->rate_Hz);
  std::vector<double> edge, grip;
  for (const auto onset : taps->onsets) {
    const auto from = static_cast<std::ptrdiff_t>(onset - std::min(onset, before));
    const auto to = from + static_cast<std::ptrdiff_t>(segment);
    if (to > static_cast<std::ptrdiff_t>(shaken->edge.size())) continue;
    edge.insert(edge.end(), shaken->edge.begin() + from, shaken->edge.begin() + to);
    grip.insert(grip.end(), shaken->grip.begin() + from, shaken->grip.begin() + to);
  }
  return respond(edge, grip, shaken->rate_Hz, event_by_event(segment), hz);
}

daq::Result<Response> respond_to_sweeps(const InstrumentData& d, std::pair<double, double> hz) {
  const auto shaken = shaken_in(d, d.at.sweep);
  if (!shaken) return shaken.error();
  const auto segment = 2 * segment_of(d, shaken->rate_Hz);
  if (shaken->edge.size() < 3 * segment) return daq::Error{"two whole sweeps are the least"};
  // A generator sweeps back where hands make a pause, and does not come to the same phase again.
  const auto& generator = d.setup.bench.generator;
  if (generator && generator->sensitivity_V_N > 0)
    return respond(shaken->edge, shaken->grip, shaken->rate_Hz, without_pause(segment), hz);
  const auto from = static_cast<std::ptrdiff_t>(quietest(shaken->edge, segment));
  return respond({shaken->edge.begin() + from, shaken->edge.end()}, {shaken->grip.begin() + from, shaken->grip.end()},
                 shaken->rate_Hz, event_by_event(segment), hz);
}

struct Assessed {
  calibration::TransmissibilityReport report;
  Response response;
};
daq::Result<Assessed> assess(const InstrumentData& d, Response response) {
  const auto& v = d.plan.vibration;
  auto report = calibration::assess_transmissibility(response.lines, {.averages = response.averages,
                                                                      .gain_ratio_u = 0,  // said once, for all lines
                                                                      .coherence_at_least = v.coherence_at_least,
                                                                      .bands_Hz = v.bands_Hz});
  if (!report) return report.error();
  for (std::size_t i = 0; i < report->points.size(); ++i) {
    auto& m = report->points[i].magnitude;
    m.u = std::hypot(m.u, response.bias_u[i] * m.value);
  }
  return Assessed{std::move(*report), std::move(response)};
}

/// Mean of the lines' H1-H2 gap over a band, relative: a bias does not average away.
double bias_of(const Assessed& a, const calibration::BandTransmissibility& band) {
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < a.report.points.size(); ++i) {
    const auto& p = a.report.points[i];
    if (!p.usable || p.frequency_Hz < band.low_Hz || p.frequency_Hz > band.high_Hz) continue;
    const double square = p.magnitude.value * p.magnitude.value;
    sum += square * a.response.bias_u[i];
    weight += square;
  }
  return weight > 0 ? sum / weight : 0;
}

/// |T| of a band by all of its lines, also those that were left out for their coherence: at a node of the edge there is
/// hardly anything to divide by, and there the tool carries most.
double whole_band(const Assessed& a, const calibration::BandTransmissibility& band) {
  double sum = 0, lines = 0;
  for (const auto& p : a.report.points) {
    if (p.frequency_Hz < band.low_Hz || p.frequency_Hz > band.high_Hz) continue;
    sum += p.magnitude.value * p.magnitude.value;
    ++lines;
  }
  return lines > 0 ? std::sqrt(sum / lines) : band.magnitude.value;
}

}  // namespace

daq::Result<void> ring_instrument(const InstrumentData& d, InstrumentFindings& out) {
  const auto& v = d.plan.vibration;
  const auto shaken = shaken_in(d, d.at.hard_taps);
  if (!shaken) return shaken.error();
  const auto taps = calibration::find_taps(shaken->edge, shaken->rate_Hz);
  if (!taps) return daq::Error{"hard taps: " + taps.error().message};
  for (const auto& why : taps->refused) out.remarks.push_back("hard taps, " + why);
  // The hand is off the edge by then.
  constexpr double kAfterPulse_s = 1.5e-3, kLength_s = 80e-3;
  const auto skip = static_cast<std::size_t>((v.hard_pulse_s + kAfterPulse_s) * shaken->rate_Hz);
  const auto length = static_cast<std::size_t>(kLength_s * shaken->rate_Hz);
  std::vector<calibration::RingDown> rings;
  for (const auto onset : taps->onsets) {
    const std::span<const double> y(shaken->edge.data() + onset + skip, length);
    auto ring = calibration::fit_ring_down(y, shaken->rate_Hz, {.noise_sd = taps->noise_sd});
    if (!ring) return daq::Error{"hard taps: " + ring.error().message};
    rings.push_back(std::move(*ring));
  }
  const auto least = static_cast<std::size_t>(std::ceil(0.8 * static_cast<double>(rings.size())));
  calibration::DataTable table{
      "ringing",
      {"natural_frequency", "damping_ratio", "scatter_of_frequency", "scatter_of_damping", "taps"},
      {"Hz", "1", "Hz", "1", "1"},
      {}};
  std::size_t number = 0;
  for (const auto& mode : match(rings)) {
    if (mode.natural_Hz.size() < std::max<std::size_t>(least, 3)) continue;
    const auto n = static_cast<double>(mode.natural_Hz.size());
    const auto f = calibration::spread_of(mode.natural_Hz);
    const auto zeta = calibration::spread_of(mode.damping);
    table.rows.push_back({f.mean, zeta.mean, f.deviation, zeta.deviation, n});
    constexpr double kSure = 0.2;  // scatter of a mode's damping, relative
    if (f.mean < v.modes_Hz.first || f.mean > v.modes_Hz.second || number >= v.modes) continue;
    if (zeta.deviation > kSure * zeta.mean) {
      out.remarks.push_back(fmt::format("something rings at {:.0f} Hz too weakly to be a value", f.mean));
      continue;
    }
    ++number;
    // Weak modes beyond those that are fitted move a pole by up to so much of its decay (200 twins) [A], across as far
    // as along.
    constexpr double kModel = 0.01;
    const double model_u = kRectangular * kModel * zeta.mean;
    InstrumentValue natural{"natural frequency", fmt::format("mode {}", number), "Hz", f.mean, {}};
    natural.parts = {{"scatter of the taps", "t", f.deviation / std::sqrt(n), n - 1},
                     {"model of the ring-down", "rectangular", model_u * f.mean},
                     {"clock of the accelerometers", "normal", v.clock_relative_u * f.mean}};
    InstrumentValue damping{"damping ratio", fmt::format("mode {} damping", number), "1", zeta.mean, {}};
    damping.parts = {{"scatter of the taps", "t", zeta.deviation / std::sqrt(n), n - 1},
                     {"model of the ring-down", "rectangular", model_u}};
    out.values.push_back(std::move(natural));
    out.values.push_back(std::move(damping));
  }
  if (number == 0) {
    return daq::Error{
        fmt::format("no bending mode rings between {:g} and {:g} Hz after the hard taps: tap where it is "
                    "no node, or look at other frequencies ('modes_Hz')",
                    v.modes_Hz.first, v.modes_Hz.second)};
  }
  out.tables.push_back(std::move(table));
  return {};
}

daq::Result<void> shake_instrument(const InstrumentData& d, InstrumentFindings& out) {
  const auto& v = d.plan.vibration;
  const std::pair<double, double> hz{v.bands_Hz.front().first, v.bands_Hz.back().second};
  auto tapped = respond_to_taps(d, out, hz);
  if (!tapped) return tapped.error();
  auto swept = respond_to_sweeps(d, hz);
  if (!swept) return daq::Error{"sweeps: " + swept.error().message};
  const auto by_tap = assess(d, std::move(*tapped));
  if (!by_tap) return daq::Error{"taps: " + by_tap.error().message};
  const auto by_sweep = assess(d, std::move(*swept));
  if (!by_sweep) return daq::Error{"sweeps: " + by_sweep.error().message};
  for (const auto& r : by_tap->report.remarks) out.remarks.push_back("transmissibility by taps: " + r);
  for (const auto& r : by_sweep->report.remarks) out.remarks.push_back("transmissibility by sweeps: " + r);

  calibration::DataTable table{"transmissibility",
                               {"frequency", "magnitude_sweep", "expanded_uncertainty_sweep", "phase_sweep",
                                "coherence_sweep", "magnitude_tap", "expanded_uncertainty_tap", "coherence_tap"},
                               {"Hz", "1", "1", "rad", "1", "1", "1", "1"},
                               {}};
  std::size_t compared = 0, agree = 0;
  double last_Hz = 0;
  for (const auto& t : by_tap->report.points) {
    const auto& all = by_sweep->report.points;
    const auto nearest = std::min_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return std::abs(a.frequency_Hz - t.frequency_Hz) < std::abs(b.frequency_Hz - t.frequency_Hz);
    });
    const auto& s = *nearest;
    // Twelve lines an octave are enough for people; bands take them all.
    constexpr double kStep = 1.0594630943592953;
    if (t.frequency_Hz < kStep * last_Hz) continue;
    last_Hz = t.frequency_Hz;
    const auto expanded = [&](const calibration::Estimate& e) {
      return std::hypot(e.expanded(), 2 * v.gain_ratio_u * e.value);
    };
    table.rows.push_back({t.frequency_Hz, s.magnitude.value, expanded(s.magnitude), s.phase_rad.value, s.coherence,
                          t.magnitude.value, expanded(t.magnitude), t.coherence});
    if (!t.usable || !s.usable) continue;
    ++compared;
    // Their gains are the same two: what is left is noise.
    const double off = std::abs(t.magnitude.value - s.magnitude.value);
    agree += off <= std::hypot(t.magnitude.expanded(), s.magnitude.expanded()) ? 1 : 0;
  }
  out.tables.push_back(std::move(table));
  out.remarks.push_back(
      fmt::format("transmissibility by taps and by sweeps: within both uncertainties at {} of {} "
                  "frequencies",
                  agree, compared));
  for (std::size_t b = 0; b < by_sweep->report.bands.size(); ++b) {
    const auto& s = by_sweep->report.bands[b];
    const auto& t = by_tap->report.bands[b];
    if (s.lines == 0) continue;
    const double whole = whole_band(*by_sweep, s), of_taps = whole_band(*by_tap, t);
    InstrumentValue band{
        "transmissibility", fmt::format("edge to grip {:g}-{:g} Hz", s.low_Hz, s.high_Hz), "1", whole, {}};
    band.parts = {{"random, by coherence", "normal", s.magnitude.u},
                  {"noise of both channels (H1 to H2)", "rectangular", bias_of(*by_sweep, s) * s.magnitude.value},
                  {"lines without coherence", "rectangular", kRectangular * std::abs(whole - s.magnitude.value)},
                  {"gains of the two accelerometers", "normal", v.gain_ratio_u * whole}};
    if (t.lines > 0) {
      band.parts.push_back({"taps against sweeps", "rectangular", kRectangular * std::abs(of_taps - whole)});
      out.remarks.push_back(
          fmt::format("transmissibility {:g}-{:g} Hz: {:.4f} by sweeps, {:.4f} by taps; {:.4f} by the "
                      "sweeps' coherent lines alone",
                      s.low_Hz, s.high_Hz, whole, of_taps, s.magnitude.value));
    }
    out.values.push_back(std::move(band));
  }
  return {};
}

}  // namespace strigil::protocols
