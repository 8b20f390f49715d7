#include "protocols/campaign/campaign_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

namespace strigil::protocols {
namespace {

using calibration::SvgKind;
using calibration::SvgPlot;

bool is_valid(const TrialRecord& r) {
  return r.finished && r.last.outcome.judgement != Judgement::kInvalid && !r.last.run.empty();
}

bool has_air(const Suite& suite, const std::vector<Trial>& trials) {
  return std::any_of(trials.begin(), trials.end(), [&](const Trial& t) {
    const auto* level = level_of(suite.design, t, "targets");
    return level != nullptr && *level == Level("air");
  });
}

std::string instrument_of(const Suite& suite, const Trial& trial) {
  const auto* level = level_of(suite.design, trial, "instrument");
  return level == nullptr ? std::string() : text_of(*level);
}

SampleRange range_of(const RunRows& run, const StrokeRows& stroke, const MeasuredChannel& channel) {
  const auto& rows = *stroke.streams[channel.stream];
  return {.run = run.run,
          .stream = run.streams[channel.stream].name,
          .channel = channel.channel,
          .first = rows.first,
          .last = rows.last,
          .what = stroke.name};
}

/// What a report's measure is called in the suite, of which phase, and of which signal.
struct Asked {
  std::string phase;
  std::string signal;
};
Asked asked_of(const Suite& suite, const std::string& measure) {
  for (const auto& m : suite.measures) {
    if (key_of(m) == measure) return {m.phase, m.name};
  }
  for (const auto& d : suite.durings) {
    if (d.name == measure) return {d.phase, d.signal};
  }
  return {};
}

std::string words_of(const MachineNoise::Key& key) {
  const auto speed = fmt::format("{:g} mm/s", static_cast<double>(key.first) * 1e-3);
  return key.second.empty() ? speed : speed + ", " + key.second;
}

SvgPlot spectrum_plot(const MachineNoise& noise, const std::map<MachineNoise::Key, MachineNoise::Pair>& levels,
                      std::size_t channel) {
  SvgPlot plot{.title = fmt::format("In the air and on tissue, {}", noise.channels()[channel]),
               .x_label = "Hz",
               .y_label = "dB re 1 (m/s2)2/Hz"};
  plot.x_log = true;
  for (const auto& [key, pair] : levels) {
    for (const auto* side : {&pair.air, &pair.tissue}) {
      if (side->empty()) continue;
      SvgPlot::Series line{.kind = SvgKind::kLine};
      line.name = words_of(key) + (side == &pair.air ? ", air" : ", tissue");
      const auto& spectrum = (*side)[channel].spectrum;
      for (std::size_t k = 1; k < spectrum.size(); ++k) {
        line.x.push_back(static_cast<double>(k) * noise.resolution_Hz());
        line.y.push_back(10 * std::log10(spectrum[k]));
      }
      plot.series.push_back(std::move(line));
    }
  }
  return plot;
}

SvgPlot ratio_plot(const MachineNoise& noise, const std::map<MachineNoise::Key, MachineNoise::Pair>& levels,
                   std::size_t channel) {
  SvgPlot plot{.title = fmt::format("Strokes on tissue over the machine's noise, {}", noise.channels()[channel]),
               .x_label = "third octave, Hz",
               .y_label = "signal over noise, dB"};
  plot.x_log = true;
  plot.zero_line = true;
  for (const auto& [key, pair] : levels) {
    if (pair.air.empty() || pair.tissue.empty()) continue;
    SvgPlot::Series line{.kind = SvgKind::kLine, .name = words_of(key)};
    for (std::size_t b = 0; b < noise.bands().size(); ++b) {
      line.x.push_back(noise.bands()[b].centre_Hz);
      line.y.push_back(signal_to_noise_dB(pair.tissue[channel].bands[b], pair.air[channel].bands[b]));
    }
    plot.series.push_back(std::move(line));
  }
  return plot;
}

/// Of one channel at one speed.
void add_levels(const MachineNoise& noise, const MachineNoise::Key& key, const MachineNoise::Pair& pair,
                std::size_t channel, const std::array<std::size_t, 2>& evidence, ReportSection& s) {
  const auto where = fmt::format("{}, {}", words_of(key), noise.channels()[channel]);
  const auto& air = pair.air[channel];
  s.metrics.push_back({.name = "in the air, " + where,
                       .value = air.rms_m_s2(),
                       .unit = "m/s2",
                       .words = fmt::format("RMS over all bands, {} strokes", air.strokes),
                       .evidence = evidence[0]});
  if (pair.tissue.empty()) return;
  const auto& tissue = pair.tissue[channel];
  s.metrics.push_back({.name = "on tissue, " + where,
                       .value = tissue.rms_m_s2(),
                       .unit = "m/s2",
                       .words = fmt::format("RMS over all bands, {} strokes", tissue.strokes),
                       .evidence = evidence[1]});
  std::string best;
  double best_dB = -std::numeric_limits<double>::infinity();
  std::size_t above = 0;
  for (std::size_t b = 0; b < noise.bands().size(); ++b) {
    const double dB = signal_to_noise_dB(tissue.bands[b], air.bands[b]);
    above += std::isfinite(dB) && dB > 0 ? 1 : 0;
    if (dB > best_dB) best_dB = dB, best = fmt::format("{:.3g} Hz with {:.1f} dB", noise.bands()[b].centre_Hz, dB);
  }
  const double at_all = signal_to_noise_dB(std::pow(tissue.rms_m_s2(), 2), std::pow(air.rms_m_s2(), 2));
  s.metrics.push_back(
      {.name = "signal over noise, " + where,
       .value = at_all,
       .unit = "dB",
       .words = std::isfinite(at_all)
                    ? fmt::format("tissue stands out by more than the noise in {} of {} third octaves; most at {}",
                                  above, noise.bands().size(), best.empty() ? "none" : best)
                    : std::string("on tissue it shakes no more than in the air"),
       .evidence = evidence[1]});
}

}  // namespace

daq::Result<CampaignEvidence> read_campaign_evidence(const std::string& dir, const Suite& suite,
                                                     const std::vector<Trial>& trials,
                                                     const std::vector<TrialRecord>& records) {
  CampaignEvidence out;
  out.rows.resize(trials.size());
  if (has_air(suite, trials)) out.noise.emplace();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto& record = records[i];
    if (!record.finished || record.last.run.empty()) continue;
    const bool valid = is_valid(record);
    const auto path = (std::filesystem::path(dir) / record.last.run).string();
    auto reader = daq::RunReader::open(path);
    auto rows = reader ? read_stroke_rows(**reader, record.last.run) : daq::Result<RunRows>(reader.error());
    if (!rows && !valid) continue;  // an INVALID run may be one that cannot even be read
    if (!rows) return daq::Error{fmt::format("'{}': {}", record.last.run, rows.error().message)};
    if (out.noise && valid) {
      if (auto added = out.noise->add(**reader, *rows, instrument_of(suite, trials[i])); !added) return added.error();
    }
    out.rows[i] = std::move(*rows);
  }
  return out;
}

