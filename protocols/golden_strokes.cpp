#include "protocols/golden_strokes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/signal/spectrum.hpp"
#include "protocols/court/golden_envelope.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;
constexpr double kTrim_mm = 2;     ///< at both ends of a stroke: who begins or ends a report later is no other run
constexpr double kLastPart = 0.9;  ///< of the shortest reference's time
constexpr double kForceResolution_N = 0.02;  ///< [A] below what a load cell of this range tells
constexpr double kLevelResolution_dB = 0.5;  ///< [A]
constexpr double kLowestBand_Hz = 25;
constexpr std::size_t kSegment = 256;
const double kThird = std::pow(2.0, 1.0 / 3);

double unknown() { return std::numeric_limits<double>::quiet_NaN(); }

const StrokeSamples& samples_of(const StrokeSeries& stroke, const GoldenSection& section) {
  return section.channel == "normal force" ? stroke.normal_N : stroke.tangential_N;
}

void band_levels(const StrokeSeries& stroke, const GoldenSection& section, std::vector<double>& out) {
  const auto spectrum = calibration::cross_spectrum(stroke.vibration_m_s2.value, stroke.vibration_m_s2.value,
                                                    stroke.vibration_rate_Hz, {.segment = kSegment});
  for (const double f : section.at) {
    double sum = 0;
    std::size_t n = 0;
    for (std::size_t k = 1; spectrum && k < spectrum->xx.size(); ++k) {
      const double at = spectrum->frequency_Hz(k);
      if (at < f / std::sqrt(kThird) || at >= f * std::sqrt(kThird)) continue;
      sum += spectrum->xx[k];
      ++n;
    }
    // Silence to the last bit has no level: a floor far below any sensor's noise.
    constexpr double kFloor = 1e-16;
    out.push_back(n > 0 ? 10 * std::log10(sum / static_cast<double>(n) + kFloor) : unknown());
  }
}

std::vector<double> values_of(const GoldenStrokes& g, const RunSeries& run) {
  std::vector<double> out;
  for (const auto& section : g.sections) {
    if (section.stroke >= run.strokes.size()) {
      out.insert(out.end(), section.at.size(), unknown());
      continue;
    }
    const auto& stroke = run.strokes[section.stroke];
    if (section.domain == GoldenDomain::kFrequency) {
      band_levels(stroke, section, out);
      continue;
    }
    const auto& s = samples_of(stroke, section);
    const bool by_time = section.domain == GoldenDomain::kTime;
    const double width = by_time ? g.bin_s : g.bin_mm;
    const auto place = by_time ? s.t_s : way_mm(s, section.from_m, section.forward);
    const auto means = binned(place, s.value, section.at.front() - width / 2, width, section.at.size());
    out.insert(out.end(), means.begin(), means.end());
  }
  return out;
}

std::vector<double> bins(double from, double to, double width) {
  std::vector<double> out;
  for (std::size_t i = 0; from + (static_cast<double>(i) + 1) * width <= to; ++i) {
    out.push_back(from + (static_cast<double>(i) + 0.5) * width);
  }
  return out;
}

/// Sections of one stroke, wide enough for all references.
daq::Result<void> add_sections(GoldenStrokes& g, std::span<const RunSeries> runs, std::size_t k) {
  const auto& first = runs.front().strokes[k];
  GoldenSection s;
  s.stroke = k;
  s.forward = first.to_m > first.from_m;
  s.from_m = first.from_m;
  double length_mm = std::numeric_limits<double>::infinity();
  double duration_s = length_mm;
  double rate_Hz = length_mm;
  bool shaken = true;
  for (const auto& run : runs) {
    const auto& stroke = run.strokes[k];
    length_mm = std::min(length_mm, kMillimetresPerMetre * std::abs(stroke.to_m - s.from_m));
    duration_s = std::min(duration_s, daq::seconds(stroke.ended - stroke.began));
    shaken = shaken && stroke.vibration_m_s2.value.size() >= 2 * kSegment;
    rate_Hz = std::min(rate_Hz, stroke.vibration_rate_Hz);
  }
  s.domain = GoldenDomain::kSpace;
  s.at = bins(kTrim_mm, length_mm - kTrim_mm, g.bin_mm);
  if (!std::isfinite(length_mm) || s.at.empty()) {
    return daq::Error{fmt::format("stroke {} is too short for a bin of {:g} mm, or nobody heard where the stage stood",
                                  k + 1, g.bin_mm)};
  }
  s.unit = "N";
  s.resolution = kForceResolution_N;
  for (const char* channel : {"normal force", "tangential force"}) {
    s.channel = channel;
    g.sections.push_back(s);
  }
  s.domain = GoldenDomain::kTime;
  s.channel = "normal force";
  s.at = bins(0, kLastPart * duration_s, g.bin_s);
  if (!s.at.empty()) g.sections.push_back(s);
  if (!shaken) return {};
  s.domain = GoldenDomain::kFrequency;
  s.channel = "vibration";
  s.unit = "dB";
  s.resolution = kLevelResolution_dB;
  s.at.clear();
  const double line_Hz = rate_Hz / static_cast<double>(kSegment);
  for (double f = std::max(kLowestBand_Hz, 4 * line_Hz); f * kThird < 0.45 * rate_Hz; f *= kThird) s.at.push_back(f);
  if (!s.at.empty()) g.sections.push_back(s);
  return {};
}

