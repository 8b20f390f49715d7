#include "protocols/campaign/machine_noise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calibration/signal/spectrum.hpp"

namespace strigil::protocols {
namespace {

/// Of a stroke's time: acceleration and braking are left out.
constexpr double kFrom = 0.2;
constexpr double kTo = 0.8;
/// Lines this far apart at most, or what the rate gives with kShortest samples [A]: a stroke of 0.5 s has a few
/// segments.
constexpr double kResolution_Hz = 10;
constexpr std::size_t kShortest = 64;
constexpr double kOfRate = 2.56;  // the usual room below half the rate for an anti-alias filter
constexpr double kLinesInBand = 2;

/// Power of lines between two frequencies, each line's band cut at the edges.
double power_within(const std::vector<double>& spectrum, double resolution_Hz, const NoiseBand& band) {
  double sum = 0;
  for (std::size_t k = 1; k < spectrum.size(); ++k) {
    const double low = (static_cast<double>(k) - 0.5) * resolution_Hz;
    const double covered = std::min(low + resolution_Hz, band.high_Hz) - std::max(low, band.low_Hz);
    if (covered > 0) sum += covered * spectrum[k];
  }
  return sum;
}

}  // namespace

double NoiseLevel::rms_m_s2() const noexcept { return std::sqrt(std::accumulate(bands.begin(), bands.end(), 0.0)); }

double signal_to_noise_dB(double tissue, double air) noexcept {
  if (!(air > 0) || !(tissue > air)) return std::numeric_limits<double>::quiet_NaN();
  return 10 * std::log10((tissue - air) / air);
}

std::vector<NoiseBand> noise_bands(double rate_Hz, double resolution_Hz) {
  std::vector<NoiseBand> out;
  if (!(rate_Hz > 0) || !(resolution_Hz > 0)) return out;
  for (int n = -20; n <= 60; ++n) {
    const double centre = std::pow(10.0, n / 10.0);
    const NoiseBand band{centre, centre * std::pow(10.0, -0.05), centre * std::pow(10.0, 0.05)};
    if (band.high_Hz - band.low_Hz < kLinesInBand * resolution_Hz) continue;
    if (band.high_Hz > rate_Hz / kOfRate) break;
    out.push_back(band);
  }
  return out;
}

daq::Result<void> MachineNoise::add(daq::RunReader& reader, const RunRows& rows, const std::string& instrument) {
  if (!rows.has_vibration) return {};
  const auto stream = rows.roles.vibration;
  const double rate_Hz = reader.header().streams[stream].rate_Hz;
  if (!(rate_Hz > 0)) return daq::Error{rows.run + ": its accelerometer has no rate: there is no spectrum"};
  if (rate_Hz_ == 0) {
    rate_Hz_ = rate_Hz;
    segment_ = kShortest;
    while (rate_Hz / static_cast<double>(segment_) > kResolution_Hz) segment_ *= 2;
    resolution_Hz_ = rate_Hz / static_cast<double>(segment_);
    bands_ = noise_bands(rate_Hz, resolution_Hz_);
    channels_ = rows.streams[stream].channels;
  }
  if (rate_Hz != rate_Hz_ || rows.streams[stream].channels != channels_)
    return daq::Error{rows.run + ": its accelerometer has another rate or other channels than the runs before it"};
  std::uint64_t block_from = 0;
  for (const auto& stroke : rows.strokes) {
    const auto& range = stroke.streams[stream];
    if (!range) continue;
    const auto count = static_cast<double>(range->last - range->first + 1);
    const auto first = range->first + static_cast<std::uint64_t>(kFrom * count);
    const auto last = range->first + static_cast<std::uint64_t>(kTo * count);
    if (last - first < segment_) {
      ++skipped_;
      continue;
    }
    std::vector<std::vector<double>> samples(channels_.size());
    for (auto i = block_from; i < reader.block_count(stream); ++i) {
      const auto begins = reader.first_row(stream, i);
      if (!begins) return begins.error();
      if (*begins >= last) break;
      const auto block = reader.block(stream, i);
      if (!block) return block.error();
      if (*begins + block->samples <= first) {
        block_from = i;
        continue;
      }
      for (std::size_t s = 0; s < block->samples; ++s) {
        if (*begins + s < first || *begins + s >= last) continue;
        for (std::size_t c = 0; c < channels_.size(); ++c)
          samples[c].push_back(static_cast<double>(block->values[s * block->channels + c]));
      }
    }
    auto& pair = sums_[{std::llround(stroke.planned.speed_mm_s * 1e3), instrument}];
    add_stroke(samples, rows.in_air ? pair.air : pair.tissue);
  }
  return {};
}

void MachineNoise::add_stroke(const std::vector<std::vector<double>>& samples, std::vector<NoiseLevel>& to) {
  std::vector<std::vector<double>> spectra;
  for (const auto& channel : samples) {
    const auto spectrum =
        calibration::cross_spectrum(channel, channel, rate_Hz_, calibration::SpectrumOptions{.segment = segment_});
    if (!spectrum) {  // samples that are no numbers
      ++skipped_;
      return;
    }
    spectra.push_back(spectrum->xx);
  }
  to.resize(channels_.size());
  for (std::size_t c = 0; c < spectra.size(); ++c) {
    auto& level = to[c];
    level.spectrum.resize(spectra[c].size());
    level.bands.resize(bands_.size());
    ++level.strokes;
    for (std::size_t k = 0; k < spectra[c].size(); ++k) level.spectrum[k] += spectra[c][k];
    for (std::size_t b = 0; b < bands_.size(); ++b)
      level.bands[b] += power_within(spectra[c], resolution_Hz_, bands_[b]);
  }
}

std::map<MachineNoise::Key, MachineNoise::Pair> MachineNoise::levels() const {
  auto out = sums_;
  for (auto& [key, pair] : out) {
    for (auto* side : {&pair.air, &pair.tissue}) {
      for (auto& level : *side) {
        const auto n = static_cast<double>(level.strokes);
        for (auto& v : level.spectrum) v /= n;
        for (auto& v : level.bands) v /= n;
      }
    }
  }
  return out;
}

}  // namespace strigil::protocols