void link_measures(const CampaignEvidence& evidence, const Suite& suite, CourtReport& report) {
  for (std::size_t i = 0; i < std::min(evidence.rows.size(), report.trials.size()); ++i) {
    if (!evidence.rows[i]) continue;
    const auto& run = *evidence.rows[i];
    auto& trial = report.trials[i];
    std::map<std::tuple<std::string, std::size_t, std::string>, std::size_t> sets;  // one for all that share it
    for (auto& m : trial.measures) {
      const auto asked = asked_of(suite, m.name);
      const auto channel = channel_of(asked.signal, run);
      const auto [at, is_new] = sets.try_emplace({asked.phase, channel.stream, channel.channel}, kNoEvidence);
      if (is_new) {
        EvidenceSet set;
        set.name =
            fmt::format("{}: {}{}{}{}", trial.id, run.streams[channel.stream].name, channel.channel.empty() ? "" : "/",
                        channel.channel, asked.phase.empty() ? "" : ", phase " + asked.phase);
        for (const auto& stroke : run.strokes) {
          const bool of_phase = asked.phase.empty() || stroke.planned.phase == asked.phase;
          if (of_phase && stroke.streams[channel.stream]) set.ranges.push_back(range_of(run, stroke, channel));
        }
        if (!set.ranges.empty()) {
          at->second = report.evidence.size();
          report.evidence.push_back(std::move(set));
        }
      }
      if (at->second != kNoEvidence) m.evidence = at->second;
    }
  }
}

std::size_t link_strokes(const CampaignEvidence& evidence, const std::vector<TrialRecord>& records, bool air,
                         CourtReport& report) {
  EvidenceSet set;
  set.name = air ? "all strokes in the air" : "all strokes on tissue, of the valid runs";
  for (std::size_t i = 0; i < evidence.rows.size(); ++i) {
    if (!evidence.rows[i] || evidence.rows[i]->in_air != air || !is_valid(records[i])) continue;
    const auto& run = *evidence.rows[i];
    for (const auto& stroke : run.strokes) {
      if (stroke.streams[run.roles.force]) set.ranges.push_back(range_of(run, stroke, {run.roles.force, {}}));
      if (run.has_vibration && stroke.streams[run.roles.vibration])
        set.ranges.push_back(range_of(run, stroke, {run.roles.vibration, {}}));
    }
  }
  if (set.ranges.empty()) return kNoEvidence;
  report.evidence.push_back(std::move(set));
  return report.evidence.size() - 1;
}

void add_machine_noise(const CampaignEvidence& evidence, std::size_t air_evidence, std::size_t tissue_evidence,
                       CourtReport& report) {
  if (!evidence.noise) return;
  const auto& noise = *evidence.noise;
  auto levels = noise.levels();
  std::erase_if(levels, [](const auto& entry) { return entry.second.air.empty(); });
  if (levels.empty()) return;
  ReportSection s{.name = "machine noise"};
  s.about = fmt::format(
      "What the machine makes by itself: strokes in the air, over the middle 60 % of their time; lines of {:.3g} Hz, "
      "third octaves from {:.3g} to {:.4g} Hz. Signal over noise: what strokes on tissue at the same speed have above "
      "it, "
      "over it",
      noise.resolution_Hz(), noise.bands().front().centre_Hz, noise.bands().back().centre_Hz);
  if (noise.skipped() > 0) s.about += fmt::format("; {} strokes were too short for a spectrum", noise.skipped());
  for (std::size_t c = 0; c < noise.channels().size(); ++c) {
    for (const auto& [key, pair] : levels) add_levels(noise, key, pair, c, {air_evidence, tissue_evidence}, s);
    s.plots.push_back(spectrum_plot(noise, levels, c));
    s.plots.push_back(ratio_plot(noise, levels, c));
  }
  report.studies.push_back(std::move(s));
}

}  // namespace strigil::protocols