/// One grid and one channel for all sections, each value in its own resolutions.
GoldenRun scaled(const GoldenStrokes& g, const std::vector<double>& values) {
  GoldenRun out;
  out.channel.emplace_back();
  std::size_t i = 0;
  for (const auto& s : g.sections) {
    for (std::size_t k = 0; k < s.at.size(); ++k) out.channel[0].push_back(values[i++] / s.resolution);
  }
  return out;
}

daq::Result<GoldenEnvelope> envelope_of(const GoldenStrokes& g) {
  GoldenGrid grid;
  for (std::size_t i = 0; i < g.references.front().size(); ++i) grid.at.push_back(static_cast<double>(i));
  std::vector<GoldenRun> references;
  for (const auto& r : g.references) references.push_back(scaled(g, r));
  const GoldenChannelName channel{"all strokes", "", 1};
  return learn_envelope(grid, std::span(&channel, 1), references, {.false_reject = g.false_reject});
}

struct Where {
  std::size_t section = 0;
  std::size_t point = 0;
};
Where where(const GoldenStrokes& g, std::size_t index) {
  Where out;
  while (index >= g.sections[out.section].at.size()) index -= g.sections[out.section++].at.size();
  out.point = index;
  return out;
}

std::string place_in_words(const GoldenSection& s, double at) {
  const char* unit = s.domain == GoldenDomain::kSpace ? "mm" : s.domain == GoldenDomain::kTime ? "s" : "Hz";
  return fmt::format("{:.4g} {} of stroke {}", at, unit, s.stroke + 1);
}

calibration::SvgPlot plot_of(const GoldenStrokes& g, const GoldenEnvelope& e, double limit, std::size_t section,
                             const std::vector<double>& values, const std::optional<GoldenFinding>& first) {
  const auto& s = g.sections[section];
  std::size_t from = 0;
  for (std::size_t i = 0; i < section; ++i) from += g.sections[i].at.size();
  calibration::SvgPlot p;
  p.title = fmt::format("Stroke {}: {}", s.stroke + 1, s.channel);
  p.x_label = s.domain == GoldenDomain::kSpace  ? "from where the stroke began / mm"
              : s.domain == GoldenDomain::kTime ? "since the stroke began / s"
                                                : "band / Hz";
  p.y_label = fmt::format("{} / {}", s.channel, s.unit);
  p.x_log = s.domain == GoldenDomain::kFrequency;
  p.series.resize(2);
  auto& band = p.series[0];
  auto& run = p.series[1];
  band.kind = run.kind = calibration::SvgKind::kLine;
  band.name = fmt::format("{} reference runs, and their envelope", g.references.size());
  run.name = "this run";
  band.x = run.x = s.at;
  for (std::size_t k = 0; k < s.at.size(); ++k) {
    const double centre = e.centre[0][from + k] * s.resolution;
    const double half = limit * e.spread[0][from + k] * s.resolution;
    band.y.push_back(centre);
    band.low.push_back(centre - half);
    band.high.push_back(centre + half);
    run.y.push_back(values[from + k]);
  }
  if (first && first->section == section) {
    p.marks.push_back({first->at, true, std::isnan(first->value) ? "not measured" : "leaves the envelope"});
  }
  return p;
}

}  // namespace

