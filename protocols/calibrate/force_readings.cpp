#include "protocols/calibrate/force_readings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "daq/block.hpp"
#include "protocols/calibrate/force_evaluation.hpp"

namespace strigil::protocols {
namespace {

constexpr std::uint32_t kSpoiled = daq::kGapBefore | daq::kSaturated | daq::kDeviceFault | daq::kDeviceReset;

/// What is wrong with a window; empty: nothing.
std::string trouble_of(const StreamWindow& w, double expected) {
  constexpr double kEnough = 0.9;
  if (static_cast<double>(w.samples) < std::max(2.0, kEnough * expected)) {
    return fmt::format("{} force samples came, about {:.0f} should have", w.samples, expected);
  }
  if ((w.flags & daq::kSaturated) != 0) return "the force sensor was saturated";
  if ((w.flags & daq::kGapBefore) != 0) return "force samples were lost";
  if ((w.flags & kSpoiled) != 0) return "the force sensor said that its samples are doubtful";
  return "";
}

}  // namespace

ForceSignals ForceEvaluation::mean_of(std::size_t step) const {
  const auto& window = data_.windows[step][data_.roles.force];
  ForceSignals out;
  if (p_.plan_.verifies) {
    daq::NewestSample sample;
    for (std::size_t c = 0; c < window.channels.size() && c < sample.counts.size(); ++c) {
      sample.counts[c] = static_cast<std::int32_t>(std::llround(window.channels[c].mean));
    }
    for (std::size_t c = 0; c < out.size(); ++c) out[c] = conversion_.value(sample, c);
    return out;
  }
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = r_.per_count[c] * window.channels[c].mean;
  return out;
}

double ForceEvaluation::time_of(std::size_t step) const {
  const auto& done = data_.done[step];
  return (daq::seconds(done.began - data_.done.front().began) + daq::seconds(done.ended - data_.done.front().began)) /
         2;
}

ForceReading ForceEvaluation::reading(std::size_t step, std::size_t zero_before, std::size_t zero_after) const {
  const auto before = mean_of(zero_before);
  const auto after = mean_of(zero_after);
  const double from = time_of(zero_before);
  const double part = (time_of(step) - from) / (time_of(zero_after) - from);
  ForceReading out;
  out.signal_N = mean_of(step);
  for (std::size_t c = 0; c < out.signal_N.size(); ++c) out.signal_N[c] -= std::lerp(before[c], after[c], part);
  return out;
}

daq::Result<void> ForceEvaluation::read() {
  const auto& stream = data_.streams[data_.roles.force];
  if (stream.channels.size() < r_.per_count.size()) {
    return daq::Error{"the force stream has fewer than three channels: this procedure is for Fx, Fy, Fz"};
  }
  for (std::size_t c = 0; c < r_.per_count.size(); ++c) {
    if (stream.channels[c].unit != "N" || stream.channels[c].scale == 0) {
      return daq::Error{fmt::format("channel '{}' of the force stream gives no newtons", stream.channels[c].name)};
    }
    r_.per_count[c] = stream.channels[c].scale;
  }
  if (p_.plan_.verifies) {
    auto conversion = calibration::Conversion::with(stream, *setup_.bench.force.record);
    if (!conversion) return conversion.error();
    conversion_ = *conversion;
  }
  double noise_N = 0;
  for (std::size_t step = 0; step < p_.steps_.size(); ++step) {
    if (p_.steps_[step].kind != ProcedureStepKind::kMeasure) continue;
    const auto& window = data_.windows[step][data_.roles.force];
    const auto trouble = trouble_of(window, p_.steps_[step].duration_s * stream.rate_Hz);
    if (!trouble.empty()) return daq::Error{fmt::format("reading '{}': {}", p_.steps_[step].name, trouble)};
    const double deviation = window.channels[axes_.normal].deviation / std::sqrt(static_cast<double>(window.samples));
    noise_N = std::max(noise_N, std::abs(r_.per_count[axes_.normal]) * deviation);
  }
  // metrology.md 1.1 [M]: one step of the indication, or half of what it fluctuates by; here two deviations of a mean.
  r_.resolution_N = std::max(std::abs(r_.per_count[axes_.normal]), 2 * noise_N);
  for (const auto& s : p_.series_) {
    ForceSeriesReadings series;
    const auto take = [&](const std::vector<std::size_t>& steps, std::vector<ForceReading>& into, bool falling) {
      for (std::size_t i = 0; i < steps.size(); ++i) {
        into.push_back(reading(steps[i], s.zero_before, s.zero_after));
        into.back().falling = falling;
        into.back().applied_N[axes_.normal] = axes_.sign * p_.loads_[i].force_N;
      }
    };
    take(s.rising, series.rising, false);
    take(s.falling, series.falling, true);
    series.zero_before_N = pressing(mean_of(s.zero_before));
    series.zero_after_N = pressing(mean_of(s.zero_after));
    r_.series.push_back(std::move(series));
  }
  for (const auto& s : p_.laterals_) {
    for (std::size_t i = 0; i < s.loads.size(); ++i) {
      auto one = reading(s.loads[i], s.zero_before, s.zero_after);
      one.lateral = true;
      one.falling = i > s.loads.size() / 2;
      one.applied_N[s.axis] = s.force_N[i];
      one.applied_N[axes_.normal] += axes_.sign * s.normal_N[i];
      (s.validates ? r_.validating : r_.laterals).push_back(one);
    }
  }
  for (const auto step : p_.places_) {
    const auto& window = data_.windows[step][data_.roles.force];
    r_.places_N.push_back(mean_of(step));
    r_.place_noise_N.push_back(window.channels[axes_.normal].deviation * std::abs(r_.per_count[axes_.normal]) /
                               std::sqrt(static_cast<double>(window.samples)));
  }
  const auto last_zero = p_.series_.back().zero_after;
  for (std::size_t c = 0; c < r_.zero_counts.size(); ++c) {
    r_.zero_counts[c] = std::round(data_.windows[last_zero][data_.roles.force].channels[c].mean);
  }
  read_creep();
  return {};
}

/// Of the bench while loads were on, as it was read.
calibration::Interval ForceEvaluation::temperatures() const {
  calibration::Interval out{data_.done[p_.temperatures_.front()].answer, data_.done[p_.temperatures_.front()].answer};
  for (const auto step : p_.temperatures_) {
    out.low = std::min(out.low, data_.done[step].answer);
    out.high = std::max(out.high, data_.done[step].answer);
  }
  return out;
}

void ForceEvaluation::read_creep() {
  if (p_.creep_.empty()) return;
  const double zero_N = pressing(mean_of(p_.creep_zero_));
  const auto take = [&](const std::vector<std::size_t>& steps, calibration::CreepRecord& into) {
    // The load changed when the step of hands before the first wait ended.
    std::size_t hands = steps.front();
    while (p_.steps_[hands].kind != ProcedureStepKind::kHands) --hands;
    const double changed = daq::seconds(data_.done[hands].ended - data_.done.front().began);
    for (const auto step : steps) {
      into.time_s.push_back(time_of(step) - changed);
      into.reading.push_back(pressing(mean_of(step)) - zero_N);
    }
  };
  take(p_.creep_, r_.creep);
  if (!p_.recovery_.empty()) take(p_.recovery_, r_.recovery);
  r_.creep.full_deflection = r_.recovery.full_deflection = r_.creep.reading.front();
}

}  // namespace strigil::protocols
