#include "protocols/calibrate/window_collector.hpp"

#include <cmath>

namespace strigil::protocols {
namespace {

/// Two seconds of all streams at their fastest.
constexpr std::size_t kBlocks = 2048;
/// What arrives later than this after its acquisition is not waited for [A].
constexpr daq::Duration kLatest = std::chrono::seconds(2);

bool ended(const StepDone& step) { return step.ended.ns != 0; }

}  // namespace

WindowCollector::WindowCollector(daq::Fanout& fanout, const std::vector<daq::StreamDescription>& streams,
                                 const std::vector<ProcedureStep>& steps)
    : streams_(streams), steps_(steps), rings_(fanout.add_sink("calibrate", kBlocks)) {
  windows_.resize(steps.size());
  sums_.resize(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!measures(steps[i])) continue;
    windows_[i].resize(streams.size());
    sums_[i].resize(streams.size());
    for (std::size_t s = 0; s < streams.size(); ++s) {
      const auto channels = streams[s].channels.size();
      windows_[i][s].channels.resize(channels);
      sums_[i][s].resize(channels);
      if (steps[i].keep_samples) windows_[i][s].counts.resize(channels);
    }
  }
}

void WindowCollector::take(const std::vector<StepDone>& done) {
  while (rings_->events.front() != nullptr) rings_->events.release();
  while (const auto* block = rings_->blocks.front()) {
    take(*block, done);
    rings_->blocks.release();
  }
}

void WindowCollector::take(const daq::Block& block, const std::vector<StepDone>& done) {
  if (block.stream >= streams_.size() || block.channels != streams_[block.stream].channels.size()) return;
  while (oldest_ < done.size() && ended(done[oldest_]) && done[oldest_].ended + kLatest < block.t0) ++oldest_;
  for (std::size_t i = oldest_; i < done.size(); ++i) {
    if (!measures(steps_[i])) continue;
    auto& window = windows_[i][block.stream];
    auto& sums = sums_[i][block.stream];
    for (std::size_t k = 0; k < block.samples; ++k) {
      const auto at = block.t0 + daq::Duration{std::llround(static_cast<double>(k) * block.period_ns)};
      if (at < done[i].began || (ended(done[i]) && at >= done[i].ended)) continue;
      window.flags |= block.flags;
      ++window.samples;
      if (steps_[i].keep_samples) window.at_s.push_back(daq::seconds(at - done.front().began));
      for (std::size_t c = 0; c < block.channels; ++c) {
        const double counts = block.counts[k * block.channels + c];
        if (window.samples == 1) sums[c].first = counts;
        sums[c].sum += counts - sums[c].first;
        sums[c].squares += (counts - sums[c].first) * (counts - sums[c].first);
        if (steps_[i].keep_samples) window.counts[c].push_back(counts);
      }
    }
  }
}

std::vector<std::vector<StreamWindow>> WindowCollector::finish() {
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    for (std::size_t s = 0; s < windows_[i].size(); ++s) {
      auto& window = windows_[i][s];
      const auto n = static_cast<double>(window.samples);
      for (std::size_t c = 0; c < window.channels.size() && window.samples > 0; ++c) {
        const auto& sums = sums_[i][s][c];
        const double mean = sums.sum / n;
        window.channels[c].mean = sums.first + mean;
        if (window.samples > 1) {
          window.channels[c].deviation = std::sqrt(std::fmax(0, (sums.squares - n * mean * mean) / (n - 1)));
        }
      }
    }
  }
  return std::move(windows_);
}

std::uint64_t WindowCollector::lost() const { return rings_->blocks.counts().dropped; }

}  // namespace strigil::protocols