daq::Result<GoldenStrokes> learn_golden(std::span<const RunSeries> runs, const GoldenStrokesOptions& o) {
  if (!(o.false_reject > 0 && o.false_reject <= 0.5)) {
    return daq::Error{fmt::format("a false-reject rate of {} is not in (0, 0.5]", o.false_reject)};
  }
  if (!(o.bin_mm >= 0.1 && o.bin_mm <= 100 && o.bin_s >= 1e-3 && o.bin_s <= 100)) {
    return daq::Error{
        fmt::format("bins of {} mm and {} s are not of 0.1 to 100 mm and 0.001 to 100 s", o.bin_mm, o.bin_s)};
  }
  if (const auto needed = references_needed(o.false_reject, GoldenMethod::kFull); runs.size() < needed) {
    return daq::Error{fmt::format("{} runs cannot promise {:g} % of false rejects: {} are needed", runs.size(),
                                  100 * o.false_reject, needed)};
  }
  GoldenStrokes g;
  g.false_reject = o.false_reject;
  g.bin_mm = o.bin_mm;
  g.bin_s = o.bin_s;
  g.plan_sha256 = runs.front().plan_sha256;
  const auto strokes = runs.front().strokes.size();
  if (strokes == 0) return daq::Error{fmt::format("run '{}' has no stroke that was done", runs.front().run_id)};
  for (const auto& run : runs) {
    if (run.plan_sha256 != g.plan_sha256 || run.strokes.size() != strokes) {
      return daq::Error{fmt::format("run '{}' ({} strokes) is not of the same plan as '{}' ({} strokes)", run.run_id,
                                    run.strokes.size(), runs.front().run_id, strokes)};
    }
    g.runs.push_back(run.run_id);
  }
  for (std::size_t k = 0; k < strokes; ++k) {
    if (auto r = add_sections(g, runs, k); !r) return r.error();
  }
  for (const auto& run : runs) {
    g.references.push_back(values_of(g, run));
    const auto& v = g.references.back();
    const auto hole = std::find_if(v.begin(), v.end(), [](double x) { return !std::isfinite(x); });
    if (hole == v.end()) continue;
    const auto at = where(g, static_cast<std::size_t>(hole - v.begin()));
    const auto& s = g.sections[at.section];
    return daq::Error{fmt::format("run '{}' has no {} at {}: wider bins, or leave it out", run.run_id, s.channel,
                                  place_in_words(s, s.at[at.point]))};
  }
  if (auto e = envelope_of(g); !e) return e.error();
  return g;
}

daq::Result<GoldenCheck> check_golden(const GoldenStrokes& g, const RunSeries& run) {
  if (run.plan_sha256 != g.plan_sha256) {
    return daq::Error{
        fmt::format("run '{}' is of another plan than the references: it cannot be held against them", run.run_id)};
  }
  const auto envelope = envelope_of(g);
  if (!envelope) return envelope.error();
  const auto values = values_of(g, run);
  GoldenCheck out;
  out.promised = envelope->promised;
  double limit = envelope->limit;
  // What was not measured is judged as if it were in the middle, and then told where nothing is wrong before it.
  auto measured = values;
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (std::isfinite(measured[i])) continue;
    if (!first) first = i;
    const auto& s = g.sections[where(g, i).section];
    measured[i] = envelope->centre[0][i] * s.resolution;
  }
  const auto judged = judge_run(*envelope, scaled(g, measured));
  if (!judged) return judged.error();
  out.accepted = judged->accepted && !first;
  out.p = first ? 1 / (static_cast<double>(g.references.size()) + 1) : judged->p;
  limit = judged->limit;
  if (judged->first) first = std::min(first.value_or(judged->first->point), judged->first->point);
  std::size_t shown = 0;
  if (first) {
    const auto at = where(g, *first);
    const auto& s = g.sections[at.section];
    const double centre = envelope->centre[0][*first] * s.resolution;
    const double half = limit * envelope->spread[0][*first] * s.resolution;
    out.first = GoldenFinding{at.section, s.at[at.point], values[*first], centre - half, centre + half};
    const auto place = place_in_words(s, out.first->at);
    out.words = std::isnan(out.first->value)
                    ? fmt::format("{} was not measured at {}", s.channel, place)
                    : fmt::format("{} leaves the envelope at {}: {:.4g} {}, allowed {:.4g} to {:.4g} {}", s.channel,
                                  place, out.first->value, s.unit, out.first->low, out.first->high, s.unit);
    shown = s.stroke;
  } else {
    out.words = fmt::format("within the envelope of {} reference runs (p = {:.3g}; good runs are rejected at {:.3g} %)",
                            g.references.size(), out.p, 100 * out.promised);
  }
  for (std::size_t i = 0; i < g.sections.size(); ++i) {
    if (g.sections[i].stroke == shown) out.plots.push_back(plot_of(g, *envelope, limit, i, values, out.first));
  }
  return out;
}

}  // namespace strigil::protocols
